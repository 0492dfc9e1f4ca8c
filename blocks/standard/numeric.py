"""The numeric functions of IEC 61131-3. Integers wrap, LREAL follows IEEE 754; a pin whose unit is its own name takes any unit."""

from __future__ import annotations

from blocks.arithmetic import abs, exp, floor, is_nan, log, max, min, mod, power, quotient, sqrt
from blocks.declare import ANY_NUM, DINT, LINT, LREAL, TIME, AnyType, Example, Input, Output, block

ARITHMETIC = "IEC 61131-3:2013, table 29"
FUNCTIONS = "IEC 61131-3:2013, table 28"
NUMBER = AnyType("a number", (LREAL, DINT, LINT))  # a TIME times a TIME has no meaning on a wire
WHOLE = AnyType("a whole number", (DINT, LINT, TIME))


@block(source=ARITHMETIC, fold=("A", "B", "OUT"))
class ADD:
    """The sum of its inputs."""

    A = Input(ANY_NUM, "first term", unit="{A}")
    B = Input(ANY_NUM, "second term", unit="{A}")
    OUT = Output(ANY_NUM, "A + B", unit="{A}")

    def step(fb, dt):
        fb.OUT = fb.A + fb.B

    example = Example(
        table="""
        A   B    | OUT
        1.5 2.25 | 3.75
        -4  1    | -3
        nan 1    | nan
    """
    )


@block(source=ARITHMETIC, fold=("A", "B", "OUT"))
class MUL:
    """The product of its inputs."""

    A = Input(NUMBER, "first factor", unit="{A}")
    B = Input(NUMBER, "second factor", unit="{B}")
    OUT = Output(NUMBER, "A times B", unit="{A}*{B}")

    def step(fb, dt):
        fb.OUT = fb.A * fb.B

    example = Example(
        table="""
        A   B  | OUT
        1.5 -2 | -3
        0   7  | 0
    """
    )


@block(source=ARITHMETIC)
class SUB:
    """The difference of its inputs."""

    A = Input(ANY_NUM, "what is subtracted from", unit="{A}")
    B = Input(ANY_NUM, "what is subtracted", unit="{A}")
    OUT = Output(ANY_NUM, "A - B", unit="{A}")

    def step(fb, dt):
        fb.OUT = fb.A - fb.B

    example = Example(
        table="""
        A   B    | OUT
        1.5 2.25 | -0.75
        10  4    | 6
    """
    )


@block(source=ARITHMETIC)
class DIV:
    """The quotient of its inputs: an LREAL by 0 is infinite or NaN, integers are cut towards zero and give 0 for B = 0."""

    A = Input(NUMBER, "dividend", unit="{A}")
    B = Input(NUMBER, "divisor", unit="{B}")
    OUT = Output(NUMBER, "A by B", unit="{A}/{B}")

    def step(fb, dt):
        fb.OUT = quotient(fb.A, fb.B)

    example = Example(
        table="""
        A  B | OUT
        7  2 | 3.5
        1  0 | inf
        0  0 | nan
    """
    )


@block(source=ARITHMETIC)
class MOD:
    """The rest of the integer division of A by B, with the sign of A; 0 for B = 0."""

    A = Input(WHOLE, "dividend", unit="{A}")
    B = Input(WHOLE, "divisor", unit="{A}")
    OUT = Output(WHOLE, "rest of A by B", unit="{A}")

    def step(fb, dt):
        fb.OUT = mod(fb.A, fb.B)

    example = Example(
        table="""
        A  B  | OUT
        7  3  | 1
        -7 3  | -1
        7  -3 | 1
        7  0  | 0
    """
    )


@block(source=FUNCTIONS)
class ABS:
    """The magnitude of its input; the most negative integer stays as it is."""

    IN = Input(ANY_NUM, "any number", unit="{IN}")
    OUT = Output(ANY_NUM, "IN without its sign", unit="{IN}")

    def step(fb, dt):
        fb.OUT = abs(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        -2.5 | 2.5
        2.5  | 2.5
        nan  | nan
    """
    )


@block(source="IEC 61131-3:2013, table 71 (unary minus)")
class NEG:
    """Its input with the opposite sign."""

    IN = Input(ANY_NUM, "any number", unit="{IN}")
    OUT = Output(ANY_NUM, "-IN", unit="{IN}")

    def step(fb, dt):
        fb.OUT = -fb.IN

    example = Example(
        table="""
        IN   | OUT
        2.5  | -2.5
        -1   | 1
    """
    )


@block(source=FUNCTIONS)
class SQRT:
    """The square root of its input; NaN below zero."""

    IN = Input(LREAL, "a number from 0")
    OUT = Output(LREAL, "square root of IN")

    def step(fb, dt):
        fb.OUT = sqrt(fb.IN)

    example = Example(
        table="""
        IN | OUT
        9  | 3
        2  | ~1.414214
        -1 | nan
    """
    )


@block(source=FUNCTIONS)
class EXP:
    """e to the power of its input; infinite on overflow."""

    IN = Input(LREAL, "exponent")
    OUT = Output(LREAL, "e to the power of IN")

    def step(fb, dt):
        fb.OUT = exp(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        0    | 1
        1    | ~2.718282
        1000 | inf
    """
    )


@block(source=FUNCTIONS)
class LN:
    """The natural logarithm of its input; minus infinity at 0, NaN below."""

    IN = Input(LREAL, "a number above 0")
    OUT = Output(LREAL, "natural logarithm of IN")

    def step(fb, dt):
        fb.OUT = log(fb.IN)

    example = Example(
        table="""
        IN | OUT
        1  | 0
        2  | ~0.693147
        0  | -inf
        -1 | nan
    """
    )


@block(source=ARITHMETIC)
class EXPT:
    """IN1 to the power of IN2; NaN for a negative base with a broken exponent."""

    IN1 = Input(LREAL, "base")
    IN2 = Input(LREAL, "exponent")
    OUT = Output(LREAL, "IN1 to the power of IN2")

    def step(fb, dt):
        fb.OUT = power(fb.IN1, fb.IN2)

    example = Example(
        table="""
        IN1 IN2 | OUT
        2   10  | 1024
        2   -1  | 0.5
        -8  0.5 | nan
    """
    )


@block(source="IEC 61131-3:2013, table 32", fold=("IN1", "IN2", "OUT"))
class MIN:
    """The smallest of its inputs; a NaN on any of them comes out as NaN."""

    IN1 = Input(ANY_NUM, "first value", unit="{IN1}")
    IN2 = Input(ANY_NUM, "second value", unit="{IN1}")
    OUT = Output(ANY_NUM, "the smaller of IN1 and IN2", unit="{IN1}")

    def step(fb, dt):
        fb.OUT = fb.IN1 if is_nan(fb.IN1) else min(fb.IN1, fb.IN2)

    example = Example(
        table="""
        IN1 IN2 | OUT
        3   -2  | -2
        -2  3   | -2
        nan 3   | nan
        3   nan | nan
    """
    )


@block(source="IEC 61131-3:2013, table 32", fold=("IN1", "IN2", "OUT"))
class MAX:
    """The largest of its inputs; a NaN on any of them comes out as NaN."""

    IN1 = Input(ANY_NUM, "first value", unit="{IN1}")
    IN2 = Input(ANY_NUM, "second value", unit="{IN1}")
    OUT = Output(ANY_NUM, "the larger of IN1 and IN2", unit="{IN1}")

    def step(fb, dt):
        fb.OUT = fb.IN1 if is_nan(fb.IN1) else max(fb.IN1, fb.IN2)

    example = Example(
        table="""
        IN1 IN2 | OUT
        3   -2  | 3
        -2  3   | 3
        nan 3   | nan
        3   nan | nan
    """
    )


@block(source="IEC 60559 (IEEE 754-2019), 5.9: roundToIntegralTowardNegative")
class FLOOR:
    """The largest whole number that is not above its input."""

    IN = Input(LREAL, "any number", unit="{IN}")
    OUT = Output(LREAL, "IN rounded down", unit="{IN}")

    def step(fb, dt):
        fb.OUT = floor(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        2.7  | 2
        -2.1 | -3
        nan  | nan
    """
    )
