"""The trigonometric functions and the logarithm to base 10 of IEC 61131-3. Angles are in radians.

They give the same bits plain and compiled, which a library's own functions do not; `laws.py` says how exact they are.
"""

from __future__ import annotations

from blocks.declare import LREAL, Example, Input, Output, block
from blocks.standard.laws import arccosine, arcsine, cosine, direction, log10, sine

FUNCTIONS = "IEC 61131-3:2013, table 28"
FAR = 8.0e8  # neighbouring LREALs are 1.2e-7 rad apart here, and an angle beyond means nothing


@block(source=FUNCTIONS)
class LOG:
    """The logarithm to base 10 of its input, exact for the powers of ten; minus infinity at 0, NaN below."""

    IN = Input(LREAL, "a number above 0")
    OUT = Output(LREAL, "logarithm of IN to base 10")

    def step(fb, dt):
        fb.OUT = log10(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        1000 | 3
        0.01 | -2
        2    | ~0.30103
        0    | -inf
        -1   | nan
    """
    )


@block(source=FUNCTIONS)
class SIN:
    """The sine of an angle; NaN beyond 8e8 rad, where an LREAL has no digits left for the place in the turn."""

    IN = Input(LREAL, "angle", unit="rad", min=-FAR, max=FAR)
    OUT = Output(LREAL, "sine of IN")

    def step(fb, dt):
        fb.OUT = sine(fb.IN)

    example = Example(
        table="""
        IN                 | OUT
        0                  | 0
        0.5235987755982989 | 0.5        # pi/6
        1.5707963267948966 | 1          # pi/2
        -1                 | ~-0.841471
        1e9                | nan
    """
    )


@block(source=FUNCTIONS)
class COS:
    """The cosine of an angle; NaN beyond 8e8 rad, where an LREAL has no digits left for the place in the turn."""

    IN = Input(LREAL, "angle", unit="rad", min=-FAR, max=FAR)
    OUT = Output(LREAL, "cosine of IN")

    def step(fb, dt):
        fb.OUT = cosine(fb.IN)

    example = Example(
        table="""
        IN                 | OUT
        0                  | 1
        1.0471975511965976 | 0.5        # pi/3
        3.141592653589793  | -1         # pi
        1                  | ~0.540302
        1e9                | nan
    """
    )


@block(source=FUNCTIONS)
class TAN:
    """The tangent of an angle; NaN beyond 8e8 rad. No LREAL is exactly pi/2, so it is large there and never infinite."""

    IN = Input(LREAL, "angle", unit="rad", min=-FAR, max=FAR)
    OUT = Output(LREAL, "tangent of IN")

    def step(fb, dt):
        fb.OUT = sine(fb.IN) / cosine(fb.IN)

    example = Example(
        table="""
        IN                 | OUT
        0                  | 0
        0.7853981633974483 | 1          # pi/4
        -1                 | ~-1.557408
        1e9                | nan
    """
    )


@block(source=FUNCTIONS)
class ASIN:
    """The angle whose sine is its input; NaN beyond -1 and 1."""

    IN = Input(LREAL, "a sine", min=-1, max=1)
    OUT = Output(LREAL, "angle from -pi/2 to pi/2", unit="rad")

    def step(fb, dt):
        fb.OUT = arcsine(fb.IN)

    example = Example(
        table="""
        IN  | OUT
        0.5 | 0.5235987755982989
        1   | 1.5707963267948966
        -1  | -1.5707963267948966
        1.1 | nan
    """
    )


@block(source=FUNCTIONS)
class ACOS:
    """The angle whose cosine is its input; NaN beyond -1 and 1."""

    IN = Input(LREAL, "a cosine", min=-1, max=1)
    OUT = Output(LREAL, "angle from 0 to pi", unit="rad")

    def step(fb, dt):
        fb.OUT = arccosine(fb.IN)

    example = Example(
        table="""
        IN  | OUT
        0.5 | 1.0471975511965979
        1   | 0
        -1  | 3.141592653589793
        1.1 | nan
    """
    )


@block(source=FUNCTIONS)
class ATAN:
    """The angle whose tangent is its input: pi/2 for infinity."""

    IN = Input(LREAL, "a tangent")
    OUT = Output(LREAL, "angle from -pi/2 to pi/2", unit="rad")

    def step(fb, dt):
        fb.OUT = direction(fb.IN, 1.0)

    example = Example(
        table="""
        IN   | OUT
        0    | 0
        1    | 0.7853981633974483
        -2   | ~-1.107149
        -inf | -1.5707963267948966
        nan  | nan
    """
    )


@block(source="IEC 61131-3:2013, trigonometric functions")
class ATAN2:
    """The angle of the point (X, Y) in all four quadrants, from above -pi to pi; 0 for the origin, which has none."""

    Y = Input(LREAL, "height of the point", unit="{Y}")
    X = Input(LREAL, "how far right the point is", unit="{Y}")
    OUT = Output(LREAL, "angle from the X axis, counter-clockwise positive", unit="rad")

    def step(fb, dt):
        fb.OUT = direction(fb.Y, fb.X)

    example = Example(
        table="""
        Y  X  | OUT
        0  1  | 0
        1  1  | 0.7853981633974483
        1  -1 | 2.356194490192345
        -1 -1 | -2.356194490192345
        0  -1 | 3.141592653589793
        -1 0  | -1.5707963267948966
        0  0  | 0
    """
    )
