"""The scan loop, compiled: sleep to the tick, do the steps, time each, and keep the overrun policy. It never holds the GIL."""

from __future__ import annotations

import numpy as np

from runtime.engine.alarm_count import count_alarms, keep_first_out
from runtime.engine.atomics import as_bits, fence, load_acquire, scan_path, store_i4, store_i8, store_release, store_u1
from runtime.engine.carry import await_turn, hand_over
from runtime.engine.clock import CLOCK_MONOTONIC, CLOCK_REALTIME, read_clock, sleep_until, wake
from runtime.engine.command import command
from runtime.engine.execute import run
from runtime.engine.force import hold_inputs, hold_pulses, lift_forces
from runtime.engine.force_tables import H_COUNT
from runtime.engine.latch import latch
from runtime.engine.plan import (
    A_SCRATCH,
    C_STOP,
    C_SWAP,
    C_UNDER_WAY,
    INHIBITED,
    RUNNING,
    S_BAD_INPUTS,
    S_DIGEST,
    S_IN_A_ROW,
    S_INHIBIT,
    S_LAST_START,
    S_LATE,
    S_LIMIT,
    S_MISSED,
    S_NOT_FINITE,
    S_OVERRUNS,
    S_PERIOD,
    S_SCAN,
    S_START,
    S_STATE,
    S_THEN_SAFE,
    S_TICK,
    S_TICK_NS,
    S_TORN,
    S_WAKE,
    S_WAS_LATE,
    SAFE,
    SYSTEM,
    Plan,
)
from runtime.engine.publish import publish_outputs, publish_snapshot
from runtime.engine.statistics import (
    COMMAND,
    GREATEST,
    LAST,
    LATCH,
    LATE,
    PERIOD,
    PUBLISH,
    ROW,
    RUN,
    SCAN,
    note,
    percentile,
)
from runtime.engine.tape import tape_scan
from runtime.engine.trace import capture

P_STATE, P_SCAN, P_FIRST, P_TIME, P_DIGEST = (SYSTEM[f"plc.{n}"] for n in ("state", "scan", "first_scan", "time", "digest"))
P_OVERRUNS, P_IN_A_ROW, P_MISSED = (SYSTEM[f"plc.{n}"] for n in ("overruns", "overruns_in_a_row", "missed"))
P_LATE, P_LATE_MAX, P_LATE_P99, P_PERIOD = (SYSTEM[f"plc.{n}_us"] for n in ("late", "late_max", "late_p99", "period"))
P_SCAN_US, P_SCAN_MAX = SYSTEM["plc.scan_us"], SYSTEM["plc.scan_max_us"]
P_LATCH, P_COMMAND, P_RUN, P_PUBLISH = (SYSTEM[f"plc.{n}_us"] for n in ("latch", "command", "run", "publish"))
P_NOT_FINITE, P_BAD_INPUTS, P_TORN = (SYSTEM[f"plc.{n}"] for n in ("not_finite", "bad_inputs", "torn"))
SCANS_A_PERCENTILE = 64


@scan_path
def one_scan(plan: Plan, now: int, wall: int, tick: int) -> None:
    """One scan at this tick: latch, command, run, publish, each timed. `now` and `wall` are the clocks as latched."""
    state, statistics, scratch = plan.state, plan.statistics, plan.places[A_SCRATCH]
    state[S_SCAN] += 1
    begun = read_clock(CLOCK_MONOTONIC, scratch)
    _show_scan(plan, wall)
    keep_first_out(plan)
    is_forced = plan.forces[0, H_COUNT] != 0
    if is_forced:
        lift_forces(plan)
    latch(plan, now)
    if is_forced:
        hold_inputs(plan)
    latched = read_clock(CLOCK_MONOTONIC, scratch)
    command(plan)
    if plan.forces[0, H_COUNT] != 0:
        hold_pulses(plan)
    commanded = read_clock(CLOCK_MONOTONIC, scratch)
    if state[S_STATE] != SAFE:
        run(plan, tick)
    count_alarms(plan)
    ran = read_clock(CLOCK_MONOTONIC, scratch)
    publish_outputs(plan, now)
    if state[S_WAKE] >= 0:
        wake(state[S_WAKE], scratch)
    capture(plan, now, wall)
    _show_statistics(plan)
    publish_snapshot(plan, now, wall)
    tape_scan(plan, now, wall, tick)
    ended = read_clock(CLOCK_MONOTONIC, scratch)
    note(statistics, LATCH, latched - begun)
    note(statistics, COMMAND, commanded - latched)
    note(statistics, RUN, ran - commanded)
    note(statistics, PUBLISH, ended - ran)
    note(statistics, SCAN, ended - begun)


@scan_path
def _show_scan(plan: Plan, wall: int) -> None:
    """The system tags that programs may read: as they are in this scan."""
    state, system = plan.state, plan.system
    shown = INHIBITED if state[S_INHIBIT] != 0 and state[S_STATE] == RUNNING else state[S_STATE]
    store_i4(system[P_STATE], shown)
    store_i8(system[P_SCAN], state[S_SCAN])
    store_u1(system[P_FIRST], 1 if state[S_SCAN] == 1 else 0)
    store_i8(system[P_TIME], wall)
    store_i8(system[P_DIGEST], state[S_DIGEST])
    store_i8(system[P_OVERRUNS], state[S_OVERRUNS])
    store_i8(system[P_IN_A_ROW], state[S_IN_A_ROW])
    store_i8(system[P_MISSED], state[S_MISSED])


@scan_path
def _show_us(plan: Plan, tag: int, ns: float) -> None:
    store_i8(plan.system[tag], as_bits(np.float64(ns) / 1e3))


@scan_path
def _show_statistics(plan: Plan) -> None:
    """The system tags about timing: of this scan's start, and of the last whole scan's steps."""
    statistics, state = plan.statistics, plan.state
    _show_us(plan, P_LATE, statistics[LATE * ROW + LAST])
    _show_us(plan, P_LATE_MAX, statistics[LATE * ROW + GREATEST])
    _show_us(plan, P_PERIOD, state[S_PERIOD])
    _show_us(plan, P_SCAN_US, statistics[SCAN * ROW + LAST])
    _show_us(plan, P_SCAN_MAX, statistics[SCAN * ROW + GREATEST])
    _show_us(plan, P_LATCH, statistics[LATCH * ROW + LAST])
    _show_us(plan, P_COMMAND, statistics[COMMAND * ROW + LAST])
    _show_us(plan, P_RUN, statistics[RUN * ROW + LAST])
    _show_us(plan, P_PUBLISH, statistics[PUBLISH * ROW + LAST])
    if state[S_SCAN] % SCANS_A_PERCENTILE == 0:
        _show_us(plan, P_LATE_P99, percentile(statistics, LATE, 0.99))
    store_i8(plan.system[P_NOT_FINITE], state[S_NOT_FINITE])
    store_i4(plan.system[P_BAD_INPUTS], state[S_BAD_INPUTS])
    store_i8(plan.system[P_TORN], state[S_TORN])


@scan_path
def scan_loop(plan: Plan) -> None:
    """Scan at every tick until asked to stop; then publish safe outputs once more and return.

    A program laid out beside another waits first until that one hands over; one that hands over returns, and the other scans at
    the next tick.
    A scan that runs past the next tick is an overrun: the ticks it missed are skipped, never run back to back. After
    as many in a row as the site allows, the policy "safe" stops the program: outputs stay at their safe values.
    """
    state, control, scratch = plan.state, plan.control, plan.places[A_SCRATCH]
    here, period = control.ctypes.data, state[S_TICK_NS]
    if not await_turn(plan):
        return
    if state[S_START] == 0:
        state[S_START] = read_clock(CLOCK_MONOTONIC, scratch) // period * period + period
    while load_acquire(here + 8 * C_STOP) == 0:
        deadline = state[S_START] + (state[S_TICK] + 1) * period
        sleep_until(deadline, scratch)
        now = read_clock(CLOCK_MONOTONIC, scratch)
        tick = (now - state[S_START]) // period
        _judge_start(plan, now, tick)
        state[S_TICK] = tick
        store_release(here + 8 * C_UNDER_WAY, control[C_UNDER_WAY] + 1)
        fence()
        one_scan(plan, now, read_clock(CLOCK_REALTIME, scratch), tick)
        store_release(here + 8 * C_UNDER_WAY, control[C_UNDER_WAY] + 1)
        _judge_end(plan, read_clock(CLOCK_MONOTONIC, scratch) > state[S_START] + (tick + 1) * period)
        if state[S_STATE] == 0:
            state[S_STATE] = RUNNING
        handover = load_acquire(here + 8 * C_SWAP)
        if handover != 0:
            hand_over(plan, handover)
            return
    state[S_STATE] = SAFE
    now = read_clock(CLOCK_MONOTONIC, scratch)
    _show_scan(plan, read_clock(CLOCK_REALTIME, scratch))
    publish_outputs(plan, now)
    if state[S_WAKE] >= 0:
        wake(state[S_WAKE], scratch)
    publish_snapshot(plan, now, read_clock(CLOCK_REALTIME, scratch))


@scan_path
def _judge_start(plan: Plan, now: int, tick: int) -> None:
    """Note how late this scan starts; ticks that passed asleep, after a scan that ended in time, are an overrun too."""
    state, statistics = plan.state, plan.statistics
    period = state[S_TICK_NS]
    missed = tick - state[S_TICK] - 1
    note(statistics, LATE, now - (state[S_START] + (state[S_TICK] + 1) * period))
    if state[S_LAST_START] != 0:
        state[S_PERIOD] = now - state[S_LAST_START]
        note(statistics, PERIOD, abs(state[S_PERIOD] - period))
    state[S_LAST_START] = now
    state[S_MISSED] += missed
    state[S_LATE] = missed > 0 and state[S_WAS_LATE] == 0
    if state[S_LATE] != 0:
        _count_overrun(state)


@scan_path
def _judge_end(plan: Plan, late: bool) -> None:
    """A scan that ended after the next was due is an overrun; one that began and ended in time ends the row."""
    state = plan.state
    state[S_WAS_LATE] = late
    if late:
        _count_overrun(state)
    elif state[S_LATE] == 0:
        state[S_IN_A_ROW] = 0


@scan_path
def _count_overrun(state: np.ndarray) -> None:
    state[S_OVERRUNS] += 1
    state[S_IN_A_ROW] += 1
    if state[S_LIMIT] > 0 and state[S_IN_A_ROW] >= state[S_LIMIT] and state[S_THEN_SAFE] != 0:
        state[S_STATE] = SAFE
