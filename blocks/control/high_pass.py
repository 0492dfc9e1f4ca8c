"""The high-pass filter."""

from __future__ import annotations

from blocks.arithmetic import is_finite, seconds, settling
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(
    source="Astrom & Wittenmark, Computer-Controlled Systems (1997), 2.3 (held input); exp() by its Pade approximant 0/2, as in LAG"
)
class HIGH_PASS:
    """Washout: lets changes of IN through and forgets what lasts longer than T; OUT starts at 0.

    OUT = T s/(1 + T s) IN, exact for an input that is held between scans but for (dt/T)^2/6 of the way. With T = 0 OUT is 0. A
    NaN, of T too, is passed on; the filter starts anew, from 0, at the first good value after it.
    """

    IN = Input(LREAL, "value to be filtered", unit="{IN}")
    T = Input(LREAL, "time constant: after T 37 % of a jump are left", unit="s", min=0, max=1e9)
    OUT = Output(LREAL, "the changes of IN", unit="{IN}")
    lagged = Var(LREAL, "what OUT has forgotten", unit="{IN}")
    was = Var(LREAL, "IN one scan ago", unit="{IN}")
    started = Var(BOOL, "lagged holds a good value")

    def step(fb, dt):
        lagged = fb.lagged + (fb.was - fb.lagged) * settling(seconds(dt), fb.T) if fb.started else fb.IN
        out = fb.IN - (fb.IN if fb.T <= 0.0 else lagged) + fb.T * 0.0
        fb.started = is_finite(out + lagged)
        fb.lagged = lagged if fb.started else 0.0
        fb.was = fb.IN if fb.started else 0.0
        fb.OUT = out

    example = Example(
        T=1.0,
        dt="100ms",
        table="""
        x  IN | OUT
        1  50 | 0
        1  51 | 1
        10 51 | ~0.37     # exp(-1)
        60 51 | ~0.00
        1  50 | ~-1.00
    """,
    )
