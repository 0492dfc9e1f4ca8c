"""The first-order lag."""

from __future__ import annotations

from blocks.arithmetic import is_finite, seconds, settling
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(source="Astrom & Wittenmark, Computer-Controlled Systems (1997), 2.3 (held input), exp() by its Pade approximant 0/2")
class LAG:
    """A filter that follows its input with the time constant T (63 % after T) and starts at its input.

    A NaN on IN is passed on rather than hidden; the filter starts anew at the first good value after it. A T that is NaN is one of
    0: no filter. Against the exact response the error is below (dt/T)^2/6 of the way, 0.002 % at dt = T/100.
    """

    IN = Input(LREAL, "value to be filtered", unit="{IN}")
    T = Input(LREAL, "time constant; 0 switches the filter off", unit="s", min=0, max=1e9)
    OUT = Output(LREAL, "IN, filtered", unit="{IN}")
    started = Var(BOOL, "OUT holds a good value")

    def step(fb, dt):
        share = settling(seconds(dt), fb.T)
        fb.OUT = fb.OUT + (fb.IN - fb.OUT) * share if fb.started else fb.IN
        fb.started = is_finite(fb.OUT)

    example = Example(
        T=1.0,
        dt="100ms",
        table="""
        x  IN | OUT
        1  0  | 0
        10 1  | ~0.63     # 63 % after T
        10 1  | ~0.86
        80 1  | ~1.000
    """,
    )
