"""How fast a temperature rises."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, seconds, settling
from blocks.declare import LREAL, Example, Input, Output, Var, block

NEVER = math.nan


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), 3.3: filtered derivative, s/(1 + s TAU)")
class T_RATE:
    """The slope of a temperature in kelvins a minute, filtered with TAU: a sensor in steps of 0.1 K makes 6/TAU K/min of noise.

    RATE = (change of the filtered temperature) / dt, so a steady rise is shown exactly after some TAU. The first scan shows 0. A
    NaN is passed on, and the slope starts anew at 0 when the sensor is back: a step across a gap is no slope.
    """

    IN = Input(LREAL, "temperature", unit="°C")
    TAU = Input(LREAL, "time constant of the filter; 0: none", unit="s", default=10.0, min=0)
    RATE = Output(LREAL, "slope, positive while it gets warmer", unit="K/min")
    lagged = Var(LREAL, "filtered temperature; NaN while there is none", unit="°C", default=NEVER)

    def step(fb, dt):
        h = seconds(dt)
        before = fb.lagged if is_finite(fb.lagged) else fb.IN
        change = settling(h, fb.TAU) * (fb.IN - before)
        fb.lagged = before + change
        fb.RATE = 60.0 * change / h if h > 0.0 else 0.0

    example = Example(
        TAU=2,
        dt="1s",
        table="""
        x  IN  | RATE
        1  25  | 0
        1  25  | 0
        1  26  | ~23     # 60 K/min for a second, seen through the filter
        20 26  | ~0
        1  nan | nan
        1  40  | 0       # back elsewhere: no slope
    """,
    )
