"""A constant reactive power."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, max
from blocks.declare import BOOL, LREAL, Example, Input, Output, block
from blocks.grid.laws import response

OFF = math.inf


@block(source="IEEE 1547-2018, 5.3.5 (constant reactive power mode), as in EPRI OpenDER 2.2, eq. 3.8.1-13")
class CONST_VAR:
    """Reactive power at a setpoint: Q follows Q_SET inside what the converter can do, with a response time.

    Injecting is positive. OLRT is the response time, to 90 % of a step. At the start Q is 0. The limits hold Q itself, not only
    what it heads for. A NaN on Q_SET or on a limit takes Q to 0 in the same time and is not remembered.
    """

    Q_SET = Input(LREAL, "reactive power asked for, injecting is positive", unit="kvar")
    Q_INJECT = Input(LREAL, "most that may be injected", unit="kvar", min=0)
    Q_ABSORB = Input(LREAL, "most that may be absorbed, as a positive number", unit="kvar", min=0)
    OLRT = Input(LREAL, "response time, to 90 %; 0 answers at once", unit="s", default=10.0, min=0, max=1e9)
    Q = Output(LREAL, "reactive power, injecting is positive", unit="kvar")
    LIMITED = Output(BOOL, "Q_SET is beyond what may be injected or absorbed")
    BAD = Output(BOOL, "the setpoint or a limit is not a number: Q goes to 0")

    def step(fb, dt):
        share = response(dt, fb.OLRT)
        lowest = 0.0 - max(fb.Q_ABSORB, 0.0) if is_finite(fb.Q_ABSORB) else 0.0 - OFF
        highest = max(fb.Q_INJECT, 0.0) if is_finite(fb.Q_INJECT) else OFF
        asked = clamp(lowest, fb.Q_SET, highest)
        alive = is_finite(fb.Q_SET + fb.Q_INJECT + fb.Q_ABSORB) and is_finite(fb.Q + (asked - fb.Q) * share)
        asked = asked if alive else 0.0
        moved = fb.Q + (asked - fb.Q) * share
        fb.Q = clamp(lowest, moved, highest) if is_finite(moved) else 0.0
        fb.LIMITED = alive and asked != fb.Q_SET
        fb.BAD = not alive

    example = Example(
        Q_INJECT=44.0,
        Q_ABSORB=25.0,
        OLRT=10.0,
        table="""
            x    Q_SET | Q      LIMITED BAD
            1    0     | 0      0       0
            1000 30    | ~27.0  0       0     # 90 % after 10 s
            9000 30    | ~30.00 0       0
            9000 60    | ~44.00 1       0
            9000 -60   | ~-25.0 1       0
            1000 nan   | ~-2.5  0       1
        """,
    )
