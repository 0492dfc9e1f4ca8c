"""Which cell of a string ends the charge, and which the discharge."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, max, min
from blocks.declare import DINT, LREAL, Array, Example, Input, Output, block

NONE = math.inf


@block(source="Plett, Battery Management Systems, vol. 2 (Artech House 2016): a string ends with its first full or empty cell")
class WEAKEST:
    """Finds the cell that will be full first and the one that will be empty first, and orders all cells by state of charge.

    In series all cells see the same charge, so what counts is Ah, not %: room = (100 - SOC) CAPACITY, rest = SOC CAPACITY. The
    string takes the least room and gives the least rest; USABLE is their sum, which balancing can raise up to the smallest
    CAPACITY. ORDER has the cells from the highest SOC to the lowest (equal ones by number): the order of bleeding. A cell that is
    not finite is last in ORDER and makes ROOM and REST 0: nobody knows when it will be full. So ROOM and REST may feed limits,
    while SOC_PACK, which leaves such a cell out, may not. It takes N * N comparisons.
    """

    SOC = Input(Array(LREAL, "N"), "states of charge", unit="%", min=0, max=100)
    CAPACITY = Input(Array(LREAL, "N"), "capacity of each cell", unit="Ah", min=0)
    CHARGE_AT = Output(DINT, "cell that is full first, from 1; 0: not known", min=0)
    DISCHARGE_AT = Output(DINT, "cell that is empty first, from 1; 0: not known", min=0)
    ROOM = Output(LREAL, "what the string still takes", unit="Ah", min=0)
    REST = Output(LREAL, "what the string still gives", unit="Ah", min=0)
    USABLE = Output(LREAL, "ROOM + REST", unit="Ah", min=0)
    ORDER = Output(Array(DINT, "N"), "cells from the highest state of charge to the lowest")
    BAD = Output(DINT, "cells without a finite value", min=0)

    def step(fb, dt):
        room = NONE
        rest = NONE
        full_at = 0
        empty_at = 0
        bad = 0
        for i in range(len(fb.SOC)):
            takes = (100.0 - fb.SOC[i]) * 0.01 * fb.CAPACITY[i]
            gives = fb.SOC[i] * 0.01 * fb.CAPACITY[i]
            alive = is_finite(takes) and is_finite(gives)
            bad = bad + (0 if alive else 1)
            if alive and takes < room:
                room = takes
                full_at = i + 1
            if alive and gives < rest:
                rest = gives
                empty_at = i + 1
            place = 0
            for j in range(len(fb.SOC)):
                ahead = fb.SOC[j] > fb.SOC[i] or (is_finite(fb.SOC[j]) and not is_finite(fb.SOC[i]))
                behind = fb.SOC[i] > fb.SOC[j] or (is_finite(fb.SOC[i]) and not is_finite(fb.SOC[j]))
                if ahead or (not behind and j < i):
                    place = place + 1
            fb.ORDER[min(place, len(fb.SOC) - 1)] = i + 1
        fb.ROOM = max(room, 0.0) if bad == 0 else 0.0
        fb.REST = max(rest, 0.0) if bad == 0 else 0.0
        fb.USABLE = fb.ROOM + fb.REST
        fb.CHARGE_AT = full_at if bad == 0 else 0
        fb.DISCHARGE_AT = empty_at if bad == 0 else 0
        fb.BAD = bad

    example = Example(
        CAPACITY=[280, 250, 280],
        table="""
        SOC        | CHARGE_AT ROOM DISCHARGE_AT REST USABLE ORDER   BAD
        [50,50,50] | 2         125  2            125  250    [1,2,3] 0    # the smallest one both ways
        [60,50,50] | 1         112  2            125  237    [1,2,3] 0
        [60,50,30] | 1         112  3            84   196    [1,2,3] 0
        [30,50,60] | 3         112  1            84   196    [3,2,1] 0
        [30,nan,60] | 0        0    0            0    0      [3,1,2] 1
    """,
    )
