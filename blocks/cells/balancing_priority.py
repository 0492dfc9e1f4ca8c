"""Which of the cells that want to be bled may be bled now."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, lerp, min, to_int, to_lreal, truncate
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

LOWEST = -math.inf
LONGEST = 3_600_000_000_000_000  # ns


@block(
    source="TI BQ769x2 technical reference (limited number of cells, no adjacent cells, measuring between bleeding); NUMBERS: 70 °C"
)
class BALANCING_PRIORITY:
    """Lets a limited number of cells bleed, the highest first, and pauses so that voltages can be measured.

    Bleeding current falls over the wires, so a cell that is bled reads low. Therefore it bleeds for ON and pauses for PAUSE;
    SETTLE after the switches have opened the readings are true (MEASURE) and are taken over into V_REST, which stays while they
    bleed. Wire V_REST (by `last`) to the balancing block that makes WANT. The cells are chosen anew at the start of each ON. With
    NEIGHBOURS false no two adjacent cells bleed at once. Between T_DERATE and T_LIMIT the number falls in a line to 0, the
    highest staying. A WANT that falls, or a NaN on T, opens at once.
    """

    WANT = Input(Array(BOOL, "N"), "cells that balancing wants to bleed")
    V = Input(Array(LREAL, "N"), "cell voltages as measured", unit="V")
    MAX_CELLS = Input(DINT, "so many cells may bleed at a time", default=16, min=0, max=100000)
    NEIGHBOURS = Input(BOOL, "true: adjacent cells may bleed at the same time", default=True)
    ON = Input(TIME, "how long it bleeds", default=20_000_000_000, min=0)
    PAUSE = Input(TIME, "how long it pauses for measuring", default=1_000_000_000, min=0)
    SETTLE = Input(TIME, "after which the readings are true; at most PAUSE", default=500_000_000, min=0)
    T = Input(LREAL, "temperature of the bleeding resistors", unit="°C", default=25.0)
    T_DERATE = Input(LREAL, "from here on fewer cells bleed", unit="°C", default=60.0)
    T_LIMIT = Input(LREAL, "no bleeding at or above this temperature", unit="°C", default=70.0)
    BLEED = Output(Array(BOOL, "N"), "close the bleeding switch of this cell")
    COUNT = Output(DINT, "cells being bled", min=0)
    LIMIT = Output(DINT, "cells that may bleed at this temperature", min=0)
    MEASURE = Output(BOOL, "nothing bleeds, the readings are true")
    V_REST = Output(Array(LREAL, "N"), "cell voltages without bleeding, held while it bleeds", unit="V")
    place = Var(Array(DINT, "N"), "the cells of this turn, 1 for the highest; 0: not in it")
    bleeds = Var(BOOL, "in ON; false in PAUSE")
    age = Var(TIME, "time in ON or PAUSE")
    started = Var(BOOL, "V_REST holds readings")

    def step(fb, dt):
        fb.age = min(fb.age + dt, LONGEST)
        fb.MEASURE = not fb.started or (not fb.bleeds and fb.age >= min(fb.SETTLE, fb.PAUSE))
        fb.started = True
        if fb.MEASURE:
            for i in range(len(fb.V)):
                fb.V_REST[i] = fb.V[i]
        share = lerp(fb.T, fb.T_DERATE, 1.0, fb.T_LIMIT, 0.0) if is_finite(fb.T) and fb.T < fb.T_LIMIT else 0.0
        limit = clamp(0, truncate(to_lreal(fb.MAX_CELLS) * share), to_int(len(fb.V)))
        if fb.bleeds and fb.age >= fb.ON:
            fb.bleeds = False
            fb.age = 0
        elif not fb.bleeds and fb.age >= fb.PAUSE:
            fb.bleeds = True
            fb.age = 0
            for i in range(len(fb.V)):
                fb.place[i] = 0
            for k in range(limit):
                best = LOWEST
                at = -1
                for i in range(len(fb.V)):
                    left = i > 0 and fb.place[i - 1 if i > 0 else 0] > 0
                    right = i + 1 < len(fb.V) and fb.place[i + 1 if i + 1 < len(fb.V) else 0] > 0
                    free = fb.NEIGHBOURS or not (left or right)
                    if fb.WANT[i] and free and fb.place[i] == 0 and fb.V_REST[i] > best:
                        best = fb.V_REST[i]
                        at = i
                if at >= 0:
                    fb.place[at] = k + 1
        count = 0
        for i in range(len(fb.V)):
            fb.BLEED[i] = fb.bleeds and fb.place[i] > 0 and fb.place[i] <= limit and fb.WANT[i]
            count = count + fb.BLEED[i]
        fb.COUNT = count
        fb.LIMIT = limit

    example = Example(
        MAX_CELLS=2,
        NEIGHBOURS=False,
        ON="3s",
        PAUSE="2s",
        SETTLE="1s",
        dt="1s",
        table="""
        WANT      V                     T  | BLEED     MEASURE V_REST
        [1,1,1,1] [3.45,3.50,3.49,3.48] 25 | [0,0,0,0] 1       [3.45,3.50,3.49,3.48]
        [1,1,1,1] [3.45,3.50,3.49,3.48] 25 | [0,1,0,1] 1       [3.45,3.50,3.49,3.48]   # not 3: it is next to 2
        [1,1,1,1] [3.45,3.44,3.49,3.42] 25 | [0,1,0,1] 0       [3.45,3.50,3.49,3.48]   # bled cells read low
        [1,1,1,0] [3.45,3.44,3.49,3.42] 25 | [0,1,0,0] 0       [3.45,3.50,3.49,3.48]
        [1,1,1,1] [3.45,3.44,3.49,3.42] 25 | [0,0,0,0] 0       [3.45,3.50,3.49,3.48]
        [1,1,1,1] [3.45,3.47,3.49,3.46] 25 | [0,0,0,0] 1       [3.45,3.47,3.49,3.46]
        [1,1,1,1] [3.45,3.47,3.49,3.46] 65 | [0,0,1,0] 1       [3.45,3.47,3.49,3.46]   # the next turn, and half as many
    """,
    )
