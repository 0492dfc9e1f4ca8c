"""Which unit a pin has: its own, or where it takes any, that of what it is wired to. It reads the schedule's wires only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from blocks.declare import BlockType, Pin
from runtime.model import Schedule, Tag

FARTHEST = 400  # wires that are followed before a pin is said to have no unit
DEEPEST = 3  # units that are made of other units
_NAMED = re.compile(r"\{(\w+)\}")
_SAME = re.compile(r"\{(\w+)\}\Z")  # `{IN}`: the unit of the pin IN


class Units:
    """The pins of a schedule, described as tags are."""

    def __init__(self, schedule: Schedule, catalogue: Mapping[str, BlockType]):
        self._schedule = schedule
        self._blocks = {name: catalogue.get(group.block) for group in schedule.groups for name in group.instances}
        self._at: dict[int, list[str]] | None = None

    def as_tag(self, pin: str) -> Tag:
        """A pin with its type, unit, range, text and the names of its values."""
        kind, offset, length = self._schedule.pins[pin]
        declared = self._declared(pin)
        if declared is None:
            return Tag(pin, kind, length, 0, offset, "pin")
        unit = self._unit(pin) if "{" in declared.unit else declared.unit
        names = tuple(enumerate(declared.names))
        return Tag(pin, kind, length, 0, offset, "pin", unit, declared.doc, declared.min, declared.max, names=names)

    def _declared(self, pin: str) -> Pin | None:
        instance, _, name = pin.rpartition(".")
        block = self._blocks.get(instance)
        return block.pin(name) if block is not None else None

    def _unit(self, pin: str, depth: int = 0) -> str:
        """The first unit that is found along the wires, and through blocks whose other pins have the same unit."""
        if self._at is None:
            self._lay_out()
        seen, waiting = {pin}, [pin]
        for _ in range(FARTHEST):
            if not waiting:
                break
            name = waiting.pop(0)
            declared = self._declared(name)
            if declared is not None and declared.unit and not _SAME.match(declared.unit):
                return self._composed(name.rpartition(".")[0], declared.unit, depth)
            for place in self._joined(self._schedule.pins[name][1]):
                if place in self._tags:
                    return self._tags[place].unit
                near = (self._at or {}).get(place, [])
                waiting += [one for one in near if one not in seen]
                seen.update(near)
            alike = [one for one in self._alike(name, declared) if one not in seen]
            waiting += alike
            seen.update(alike)
        return ""

    def _composed(self, instance: str, unit: str, depth: int) -> str:
        """`kW/s` of `{IN}/s`; nothing where it is not known what {IN} has."""
        wanted = _NAMED.findall(unit)
        parts = {one: self._unit(f"{instance}.{one}", depth + 1) if depth < DEEPEST else "" for one in wanted}
        return _NAMED.sub(lambda found: parts[found[1]], unit) if all(parts.values()) else ""

    def _alike(self, pin: str, declared: Pin | None) -> Iterator[str]:
        """The pins of the same instance that have the same unit by their declaration."""
        instance, _, name = pin.rpartition(".")
        block = self._blocks.get(instance)
        if block is None or declared is None:
            return
        same = _SAME.match(declared.unit)
        leader = same[1] if same else name
        for other in block.pins:
            is_alike = other.name == leader or other.unit == f"{{{leader}}}"
            if is_alike and (same or not declared.unit or other.name != name) and f"{instance}.{other.name}" in self._schedule.pins:
                yield f"{instance}.{other.name}"

    def _lay_out(self) -> None:
        """Who stands where, and the wires in both directions."""
        at: dict[int, list[str]] = defaultdict(list)
        for name, (_, offset, _) in self._schedule.pins.items():
            at[offset].append(name)
        self._at = at
        self._tags = {tag.offset: tag for tag in self._schedule.tags}
        copies = self._schedule.copies
        self._ways = []
        for here, there in ((copies.source, copies.target), (copies.target, copies.source)):
            order = np.argsort(here, kind="stable")
            self._ways.append((here[order].tolist(), there[order].tolist(), copies.size[order].tolist()))

    def _joined(self, offset: int) -> Iterator[int]:
        """The places that hold the same value by a wire: this one, what it is copied from, and where to."""
        yield offset
        for here, there, size in self._ways:
            last = bisect_right(here, offset)
            for place in range(last - 1, max(-1, last - 9), -1):  # a few copies may begin at one place
                if here[place] <= offset < here[place] + size[place]:
                    yield there[place] + offset - here[place]
