"""The third step of a scan, compiled: run the tasks that are due, group by group."""

from __future__ import annotations

import numpy as np
from numba import njit

from runtime.engine.atomics import call_kernel, copy_bytes, load_i4, load_i8, load_u1, store_i4, store_i8, store_u1
from runtime.engine.clock import CLOCK_MONOTONIC, read_clock
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


@njit(cache=True, nogil=True)
def copy_wires(plan: Plan, first: int, last: int) -> None:
    """Do the copies [first, last) in their order."""
    copies = plan.copies
    for i in range(first, last):
        target, source, size = copies[i, 0], copies[i, 1], copies[i, 2]
        if size == 8:
            store_i8(target, load_i8(source))
        elif size == 1:
            store_u1(target, load_u1(source))
        elif size == 4:
            store_i4(target, load_i4(source))
        else:
            copy_bytes(target, source, size)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def run_task(plan: Plan, task: int, dt: int) -> None:
    """One task: show its pulses, then each group after its wires, then the tags that it writes."""
    tasks, groups = plan.tasks, plan.groups
    for i in range(tasks[task, T_PULSE_FROM], tasks[task, T_PULSE_TO]):
        pending, visible = plan.pulses[i, 0], plan.pulses[i, 1]
        store_u1(visible, load_u1(pending))
        store_u1(pending, 0)
    profile = plan.state[S_PROFILE] != 0
    for g in range(tasks[task, T_GROUP_FROM], tasks[task, T_GROUP_TO]):
        begun = read_clock(CLOCK_MONOTONIC, plan.places[A_SCRATCH]) if profile else np.int64(0)
        copy_wires(plan, groups[g, G_COPY_FROM], groups[g, G_COPY_TO])
        call_kernel(groups[g, G_KERNEL], groups[g, G_COLUMNS], groups[g, G_ROWS], groups[g, G_LENGTH], dt)
        if profile and g < PROFILED_GROUPS:
            plan.statistics[PROFILE_START + 2 * g] += 1
            plan.statistics[PROFILE_START + 2 * g + 1] += read_clock(CLOCK_MONOTONIC, plan.places[A_SCRATCH]) - begun
    copy_wires(plan, tasks[task, T_COPY_FROM], tasks[task, T_COPY_TO])
