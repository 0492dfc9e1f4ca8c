"""Puts boxes in layers from left to right (Sugiyama): longest path, few crossings by barycentres, heights that keep wires straight.

It knows boxes as sizes and wires as pairs of pins; it must not know what they mean, nor SVG. All heights stand on a grid of 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

GRID = 6
GAP, LANE = 18, 18  # between two boxes of a layer; the height of a wire that passes it
SWEEPS = 12
FARTHEST = 6  # layers; the caller draws a wire that spans more as two marks


@dataclass(slots=True)
class Item:
    """A box, or the lane of a wire that passes its layer (then `lane_of` is the wire's source).

    `left` and `right` are the rooms that short wires and names beside the body take; `x` is the body's left edge.
    """

    name: str
    order: int
    left: int = 0
    width: int = 0
    right: int = 0
    height: int = 0
    ins: list[int] = field(default_factory=list)  # heights of the pins, from the top
    outs: list[int] = field(default_factory=list)
    lane_of: tuple[str, int] | None = None
    layer: int = 0
    x: int = 0
    y: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A wire between neighbouring layers, or the part of one: item and pin at either end; `net` is the output it comes from."""

    source: str
    out: int
    target: str
    into: int
    net: tuple[str, int]


@dataclass(slots=True)
class Part:
    """Boxes that hang together: their layers, with lanes, and the links between neighbours."""

    layers: list[list[Item]]
    links: list[Link]
    items: dict[str, Item]

    @property
    def order(self) -> int:
        """Where its first box runs."""
        return min(item.order for item in self.items.values() if item.lane_of is None)


Wires = Sequence[tuple[str, int, str, int]]  # source, its pin, target, its pin


def layers_of(names: Sequence[str], wires: Wires) -> dict[str, int]:
    """The layer of each box: after all that feed it, and as near to its first reader as it can stand."""
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, _, target, _ in wires:
        before[target].append(source)
        after[source].append(target)
    waiting = {name: len(before[name]) for name in names}
    ready = [name for name in names if not waiting[name]]
    layer = dict.fromkeys(names, 0)
    for name in ready:  # grows while it is walked
        for target in after[name]:
            layer[target] = max(layer[target], layer[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for name in reversed(ready):
        if after[name]:
            layer[name] = min(layer[target] for target in after[name]) - 1
    return layer


def arrange(items: Sequence[Item], wires: Wires) -> list[Part]:
    """The parts of a drawing, each with its boxes in layers and at their heights; `x` is still to come.

    The wires must not form a loop.
    """
    layer = layers_of([item.name for item in items], wires)
    found = []
    for group in _components(items, wires):
        names = {item.name for item in group}
        lowest = min(layer[name] for name in names)
        for item in group:
            item.layer = layer[item.name] - lowest
        part = _with_lanes(group, [wire for wire in wires if wire[0] in names])
        _untangle(part)
        _settle(part)
        found.append(part)
    return sorted(found, key=lambda part: part.order)


def _components(items: Sequence[Item], wires: Wires) -> list[list[Item]]:
    leader = {item.name: item.name for item in items}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    for source, _, target, _ in wires:
        leader[find(source)] = find(target)
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(find(item.name), []).append(item)
    return list(groups.values())


def _with_lanes(group: list[Item], wires: Wires) -> Part:
    """The layers, with a lane in each layer that a wire passes: one lane for all readers of an output."""
    items = {item.name: item for item in group}
    layers: list[list[Item]] = [[] for _ in range(max(item.layer for item in group) + 1)]
    for item in sorted(group, key=lambda item: item.order):
        layers[item.layer].append(item)
    links: list[Link] = []
    lanes: dict[tuple[tuple[str, int], int], str] = {}
    for source, out, target, into in wires:
        net, at, pin = (source, out), source, out
        for place in range(items[source].layer + 1, items[target].layer):
            name = lanes.get((net, place))
            if name is None:
                name = lanes[(net, place)] = f"{source}|{out}|{place}"
                lane = Item(name, items[source].order, 0, 0, 0, LANE, [LANE // 2], [LANE // 2], net, place)
                items[name] = lane
                layers[place].append(lane)
                links.append(Link(at, pin, name, 0, net))
            at, pin = name, 0
        links.append(Link(at, pin, target, into, net))
    return Part(layers, links, items)


# --- against crossings ------------------------------------------------------------------------------------------------


def _untangle(part: Part) -> None:
    """Sweep to and fro, ordering each layer by where its neighbours stand; the order with the fewest crossings stays."""
    best, fewest = [list(layer) for layer in part.layers], _crossings(part)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        for place in range(1, len(part.layers)) if forward else range(len(part.layers) - 2, -1, -1):
            _order_layer(part, place, forward)
        count = _crossings(part)
        if count < fewest:
            best, fewest = [list(layer) for layer in part.layers], count
    for layer, order in zip(part.layers, best, strict=True):
        layer[:] = order


def _order_layer(part: Part, place: int, forward: bool) -> None:
    rank = {item.name: float(i) for i, item in enumerate(part.layers[place + (-1 if forward else 1)])}
    pulls: dict[str, list[float]] = {}
    for link in part.links:
        near, far, pin = (link.target, link.source, link.out) if forward else (link.source, link.target, link.into)
        if part.items[near].layer == place and far in rank:
            pins = part.items[far].outs if forward else part.items[far].ins
            pulls.setdefault(near, []).append(rank[far] + (pin + 1) / (len(pins) + 1))
    layer = part.layers[place]
    now = {item.name: float(i) for i, item in enumerate(layer)}
    mean = {name: sum(found) / len(found) for name, found in pulls.items()}
    layer.sort(key=lambda item: (mean.get(item.name, now[item.name]), now[item.name]))


def _crossings(part: Part) -> int:
    """How many pairs of links between neighbouring layers cross."""
    place = {item.name: i for layer in part.layers for i, item in enumerate(layer)}
    by_layer: dict[int, set[tuple[float, float]]] = {}
    for link in part.links:
        source, target = part.items[link.source], part.items[link.target]
        start = place[source.name] + (link.out + 1) / (len(source.outs) + 1)
        end = place[target.name] + (link.into + 1) / (len(target.ins) + 1)
        by_layer.setdefault(source.layer, set()).add((start, end))
    return sum(_inversions(sorted(ends)) for ends in by_layer.values())


def _inversions(ends: list[tuple[float, float]]) -> int:
    """Pairs out of order, by merging (a layer may have thousands of wires)."""

    def count(values: list[float]) -> tuple[list[float], int]:
        if len(values) < 2:
            return values, 0
        middle = len(values) // 2
        (left, a), (right, b) = count(values[:middle]), count(values[middle:])
        merged, found, i = [], a + b, 0
        for value in right:
            while i < len(left) and left[i] <= value:
                merged.append(left[i])
                i += 1
            merged.append(value)
            found += len(left) - i
        return merged + left[i:], found

    return count([end for _, end in ends])[1]


# --- heights ------------------------------------------------------------------------------------------------------------


def _settle(part: Part) -> None:
    """Give every item the height at which its wires are straightest, its order kept."""
    for layer in part.layers:
        top = 0
        for above, item in zip([None, *layer], layer, strict=False):
            top += _apart(above, item) if above is not None else 0
            item.y = top
    backward: dict[str, list[Link]] = {}
    onward: dict[str, list[Link]] = {}
    for link in part.links:
        backward.setdefault(link.target, []).append(link)
        onward.setdefault(link.source, []).append(link)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        both = sweep >= SWEEPS // 2  # first towards one side, so that long chains come into line; then between both
        for layer in part.layers[1:] if forward and not both else part.layers[:: 1 if forward else -1]:
            _pull(part, layer, backward if forward or both else {}, onward if both or not forward else {})
    for layer in part.layers[1:]:
        _pull(part, layer, {name: links for name, links in backward.items() if part.items[name].lane_of}, {}, stay=10.0)
    for layer in part.layers:
        for item in layer:
            item.y = GRID * math.floor(item.y / GRID + 0.5)
    top = min(item.y for item in part.items.values())
    for item in part.items.values():
        item.y -= top


def _apart(above: Item, below: Item) -> int:
    lanes = (above.lane_of is not None) + (below.lane_of is not None)
    return above.height + (GAP, GRID, 0)[lanes]


def _pull(part: Part, layer: list[Item], backward: dict[str, list[Link]], onward: dict[str, list[Link]], stay: float = 0.1) -> None:
    """The heights nearest to where the neighbours want the items, in order and apart (isotonic regression).

    `stay` is how much an item without neighbours there wants to remain where it is.
    """
    offset, blocks = 0.0, []
    offsets = []
    for above, item in zip([None, *layer], layer, strict=False):
        offset += _apart(above, item) if above is not None else 0
        offsets.append(offset)
        wishes = [_wish_from(part, link, item) for link in backward.get(item.name, ())]
        wishes += [_wish_to(part, link, item) for link in onward.get(item.name, ())]
        wanted, weight = float(item.y), stay
        if wishes:
            wanted, weight = sum(wishes) / len(wishes), len(wishes) * (4.0 if item.lane_of else 1.0)
        blocks.append([(wanted - offset) * weight, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    place = 0
    for total, weight, count in blocks:
        for _ in range(int(count)):
            layer[place].y = math.floor(total / weight + offsets[place] + 0.5)
            place += 1


def _wish_from(part: Part, link: Link, item: Item) -> float:
    """The height of the item at which the link to it is straight."""
    source = part.items[link.source]
    return source.y + source.outs[link.out] - item.ins[link.into]


def _wish_to(part: Part, link: Link, item: Item) -> float:
    """The height of the item at which the link from it is straight."""
    target = part.items[link.target]
    return target.y + target.ins[link.into] - item.outs[link.out]
