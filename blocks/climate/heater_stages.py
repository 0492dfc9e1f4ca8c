"""The number of heater stages."""

from __future__ import annotations

from blocks.arithmetic import clamp, floor, is_finite, max, min, to_int, to_lreal
from blocks.declare import DINT, LREAL, Example, Input, Output, block

WIDEST = 0.9  # of a stage: with a whole one the last stage would never go


@block(source="Step controller of heating technology: stage k on at k/STAGES of the demand, off by a hysteresis below")
class HEATER_STAGES:
    """How many of STAGES equal heaters run for a demand in percent; wire COUNT to DUTY_ROTATION, which says which ones.

    Stage k comes at k/STAGES of full demand and goes HYSTERESIS below it, which counts as nine tenths of a stage where it is more:
    never more than one stage is on too many. Without a demand no stage is on. REST is what a continuous heater of the size of one
    stage would add. A demand that is NaN switches every stage off: a heater that nobody controls burns.
    """

    DEMAND = Input(LREAL, "heat asked for", unit="%", min=0, max=100)
    STAGES = Input(DINT, "number of equal heaters", default=3, min=1, max=64)
    HYSTERESIS = Input(LREAL, "a stage goes so far below where it came", unit="%", default=5.0, min=0, max=100)
    COUNT = Output(DINT, "heaters that shall run", min=0, max=64, volatile=True)
    REST = Output(LREAL, "what is missing, of one stage", unit="%", min=0, max=100)

    def step(fb, dt):
        stages = to_lreal(clamp(1, fb.STAGES, 64))
        known = is_finite(fb.DEMAND)
        exact = clamp(0.0, fb.DEMAND, 100.0) * stages / 100.0
        gap = min(max(fb.HYSTERESIS, 0.0) * stages / 100.0, WIDEST)
        up = to_int(floor(exact))
        down = to_int(floor(min(exact + gap, stages)))
        fb.COUNT = min(clamp(up, fb.COUNT, max(up, down)), to_int(stages)) if known and exact > 0.0 else 0
        fb.REST = 100.0 * clamp(0.0, exact - to_lreal(fb.COUNT), 1.0) if known else 0.0

    example = Example(
        STAGES=4,
        HYSTERESIS=5.0,
        table="""
        DEMAND | COUNT REST
        0      | 0     0
        24     | 0     96
        25     | 1     0
        30     | 1     20
        21     | 1     0         # not 5 % below 25 %
        19     | 0     76
        100    | 4     0
        nan    | 0     0         # nobody knows: off
        50     | 2     0
    """,
    )
