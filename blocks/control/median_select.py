"""The middle of any number of sensors."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite
from blocks.declare import DINT, LREAL, Array, Example, Input, Output, block

NO_VALUE = math.nan


@block(source="Median selector of process control (Astrom & Hagglund, Advanced PID Control, ISA 2006: selector control)")
class MEDIAN_SELECT:
    """The middle of N measured values; of an even number of good ones, the mean of the two in the middle.

    A value that is no finite number is left out; with none left OUT is NaN. Fewer than half of them may be wrong by any amount.
    """

    IN = Input(Array(LREAL, "N"), "measured values", unit="{IN}")
    OUT = Output(LREAL, "their median", unit="{IN}", default=NO_VALUE)
    GOOD = Output(DINT, "values that are numbers", min=0)

    def step(fb, dt):
        good = 0
        for i in range(len(fb.IN)):
            if is_finite(fb.IN[i]):
                good = good + 1
        lower = NO_VALUE
        upper = NO_VALUE
        for i in range(len(fb.IN)):
            rank = 0  # good values that stand before this one in rising order
            for k in range(len(fb.IN)):
                if is_finite(fb.IN[k]) and (fb.IN[k] < fb.IN[i] or (fb.IN[k] == fb.IN[i] and k < i)):
                    rank = rank + 1
            if is_finite(fb.IN[i]):
                lower = fb.IN[i] if rank + rank == good - 1 or rank + rank == good - 2 else lower
                upper = fb.IN[i] if rank + rank == good - 1 or rank + rank == good else upper
        fb.OUT = lower + (upper - lower) * 0.5
        fb.GOOD = good

    example = Example(
        table="""
        IN              | OUT  GOOD
        [20,21,22,23]   | 21.5 4
        [20,21,22,999]  | 21.5 4      # one wrong sensor moves nothing
        [nan,21,22,999] | 22   3
        [nan,nan,22,30] | 26   2
        [nan,nan,nan,7] | 7    1
        [nan,nan,nan,nan] | nan 0
    """,
    )
