"""The balancing of cells by bleeding the higher ones."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

NONE = math.inf


@block(source="TI BQ769x2 technical reference (start, stop); foxBMS 2 v1.11 (10 min of rest below 200 mA); LFP only above 3.4 V")
class CELL_BALANCING:
    """Passive balancing: bleeds each cell that stands more than START above the lowest one, until it is within STOP of it.

    Only while ENABLE is true, the current has stayed below I_REST for REST, T is below T_LIMIT, and the cell above V_MIN. While any
    cell has no finite voltage the lowest is not known and nothing is bled; a NaN on T or I stops it, too.

    A cell between STOP and START above the lowest is never begun, so START is the spread that is left. A cell that is bled reads
    low by its wires' drop: where that is not far below STOP, let BALANCING_PRIORITY pause for the measurement.
    """

    V = Input(Array(LREAL, "N"), "cell voltages", unit="V")
    I = Input(LREAL, "pack current, either sign", unit="A")  # noqa: E741 - the letter of the trade
    T = Input(LREAL, "temperature of the bleeding resistors", unit="°C", default=25.0)
    ENABLE = Input(BOOL, "true allows balancing", default=True)
    START = Input(LREAL, "bleeding starts this far above the lowest cell", unit="V", default=0.02, min=0)
    STOP = Input(LREAL, "bleeding stops this far above the lowest cell", unit="V", default=0.01, min=0)
    V_MIN = Input(LREAL, "no bleeding of a cell at or below this voltage", unit="V", default=3.4)
    T_LIMIT = Input(LREAL, "no bleeding at or above this temperature", unit="°C", default=70.0)
    I_REST = Input(LREAL, "rest is a current below this", unit="A", default=0.2)
    REST = Input(TIME, "how long the rest must have lasted", default=600_000_000_000, min=0)
    BLEED = Output(Array(BOOL, "N"), "close the bleeding switch of this cell")
    COUNT = Output(DINT, "cells being bled", min=0)
    resting = Var(TIME, "how long the rest has lasted, held at REST")
    rested = Var(BOOL, "the last scan was one of rest")

    def step(fb, dt):
        at_rest = abs(fb.I) < fb.I_REST
        fb.resting = min(fb.resting + dt, fb.REST) if at_rest and fb.rested else 0
        fb.rested = at_rest
        lowest = NONE
        known = True
        for i in range(len(fb.V)):
            known = known and is_finite(fb.V[i])
            lowest = min(fb.V[i], lowest)
        allowed = fb.ENABLE and known and at_rest and fb.resting >= fb.REST and fb.T < fb.T_LIMIT
        count = 0
        for i in range(len(fb.V)):
            above = fb.V[i] - lowest
            wanted = above > fb.START or (fb.BLEED[i] and above > fb.STOP)
            fb.BLEED[i] = allowed and wanted and fb.V[i] > fb.V_MIN
            count = count + fb.BLEED[i]
        fb.COUNT = count

    example = Example(
        I=0.1,
        REST="1min",
        dt="30s",
        table="""
        V                   I   | BLEED   COUNT
        [3.450,3.471,3.465] 50  | [0,0,0] 0        # under load a voltage tells little
        [3.450,3.471,3.465] 0.1 | [0,0,0] 0
        [3.450,3.471,3.465] 0.1 | [0,0,0] 0
        [3.450,3.471,3.465] 0.1 | [0,1,0] 1        # rested for a minute: 21 mV is above START, 15 mV is not
        [3.450,3.461,3.465] 0.1 | [0,1,0] 1        # 11 mV: goes on until STOP
        [3.450,3.459,3.465] 0.1 | [0,0,0] 0
        [3.390,3.399,3.425] 0.1 | [0,0,1] 1
        [3.340,3.399,3.399] 0.1 | [0,0,0] 0        # the flat part of the curve
    """,
    )
