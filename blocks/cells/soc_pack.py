"""The state of charge of a module or a pack from that of its cells."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, to_lreal
from blocks.declare import DINT, LREAL, Array, Example, Input, Output, block


@block(source="Plett, Battery Management Systems, volume 2 (Artech House 2016): the SOC of cells in series")
class SOC_PACK:
    """The state of charge of cells in series, or of modules: the weakest one ends the discharge, the fullest one the charge.

    Of the charge between the two ends MIN is left and 100 - MAX has room, so SOC = MIN / (MIN + 100 - MAX): 0 where the first
    cell is empty, 100 where the first is full. USABLE = 100 - SPREAD is what the pack has between these ends without balancing.
    WEIGHTED is the classic blend MEAN MAX + (1 - MEAN) MIN, near MIN when empty and near MAX when full, also where USABLE is
    small. Cells of equal capacity are meant. A cell whose value is no number is left out and counted in BAD; without a good one
    all is NaN. With one cell empty and one full nothing is usable: SOC is 0. A limit must not be fed from it unless BAD is 0: the
    cell left out may be the empty one. WEAKEST, which says 0 then, may feed limits.
    """

    CELLS = Input(Array(LREAL, "N"), "state of charge of each cell, or of each module", unit="%", min=0, max=100)
    SOC = Output(LREAL, "state of charge between the first empty and the first full cell", unit="%")
    WEIGHTED = Output(LREAL, "MIN and MAX, weighted by the mean", unit="%")
    USABLE = Output(LREAL, "what can be used of the capacity without balancing", unit="%")
    MIN = Output(LREAL, "lowest cell", unit="%")
    MAX = Output(LREAL, "highest cell", unit="%")
    MEAN = Output(LREAL, "mean of the good cells", unit="%")
    MIN_AT = Output(DINT, "number of the lowest cell, from 1; 0 where none is good", min=0)
    MAX_AT = Output(DINT, "number of the highest cell, from 1; 0 where none is good", min=0)
    BAD = Output(DINT, "cells without a finite value", min=0)

    def step(fb, dt):
        lowest = 200.0
        highest = -1.0
        low_at = 0
        high_at = 0
        total = 0.0
        good = 0
        for i in range(len(fb.CELLS)):
            if is_finite(fb.CELLS[i]):
                soc = clamp(0.0, fb.CELLS[i], 100.0)
                good = good + 1
                total = total + soc
                if soc < lowest:
                    lowest = soc
                    low_at = i + 1
                if soc > highest:
                    highest = soc
                    high_at = i + 1
        mean = clamp(lowest, total / to_lreal(good), highest) if good > 0 else total / to_lreal(good)
        none = mean - mean  # 0, or NaN where no cell is good
        usable = lowest + (100.0 - highest)
        fb.SOC = 100.0 * (lowest / usable) + none if usable > 0.0 else none
        fb.WEIGHTED = lowest + mean * 0.01 * (highest - lowest)
        fb.USABLE = usable + none
        fb.MIN = lowest + none
        fb.MAX = highest + none
        fb.MEAN = mean
        fb.MIN_AT = low_at
        fb.MAX_AT = high_at
        fb.BAD = len(fb.CELLS) - good

    example = Example(
        dt="1s",
        table="""
        CELLS        | SOC WEIGHTED USABLE MIN MAX MIN_AT MAX_AT BAD
        [50,50,50]   | 50  50       100    50  50  1      1      0
        [40,50,60]   | 50  50       80     40  60  1      3      0
        [20,10,0]    | 0   2        80     0   20  3      1      0     # the third is empty: so is the pack
        [100,90,80]  | 100 98       80     80  100 3      1      0     # the first is full
        [40,nan,60]  | 50  50       80     40  60  1      3      1
        [0,50,100]   | 0   50       0      0   100 1      3      0     # nothing usable before it is balanced
    """,
    )
