"""What a feed is on the wire: its type, its unit, how many cells it brings. It must not change anything."""

from __future__ import annotations

from blocks.declare import BOOL, TIME, AnyType, Type
from runtime.language.network import ALL, BROKEN, Cell, Constant, Feed, Listed, Literal, Port, Wire
from runtime.language.pin_units import facts, pin_type, pin_unit
from runtime.language.quantities import Quantity
from runtime.language.units import NUMBER, Unit


def type_of(feed: Feed) -> Type | None:
    """The type of its cells; None for literals, and where the source is not settled."""
    if isinstance(feed, Wire):
        if isinstance(feed.pin.element, AnyType) and not feed.node.is_settled:
            return None
        return pin_type(feed.node, feed.pin)
    if isinstance(feed, Cell):
        return BOOL if feed.good else feed.tag.type
    return None


def types_behind(feeds: list[Feed]) -> set[Type]:
    """The types that feeds will have whose sources are not settled: those that arrive at the sources, however far behind."""
    found: set[Type] = set()
    seen: set[int] = set()
    open_feeds = list(feeds)
    while open_feeds:
        feed = open_feeds.pop()
        type = feed.type if isinstance(feed, Port) else type_of(feed)
        if type is not None:
            found.add(type)
        elif isinstance(feed, Wire) and id(feed.node) not in seen:
            seen.add(id(feed.node))
            open_feeds += [part for name in facts(feed.node.block).any_inputs for part in flat(feed.node.feeds.get(name, BROKEN))]
    return found


def unit_of(feed: Feed | None) -> Unit | None:
    """The unit that it carries, None where it has none or any."""
    if isinstance(feed, Wire):
        return pin_unit(feed.node, feed.pin)
    if isinstance(feed, Cell):
        return None if feed.good or feed.tag.type in (BOOL, TIME) else feed.tag.unit or NUMBER
    if isinstance(feed, Listed):
        return next((u for part in feed.feeds if (u := unit_of(part)) is not None), None)
    return None


def size_of(feed: Feed) -> int:
    """How many cells it brings."""
    if isinstance(feed, Wire):
        length = feed.pin.length
        cells = 1 if not length or feed.element != ALL else feed.node.length if length == "N" else int(length)
        return cells * (feed.node.rows if feed.row == ALL else 1)
    if isinstance(feed, Cell):
        return feed.tag.length if feed.tag.length and feed.element == ALL and not feed.good else 1
    if isinstance(feed, Listed):
        return sum(size_of(part) for part in feed.feeds)
    return len(feed.values) if isinstance(feed, Constant) else 1


def flat(feed: Feed) -> list[Feed]:
    """The parts of a list, or the feed itself."""
    if isinstance(feed, Listed):
        return [inner for part in feed.feeds for inner in flat(part)]
    return [feed]


def is_whole(feed: Literal) -> bool:
    return isinstance(feed.value, Quantity) and feed.value.is_whole


def written_unit(feed: Feed) -> Unit | None:
    return feed.value.unit if isinstance(feed, Literal) and isinstance(feed.value, Quantity) else None
