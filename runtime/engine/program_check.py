"""Whether a schedule from a file may be laid out and run: a tape may come from anywhere, and the scan follows its offsets unasked.

Every place that the compiled code reads or writes must be inside process memory. It must not know what a program means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from blocks import catalogue
from runtime.engine.cells import BYTE, LONG, REAL, WORD
from runtime.engine.kernels import chosen_of
from runtime.engine.translate import chosen_type
from runtime.model import ROLES, SEVERITIES, Group, Schedule
from runtime.system_tags import SYSTEM_TAGS

KINDS = {"BOOL": BYTE, "DINT": WORD, "LINT": LONG, "TIME": LONG, "LREAL": REAL}
LARGEST = 1 << 30  # bytes of process memory, and of any array of a schedule


class UnsoundError(ValueError):
    """A schedule reaches beyond its own memory; the text says where."""


def check_program(schedule: Schedule) -> None:
    """Raises UnsoundError for the first thing of a schedule that leads out of its memory, or that no scan could run."""
    try:
        for what, is_good in _checks(schedule):
            if not is_good:
                raise UnsoundError(what)
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise UnsoundError(f"something is missing or of another kind: {error!r}") from error


def _checks(schedule: Schedule) -> Iterator[tuple[str, bool]]:
    """What is looked at, and whether it is good; nothing that follows is looked at before what it stands on is good."""
    initial = schedule.initial
    yield "its memory", _is_column(initial, "uint8") and 0 < initial.size <= LARGEST
    yield "its base tick", 0 < schedule.tick < 1 << 62
    yield "its digest", int(schedule.digest[:16], 16) >= 0
    yield "its watchdog", schedule.watchdog.overruns >= 0
    yield "its tag region", _is_region(schedule)
    yield "its tags", _are_tags(schedule)
    yield "its system tags are not those of this version of bessplc", _has_system_tags(schedule)
    size = initial.size
    yield "its copies", _are_copies(schedule, size)
    for group in schedule.groups:
        yield f"its group of {group.block}", _is_group(group, size, len(schedule.copies.size))
    yield "its tasks", all(_is_task(task, schedule, size) for task in schedule.tasks)
    yield "its inputs", _are_inputs(schedule)
    yield "its outputs", _are_cells(schedule.outputs.source, schedule.outputs.type, size) and _is_column(schedule.outputs.safe)
    yield "its commands", _are_commands(schedule, size)
    yield "its authority", -1 <= schedule.authority < size
    yield (
        "its pins",
        all(_is_place(offset, KINDS[kind] % 16 * max(length, 1), size) for kind, offset, length in schedule.pins.values()),
    )
    by_name = {tag.name.lower(): tag for tag in schedule.tags}
    yield "its alarms", all(by_name[a.active.lower()].type == "BOOL" and a.severity in SEVERITIES for a in schedule.alarms)


def _is_place(start: int, length: int, size: int) -> bool:
    return 0 <= start <= size and 0 <= length <= size - start


def _is_column(values: Any, code: str = "int64", count: int = -1) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 1 and str(values.dtype) == code and count in (-1, values.size)


def _is_region(schedule: Schedule) -> bool:
    region = schedule.region
    ends = ((region.quality, 4), (region.source_time, 8), (region.good, 1))
    whole = 0 < region.size <= schedule.initial.size and region.tags == len(schedule.tags)
    return whole and all(_is_place(start, step * region.tags, region.size) and start % step == 0 for start, step in ends)


def _are_tags(schedule: Schedule) -> bool:
    size = schedule.region.size
    in_place = all(_is_place(tag.offset, KINDS[tag.type] % 16 * _cells(tag.length), size) for tag in schedule.tags)
    return in_place and sorted(tag.index for tag in schedule.tags) == list(range(len(schedule.tags)))


def _cells(length: int) -> int:
    if not 0 <= length <= LARGEST:
        raise IndexError(f"an array of {length}")
    return max(length, 1)


def _has_system_tags(schedule: Schedule) -> bool:
    found = {tag.name: (tag.type, tag.length) for tag in schedule.tags}
    return all(found.get(name) == (kind, 0) for name, kind, *_ in SYSTEM_TAGS)


def _are_inside(starts: np.ndarray, lengths: Any, size: int) -> bool:
    return bool(np.all((starts >= 0) & (starts <= size)) and np.all((lengths > 0) & (lengths <= size - starts)))


def _are_copies(schedule: Schedule, size: int) -> bool:
    copies = schedule.copies
    count = copies.size.size
    if not all(_is_column(column, count=count) for column in (copies.source, copies.target, copies.size)):
        return False
    if not (_are_inside(copies.source, copies.size, size) and _are_inside(copies.target, copies.size, size)):
        return False
    unit = copies.target - copies.source  # one that overlaps itself repeats whole units: the last must not be cut
    repeats = (unit > 0) & (unit < copies.size)
    return bool(np.all(copies.size[repeats] % unit[repeats] == 0))


def _is_span(start: int, end: int, count: int) -> bool:
    return 0 <= start <= end <= count


def _is_group(group: Group, size: int, copies: int) -> bool:
    block, chosen = catalogue()[group.block], chosen_of(group.chosen)
    if not (0 < group.rows <= LARGEST and 0 <= group.length <= LARGEST and len(group.columns) == len(block.pins)):
        return False
    for pin, offset in zip(block.pins, group.columns, strict=True):
        cells = group.length if pin.length == "N" else int(pin.length) or 1
        if cells < 1 or not _is_place(offset, group.rows * cells * chosen_type(pin, chosen).size, size):
            return False
    return _is_span(group.copy_from, group.copy_to, copies)


def _is_task(task: Any, schedule: Schedule, size: int) -> bool:
    spans = (
        _is_span(task.group_from, task.group_to, len(schedule.groups)),
        _is_span(task.copy_from, task.copy_to, schedule.copies.size.size),
    )
    pulses = all(_is_place(cell, 1, size) for pair in task.pulses for cell in pair) and all(len(pair) == 2 for pair in task.pulses)
    return 0 < task.every < 1 << 31 and 0 <= task.phase < 1 << 31 and all(spans) and pulses


def _are_cells(offsets: Any, kinds: Any, size: int) -> bool:
    if not (_is_column(offsets) and _is_column(kinds, count=offsets.size) and np.isin(kinds, list(KINDS.values())).all()):
        return False
    return _are_inside(offsets, kinds % 16, size)


def _are_inputs(schedule: Schedule) -> bool:
    table = schedule.inputs
    rest = (table.tag, table.stale, table.hold, table.bad)
    if not all(_is_column(column, count=table.target.size) for column in rest):
        return False
    of_tags = bool(np.all((table.tag >= 0) & (table.tag < len(schedule.tags))))
    return of_tags and _are_cells(table.target, table.type, schedule.region.size)


def _are_commands(schedule: Schedule, size: int) -> bool:
    """A row a tag, which says of it what the tag itself says: a force takes the place from one and the size from the other."""
    table, tags = schedule.commands, sorted(schedule.tags, key=lambda tag: tag.index)
    columns = (table.target, table.type, table.role, table.length, table.pulse, table.pulse_count)
    if not all(_is_column(column, count=len(tags)) for column in columns):
        return False
    if not all(_is_column(column, "float64", len(tags)) for column in (table.low, table.high)):
        return False
    cells = table.pulse_cells
    if not (_is_column(cells) and bool(np.all((cells >= 0) & (cells < size)))):
        return False
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return all(_is_command(tag, row, cells.size) for tag, row in zip(tags, rows, strict=True))


def _is_command(tag: Any, row: Sequence[int], cells: int) -> bool:
    target, kind, role, length, pulse, count = row
    said = target in (-1, tag.offset) and kind == KINDS[tag.type] and length == tag.length and 0 <= role < len(ROLES)
    return said and (pulse == -1 or _is_span(pulse, pulse + count, cells)) and (pulse >= 0 or not tag.pulse)
