"""Whether measured cell values can be true."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, max, min, seconds, to_lreal
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

REASONS = ("none", "not a number", "out of range", "jump", "stuck", "off the mean", "sum")
OFF = math.inf
NEVER = math.nan
LONGEST = 3_600_000_000_000  # ns


@block(source="foxBMS 2 v1.11, plausibility: range, spread from the mean, sum of the cells against the pack voltage (3 V)")
class CELL_PLAUSIBILITY:
    """Says for each cell whether its value can be true, and why not. Voltages and, with other limits, temperatures.

    Out of range: not between MIN and MAX. Jump: away from the last value by more than JUMP + RATE * (time since it changed),
    shown for HOLD; then the new value is taken. Stuck: no change for STUCK in which the current was more than I_MOVE away from
    what it was at the last change (a dead measuring chip repeats its last answer); a rest before it does not count. Off the mean:
    more than SPREAD from the mean of those in range. Sum: with COMPARE, the cells' sum is more than SUM_TOL off V_PACK; AT is 0
    then, since no cell is to blame, and a NaN on V_PACK is a failure. Of several reasons the first in this order counts. For
    temperatures leave I and COMPARE unwired.
    """

    V = Input(Array(LREAL, "N"), "values of the cells", unit="{V}")
    MIN = Input(LREAL, "lowest value that can be true", unit="{V}")
    MAX = Input(LREAL, "highest value that can be true", unit="{V}")
    JUMP = Input(LREAL, "largest step at once", unit="{V}", default=OFF, min=0, difference=True)
    RATE = Input(LREAL, "and so much more for each second since the last change", unit="{V}/s", default=0.0, min=0)
    HOLD = Input(TIME, "how long a jump is shown", default=1_000_000_000, min=0)
    SPREAD = Input(LREAL, "largest distance from the mean", unit="{V}", default=OFF, min=0, difference=True)
    I = Input(LREAL, "pack current, for stuck values", unit="A", default=0.0)  # noqa: E741 - the letter of the trade
    I_MOVE = Input(LREAL, "a change of the current that each cell must show", unit="A", default=50.0, min=0)
    STUCK = Input(TIME, "how long a value may stand still then", default=10_000_000_000, min=0)
    COMPARE = Input(BOOL, "true: compare the sum with V_PACK", default=False)
    V_PACK = Input(LREAL, "pack voltage", unit="{V}", default=0.0)
    SUM_TOL = Input(LREAL, "how far the sum may be off", unit="{V}", default=3.0, min=0, difference=True)
    GOOD = Output(Array(BOOL, "N"), "the value of this cell can be true")
    OK = Output(BOOL, "all cells are good, and the sum")
    BAD = Output(DINT, "cells that are not good", min=0)
    AT = Output(DINT, "first cell that is not good, from 1; 0: none", min=0)
    REASON = Output(DINT, "why", min=0, max=6, names=REASONS)
    SUM = Output(LREAL, "sum of the finite values", unit="{V}")
    before = Var(Array(LREAL, "N"), "last value; NaN while there is none", unit="{V}", default=NEVER)
    current = Var(Array(LREAL, "N"), "current when it changed", unit="A")
    still = Var(Array(TIME, "N"), "time since it changed, held at an hour")
    stood = Var(Array(TIME, "N"), "how long it has not followed the current, held at an hour")
    i_was = Var(LREAL, "current one scan ago", unit="A", default=NEVER)
    shown = Var(Array(TIME, "N"), "how long its jump is still shown")

    def step(fb, dt):
        total = 0.0
        likely = 0.0
        count = 0
        for i in range(len(fb.V)):
            if is_finite(fb.V[i]):
                total = total + fb.V[i]
            if fb.V[i] >= fb.MIN and fb.V[i] <= fb.MAX:
                likely = likely + fb.V[i]
                count = count + 1
        mean = likely / to_lreal(max(count, 1))
        bad = 0
        at = 0
        first = 0
        for i in range(len(fb.V)):
            value = fb.V[i]
            is_new = not is_finite(fb.before[i])
            since = min(fb.still[i] + dt, LONGEST)
            step = abs(value - fb.before[i])
            jumps = not is_new and is_finite(value) and step > 0.0 and not step <= fb.JUMP + fb.RATE * seconds(since)
            fb.shown[i] = fb.HOLD if jumps else max(fb.shown[i] - dt, 0)
            changed = is_new or step > 0.0
            fb.still[i] = 0 if changed else since
            if changed and is_finite(fb.I):
                fb.current[i] = fb.I
            fb.before[i] = value
            reason = 5 if not abs(value - mean) <= fb.SPREAD else 0
            moved = abs(fb.I - fb.current[i]) > fb.I_MOVE
            if changed:
                fb.stood[i] = 0
            elif moved and abs(fb.i_was - fb.current[i]) > fb.I_MOVE:
                fb.stood[i] = min(fb.stood[i] + dt, LONGEST)
            if moved and fb.stood[i] >= fb.STUCK:
                reason = 4
            if jumps or fb.shown[i] > 0:
                reason = 3
            if not (value >= fb.MIN and value <= fb.MAX):
                reason = 2
            if not is_finite(value):
                reason = 1
            fb.GOOD[i] = reason == 0
            if reason > 0:
                bad = bad + 1
                at = i + 1 if at == 0 else at
                first = reason if first == 0 else first
        if first == 0 and fb.COMPARE and not abs(total - fb.V_PACK) <= fb.SUM_TOL:
            first = 6
        fb.OK = first == 0
        fb.BAD = bad
        fb.AT = at
        fb.REASON = first
        fb.SUM = total
        fb.i_was = fb.I

    example = Example(
        MIN=2.0,
        MAX=3.9,
        JUMP=0.3,
        SPREAD=0.5,
        COMPARE=True,
        HOLD="0s",
        dt="1s",
        table="""
        x  V                I   V_PACK | OK BAD AT REASON GOOD
        1  [3.30,3.30,3.31] 0   9.9    | 1  0   0  0      [1,1,1]
        1  [3.30,nan,3.31]  0   9.9    | 0  1   2  1      [1,0,1]
        1  [3.30,0.00,3.31] 0   9.9    | 0  1   2  2      [1,0,1]     # the wire is off
        2  [3.30,3.30,3.31] 0   9.9    | 1  0   0  0      [1,1,1]
        1  [3.30,3.30,3.65] 0   9.9    | 0  1   3  3      [1,1,0]
        1  [3.30,3.30,3.60] 0   14.5   | 0  0   0  6      [1,1,1]     # nobody to blame: 4.3 V off the pack
        10 [3.25,3.30,3.55] 100 10.1   | 1  0   0  0      [1,1,1]
        1  [3.25,3.30,3.55] 100 10.1   | 0  1   2  4      [1,0,1]     # 100 A, and cell 2 does not move
    """,
    )
