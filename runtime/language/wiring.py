"""Checks types, units and lengths on every wire, and puts conversions in. It must not know order or memory."""

from __future__ import annotations

from typing import Any

from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, AnyType, Pin, Type
from runtime.language.lower import hidden
from runtime.language.network import ALL, BROKEN, Broken, Cell, Constant, Draft, Feed, Listed, Literal, Node, Port, Program, TagWrite, Wire
from runtime.language.pin_units import facts, is_difference, pin_type, pin_unit
from runtime.language.quantities import Quantity
from runtime.language.targets import Target, literal_error, range_error, type_error, unit_error
from runtime.language.units import CELSIUS, KELVIN, NUMBER, Unit, conversion
from runtime.language.words import as_value

STRENGTH = (LREAL, TIME, LINT, DINT, BOOL)


class Wiring:
    """The wires of one program while they are checked. Sources are settled before what they feed, `last` sources perhaps after."""

    def __init__(self, program: Program, draft: Draft):
        self.program = program
        self.draft = draft
        self.report = draft.report
        self.later: list[tuple[Node, str]] = []

    def settle(self, steps: list[Any]) -> None:
        """Check all wires; `steps` are in data-flow order."""
        for step in steps:
            if isinstance(step, Node):
                self.settle_node(step)
        for node, name in self.later:
            if not node.is_broken:
                node.feeds[name] = self.feed_pin(node, node.block._by_name[name], node.feeds[name])
        for step in steps:
            if isinstance(step, TagWrite):
                self.settle_write(step)

    def settle_node(self, node: Node) -> None:
        node.is_settled = True
        if node.is_broken:
            return
        known = facts(node.block)
        feeds = node.feeds
        for name, feed in feeds.items():
            if feed.__class__ is Port:
                feeds[name] = self.through_port(feed)  # type: ignore[arg-type]
        if known.any_type is not None and not self.choose(node, known.any_type, known.any_inputs):
            node.is_broken = True
            return
        if known.has_length:
            node.length = self.free_length(node, known.array_inputs)
        if known.variables:
            self.bind_units(node, known.variables)
        for name, feed in feeds.items():
            feeds[name] = self.feed_pin(node, node.block._by_name[name], feed)
        if any(feed.__class__ is Broken for feed in feeds.values()):
            node.is_broken = True

    # --- what a feed is -------------------------------------------------------------------------------------------

    def type_of(self, feed: Feed) -> Type | None:
        if isinstance(feed, Wire):
            if isinstance(feed.pin.element, AnyType) and not feed.node.is_settled:
                return None
            return pin_type(feed.node, feed.pin)
        if isinstance(feed, Cell):
            return BOOL if feed.good else feed.tag.type
        return None

    def unit_of(self, feed: Feed | None) -> Unit | None:
        if isinstance(feed, Wire):
            return pin_unit(feed.node, feed.pin)
        if isinstance(feed, Cell):
            return None if feed.good or feed.tag.type in (BOOL, TIME) else feed.tag.unit or NUMBER
        if isinstance(feed, Listed):
            return next((u for part in feed.feeds if (u := self.unit_of(part)) is not None), None)
        return None

    def size_of(self, feed: Feed) -> int:
        """How many cells it brings."""
        if isinstance(feed, Wire):
            length = feed.pin.length
            cells = 1 if not length or feed.element != ALL else feed.node.length if length == "N" else int(length)
            return cells * (feed.node.rows if feed.row == ALL else 1)
        if isinstance(feed, Cell):
            return feed.tag.length if feed.tag.length and feed.element == ALL and not feed.good else 1
        if isinstance(feed, Listed):
            return sum(self.size_of(part) for part in feed.feeds)
        return len(feed.values) if isinstance(feed, Constant) else 1

    # --- what a use of a block picks ------------------------------------------------------------------------------

    def choose(self, node: Node, any_type: AnyType, names: tuple[str, ...]) -> bool:
        """Pick the type for ANY from what is wired; literals adapt to it."""
        parts = [part for name in names if name in node.feeds for part in flat(node.feeds[name])]
        wired = {t for t in map(self.type_of, parts) if t is not None}
        literals = [part for part in parts if isinstance(part, Literal)]
        if wired:
            chosen = next(t for t in STRENGTH if t in wired)
            if chosen is DINT and LREAL in any_type.choices and not all(_is_whole(part) for part in literals):
                chosen = LREAL
        elif any(isinstance(part.value, bool) for part in literals):
            chosen = BOOL
        else:
            chosen = any_type.choices[0]
        if chosen not in any_type.choices:
            first = next((p for p in parts if self.type_of(p) is chosen or isinstance(p, Literal)), None)
            type_error(self.report, first, chosen, Target(any_type.choices[0], None, node.name, f"{node.block.name}"), any_type)
            return False
        node.chosen = chosen
        return True

    def free_length(self, node: Node, names: tuple[str, ...]) -> int:
        sizes = [1]
        for name in names:
            feed = node.feeds.get(name)
            if isinstance(feed, Wire) and feed.pin.length and feed.row == ALL and feed.node.count:
                sizes.append(self.size_of(feed) // feed.node.rows)
            elif feed is not None:
                sizes.append(self.size_of(feed))
        return max(sizes)

    def bind_units(self, node: Node, variables: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        """Give every unit variable the unit of the first wire that carries it, or of the first literal."""
        for variable, names in variables:
            if variable in node.units:
                continue
            feeds = [node.feeds[name] for name in names if name in node.feeds]
            found = next((u for feed in feeds if (u := self.unit_of(feed)) is not None), None)
            if found is None:
                found = next((u for feed in feeds for part in flat(feed) if (u := _written_unit(part)) is not None), None)
            if found is not None:
                node.units[variable] = found
        if node.block.name in ("ADD", "SUB") and len(node.feeds) == 2:
            self._sum_of_temperatures(node)

    def _sum_of_temperatures(self, node: Node) -> None:
        """°C minus °C is a difference in K; °C plus or minus K stays °C."""
        units = [self.unit_of(feed) or _written_unit(feed) for feed in node.feeds.values()]
        if CELSIUS in units:
            variable = next(iter(node.units))
            node.units[variable] = CELSIUS
            if node.block.name == "SUB" and units[0] is CELSIUS and units[1] is CELSIUS:
                node.units["difference"] = CELSIUS

    # --- one pin --------------------------------------------------------------------------------------------------

    def feed_pin(self, node: Node, pin: Pin, feed: Feed) -> Feed:
        """What feeds the pin, checked and converted."""
        kind = feed.__class__
        if kind is Literal and not pin.length:
            return self.constant(feed, self.target(node, pin))  # type: ignore[arg-type]
        if kind is Constant or kind is Broken:
            return feed
        for part in flat(feed):
            if isinstance(part, Wire) and not part.node.is_settled:
                self.later.append((node, pin.name))
                return feed
        if kind is Wire and not node.count and not pin.length and not feed.node.count and not feed.pin.length:  # type: ignore[union-attr]
            return self.adapt_to_pin(feed, node, pin)  # type: ignore[arg-type]
        need = node.length if pin.length == "N" else int(pin.length)
        shaped = self.shaped(feed, node, pin, need)
        if isinstance(shaped, Listed):
            parts = [self.adapt_part(part, node, pin) for part in shaped.feeds]
            if BROKEN in parts:
                return BROKEN
            if all(isinstance(part, Constant) for part in parts):
                return Constant(tuple(v for part in parts for v in part.values))  # type: ignore[union-attr]
            return Listed(parts, shaped.text)
        return self.adapt_part(shaped, node, pin)

    def shaped(self, feed: Feed, node: Node, pin: Pin, need: int) -> Feed:
        """The feed, if it brings as many cells as the pin takes; a short list of literals is filled up with its last."""
        size = self.size_of(feed)
        rows = node.rows
        if size in (1, max(need, 1) * rows) or (need and size == need):
            return feed
        if isinstance(feed, Listed) and need and size < need and all(isinstance(part, Literal) for part in feed.feeds):
            return Listed(feed.feeds + [feed.feeds[-1]] * (need - size), feed.text)
        target = self.target(node, pin)
        takes = f"{need} elements" if need else f"one value for each of its {rows} instances" if node.count else "one value"
        target.report_at(self.report, feed, "E205", f"{target.what} takes {takes}, and this brings {size}",
                         "" if need or node.count else "`tag[1]` is its first element")
        return BROKEN

    def adapt_part(self, feed: Feed, node: Node, pin: Pin) -> Feed:
        if isinstance(feed, Literal):
            return self.constant(feed, self.target(node, pin))
        if isinstance(feed, Port):
            return self.adapt_part(self.through_port(feed), node, pin)
        if isinstance(feed, Wire | Cell):
            return self.adapt_to_pin(feed, node, pin)
        if isinstance(feed, Listed):
            parts = [self.adapt_part(part, node, pin) for part in feed.feeds]
            return BROKEN if BROKEN in parts else Listed(parts, feed.text)
        return feed

    def adapt_to_pin(self, feed: Wire | Cell, node: Node, pin: Pin) -> Feed:
        """The same feed where type and unit fit as they are, which is nearly always."""
        if feed.__class__ is Wire:
            source = feed.node  # type: ignore[union-attr]
            if source.is_broken:
                return BROKEN
            type, unit = pin_type(source, feed.pin), pin_unit(source, feed.pin)  # type: ignore[union-attr]
        else:
            type, unit = self.type_of(feed), self.unit_of(feed)  # type: ignore[assignment]
        wanted = pin_type(node, pin)
        if type is wanted:
            if unit is None:
                return feed
            measured = pin_unit(node, pin)
            if measured is None or measured is unit:
                return feed
        return self.adapt(feed, self.target(node, pin))

    def target(self, node: Node, pin: Pin) -> Target:
        where = f"`{pin.name}` of {node.block.name}"
        return Target(pin_type(node, pin), pin_unit(node, pin), f"{node.name}.{pin.name}", where, pin.min, pin.max, is_difference(node, pin), node.at)

    def constant(self, feed: Literal, target: Target) -> Feed:
        """A literal as the column holds it."""
        if target.is_difference and isinstance(feed.value, Quantity) and target.unit is CELSIUS:
            plain = Quantity(feed.value.number, None if feed.value.unit is CELSIUS else feed.value.unit, feed.value.is_whole)
            value, code, message, hint = as_value(plain, target.type, KELVIN)
        else:
            value, code, message, hint = as_value(feed.value, target.type, target.unit or _written_unit(feed))
        if code:
            literal_error(self.report, feed, code, message, hint, target)
            return BROKEN
        if (target.minimum is not None and value < target.minimum) or (target.maximum is not None and value > target.maximum):
            range_error(self.report, feed, target)
            return BROKEN
        return Constant((value,))

    # --- conversions ----------------------------------------------------------------------------------------------

    def adapt(self, feed: Wire | Cell, target: Target) -> Feed:
        """A wire or tag in the target's type and unit, through a conversion where one is needed; or a problem."""
        type, unit = self.type_of(feed), self.unit_of(feed)
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

    def insert(self, block: str, feed: Wire | Cell, target: Target, chosen: Type | None, unit: Unit | None, *numbers: float) -> Wire:
        """A conversion on the wire, with as many instances as the wire has cells."""
        node = hidden(self.program.scope, f"{target.owner}#{block.lower()}", block, feed.text)
        size = self.size_of(feed)
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
            return Literal(Quantity(feed.value.number, feed.value.unit or port.unit, feed.value.is_whole), feed.text, feed.start, feed.width)
        if isinstance(feed, Listed):
            return Listed([self._through_port(Port(part, port.type, 0, port.unit, port.name)) for part in feed.feeds], feed.text)
        if isinstance(feed, Wire) and not feed.node.is_settled:
            return feed
        return self.adapt(feed, target) if isinstance(feed, Wire | Cell) else feed

    # --- tag writes -----------------------------------------------------------------------------------------------

    def settle_write(self, write: TagWrite) -> None:
        tag = write.tag
        assert tag.type is not None
        unit = None if tag.type in (BOOL, TIME) else tag.unit or NUMBER
        target = Target(tag.type, unit, f"{self.program.name}.{write.name}", f"the tag `{tag.name}`", tag.minimum, tag.maximum, at=write.at)
        need = tag.length if tag.length and write.element == ALL else 1
        feed = self.through_port(write.feed) if isinstance(write.feed, Port) else write.feed
        size = self.size_of(feed)
        if size not in (1, need):
            target.report_at(self.report, feed, "E205", f"`{tag.name}` has {need if need > 1 else 'one'} element{'s' if need > 1 else ''}, and this brings {size}")
            write.feed = BROKEN
            return
        write.feed = self._written(feed, target)

    def _written(self, feed: Feed, target: Target) -> Feed:
        if isinstance(feed, Listed):
            return Listed([self._written(part, target) for part in feed.feeds], feed.text)
        if isinstance(feed, Literal):
            return self.constant(feed, target)
        if isinstance(feed, Port):
            return self._written(self.through_port(feed), target)
        return self.adapt(feed, target) if isinstance(feed, Wire | Cell) else feed


def flat(feed: Feed) -> list[Feed]:
    """The parts of a list, or the feed itself."""
    if isinstance(feed, Listed):
        return [inner for part in feed.feeds for inner in flat(part)]
    return [feed]


def _is_whole(feed: Literal) -> bool:
    return isinstance(feed.value, Quantity) and feed.value.is_whole


def _written_unit(feed: Feed) -> Unit | None:
    return feed.value.unit if isinstance(feed, Literal) and isinstance(feed.value, Quantity) else None
