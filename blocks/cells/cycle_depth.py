"""The depths of the cycles that a state of charge goes through: rainflow counting, as it comes."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, clamp, is_finite, min, truncate
from blocks.cells.laws import MANY
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block

DEPTH = 32
NEVER = math.nan


@block(source="ASTM E1049-85 (2017), 5.4.4: rainflow counting, three points, as the history comes in")
class CYCLE_DEPTH:
    """Counts cycles by their depth: a shallow cycle ages a cell much less than a deep one, so throughput alone does not tell.

    The turning points of SOC (of which one counts when SOC has gone back by more than DEADBAND) are counted by the rainflow rule:
    of the last three points, if the newer range X is not smaller than the older Y, Y is a cycle: a half one where it starts at
    the first point, which then goes, else a whole one, whose two points go. HALVES counts half-cycles, by tenths of the range: 0
    to 10 %, to 90 to 100 %. What is still open is not counted. The stack holds 32 points; beyond it the oldest range counts as a
    half-cycle, which needs ranges that grow or shrink 31 times in a row without closing. A NaN is left out. Retain this block.
    """

    SOC = Input(LREAL, "state of charge", unit="%", min=0, max=100)
    DEADBAND = Input(LREAL, "smaller movements are noise", unit="%", default=1.0, min=0, max=100)
    RESET = Input(BOOL, "a rising edge clears the counts", default=False)
    HALVES = Output(Array(DINT, 10), "half-cycles counted, by depth in tenths")
    CYCLES = Output(LREAL, "cycles counted, of any depth", min=0)
    EQUIVALENT = Output(LREAL, "sum of the counted depths, in full cycles", min=0)
    LAST = Output(LREAL, "depth of the cycle counted last", unit="%", min=0, max=100)
    OPEN = Output(DINT, "turning points that wait for their partner", min=0, max=DEPTH)
    points = Var(Array(LREAL, DEPTH), "turning points that are not closed", unit="%")
    extreme = Var(LREAL, "farthest point since the last turn; NaN at the start", unit="%", default=NEVER)
    heading = Var(DINT, "1 up, -1 down, 0 not known yet")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        if fb.RESET and not fb.pressed:
            for i in range(10):
                fb.HALVES[i] = 0
            fb.CYCLES = 0.0
            fb.EQUIVALENT = 0.0
            fb.LAST = 0.0
        fb.pressed = fb.RESET
        soc = clamp(0.0, fb.SOC, 100.0)
        turned = False
        if is_finite(fb.SOC):
            if not is_finite(fb.extreme):
                fb.extreme = soc
                fb.points[0] = soc
                fb.OPEN = 1
            moved = soc - fb.extreme
            if fb.heading == 0:
                if abs(moved) > fb.DEADBAND:
                    fb.heading = 1 if moved > 0.0 else -1
                    fb.extreme = soc
            elif moved * fb.heading >= 0.0:
                fb.extreme = soc
            elif abs(moved) > fb.DEADBAND:
                turned = True
        if turned:
            if fb.OPEN == DEPTH:
                size = abs(fb.points[1] - fb.points[0])
                tenth = min(truncate(size * 0.1), 9)
                fb.HALVES[tenth] = min(fb.HALVES[tenth] + 1, MANY)
                fb.CYCLES = fb.CYCLES + 0.5
                fb.EQUIVALENT = fb.EQUIVALENT + size * 0.005
                for i in range(1, DEPTH):
                    fb.points[i - 1] = fb.points[i]
                fb.OPEN = fb.OPEN - 1
            fb.points[fb.OPEN] = fb.extreme
            fb.OPEN = fb.OPEN + 1
            fb.extreme = soc
            fb.heading = 0 - fb.heading
            for _k in range(DEPTH):
                if fb.OPEN >= 3:
                    end = fb.OPEN - 1
                    newer = abs(fb.points[end] - fb.points[end - 1])
                    older = abs(fb.points[end - 1] - fb.points[end - 2])
                    if newer >= older:
                        halves = 1 if fb.OPEN == 3 else 2
                        tenth = min(truncate(older * 0.1), 9)
                        fb.HALVES[tenth] = min(fb.HALVES[tenth] + halves, MANY)
                        fb.CYCLES = fb.CYCLES + 0.5 * halves
                        fb.EQUIVALENT = fb.EQUIVALENT + older * 0.005 * halves
                        fb.LAST = older
                        if halves == 1:
                            fb.points[0] = fb.points[1]
                            fb.points[1] = fb.points[2]
                        else:
                            fb.points[end - 2] = fb.points[end]
                        fb.OPEN = fb.OPEN - halves

    example = Example(
        DEADBAND=0.5,
        table="""
        SOC | CYCLES LAST HALVES                OPEN
        80  | 0      0    [0,0,0,0,0,0,0,0,0,0] 1
        30  | 0      0    [0,0,0,0,0,0,0,0,0,0] 1      # down
        50  | 0      0    [0,0,0,0,0,0,0,0,0,0] 2      # 30 is a turning point
        40  | 0      0    [0,0,0,0,0,0,0,0,0,0] 3      # so is 50
        85  | 0      0    [0,0,0,0,0,0,0,0,0,0] 4      # and 40
        84  | 1.5    50   [0,2,0,0,0,1,0,0,0,0] 2      # and 85: closes 50-40-50, a cycle of 10 %, and 80-30, a half one of 50 %
    """,
    )
