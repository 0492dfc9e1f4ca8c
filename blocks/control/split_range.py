"""One controller, two actuators."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, lerp
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006): split-range control")
class SPLIT_RANGE:
    """Shares one controller's output between two actuators: below SPLIT it moves A, above it B, such as cooling and heating.

    A falls from 100 % at IN = 0 to 0 at SPLIT - GAP/2, B rises from 0 at SPLIT + GAP/2 to 100 % at IN = 100. Within the GAP both
    are 0; a negative GAP lets them overlap. With A_RISES A comes first instead: from 0, where IN is 0, to 100 % at SPLIT - GAP/2,
    then B. A NaN on any input sets both to 0, and BAD tells.
    """

    IN = Input(LREAL, "output of the controller", unit="%", min=0, max=100)
    SPLIT = Input(LREAL, "IN where one ends and the other begins", unit="%", default=50.0, min=0, max=100)
    GAP = Input(LREAL, "part of IN that moves neither; negative: both", unit="%", default=0.0, min=-100, max=100)
    A_RISES = Input(BOOL, "A rises with IN, and B after it", default=False)
    A = Output(LREAL, "first actuator", unit="%", min=0, max=100)
    B = Output(LREAL, "second actuator", unit="%", min=0, max=100)
    BAD = Output(BOOL, "an input is not a number: both are 0")

    def step(fb, dt):
        fb.BAD = not is_finite(fb.IN + fb.SPLIT + fb.GAP)
        share = lerp(fb.IN, 0.0, 0.0, clamp(0.0, fb.SPLIT - 0.5 * fb.GAP, 100.0), 100.0)
        start = clamp(0.0, fb.SPLIT + 0.5 * fb.GAP, 100.0)
        fb.A = 0.0 if fb.BAD else ((share if fb.IN > 0.0 else 0.0) if fb.A_RISES else 100.0 - share)
        fb.B = lerp(fb.IN, start, 0.0, 100.0, 100.0) if fb.IN > start and not fb.BAD else 0.0

    example = Example(
        GAP=20.0,
        table="""
        IN  | A   B  BAD
        0   | 100 0  0       # full cooling
        20  | 50  0  0
        40  | 0   0  0
        50  | 0   0  0       # neither
        60  | 0   0  0
        80  | 0   50 0       # half heating
        100 | 0  100 0
        nan | 0   0  1
    """,
    )
