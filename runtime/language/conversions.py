"""Brings a literal, a wire or a tag into the type and unit of where it ends, or says why it cannot be.

It must not know order or memory.
"""

from __future__ import annotations

from blocks.declare import DINT, LREAL, Type
from runtime.language.feeds import size_of, type_of, unit_of, written_unit
from runtime.language.lower import hidden
from runtime.language.network import ALL, BROKEN, Cell, Constant, Feed, Listed, Literal, Node, Port, Program, Wire
from runtime.language.quantities import Quantity
from runtime.language.targets import Target, literal_error, range_error, type_error, unit_error
from runtime.language.units import CELSIUS, KELVIN, Unit, conversion
from runtime.language.words import as_value
from runtime.source import Report


class Conversions:
    """The conversions of one program; those on wires become hidden instances of TO_LREAL and UNIT."""

    def __init__(self, program: Program, report: Report, later: list[tuple[Node, str]]):
        self.program = program
        self.report = report
        self.later = later  # pins whose sources are settled after them

    def constant(self, feed: Literal, target: Target) -> Feed:
        """A literal as the column holds it."""
        if target.is_difference and isinstance(feed.value, Quantity) and target.unit is CELSIUS:
            plain = Quantity(feed.value.number, None if feed.value.unit is CELSIUS else feed.value.unit, feed.value.is_whole)
            value, code, message, hint = as_value(plain, target.type, KELVIN)
        else:
            value, code, message, hint = as_value(feed.value, target.type, target.unit or written_unit(feed))
        if code:
            literal_error(self.report, feed, code, message, hint, target)
            return BROKEN
        if (target.minimum is not None and value < target.minimum) or (target.maximum is not None and value > target.maximum):
            range_error(self.report, feed, target)
            return BROKEN
        return Constant((value,))

    def adapt(self, feed: Wire | Cell, target: Target) -> Feed:
        """A wire or tag in the target's type and unit, through a conversion where one is needed; or a problem."""
        type, unit = type_of(feed), unit_of(feed)
        if type is None or (isinstance(feed, Wire) and feed.node.is_broken):
            return BROKEN
        result: Wire | Cell = feed
        if type is not target.type:
            if type is not DINT or target.type is not LREAL:
                type_error(self.report, feed, type, target)
                return BROKEN
            result = self.insert("TO_LREAL", result, target, DINT, unit)
        if unit is None or target.unit is None or unit is target.unit:
            return result
        rule = conversion(unit, target.unit)
        if rule is None or (target.type is not LREAL and rule != (1, 0)):
            unit_error(self.report, feed, unit, target, rule is not None)
            return BROKEN
        k, offset = float(rule[0]), 0.0 if target.is_difference else float(rule[1])
        if k == 1.0 and offset == 0.0:
            return result
        return self.insert("UNIT", result, target, None, unit, k, offset)

    def insert(
        self, block: str, feed: Wire | Cell, target: Target, chosen: Type | None, unit: Unit | None, *numbers: float
    ) -> Wire:
        """A conversion on the wire, with as many instances as the wire has cells."""
        node = hidden(self.program.scope, f"{target.owner}#{block.lower()}", block, feed.text)
        size = size_of(feed)
        node.count = size if size > 1 else 0
        node.chosen = chosen
        first, *others = node.block.inputs
        node.feeds = {first.name: feed, **{pin.name: Constant((number,)) for pin, number in zip(others, numbers, strict=True)}}
        if unit is not None:
            node.units = {first.name: unit}
        if numbers and target.unit is not None:
            node.units[node.block.outputs[0].name] = target.unit
        node.is_settled = True
        return Wire(node, node.block.outputs[0], ALL, ALL, False, feed.text, feed.start, feed.width)

    def through_port(self, port: Port) -> Feed:
        """What feeds an input of a YAML function block, in the type and unit that the input declares."""
        if port.settled is None:
            port.settled = self._through_port(port)
        return port.settled

    def _through_port(self, port: Port) -> Feed:
        feed = self.through_port(port.feed) if isinstance(port.feed, Port) else port.feed
        target = Target(port.type, port.unit, f"{self.program.name}.{port.name}", f"the input `{port.name}`")
        if isinstance(feed, Literal):
            checked = self.constant(feed, target)
            if isinstance(feed.value, bool) or not isinstance(checked, Constant) or port.unit is None:
                return feed if isinstance(checked, Constant) else BROKEN
            return Literal(
                Quantity(feed.value.number, feed.value.unit or port.unit, feed.value.is_whole), feed.text, feed.start, feed.width
            )
        if isinstance(feed, Listed):
            return Listed([self._through_port(Port(part, port.type, 0, port.unit, port.name)) for part in feed.feeds], feed.text)
        if isinstance(feed, Wire) and not feed.node.is_settled:
            return self.held(feed, port, target)
        return self.adapt(feed, target) if isinstance(feed, Wire | Cell) else feed

    def held(self, feed: Wire, port: Port, target: Target) -> Wire:
        """A `last` value on its way into a function block: a MOVE in the declared type and unit, whose input is checked later."""
        node = hidden(self.program.scope, f"{target.owner}#move", "MOVE", feed.text)
        node.count, node.chosen, node.is_settled = port.length, port.type, True
        source, result = node.block.inputs[0], node.block.outputs[0]
        node.feeds = {source.name: feed}
        if port.unit is not None:
            node.units = {source.name: port.unit}
        self.later.append((node, source.name))
        return Wire(node, result, ALL, ALL, False, feed.text, feed.start, feed.width)
