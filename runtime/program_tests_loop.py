"""Many scans of a test without Python between them, compiled: inputs move, the PLC scans, checks are judged, coverage is noted.

It drives the engine's own scan and must not know YAML, names or how a failure is told.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from runtime.engine.atomics import as_bits, as_lreal, load_i4, load_i8, load_u1, scan_path
from runtime.engine.loop import one_scan
from runtime.engine.plan import RUNNING, S_STATE, S_TICK, S_TICK_NS, Plan

# The operations of runtime/language/scenario.py, in its order.
CONST, LOAD, ADD, SUB, MUL, DIV, NEG, ABS, MIN, MAX, LT, LE, GT, GE, EQ, NE, AND, OR, XOR, NOT = range(20)
BOOL, DINT, LINT, TIME, LREAL = range(5)
# Columns: of the code, of a check, of a ramp, of a transition to look for, and of a cell to be remembered.
Q_OPERATION, Q_BITS, Q_KIND = range(3)
H_FROM, H_TO, H_WANTED = range(3)
R_SLOT, R_BEGIN, R_OVER, R_START, R_END, R_REAL = range(6)
V_ADDRESS, V_KIND, V_WAS = range(3)
P_CELL, P_BEFORE, P_AFTER, P_SEEN = range(4)
W_ADDRESS, W_KIND = range(2)
# Words of `words`: time of the next scan and of the start (CLOCK_MONOTONIC), the wall clock there, and the counts in use.
N_NOW, N_START, N_WALL, N_ALWAYS, N_CHECKS, N_RAMPS, N_CELLS, N_POINTS, N_WATCHED, N_SCANS, N_BROKEN = range(11)
ENDED, REACHED, ALWAYS_BROKEN, CHECK_BROKEN = range(4)
UNDECIDED = -1
HISTORY = 1024  # scans that are remembered
MOST_WATCHED = 12


class Stage(NamedTuple):
    """What surrounds the PLC in a test. All int64 unless the field says otherwise."""

    words: np.ndarray
    fresh: np.ndarray  # uint8, one a slot: 1 where the device sends again and again
    ramps: np.ndarray
    code: np.ndarray
    checks: np.ndarray  # those that must hold in every scan first, then those of the step
    stack: np.ndarray  # float64
    cells: np.ndarray  # what coverage looks at
    points: np.ndarray
    watched: np.ndarray
    history: np.ndarray  # rows of scan number and watched values


@scan_path
def play(plan: Plan, stage: Stage, scans: int, until: int) -> int:
    """So many scans at most; returns ENDED after them, or why it stopped after less.

    `until` 1: REACHED in the first scan in which all checks of the step hold. 2: CHECK_BROKEN in the first in which one does not.
    The checks for every scan are judged in any case; the one that broke stands in `words`.
    """
    words = stage.words
    if plan.state[S_STATE] == 0:
        plan.state[S_STATE] = RUNNING
    always, checks = words[N_ALWAYS], words[N_CHECKS]
    for _ in range(scans):
        now = words[N_NOW]
        _move(plan.inbox_value, stage.ramps, words[N_RAMPS], now)
        _refresh(plan.inbox_time, stage.fresh, now)
        plan.state[S_TICK] += 1
        one_scan(plan, now, words[N_WALL] + now - words[N_START], plan.state[S_TICK])
        words[N_NOW] = now + plan.state[S_TICK_NS]
        words[N_SCANS] += 1
        _remember(stage.history, stage.watched, words[N_WATCHED], words[N_SCANS])
        _cover(stage.cells, words[N_CELLS], stage.points, words[N_POINTS])
        broken = first_broken(stage.code, stage.checks, stage.stack, 0, always)
        if broken >= 0:
            words[N_BROKEN] = broken
            return ALWAYS_BROKEN
        if until != 0:
            broken = first_broken(stage.code, stage.checks, stage.stack, always, always + checks)
            if until == 1 and broken < 0:
                return REACHED
            if until == 2 and broken >= 0:
                words[N_BROKEN] = broken
                return CHECK_BROKEN
    return ENDED


@scan_path
def _move(values: np.ndarray, ramps: np.ndarray, count: int, now: int) -> None:
    """The ramps as this scan finds them."""
    for r in range(count):
        slot, begin, over = ramps[r, R_SLOT], ramps[r, R_BEGIN], ramps[r, R_OVER]
        if begin < 0:
            continue
        start, end = as_lreal(ramps[r, R_START]), as_lreal(ramps[r, R_END])
        passed = min(now - begin, over)
        value = end if passed >= over else start + (end - start) * (np.float64(passed) / np.float64(over))
        values[slot] = as_bits(value) if ramps[r, R_REAL] != 0 else np.int64(np.floor(value + 0.5))
        if passed >= over:
            ramps[r, R_BEGIN] = -1


@scan_path
def _refresh(times: np.ndarray, fresh: np.ndarray, now: int) -> None:
    """What a device sends again and again is as old as the scan."""
    for slot in range(fresh.size):
        if fresh[slot] != 0:
            times[slot] = now


@scan_path
def _load(address: int, kind: int) -> float:
    if kind == LREAL:
        return as_lreal(load_i8(address))
    return np.float64(_whole(address, kind))


@scan_path
def _whole(address: int, kind: int) -> int:
    if kind == BOOL:
        return load_u1(address)
    if kind == DINT:
        return load_i4(address)
    return load_i8(address)


@scan_path
def _remember(history: np.ndarray, watched: np.ndarray, count: int, scan: int) -> None:
    row = scan % HISTORY
    history[row, 0] = scan
    for i in range(count):
        history[row, i + 1] = _whole(watched[i, W_ADDRESS], watched[i, W_KIND])


@scan_path
def _cover(cells: np.ndarray, count: int, points: np.ndarray, point_count: int) -> None:
    """Note which transitions this scan made; a cell that did not change costs one load."""
    for c in range(count):
        value, was = _whole(cells[c, V_ADDRESS], cells[c, V_KIND]), cells[c, V_WAS]
        if value == was:
            continue
        cells[c, V_WAS] = value
        for p in range(point_count):
            fits = points[p, P_CELL] == c and points[p, P_AFTER] == value
            if fits and (points[p, P_BEFORE] < 0 or points[p, P_BEFORE] == was):
                points[p, P_SEEN] += 1


@scan_path
def first_broken(code: np.ndarray, checks: np.ndarray, stack: np.ndarray, first: int, last: int) -> int:
    """The first of these checks that does not hold now, -1 where all do."""
    for c in range(first, last):
        if _judge(code, stack, checks[c, H_FROM], checks[c, H_TO]) != checks[c, H_WANTED]:
            return c
    return -1


@scan_path
def _judge(code: np.ndarray, stack: np.ndarray, first: int, last: int) -> int:
    """Walk the code of one check: 1 where it holds, 0 where not, UNDECIDED where it compares what is no number.

    That a NaN is not above a limit must not pass for `never above`: the check is broken, whatever was wanted.
    """
    top = -1
    for i in range(first, last):
        operation = code[i, Q_OPERATION]
        if operation == CONST:
            top += 1
            stack[top] = as_lreal(code[i, Q_BITS])
        elif operation == LOAD:
            top += 1
            stack[top] = _load(code[i, Q_BITS], code[i, Q_KIND])
        elif operation == NEG:
            stack[top] = -stack[top]
        elif operation == ABS:
            stack[top] = abs(stack[top])
        elif operation == NOT:
            stack[top] = 1.0 - stack[top]
        else:
            top -= 1
            if LT <= operation <= NE and (np.isnan(stack[top]) or np.isnan(stack[top + 1])):
                return UNDECIDED
            stack[top] = _pair(operation, stack[top], stack[top + 1])
    return 1 if stack[0] != 0.0 else 0


@scan_path
def _pair(operation: int, left: float, right: float) -> float:
    if operation < MIN:
        return _reckon(operation, left, right)
    if operation <= MAX and (np.isnan(left) or np.isnan(right)):
        return np.nan  # min and max must not hide it
    if operation == MIN:
        return min(left, right)
    if operation == MAX:
        return max(left, right)
    if operation >= AND:
        return _join(operation, left != 0.0, right != 0.0)
    return _compare(operation, left, right)


@scan_path
def _reckon(operation: int, left: float, right: float) -> float:
    if operation == ADD:
        return left + right
    if operation == SUB:
        return left - right
    if operation == MUL:
        return left * right
    return left / right if right != 0.0 else np.nan


@scan_path
def _compare(operation: int, left: float, right: float) -> float:
    if operation == LT:
        return np.float64(left < right)
    if operation == LE:
        return np.float64(left <= right)
    if operation == GT:
        return np.float64(left > right)
    if operation == GE:
        return np.float64(left >= right)
    if operation == EQ:
        return np.float64(left == right)
    return np.float64(left != right)


@scan_path
def _join(operation: int, left: bool, right: bool) -> float:
    if operation == AND:
        return np.float64(left and right)
    if operation == OR:
        return np.float64(left or right)
    return np.float64(left != right)
