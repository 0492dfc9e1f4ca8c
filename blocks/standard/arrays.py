"""One value of an array: its sum, mean, smallest and largest, and how many of its conditions hold."""

from __future__ import annotations

from blocks.arithmetic import is_nan
from blocks.declare import ANY_NUM, BOOL, DINT, LREAL, Array, Example, Input, Output, block

NUMERIC = "IEC 61131-3:2013, table 29 (ADD of any number of inputs), over an array"
EXTREMES = "IEC 61131-3:2013, table 32 (MIN and MAX of any number of inputs), over an array"
LOGIC = "IEC 61131-3:2013, table 31 (AND and OR of any number of inputs), over an array"


@block(source=NUMERIC)
class SUM_OF:
    """The sum of an array. Integers wrap; a NaN in it makes the sum NaN."""

    IN = Input(Array(ANY_NUM, "N"), "terms", unit="{IN}")
    OUT = Output(ANY_NUM, "sum of IN", unit="{IN}")

    def step(fb, dt):
        total = fb.IN[0]
        for i in range(1, len(fb.IN)):
            total = total + fb.IN[i]
        fb.OUT = total

    example = Example(
        table="""
        IN          | OUT
        [10,20,30]  | 60
        [-1,0.5,1]  | 0.5
        [1,nan,2]   | nan
    """
    )


@block(source="the arithmetic mean")
class MEAN_OF:
    """The mean of an array; a NaN in it makes the mean NaN."""

    IN = Input(Array(LREAL, "N"), "values", unit="{IN}")
    OUT = Output(LREAL, "mean of IN", unit="{IN}")

    def step(fb, dt):
        total = 0.0
        for i in range(len(fb.IN)):
            total = total + fb.IN[i]
        fb.OUT = total / len(fb.IN)

    example = Example(
        table="""
        IN          | OUT
        [10,20,30]  | 20
        [-1,1,3]    | 1
        [1,nan,2]   | nan
    """
    )


@block(source=EXTREMES)
class MIN_OF:
    """The smallest value of an array and where it stands; a NaN in it comes out, and INDEX is its place."""

    IN = Input(Array(ANY_NUM, "N"), "values", unit="{IN}")
    OUT = Output(ANY_NUM, "smallest of IN", unit="{IN}")
    INDEX = Output(DINT, "number of that element from 1, the first where several are equal", min=0)

    def step(fb, dt):
        least = fb.IN[0]
        place = 1
        for i in range(1, len(fb.IN)):
            if not is_nan(least) and (fb.IN[i] < least or is_nan(fb.IN[i])):
                least = fb.IN[i]
                place = i + 1
        fb.OUT = least
        fb.INDEX = place

    example = Example(
        table="""
        IN        | OUT INDEX
        [3,1,2]   | 1   2
        [1,1,2]   | 1   1
        [3,nan,1] | nan 2
    """
    )


@block(source=EXTREMES)
class MAX_OF:
    """The largest value of an array and where it stands; a NaN in it comes out, and INDEX is its place."""

    IN = Input(Array(ANY_NUM, "N"), "values", unit="{IN}")
    OUT = Output(ANY_NUM, "largest of IN", unit="{IN}")
    INDEX = Output(DINT, "number of that element from 1, the first where several are equal", min=0)

    def step(fb, dt):
        most = fb.IN[0]
        place = 1
        for i in range(1, len(fb.IN)):
            if not is_nan(most) and (fb.IN[i] > most or is_nan(fb.IN[i])):
                most = fb.IN[i]
                place = i + 1
        fb.OUT = most
        fb.INDEX = place

    example = Example(
        table="""
        IN        | OUT INDEX
        [1,3,2]   | 3   2
        [3,1,3]   | 3   1
        [3,nan,9] | nan 2
    """
    )


@block(source=LOGIC)
class COUNT_TRUE:
    """How many conditions of an array hold."""

    IN = Input(Array(BOOL, "N"), "conditions")
    OUT = Output(DINT, "how many of them are true", min=0)

    def step(fb, dt):
        count = 0
        for i in range(len(fb.IN)):
            count = count + (1 if fb.IN[i] else 0)
        fb.OUT = count

    example = Example(
        table="""
        IN      | OUT
        [0,0,0] | 0
        [0,1,0] | 1
        [1,1,1] | 3
    """
    )


@block(source=LOGIC)
class ANY_OF:
    """True while at least one condition of an array holds."""

    IN = Input(Array(BOOL, "N"), "conditions")
    OUT = Output(BOOL, "one or more are true")

    def step(fb, dt):
        found = False
        for i in range(len(fb.IN)):
            found = found or fb.IN[i]
        fb.OUT = found

    example = Example(
        table="""
        IN      | OUT
        [0,0,0] | 0
        [0,1,0] | 1
        [1,1,1] | 1
    """
    )


@block(source=LOGIC)
class ALL_OF:
    """True while every condition of an array holds."""

    IN = Input(Array(BOOL, "N"), "conditions")
    OUT = Output(BOOL, "none is false")

    def step(fb, dt):
        held = True
        for i in range(len(fb.IN)):
            held = held and fb.IN[i]
        fb.OUT = held

    example = Example(
        table="""
        IN      | OUT
        [0,0,0] | 0
        [0,1,0] | 0
        [1,1,1] | 1
    """
    )
