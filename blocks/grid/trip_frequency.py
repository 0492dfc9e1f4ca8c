"""The frequency trips."""

from __future__ import annotations

import math

from blocks.arithmetic import is_nan, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

CAUSES = ("none", "over 1", "over 2", "over 3", "under 1", "under 2", "under 3")
S = 1_000_000_000
OFF = math.inf


@block(source="IEEE 1547-2018, 6.5.1, table 18, as in EPRI OpenDER 2.2, eq. 3.5.1-6")
class TRIP_FREQUENCY:
    """Trips when the frequency has been too high or too low for too long; three stages each way.

    The defaults are those of a 60 Hz grid; a 50 Hz grid needs its own (EN 50549-1 leaves them to the operator). A stage counts
    while its threshold is passed, the first scan included, so that it never trips late; it starts anew when the frequency is
    back. The third stages are off by default. TRIP holds while a stage that ran out is still passed: wire it to what latches
    (INTERLOCK, ENTER_SERVICE). CAUSE keeps the stage until the next trip. A NaN counts as below every under-frequency
    threshold, and over-frequency stages that are running count on; a threshold that is NaN counts as passed. BLOCK stops it
    where the voltage is too low to measure a frequency: the voltage trips act there.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    BLOCK = Input(BOOL, "the frequency cannot be measured: nothing counts", default=False)
    OVER = Input(Array(LREAL, 3), "over-frequency thresholds", unit="Hz", default=(61.2, 62.0, OFF), min=0)
    OVER_TIME = Input(Array(TIME, 3), "time above each until it trips", default=(300 * S, S * 16 // 100, 0), min=0)
    UNDER = Input(Array(LREAL, 3), "under-frequency thresholds", unit="Hz", default=(58.5, 56.5, 0.0), min=0)
    UNDER_TIME = Input(Array(TIME, 3), "time below each until it trips", default=(300 * S, S * 16 // 100, 0), min=0)
    TRIP = Output(BOOL, "a stage ran out and is still passed")
    PICKUP = Output(BOOL, "a stage is passed")
    CAUSE = Output(DINT, "the stage that tripped last", min=0, max=6, names=CAUSES)
    over_run = Var(Array(TIME, 3), "time above")
    under_run = Var(Array(TIME, 3), "time below")

    def step(fb, dt):
        blind = is_nan(fb.F)
        f = 0.0 if blind else fb.F
        cause = 0
        passed = False
        for i in range(3):
            over = (not f <= fb.OVER[i] or (blind and fb.over_run[i] > 0)) and not fb.BLOCK
            under = not f >= fb.UNDER[i] and not fb.BLOCK
            fb.over_run[i] = min(fb.over_run[i] + dt, max(fb.OVER_TIME[i], 0)) if over else 0
            fb.under_run[i] = min(fb.under_run[i] + dt, max(fb.UNDER_TIME[i], 0)) if under else 0
            if over and fb.over_run[i] >= fb.OVER_TIME[i]:
                cause = i + 1
            elif under and fb.under_run[i] >= fb.UNDER_TIME[i]:
                cause = i + 4
            passed = passed or over or under
        if cause > 0 and not fb.TRIP:
            fb.CAUSE = cause
        fb.TRIP = cause > 0
        fb.PICKUP = passed

    example = Example(
        dt="20ms",
        table="""
            x     F    BLOCK | TRIP PICKUP CAUSE
            1     60   0     | 0    0      0
            7     62.5 0     | 0    1      0
            1     62.5 0     | 1    1      2     # 0.16 s
            1     60   0     | 0    0      2
            14999 58.4 0     | 0    1      2
            1     58.4 0     | 1    1      4     # 300 s
            8     nan  0     | 1    1      4
            8     nan  1     | 0    0      4     # the voltage is too low to measure
        """,
    )
