"""The linear scaling of a measured value."""

from __future__ import annotations

from blocks.arithmetic import max, min
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="CODESYS Util library, LIN_TRAFO")
class SCALE:
    """A straight line through two points, such as 4-20 mA to a range of the sensor. It goes on beyond both points.

    OUTSIDE tells that IN is beyond them, NaN, or that IN_MIN equals IN_MAX; OUT is then still the line's value, or not finite.
    """

    IN = Input(LREAL, "raw value", unit="{IN}")
    IN_MIN = Input(LREAL, "IN at the first point", unit="{IN}")
    IN_MAX = Input(LREAL, "IN at the second point", unit="{IN}")
    OUT_MIN = Input(LREAL, "OUT at the first point", unit="{OUT_MIN}")
    OUT_MAX = Input(LREAL, "OUT at the second point", unit="{OUT_MIN}")
    OUT = Output(LREAL, "scaled value", unit="{OUT_MIN}")
    OUTSIDE = Output(BOOL, "IN is not between the two points")

    def step(fb, dt):
        fb.OUT = fb.OUT_MIN + (fb.IN - fb.IN_MIN) * ((fb.OUT_MAX - fb.OUT_MIN) / (fb.IN_MAX - fb.IN_MIN))
        inside = min(fb.IN_MIN, fb.IN_MAX) <= fb.IN and fb.IN <= max(fb.IN_MIN, fb.IN_MAX)
        fb.OUTSIDE = not (inside and fb.IN_MIN != fb.IN_MAX)

    example = Example(
        IN_MIN=4.0,
        IN_MAX=20.0,
        OUT_MIN=0.0,
        OUT_MAX=10.0,
        table="""
        IN   | OUT  OUTSIDE
        4    | 0    0
        12   | 5    0
        20   | 10   0
        3.2  | -0.5 1         # a wire is broken, but the line goes on
        21.6 | 11   1
    """,
    )
