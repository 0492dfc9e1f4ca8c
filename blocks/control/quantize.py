"""Whole steps from a continuous value."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, floor, is_finite
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(source="mid-tread uniform quantiser (Oppenheim & Schafer, Discrete-Time Signal Processing), with hysteresis")
class QUANTIZE:
    """Rounds IN to whole multiples of STEP, and does not flutter between two of them.

    OUT changes when IN is further from it than STEP * (1/2 + HYSTERESIS), and then to the nearest multiple. A NaN is passed on, a
    STEP of 0 or less is a wire. A new STEP counts at once.
    """

    IN = Input(LREAL, "value", unit="{IN}")
    STEP = Input(LREAL, "distance of two values of OUT", unit="{IN}", min=0, difference=True)
    HYSTERESIS = Input(LREAL, "how far IN must go beyond the middle of two, as a share of STEP", default=0.1, min=0, max=0.49)
    OUT = Output(LREAL, "IN in whole steps", unit="{IN}")
    started = Var(BOOL, "OUT holds a good value")
    was = Var(LREAL, "STEP one scan ago", unit="{IN}")

    def step(fb, dt):
        nearest = floor(fb.IN / fb.STEP + 0.5) * fb.STEP if fb.STEP > 0.0 else fb.IN
        nearest = nearest if is_finite(nearest) else fb.IN
        stays = fb.started and fb.STEP == fb.was and abs(fb.IN - fb.OUT) <= fb.STEP * (0.5 + clamp(0.0, fb.HYSTERESIS, 0.49))
        fb.OUT = fb.OUT if stays else nearest
        fb.started = is_finite(fb.OUT)
        fb.was = fb.STEP

    example = Example(
        STEP=10.0,
        table="""
        IN   | OUT
        12   | 10
        15.5 | 10       # not yet 16
        16.1 | 20
        14.5 | 20       # not below 14
        13.9 | 10
        -26  | -30
        nan  | nan
        26   | 30
    """,
    )
