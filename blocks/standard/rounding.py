"""To whole numbers and signs: ROUND, CEIL and SIGN; FLOOR and TRUNC stand with the arithmetic and the conversions."""

from __future__ import annotations

from blocks.arithmetic import floor
from blocks.declare import ANY_NUM, DINT, LREAL, Example, Input, Output, block
from blocks.standard.laws import half_even


@block(source="IEC 60559 (IEEE 754-2019), 5.9: roundToIntegralTiesToEven, the rounding that IEC 61131-3 asks of conversions")
class ROUND:
    """The nearest whole number; a half goes to the even neighbour, so that many roundings do not drift upwards."""

    IN = Input(LREAL, "any number", unit="{IN}")
    OUT = Output(LREAL, "IN rounded to a whole number", unit="{IN}")

    def step(fb, dt):
        fb.OUT = half_even(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        1.4  | 1
        1.6  | 2
        2.5  | 2
        3.5  | 4
        -2.5 | -2
        nan  | nan
    """
    )


@block(source="IEC 60559 (IEEE 754-2019), 5.9: roundToIntegralTowardPositive")
class CEIL:
    """The smallest whole number that is not below its input."""

    IN = Input(LREAL, "any number", unit="{IN}")
    OUT = Output(LREAL, "IN rounded up", unit="{IN}")

    def step(fb, dt):
        fb.OUT = -floor(-fb.IN)

    example = Example(
        table="""
        IN   | OUT
        2.1  | 3
        -2.7 | -2
        5    | 5
        nan  | nan
    """
    )


@block(source="the sign function: -1, 0 or 1")
class SIGN:
    """Whether a number is above (1), at (0) or below (-1) zero; a NaN has no sign and is 0."""

    IN = Input(ANY_NUM, "any number", unit="{IN}")
    OUT = Output(DINT, "sign of IN", min=-1, max=1)

    def step(fb, dt):
        fb.OUT = 1 if fb.IN > 0 else (-1 if fb.IN < 0 else 0)

    example = Example(
        table="""
        IN   | OUT
        2.5  | 1
        0    | 0
        -0.1 | -1
        nan  | 0
    """
    )
