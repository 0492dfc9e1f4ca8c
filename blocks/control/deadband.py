"""The dead zone."""

from __future__ import annotations

from blocks.arithmetic import clamp, max
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="dead zone of control engineering (Slotine & Li, Applied Nonlinear Control), with or without a step at its edges")
class DEADBAND:
    """Shows nothing of small deviations: OUT is CENTER while IN is no further than WIDTH from it.

    Beyond it OUT goes on from CENTER without a step (IN less WIDTH), or with STEP it is IN itself. A NaN is passed on; a WIDTH that
    is negative or NaN is 0.
    """

    IN = Input(LREAL, "value", unit="{IN}")
    WIDTH = Input(LREAL, "half of the dead zone", unit="{IN}", min=0, difference=True)
    CENTER = Input(LREAL, "middle of the dead zone", unit="{IN}", default=0.0)
    STEP = Input(BOOL, "outside OUT is IN itself, with a step at the edge", default=False)
    OUT = Output(LREAL, "IN without small deviations", unit="{IN}")

    def step(fb, dt):
        width = max(fb.WIDTH, 0.0)
        away = fb.IN - fb.CENTER
        beyond = away - clamp(0.0 - width, away, width)
        fb.OUT = fb.CENTER + (away if fb.STEP and beyond != 0.0 else beyond)

    example = Example(
        WIDTH=2.0,
        table="""
        IN  STEP | OUT
        1   0    | 0
        -2  0    | 0
        3   0    | 1        # goes on from 0
        -5  0    | -3
        1   1    | 0
        3   1    | 3        # jumps at the edge
        -5  1    | -5
        nan 0    | nan
    """,
    )
