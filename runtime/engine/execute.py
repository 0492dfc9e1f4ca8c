"""The third step of a scan, compiled: run the tasks that are due, group by group."""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import call_kernel, copy_bytes, load_i4, load_i8, load_u1, scan_path, store_i4, store_i8, store_u1
from runtime.engine.clock import CLOCK_MONOTONIC, read_clock
from runtime.engine.force import touch
from runtime.engine.plan import (
    A_SCRATCH,
    G_COLUMNS,
    G_COPY_FROM,
    G_COPY_TO,
    G_KERNEL,
    G_LENGTH,
    G_ROWS,
    S_PROFILE,
    S_TICK_NS,
    T_COPY_FROM,
    T_COPY_TO,
    T_EVERY,
    T_GROUP_FROM,
    T_GROUP_TO,
    T_LAST,
    T_PHASE,
    T_PULSE_FROM,
    T_PULSE_TO,
    T_TURN,
    Plan,
)
from runtime.engine.statistics import PROFILE_START, STEPS, TASK_ROWS, note

PROFILED_GROUPS = 2048


@scan_path
def copy_wires(copies: np.ndarray, first: int, last: int) -> None:
    """Do the copies [first, last) in their order. A negative size is that of an array of which elements are forced."""
    for i in range(first, last):
        target, source, size = copies[i, 0], copies[i, 1], copies[i, 2]
        if size == 8:
            store_i8(target, load_i8(source))
        elif size == 1:
            store_u1(target, load_u1(source))
        elif size == 4:
            store_i4(target, load_i4(source))
        elif size < 0:
            _copy_long(target, source, -size)
            touch(copies[copies.shape[0] - 1, 0], target, -size)
        else:
            _copy_long(target, source, size)


@scan_path
def _copy_long(target: int, source: int, size: int) -> None:
    if source < target < source + size:
        _repeat(target, source, size)
    else:
        copy_bytes(target, source, size)


@scan_path
def _repeat(target: int, source: int, size: int) -> None:
    """Repeat the bytes between source and target until `size` bytes are written: one value for many rows."""
    unit = target - source
    if unit == 8:
        value = load_i8(source)
        for place in range(target, target + size, 8):
            store_i8(place, value)
    elif unit == 1:
        value = load_u1(source)
        for place in range(target, target + size):
            store_u1(place, value)
    else:
        for place in range(target, target + size, unit):
            copy_bytes(place, source, unit)


@scan_path
def run(plan: Plan, tick: int) -> None:
    """Run the tasks that are due at this tick, in their order, with the true time since each ran last."""
    tasks = plan.tasks
    for task in range(tasks.shape[0]):
        every = tasks[task, T_EVERY]
        turn = (tick - tasks[task, T_PHASE]) // every
        if tick < tasks[task, T_PHASE] or turn == tasks[task, T_TURN]:
            continue
        begun = read_clock(CLOCK_MONOTONIC, plan.places[A_SCRATCH])
        ticks = tick - tasks[task, T_LAST] if tasks[task, T_LAST] >= 0 else every
        tasks[task, T_TURN] = turn
        tasks[task, T_LAST] = tick
        run_task(plan, task, ticks * plan.state[S_TICK_NS])
        ended = read_clock(CLOCK_MONOTONIC, plan.places[A_SCRATCH])
        if task < TASK_ROWS:
            note(plan.statistics, len(STEPS) + task, ended - begun)


@scan_path
def run_task(plan: Plan, task: int, dt: int) -> None:
    """One task: show its pulses, then each group after its wires, then the tags that it writes."""
    tasks, groups = plan.tasks, plan.groups
    for i in range(tasks[task, T_PULSE_FROM], tasks[task, T_PULSE_TO]):
        pending, visible = plan.pulses[i, 0], plan.pulses[i, 1]
        store_u1(visible, load_u1(pending))
        store_u1(pending, 0)
    first, last = tasks[task, T_GROUP_FROM], tasks[task, T_GROUP_TO]
    if plan.state[S_PROFILE] == 0:
        _run_groups(groups, plan.copies, first, last, dt)
    else:
        _time_groups(groups, plan.copies, first, last, dt, plan.statistics, plan.places[A_SCRATCH])
    copy_wires(plan.copies, tasks[task, T_COPY_FROM], tasks[task, T_COPY_TO])


@scan_path
def _run_groups(groups: np.ndarray, copies: np.ndarray, first: int, last: int, dt: int) -> None:
    for g in range(first, last):
        copy_from, copy_to = groups[g, G_COPY_FROM], groups[g, G_COPY_TO]
        if copy_from != copy_to:
            copy_wires(copies, copy_from, copy_to)
        call_kernel(groups[g, G_KERNEL], groups[g, G_COLUMNS], groups[g, G_ROWS], groups[g, G_LENGTH], dt)


@scan_path
def _time_groups(
    groups: np.ndarray, copies: np.ndarray, first: int, last: int, dt: int, statistics: np.ndarray, scratch: int
) -> None:
    """The same, with runs and nanoseconds of each group counted in the statistics."""
    for g in range(first, last):
        begun = read_clock(CLOCK_MONOTONIC, scratch)
        _run_groups(groups, copies, g, g + 1, dt)
        if g < PROFILED_GROUPS:
            statistics[PROFILE_START + 2 * g] += 1
            statistics[PROFILE_START + 2 * g + 1] += read_clock(CLOCK_MONOTONIC, scratch) - begun
