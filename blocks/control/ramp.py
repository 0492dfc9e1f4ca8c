"""The ramp."""

from __future__ import annotations

from blocks.arithmetic import is_finite, is_nan, max, min, seconds
from blocks.declare import LREAL, Example, Input, Output, Var, block


@block(source="IEC 61131-3:2003 (2nd edition), annex F, RAMP, with a rate for each direction as in CODESYS Util.RAMP_REAL")
class RAMP:
    """A setpoint that moves no faster than its rates: OUT follows IN, from 0 at the start.

    A NaN on IN comes out as NaN, so that it is seen, and OUT then goes on from where it was. A negative rate is 0. A rate that is
    NaN is 0 away from 0, and none at all towards 0: a broken rate must not keep a power from being taken back.
    """

    IN = Input(LREAL, "where OUT shall go", unit="{IN}")
    UP = Input(LREAL, "fastest rise per second", unit="{IN}/s", min=0)
    DOWN = Input(LREAL, "fastest fall per second, as a positive number", unit="{IN}/s", min=0)
    OUT = Output(LREAL, "IN, with limited slopes", unit="{IN}")
    here = Var(LREAL, "OUT when it was last a number", unit="{IN}")

    def step(fb, dt):
        h = seconds(dt)
        highest = max(fb.here, 0.0) if is_nan(fb.UP) else fb.here + max(fb.UP, 0.0) * h
        lowest = min(fb.here, 0.0) if is_nan(fb.DOWN) else fb.here - max(fb.DOWN, 0.0) * h
        fb.OUT = min(highest, max(lowest, fb.IN))
        fb.here = fb.OUT if is_finite(fb.OUT) else fb.here

    example = Example(
        UP=50.0,
        DOWN=100.0,
        dt="100ms",
        table="""
        IN  | OUT
        12  | 5
        12  | 10
        12  | 12
        -20 | 2       # falls at its own rate
        -20 | -8
        -20 | -18
        -20 | -20
    """,
    )
