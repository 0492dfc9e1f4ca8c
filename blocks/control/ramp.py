"""The ramp."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min, seconds
from blocks.declare import LREAL, Example, Input, Output, block


@block(source="IEC 61131-3:2013, annex F.8.5 (RAMP), with a rate for each direction as in CODESYS Util.RAMP_REAL")
class RAMP:
    """A setpoint that moves no faster than its rates: OUT follows IN, from 0 at the start.

    A NaN on IN comes out as NaN, so that it is seen, and OUT then starts from 0 again; a rate that is negative or NaN is 0.
    """

    IN = Input(LREAL, "where OUT shall go", unit="{IN}")
    UP = Input(LREAL, "fastest rise per second", unit="{IN}/s", min=0)
    DOWN = Input(LREAL, "fastest fall per second, as a positive number", unit="{IN}/s", min=0)
    OUT = Output(LREAL, "IN, with limited slopes", unit="{IN}")

    def step(fb, dt):
        h = seconds(dt)
        here = fb.OUT if is_finite(fb.OUT) else 0.0
        fb.OUT = min(here + max(fb.UP, 0.0) * h, max(here - max(fb.DOWN, 0.0) * h, fb.IN))

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
