"""Carries a running program's values over into another one that is laid out beside it: what is copied, and the copying.

`carry_list` compares two laid-out programs by name and type, outside the scan; `hand_over` does the copies in the gap between
two scans, compiled. It must not know who asked, nor threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blocks import catalogue
from blocks.declare import INPUT
from runtime.engine.atomics import (
    copy_bytes,
    fence,
    load_acquire,
    load_i4,
    load_i8,
    load_u1,
    scan_path,
    store_i4,
    store_i8,
    store_release,
    store_u1,
)
from runtime.engine.carry_tags import kept_tags
from runtime.engine.carry_wires import fed_inputs
from runtime.engine.clock import CLOCK_MONOTONIC, hear, read_clock, wake
from runtime.engine.force_tables import FORCE_BYTES
from runtime.engine.image import address_of
from runtime.engine.kernels import chosen_of
from runtime.engine.plan import (
    A_INBOX,
    A_INBOX_SIZE,
    A_SCRATCH,
    C_BELL,
    C_GO,
    C_PARKED,
    C_STOP,
    C_TOOK,
    C_UNDER_WAY,
    I_RECEIVED,
    S_FIRST_OUT,
    S_IN_A_ROW,
    S_LAST_START,
    S_LATE,
    S_MISSED,
    S_NOT_FINITE,
    S_OVERRUNS,
    S_PERIOD,
    S_SCAN,
    S_START,
    S_STATE,
    S_TICK,
    S_TORN,
    S_WAS_LATE,
    T_EVERY,
    T_LAST,
    T_PHASE,
    T_TURN,
    Plan,
)
from runtime.engine.statistics import ROW, STEPS, TASK_ROWS
from runtime.engine.translate import chosen_type
from runtime.model import Group, Schedule

REGISTERS = (
    S_SCAN,
    S_STATE,
    S_TICK,
    S_OVERRUNS,
    S_IN_A_ROW,
    S_MISSED,
    S_NOT_FINITE,
    S_TORN,
    S_LAST_START,
    S_START,
    S_WAS_LATE,
    S_LATE,
    S_PERIOD,
    S_FIRST_OUT,
)
H_ROWS, H_COUNT, H_GO, H_BELL = range(4)  # the words of a handover


@dataclass(frozen=True)
class Program:
    """A schedule and the plan that it is laid out as."""

    schedule: Schedule
    plan: Plan


@dataclass(frozen=True)
class Carry:
    """The copies (rows of target, source, size; absolute addresses), and in words what keeps its name and yet starts afresh."""

    copies: np.ndarray
    dropped: tuple[str, ...]


def carry_list(old: Program, new: Program) -> Carry:
    """What the new program takes over of the old one, in as few copies as possible."""
    dropped: list[str] = []
    rows = [
        *_tags(old, new, dropped),
        *_instances(old, new, dropped),
        *_wires(old, new),
        *_pulses(old, new),
        *_tasks(old, new),
        *_inputs(old, new),
        *((_word(new.plan.state, n), _word(old.plan.state, n), 8) for n in REGISTERS),
        (address_of(new.plan.forces), address_of(old.plan.forces), FORCE_BYTES),
    ]
    return Carry(_merged(np.array(rows, np.int64).reshape(-1, 3)), tuple(dropped))


def _word(words: np.ndarray, place: int) -> int:
    return address_of(words) + 8 * place


Rows = Iterator[tuple[int, int, int]]


def _tags(old: Program, new: Program, dropped: list[str]) -> Rows:
    to, source = address_of(new.plan.memory), address_of(old.plan.memory)
    columns = [
        (address_of(getattr(new.plan, name)), address_of(getattr(old.plan, name)), size)
        for name, size in (("tag_quality", 4), ("tag_time", 8), ("tag_good", 1))
    ]
    for tag, before, spans in kept_tags(old.schedule, new.schedule, dropped):
        for place, size in spans:
            yield to + tag.offset + place, source + before.offset + place, size
        for target, came, size in columns:
            yield target + size * tag.index, came + size * before.index, size


def _instances(old: Program, new: Program, dropped: list[str]) -> Rows:
    """Outputs and variables of every instance that is still of the same block; an input that no wire feeds is the text's."""
    places = {name.lower(): (g, row) for g in old.schedule.groups for row, name in enumerate(g.instances)}
    to, source = address_of(new.plan.memory), address_of(old.plan.memory)
    for group in new.schedule.groups:
        for before, first, first_before, count in _runs(group, places, dropped):
            for column, column_before, size in _columns(group, before):
                yield to + column + size * first, source + column_before + size * first_before, size * count


def _runs(group: Group, places: dict[str, tuple[Group, int]], dropped: list[str]) -> Iterator[tuple[Group, int, int, int]]:
    """Rows that follow each other in both programs: the old group, the first row now and then, how many."""
    run: tuple[Group, int, int, int] | None = None
    for row, name in enumerate(group.instances):
        found = places.get(name.lower())
        if found is None:
            continue
        before, row_before = found
        if (before.block, before.chosen, before.length) != (group.block, group.chosen, group.length):
            dropped.append(f"{name}: {_kind_of(before)} becomes {_kind_of(group)}")
            continue
        if run is not None and run[0] is before and (run[1] + run[3], run[2] + run[3]) == (row, row_before):
            run = (before, run[1], run[2], run[3] + 1)
            continue
        if run is not None:
            yield run
        run = (before, row, row_before, 1)
    if run is not None:
        yield run


def _kind_of(group: Group) -> str:
    return group.block + (f"({group.chosen})" if group.chosen else "") + (f"[{group.length}]" if group.length else "")


def _columns(group: Group, before: Group) -> Iterator[tuple[int, int, int]]:
    """Where each output and variable stands now and stood then, and the bytes of one row."""
    block, chosen = catalogue()[group.block], chosen_of(group.chosen)
    for pin, column, column_before in zip(block.pins, group.columns, before.columns, strict=True):
        if pin.kind != INPUT:
            cells = 1 if not pin.length else group.length if pin.length == "N" else int(pin.length)
            yield column, column_before, cells * chosen_type(pin, chosen).size


def _wires(old: Program, new: Program) -> Rows:
    to, source = address_of(new.plan.memory), address_of(old.plan.memory)
    for place, place_before, size in fed_inputs(old.schedule, new.schedule):
        yield to + place, source + place_before, size


def _pulses(old: Program, new: Program) -> Rows:
    """A pulse that a task has not seen yet, and the one that it sees now."""
    to, source = address_of(new.plan.memory), address_of(old.plan.memory)
    before = _pulse_cells(old.schedule)
    for key, cells in _pulse_cells(new.schedule).items():
        if key in before:
            for cell, cell_before in zip(cells, before[key], strict=True):
                yield to + cell, source + cell_before, 1


def _pulse_cells(schedule: Schedule) -> dict[tuple[str, str], tuple[int, int]]:
    """(tag, task) -> offsets of pending and visible."""
    table = schedule.commands
    tag_of = {
        int(table.pulse_cells[cell]): tag.name.lower()
        for tag in schedule.tags
        if tag.pulse and table.pulse[tag.index] >= 0
        for cell in range(table.pulse[tag.index], table.pulse[tag.index] + table.pulse_count[tag.index])
    }
    return {(tag_of[p], task.name.lower()): (p, v) for task in schedule.tasks for p, v in task.pulses if p in tag_of}


def _tasks(old: Program, new: Program) -> Rows:
    """When each task ran last, and its timing; the timing of the scan's steps comes first."""
    statistics, before = address_of(new.plan.statistics), address_of(old.plan.statistics)
    yield statistics, before, len(STEPS) * ROW * 8
    places = {task.name.lower(): n for n, task in enumerate(old.schedule.tasks)}
    for n, task in enumerate(new.schedule.tasks):
        m = places.get(task.name.lower())
        if m is None:
            continue
        yield _word(new.plan.tasks[n], T_LAST), _word(old.plan.tasks[m], T_LAST), 8
        if max(n, m) < TASK_ROWS:
            yield statistics + (len(STEPS) + n) * ROW * 8, before + (len(STEPS) + m) * ROW * 8, ROW * 8


def _inputs(old: Program, new: Program) -> Rows:
    """The inbox as latched last, and which points ever came: the points are the same, or there is no online change."""
    yield int(new.plan.places[A_INBOX]), int(old.plan.places[A_INBOX]), int(new.plan.places[A_INBOX_SIZE])
    to, source, step = address_of(new.plan.inputs), address_of(old.plan.inputs), 8 * new.plan.inputs.shape[1]
    for place in range(8 * I_RECEIVED, step * new.plan.inputs.shape[0], step):
        yield to + place, source + place, 8


def _merged(rows: np.ndarray) -> np.ndarray:
    """The same copies in the order of their targets, with those put together that follow each other on both sides."""
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    target, source, size = rows[:, 0], rows[:, 1], rows[:, 2]
    starts = np.ones(len(rows), bool)
    starts[1:] = (target[:-1] + size[:-1] != target[1:]) | (source[:-1] + size[:-1] != source[1:])
    first = np.flatnonzero(starts)
    return np.ascontiguousarray(np.stack([target[first], source[first], np.add.reduceat(size, first)], axis=1))


@scan_path
def do_copies(rows: int, count: int) -> None:
    """Do `count` copies whose rows stand at this address."""
    for row in range(rows, rows + 24 * count, 24):
        target, source, size = load_i8(row), load_i8(row + 8), load_i8(row + 16)
        if size == 8:
            store_i8(target, load_i8(source))
        elif size == 4:
            store_i4(target, load_i4(source))
        elif size == 1:
            store_u1(target, load_u1(source))
        else:
            copy_bytes(target, source, size)


@scan_path
def hand_over(plan: Plan, handover: int) -> None:
    """The scan thread's own part: carry everything over, and let the program beside this one scan from the next tick on."""
    scratch = plan.places[A_SCRATCH]
    begun = read_clock(CLOCK_MONOTONIC, scratch)
    do_copies(load_i8(handover + 8 * H_ROWS), load_i8(handover + 8 * H_COUNT))
    store_release(load_i8(handover + 8 * H_GO), 1)
    wake(load_i8(handover + 8 * H_BELL), scratch)
    plan.control[C_TOOK] = read_clock(CLOCK_MONOTONIC, scratch) - begun


@scan_path
def await_turn(plan: Plan) -> bool:
    """Wait until this program may scan; False where it was told to stop instead. The turns of its tasks follow from the ticks."""
    control, tasks = plan.control, plan.tasks
    here = control.ctypes.data
    store_release(here + 8 * C_PARKED, 1)
    while load_acquire(here + 8 * C_GO) == 0:
        if load_acquire(here + 8 * C_STOP) != 0:
            return False
        hear(control[C_BELL], plan.places[A_SCRATCH])
    find_turns(tasks)
    return True


@scan_path
def find_turns(tasks: np.ndarray) -> None:
    """The turn in which each task ran last: its interval and phase may be others than when it did."""
    for task in range(tasks.shape[0]):
        if tasks[task, T_LAST] >= 0:
            tasks[task, T_TURN] = (tasks[task, T_LAST] - tasks[task, T_PHASE]) // tasks[task, T_EVERY]


@scan_path
def copy_between_scans(plan: Plan, rows: int, count: int) -> bool:
    """Do these copies out of a running program without disturbing it; False where a scan began meanwhile: try again."""
    here = plan.control.ctypes.data
    number = load_acquire(here + 8 * C_UNDER_WAY)
    if number % 2 != 0:
        return False
    do_copies(rows, count)
    fence()
    return load_acquire(here + 8 * C_UNDER_WAY) == number


def handover_of(carry: Carry, new: Plan) -> np.ndarray:
    """The words that the scan thread needs to hand over; they and the copies must live until it has."""
    words = [address_of(carry.copies), len(carry.copies), _word(new.control, C_GO), int(new.control[C_BELL])]
    return np.array(words, np.int64)
