"""Leads wires between layers: one vertical track for each output in the channel before a layer, ordered so that few wires cross.

It must not know what is drawn at the ends, nor SVG. It gives the layers their places from left to right, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runtime.graph_layout import GRID, Part

TRACK, MARGIN = 9, 12
NEAR = GRID  # heights nearer than this look like one line

Point = tuple[int, int]


@dataclass(slots=True)
class _Net:
    """All that leads from one output through one channel."""

    net: tuple[str, int]
    start: int
    ends: list[int] = field(default_factory=list)
    track: int = -1

    @property
    def low(self) -> int:
        return min(self.start, *self.ends)

    @property
    def high(self) -> int:
        return max(self.start, *self.ends)

    @property
    def is_straight(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Route:
    """A wire as a line of points, from the output's pin to the input's, and the points where it leaves its siblings."""

    source: str
    out: int
    target: str
    into: int
    points: tuple[Point, ...]


def place_layers(part: Part, wires: list[tuple[str, int, str, int]]) -> tuple[list[Route], int]:
    """Give every item its `x`; the routes of the wires, and the width of the part."""
    tracks: dict[tuple[int, tuple[str, int]], int] = {}  # channel (its right layer), net -> x
    left = 0
    for place, layer in enumerate(part.layers):
        if place:
            nets = _nets(part, place)
            used = _assign(nets)
            for net in nets:
                if not net.is_straight:
                    tracks[(place, net.net)] = left + MARGIN + net.track * TRACK
            left += 2 * MARGIN + max(0, used - 1) * TRACK
        room = max((item.left for item in layer), default=0)
        body = max((item.width for item in layer), default=0)
        for item in layer:
            item.x = left + room
        left += room + body + max((item.right for item in layer), default=0)
    return [_route(part, wire, tracks) for wire in wires], left


def _nets(part: Part, place: int) -> list[_Net]:
    found: dict[tuple[str, int], _Net] = {}
    for link in part.links:
        target = part.items[link.target]
        if target.layer == place:
            source = part.items[link.source]
            net = found.setdefault(link.net, _Net(link.net, source.y + source.outs[link.out]))
            net.ends.append(target.y + target.ins[link.into])
    return list(found.values())


def _assign(nets: list[_Net]) -> int:
    """The track of each net that bends; how many tracks there are."""
    bent = sorted((net for net in nets if not net.is_straight), key=_wish)
    order = list(_constrained(bent))
    count = 0
    free_from: dict[int, list[_Net]] = {}
    for net in order:
        track = next((t for t in range(_first_track(net, order), count) if all(_clear(net, o) for o in free_from[t])), count)
        free_from.setdefault(track, []).append(net)
        net.track, count = track, max(count, track + 1)
    return count


def _first_track(net: _Net, order: list[_Net]) -> int:
    """Nets that are before it and would cross it otherwise stay before it."""
    return max((other.track + (0 if _clear(net, other) else 1) for other in order if other.track >= 0), default=0)


def _clear(a: _Net, b: _Net) -> bool:
    return a.high + NEAR < b.low or b.high + NEAR < a.low


def _wish(net: _Net) -> tuple[int, int]:
    """Wires that go down turn the sooner the lower they start, wires that go up the sooner the higher."""
    mean = sum(net.ends) / len(net.ends)
    return (1, -net.start) if mean > net.start else (0, net.start)


def _constrained(bent: list[_Net]) -> Iterator[_Net]:
    """The order, but a net that ends at the height at which another starts turns after that one has turned away."""
    left = list(bent)
    while left:
        chosen = next((net for net in left if not any(_must_wait(net, other) for other in left if other is not net)), left[0])
        left.remove(chosen)
        yield chosen


def _must_wait(net: _Net, other: _Net) -> bool:
    return any(abs(end - other.start) < NEAR for end in net.ends)


def _route(part: Part, wire: tuple[str, int, str, int], tracks: dict[tuple[int, tuple[str, int]], int]) -> Route:
    source, out, target, into = wire
    start, end = part.items[source], part.items[target]
    x, y = start.x + start.width, start.y + start.outs[out]
    points = [(x, y)]
    for place in range(start.layer + 1, end.layer + 1):
        if place == end.layer:
            here = end.y + end.ins[into]
        else:
            lane = part.items[f"{source}|{out}|{place}"]
            here = lane.y + lane.ins[0]
        if here != y:
            turn = tracks[(place, (source, out))]
            points += [(turn, y), (turn, here)]
            y = here
    points.append((end.x, y))
    return Route(source, out, target, into, tuple(points))
