"""The selections of IEC 61131-3: SEL, MUX, LIMIT, MOVE, and FIRST_TRUE for tables of conditions."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_nan, max, min
from blocks.declare import ANY, ANY_NUM, BOOL, DINT, Array, Example, Input, Output, block

TABLE = "IEC 61131-3:2013, table 32"


@block(source=TABLE)
class SEL:
    """One of two values: IN1 while G is true, else IN0."""

    G = Input(BOOL, "which one: false IN0, true IN1")
    IN0 = Input(ANY, "value while G is false", unit="{IN0}")
    IN1 = Input(ANY, "value while G is true", unit="{IN0}")
    OUT = Output(ANY, "the chosen value", unit="{IN0}")

    def step(fb, dt):
        fb.OUT = fb.IN1 if fb.G else fb.IN0

    example = Example(
        IN0=1.5,
        IN1=2.5,
        table="""
        G | OUT
        0 | 1.5
        1 | 2.5
    """,
    )


@block(source=TABLE)
class MUX:
    """One of many values: element K of IN, counted from 0; a K beyond the ends takes the value at that end."""

    K = Input(DINT, "which one, from 0")
    IN = Input(Array(ANY, "N"), "the values", unit="{IN}")
    OUT = Output(ANY, "the chosen value", unit="{IN}")

    def step(fb, dt):
        k = clamp(0, fb.K, len(fb.IN) - 1)
        fb.OUT = fb.IN[k]

    example = Example(
        IN=[10.0, 20.0, 30.0],
        table="""
        K  | OUT
        0  | 10
        1  | 20
        2  | 30
        3  | 30       # beyond the end
        -1 | 10
    """,
    )


@block(source=TABLE + ": MIN(MAX(IN, MN), MX)")
class LIMIT:
    """A value held between two limits; where they cross, MX wins. A NaN on any pin comes out as NaN, so that it is seen."""

    MN = Input(ANY_NUM, "lowest value", unit="{IN}")
    IN = Input(ANY_NUM, "value to be held", unit="{IN}")
    MX = Input(ANY_NUM, "highest value", unit="{IN}")
    OUT = Output(ANY_NUM, "IN, held between MN and MX", unit="{IN}")

    def step(fb, dt):
        fb.OUT = min(fb.MX, max(fb.MN, fb.IN))
        if is_nan(fb.MN):
            fb.OUT = fb.MN
        if is_nan(fb.MX):
            fb.OUT = fb.MX

    example = Example(
        MN=-10.0,
        MX=10.0,
        table="""
        IN  | OUT
        5   | 5
        15  | 10
        -15 | -10
        nan | nan
    """,
    )


@block(source=TABLE)
class MOVE:
    """Its input, one to one."""

    IN = Input(ANY, "any value", unit="{IN}")
    OUT = Output(ANY, "the same value", unit="{IN}")

    def step(fb, dt):
        fb.OUT = fb.IN

    example = Example(
        table="""
        IN  | OUT
        2.5 | 2.5
        nan | nan
    """
    )


@block(source="a priority encoder, as in IEC 60617-12")
class FIRST_TRUE:
    """Which of a list of conditions is the first that holds, counted from 0; N where none does."""

    IN = Input(Array(BOOL, "N"), "the conditions, the most important first")
    INDEX = Output(DINT, "index of the first true condition, N where none is", min=0)

    def step(fb, dt):
        first = len(fb.IN)
        for i in range(len(fb.IN)):
            if fb.IN[len(fb.IN) - 1 - i]:
                first = len(fb.IN) - 1 - i
        fb.INDEX = first

    example = Example(
        table="""
        IN      | INDEX
        [0,0,0] | 3
        [0,0,1] | 2
        [0,1,1] | 1
        [1,0,0] | 0
    """
    )
