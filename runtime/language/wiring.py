"""Checks types, units and lengths on every wire, and puts conversions in. It must not know order or memory."""

from __future__ import annotations

from typing import Any

from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, AnyType, Pin
from runtime.language.conversions import Conversions
from runtime.language.feeds import flat, is_whole, size_of, type_of, types_behind, unit_of, written_unit
from runtime.language.network import (
    ALL,
    BROKEN,
    Broken,
    Cell,
    Constant,
    Draft,
    Feed,
    Listed,
    Literal,
    Node,
    Port,
    Program,
    TagWrite,
    Wire,
)
from runtime.language.pin_units import facts, is_difference, pin_type, pin_unit
from runtime.language.targets import Target, type_error
from runtime.language.units import CELSIUS, NUMBER

STRENGTH = (LREAL, TIME, LINT, DINT, BOOL)


class Wiring:
    """The wires of one program while they are checked. Sources are settled before what they feed, `last` sources perhaps after."""

    def __init__(self, program: Program, draft: Draft):
        self.program = program
        self.draft = draft
        self.report = draft.report
        self.later: list[tuple[Node, str]] = []
        self.convert = Conversions(program, draft.report, self.later)

    def settle(self, steps: list[Any]) -> None:
        """Check all wires; `steps` are in data-flow order."""
        for step in steps:
            if isinstance(step, Node):
                self.settle_node(step)
        self.settle_last()
        for step in steps:
            if isinstance(step, TagWrite):
                self.settle_write(step)

    def settle_last(self) -> None:
        """The pins that are fed by what was settled after them. Their units may show others further on, until nothing is new."""
        later = self.later.copy()
        self.later.clear()
        is_new = self.bind_all([node for node, _ in later if not node.is_broken])
        for node, name in later:
            self.feed_again(node, name)
        # what stands in a loop without `last` was never settled; the loop is reported
        for node, _ in self.later:
            node.is_broken = True
        while is_new:
            nodes = [node for node in self.program.nodes if node.is_settled and not node.is_broken]
            is_new = self.bind_all(nodes)
            for node in nodes:
                for name in node.feeds:
                    self.feed_again(node, name)

    def bind_all(self, nodes: list[Node]) -> bool:
        """Bind the units of all of them; true if one is new."""
        return sum(self.bind_units(node, facts(node.block).variables) for node in nodes) > 0

    def feed_again(self, node: Node, name: str) -> None:
        if not node.is_broken:
            feed = node.feeds[name] = self.feed_pin(node, node.block._by_name[name], node.feeds[name])
            node.is_broken = feed is BROKEN

    def settle_node(self, node: Node) -> None:
        node.is_settled = True
        known = facts(node.block)
        if node.is_broken:
            self.check_literals(node)
            return
        feeds = node.feeds
        for name, feed in feeds.items():
            if feed.__class__ is Port:
                feed = feeds[name] = self.convert.through_port(feed)  # type: ignore[arg-type]
            if feed.__class__ is Wire and feed.node.is_broken:  # type: ignore[union-attr]
                node.is_broken = True
                return
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

    def check_literals(self, node: Node) -> None:
        """One pin is wrong already; what is written on the others is checked all the same, where it does not hang on that one."""
        for name, feed in node.feeds.items():
            pin = node.block._by_name[name]
            if feed.__class__ is Literal and not pin.length and "{" not in pin.unit and not isinstance(pin.element, AnyType):
                self.feed_pin(node, pin, feed)

    # --- what a use of a block picks ------------------------------------------------------------------------------

    def choose(self, node: Node, any_type: AnyType, names: tuple[str, ...]) -> bool:
        """Pick the type for ANY from what is wired; literals adapt to it."""
        parts = [part for name in names if name in node.feeds for part in flat(node.feeds[name])]
        wired = {t for t in map(type_of, parts) if t is not None} or types_behind(parts)
        literals = [part for part in parts if isinstance(part, Literal)]
        if wired:
            chosen = next(t for t in STRENGTH if t in wired)
            if chosen is DINT and LREAL in any_type.choices and not all(is_whole(part) for part in literals):
                chosen = LREAL
        elif any(isinstance(part.value, bool) for part in literals):
            chosen = BOOL
        else:
            chosen = any_type.choices[0]
        if chosen not in any_type.choices:
            first = next((p for p in parts if type_of(p) is chosen or isinstance(p, Literal)), None)
            type_error(self.report, first, chosen, Target(any_type.choices[0], None, node.name, f"{node.block.name}"), any_type)
            return False
        node.chosen = chosen
        return True

    def free_length(self, node: Node, names: tuple[str, ...]) -> int:
        sizes = [1]
        for name in names:
            feed = node.feeds.get(name)
            if isinstance(feed, Wire) and feed.pin.length and feed.row == ALL and feed.node.count:
                sizes.append(size_of(feed) // feed.node.rows)
            elif feed is not None:
                sizes.append(size_of(feed))
        return max(sizes)

    def bind_units(self, node: Node, variables: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
        """Give every unit variable the unit of the first wire that carries it, or of the first literal; true if one is new."""
        known = len(node.units)
        for variable, names in variables:
            if variable in node.units:
                continue
            feeds = [node.feeds[name] for name in names if name in node.feeds]
            found = next((u for feed in feeds if (u := unit_of(feed)) is not None), None)
            if found is None:
                found = next((u for feed in feeds for part in flat(feed) if (u := written_unit(part)) is not None), None)
            if found is None and variable in facts(node.block).factors and any(isinstance(feed, Literal) for feed in feeds):
                found = NUMBER  # `2 * p` is in the unit of p
            if found is not None:
                node.units[variable] = found
        if node.block.name in ("ADD", "SUB") and len(node.feeds) == 2:
            self._sum_of_temperatures(node)
        return len(node.units) > known

    def _sum_of_temperatures(self, node: Node) -> None:
        """°C minus °C is a difference in K; °C plus or minus K stays °C."""
        units = [unit_of(feed) or written_unit(feed) for feed in node.feeds.values()]
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
            return self.convert.constant(feed, self.target(node, pin))  # type: ignore[arg-type]
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
        size = size_of(feed)
        rows = node.rows
        if size in (1, max(need, 1) * rows) or (need and size == need):
            return feed
        if isinstance(feed, Listed) and need and size < need and all(isinstance(part, Literal) for part in feed.feeds):
            return Listed(feed.feeds + [feed.feeds[-1]] * (need - size), feed.text)
        target = self.target(node, pin)
        takes = f"{need} elements" if need else f"one value for each of its {rows} instances" if node.count else "one value"
        target.report_at(
            self.report,
            feed,
            "E205",
            f"{target.what} takes {takes}, and this brings {size}",
            "" if need or node.count else "`tag[1]` is its first element",
        )
        return BROKEN

    def adapt_part(self, feed: Feed, node: Node, pin: Pin) -> Feed:
        if isinstance(feed, Literal):
            return self.convert.constant(feed, self.target(node, pin))
        if isinstance(feed, Port):
            return self.adapt_part(self.convert.through_port(feed), node, pin)
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
            type, unit = type_of(feed), unit_of(feed)  # type: ignore[assignment]
        wanted = pin_type(node, pin)
        if type is wanted:
            if unit is None:
                return feed
            measured = pin_unit(node, pin)
            if measured is None or measured is unit:
                return feed
        return self.convert.adapt(feed, self.target(node, pin))

    def target(self, node: Node, pin: Pin) -> Target:
        where = f"`{pin.name}` of {node.block.name}"
        return Target(
            pin_type(node, pin),
            pin_unit(node, pin),
            f"{node.name}.{pin.name}",
            where,
            pin.min,
            pin.max,
            is_difference(node, pin),
            node.at,
        )

    # --- tag writes -----------------------------------------------------------------------------------------------

    def settle_write(self, write: TagWrite) -> None:
        tag = write.tag
        assert tag.type is not None
        unit = None if tag.type in (BOOL, TIME) else tag.unit or NUMBER
        target = Target(
            tag.type, unit, f"{self.program.name}.{write.name}", f"the tag `{tag.name}`", tag.minimum, tag.maximum, at=write.at
        )
        need = tag.length if tag.length and write.element == ALL else 1
        feed = self.convert.through_port(write.feed) if isinstance(write.feed, Port) else write.feed
        size = size_of(feed)
        if size not in (1, need):
            target.report_at(
                self.report,
                feed,
                "E205",
                f"`{tag.name}` has {need if need > 1 else 'one'} element{'s' if need > 1 else ''}, and this brings {size}",
            )
            write.feed = BROKEN
            return
        write.feed = self._written(feed, target)

    def _written(self, feed: Feed, target: Target) -> Feed:
        if isinstance(feed, Listed):
            return Listed([self._written(part, target) for part in feed.feeds], feed.text)
        if isinstance(feed, Literal):
            return self.convert.constant(feed, target)
        if isinstance(feed, Port):
            return self._written(self.convert.through_port(feed), target)
        return self.convert.adapt(feed, target) if isinstance(feed, Wire | Cell) else feed
