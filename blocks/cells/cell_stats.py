"""The statistics of many cells."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, to_lreal
from blocks.declare import DINT, LREAL, Array, Example, Input, Output, block

NONE = math.inf


@block(source="foxBMS 2 v1.11, plausibility and min/max database: broken sensors are left out and counted")
class CELL_STATS:
    """Lowest, highest and mean of many cells, and which cell is lowest and highest. Also for temperatures.

    An element that is no finite number is left out and counted in BAD. Without a single good one MIN, MAX, MEAN and SPREAD are NaN
    and MIN_AT, MAX_AT are 0.
    """

    V = Input(Array(LREAL, "N"), "one value a cell", unit="{V}")
    MIN = Output(LREAL, "lowest value", unit="{V}")
    MAX = Output(LREAL, "highest value", unit="{V}")
    MEAN = Output(LREAL, "mean of the good values", unit="{V}")
    SPREAD = Output(LREAL, "MAX - MIN", unit="{V}", difference=True)
    MIN_AT = Output(DINT, "number of the lowest cell, from 1", min=0)
    MAX_AT = Output(DINT, "number of the highest cell, from 1", min=0)
    BAD = Output(DINT, "cells without a finite value", min=0)

    def step(fb, dt):
        lowest = NONE
        highest = 0.0 - NONE
        low_at = 0
        high_at = 0
        total = 0.0
        good = 0
        for i in range(len(fb.V)):
            if is_finite(fb.V[i]):
                good = good + 1
                total = total + fb.V[i]
                if fb.V[i] < lowest:
                    lowest = fb.V[i]
                    low_at = i + 1
                if fb.V[i] > highest:
                    highest = fb.V[i]
                    high_at = i + 1
        count = to_lreal(good)
        fb.MIN = lowest if good > 0 else total / count
        fb.MAX = highest if good > 0 else total / count
        fb.MEAN = total / count
        fb.SPREAD = highest - lowest if good > 0 else total / count
        fb.MIN_AT = low_at
        fb.MAX_AT = high_at
        fb.BAD = len(fb.V) - good

    example = Example(
        table="""
        V                     | MIN  MAX  MEAN SPREAD MIN_AT MAX_AT BAD
        [3.30,3.32,3.28,3.30] | 3.28 3.32 3.30 0.04   3      2      0
        [3.30,3.30,3.30,3.30] | 3.30 3.30 3.30 0      1      1      0
        [3.30,nan,3.26,3.31]  | 3.26 3.31 3.29 0.05   3      4      1    # cell 2 has lost its wire
        [nan,nan,nan,nan]     | nan  nan  nan  nan    0      0      4
        [3.29,3.30,3.30,3.31] | 3.29 3.31 3.30 0.02   1      4      0
    """,
    )
