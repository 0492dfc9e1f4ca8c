"""Follows every permit of an interlock back through the schedule's wires to the tags that decide it, and evaluates it from them.

Snapshots hold tags, not pins. What lies between a permit and its tags is evaluated with the blocks' own steps: the value is known
where it is the same whatever the blocks remember. It must not know how anything is shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from blocks.declare import BlockType
from blocks.plain import Instance
from runtime.model import Group, Schedule, Tag

NUMPY = {"BOOL": np.uint8, "DINT": np.int32, "LINT": np.int64, "TIME": np.int64, "LREAL": np.float64}
MOST_UNKNOWN = 5  # both values of so many unknown BOOLs are tried
MEMORIES = (0, 1, 2**30, -(2**30))  # what the numbers that a block remembers are tried at


@dataclass(frozen=True, slots=True)
class Contact:
    """A tag that decides a permit: which element of it, and whether its quality is asked for instead of its value."""

    tag: Tag
    element: int
    is_flag: bool

    @property
    def name(self) -> str:
        place = f"[{self.element + 1}]" if self.tag.length else ""
        return f"{self.tag.name}{place}{'.good' if self.is_flag else ''}"


@dataclass(frozen=True, slots=True)
class Permit:
    """One permit now: its number from 1, true where it holds (None where that is not known), and the tags that decide it."""

    number: int
    holds: bool | None
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Interlock:
    """One INTERLOCK instance now. `is_armed` and `first` are known where a tag shows OK and FIRST, else None."""

    name: str
    is_armed: bool | None
    first: int | None
    permits: tuple[Permit, ...]

    @property
    def open(self) -> tuple[Permit, ...]:
        return tuple(permit for permit in self.permits if permit.holds is False)

    @property
    def is_closed(self) -> bool:
        """Whether every permit is known to hold."""
        return all(permit.holds for permit in self.permits)


@dataclass(frozen=True, slots=True)
class _Column:
    """The outputs that one group writes for one pin: bytes `start` up to `end`."""

    start: int
    end: int
    group: int
    pin: str
    kind: str
    length: int


class Permits:
    """The interlocks of a schedule, evaluated from the tag region that `memory` gives (the newest snapshot)."""

    def __init__(self, schedule: Schedule, catalogue: Mapping[str, BlockType], memory: Callable[[], np.ndarray]):
        self._schedule, self._catalogue, self._memory = schedule, catalogue, memory
        self._columns = sorted(self._written_columns(), key=lambda column: column.start)
        self._column_starts = [column.start for column in self._columns]
        copies = schedule.copies
        order = np.argsort(copies.target, kind="stable")
        self._copies = [(int(copies.target[i]), int(copies.size[i]), int(copies.source[i])) for i in order]
        self._copy_targets = [target for target, _, _ in self._copies]
        self._tags = sorted(schedule.tags, key=lambda tag: tag.offset)
        self._tag_offsets = [tag.offset for tag in self._tags]
        self._now: np.ndarray = schedule.initial
        self._known: dict[tuple[int, str], Any] = {}

    def interlocks(self, names: Collection[str] | None = None) -> tuple[Interlock, ...]:
        """Every INTERLOCK instance as the newest snapshot has it, or those of these names: each takes a while on a large site."""
        self._now = self._memory()
        self._known = {}
        found = []
        for number, group in enumerate(self._schedule.groups):
            if group.block == "INTERLOCK":
                rows = [row for row in range(group.rows) if names is None or group.instances[row] in names]
                found += [self._interlock(number, group, row) for row in rows]
        return tuple(found)

    def _interlock(self, number: int, group: Group, row: int) -> Interlock:
        block = self._catalogue[group.block]
        offsets = {pin.name: offset for pin, offset in zip(block.pins, group.columns, strict=True)}
        permits = offsets["PERMIT"] + row * group.length
        armed = self._shown(offsets["OK"] + row, "BOOL")
        first = self._shown(offsets["FIRST"] + 4 * row, "DINT")
        missing = self._shown(offsets["MISSING"] + 4 * row, "DINT")
        found = []
        for place in range(group.length):
            holds = self.value(permits + place, "BOOL")
            if holds is None and (armed or missing == 0):
                holds = True  # an armed interlock has all its permits
            contacts: dict[tuple[int, int, bool], Contact] = {}
            self._trace(permits + place, contacts, set())
            found.append(Permit(place + 1, holds, tuple(contacts.values())))
        return Interlock(group.instances[row], armed, first, tuple(found))

    def _shown(self, offset: int, kind: str) -> Any:
        """The value of an output pin, where a copy brings it into a tag; else None."""
        size = np.dtype(NUMPY[kind]).itemsize
        for target, count, source in self._copies:
            if target < self._schedule.region.size and source <= offset and offset + size <= source + count:
                return self._read(self._now, target + offset - source, kind)
        return self._read(self._now, offset, kind) if offset < self._schedule.region.size else None

    # Values: bytes of process memory, followed to whatever wrote them ------------------------------------------------------

    def value(self, offset: int, kind: str) -> Any:
        """What stands at this place of process memory, or None where that depends on what a block remembers."""
        key = (offset, kind)
        if key not in self._known:
            self._known[key] = None  # a loop through `last` ends here: its value is a memory
            self._known[key] = self._find(offset, kind)
        return self._known[key]

    def _find(self, offset: int, kind: str) -> Any:
        if offset < self._schedule.region.size:
            return self._read(self._now, offset, kind)
        column = self._writer(offset)
        if column is not None:
            return self._output(column, offset)
        source = self._source(offset)
        return self._read(self._schedule.initial, offset, kind) if source is None else self.value(source, kind)

    def _output(self, column: _Column, offset: int) -> Any:
        """An output of a block, from the values of its inputs."""
        group = self._schedule.groups[column.group]
        size = np.dtype(NUMPY[column.kind]).itemsize
        row, element = divmod((offset - column.start) // size, max(column.length, 1))
        block = self._catalogue[group.block]
        given = {name: self._input(place, kind, length) for name, place, kind, length in self._inputs(column.group, row)}
        unknown = [name for name, value in given.items() if value is None]
        if any(self._kind_of(group, name) != "BOOL" for name in unknown):
            return None
        memory = [pin.name for pin in block.pins if pin.kind != "input"]
        switches = [name for name in memory if self._kind_of(group, name) == "BOOL"]
        if len(unknown) + len(switches) > MOST_UNKNOWN:
            return None
        results: dict[str, Any] = {}  # by their text: a NaN is the same as a NaN
        for number, *chosen in product(MEMORIES, *[(False, True)] * (len(unknown) + len(switches))):
            numbers = {name: number for name in memory if name not in switches}
            tried = {**given, **numbers, **dict(zip([*unknown, *switches], chosen))}
            result = self._step(group, tried, column.pin, element)
            results[repr(result)] = result
            if len(results) > 1:
                return None
        return next(iter(results.values()))

    def _step(self, group: Group, given: Mapping[str, Any], pin: str, element: int) -> Any:
        """One step of the block in plain Python."""
        block = self._catalogue[group.block]
        instance = Instance(block, _chosen(block, group.chosen), group.length)
        for name, value in given.items():
            length = _length(next(one for one in block.pins if one.name == name), group)
            setattr(instance, name, [value] * length if length and not isinstance(value, list) else value)
        instance.scan(0)
        result = getattr(instance, pin)
        result = result[element] if hasattr(result, "values") else result
        return result.item() if hasattr(result, "item") else result

    def _input(self, place: int, kind: str, length: int) -> Any:
        """A scalar, or a list; None where any of it is not known."""
        if not length:
            return self.value(place, kind)
        size = np.dtype(NUMPY[kind]).itemsize
        values = [self.value(place + size * i, kind) for i in range(length)]
        return None if any(value is None for value in values) else values

    # Places: who writes them, and where from --------------------------------------------------------------------------------

    def _written_columns(self) -> list[_Column]:
        return [
            _Column(offset, offset + group.rows * max(length, 1) * np.dtype(NUMPY[kind]).itemsize, number, pin.name, kind, length)
            for number, group in enumerate(self._schedule.groups)
            for pin, offset in zip(self._catalogue[group.block].pins, group.columns, strict=True)
            if pin.kind == "output"
            for kind, length in [(self._kind_of(group, pin.name), _length(pin, group))]
        ]

    def _inputs(self, number: int, row: int) -> list[tuple[str, int, str, int]]:
        """Name, place, type and length of each input pin of one instance."""
        group = self._schedule.groups[number]
        found = []
        for pin, offset in zip(self._catalogue[group.block].pins, group.columns, strict=True):
            if pin.kind == "input":
                kind, length = self._kind_of(group, pin.name), _length(pin, group)
                found.append((pin.name, offset + row * max(length, 1) * np.dtype(NUMPY[kind]).itemsize, kind, length))
        return found

    def _kind_of(self, group: Group, name: str) -> str:
        pin = next(pin for pin in self._catalogue[group.block].pins if pin.name == name)
        return group.chosen if pin.element.name not in NUMPY else pin.element.name

    def _writer(self, offset: int) -> _Column | None:
        place = bisect_right(self._column_starts, offset) - 1
        return self._columns[place] if place >= 0 and offset < self._columns[place].end else None

    def _source(self, offset: int) -> int | None:
        """Where a copied byte comes from."""
        place = bisect_right(self._copy_targets, offset) - 1
        if place < 0:
            return None
        target, size, source = self._copies[place]
        return source + offset - target if offset < target + size else None

    def _read(self, memory: np.ndarray, offset: int, kind: str) -> Any:
        number = memory[offset : offset + np.dtype(NUMPY[kind]).itemsize].view(NUMPY[kind])[0].item()
        return bool(number) if kind == "BOOL" else number

    def _trace(self, offset: int, found: dict[tuple[int, int, bool], Contact], seen: set[int]) -> None:
        """All tags that a place depends on, in the order of the wires."""
        if offset in seen:
            return
        seen.add(offset)
        if offset < self._schedule.region.size:
            contact = self._contact(offset)
            found.setdefault((contact.tag.index, contact.element, contact.is_flag), contact)
            return
        column = self._writer(offset)
        if column is not None:
            row = (offset - column.start) // (np.dtype(NUMPY[column.kind]).itemsize * max(column.length, 1))
            for _, place, kind, length in self._inputs(column.group, row):
                for i in range(max(length, 1)):
                    self._trace(place + i * np.dtype(NUMPY[kind]).itemsize, found, seen)
        elif (source := self._source(offset)) is not None:
            self._trace(source, found, seen)

    def _contact(self, offset: int) -> Contact:
        region = self._schedule.region
        if offset >= region.good:
            return Contact(next(tag for tag in self._tags if tag.index == offset - region.good), 0, True)
        tag = self._tags[bisect_right(self._tag_offsets, offset) - 1]
        return Contact(tag, (offset - tag.offset) // np.dtype(NUMPY[tag.type]).itemsize, False)


def _length(pin: Any, group: Group) -> int:
    return group.length if pin.length == "N" else int(pin.length or 0)


def _chosen(block: BlockType, name: str) -> Any:
    """The type that was picked for ANY pins."""
    if not name:
        return None
    choices = [choice for pin in block.pins for choice in getattr(pin.element, "choices", ())]
    return next((choice for choice in choices if choice.name == name), None)
