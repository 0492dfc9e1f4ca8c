"""The voltage trips."""

from __future__ import annotations

import math

from blocks.arithmetic import is_nan, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

CAUSES = ("none", "over 1", "over 2", "over 3", "under 1", "under 2", "under 3")
S = 1_000_000_000
OFF = math.inf
UNKNOWN = math.nan


@block(source="IEEE 1547-2018, 6.4.1, table 13 (category III), as in EPRI OpenDER 2.2, eq. 3.5.1-6")
class TRIP_VOLTAGE:
    """Trips when the voltage has been too high or too low for too long; three stages each way.

    V holds all voltages of one nominal value: the highest counts for the over-voltage stages, the lowest for the under-voltage
    ones. A stage counts while its threshold (relative to V_NOM) is passed, the first scan included, so that it never trips
    late; it starts anew when the voltage is back. The third stages are off by default. TRIP holds while a stage that ran out
    is still passed: wire it to what latches (INTERLOCK, ENTER_SERVICE). CAUSE keeps the stage until the next trip. A NaN
    counts as 0 V, and over-voltage stages that are running count on; a threshold that is NaN counts as passed.
    """

    V = Input(Array(LREAL, "N"), "the applicable voltages", unit="V")
    V_NOM = Input(LREAL, "their nominal value", unit="V", min=1)
    OVER = Input(Array(LREAL, 3), "over-voltage thresholds, relative to V_NOM", default=(1.1, 1.2, OFF), min=0)
    OVER_TIME = Input(Array(TIME, 3), "time above each until it trips", default=(13 * S, S * 16 // 100, 0), min=0)
    UNDER = Input(Array(LREAL, 3), "under-voltage thresholds, relative to V_NOM", default=(0.88, 0.5, 0.0), min=0)
    UNDER_TIME = Input(Array(TIME, 3), "time below each until it trips", default=(21 * S, 2 * S, 0), min=0)
    TRIP = Output(BOOL, "a stage ran out and is still passed")
    PICKUP = Output(BOOL, "a stage is passed")
    CAUSE = Output(DINT, "the stage that tripped last", min=0, max=6, names=CAUSES)
    LOWEST = Output(LREAL, "lowest voltage over V_NOM")
    HIGHEST = Output(LREAL, "highest voltage over V_NOM")
    over_run = Var(Array(TIME, 3), "time above")
    under_run = Var(Array(TIME, 3), "time below")

    def step(fb, dt):
        lowest = OFF
        highest = 0.0 - OFF
        blind = False
        for i in range(len(fb.V)):
            v = fb.V[i] / fb.V_NOM if fb.V_NOM > 0.0 and fb.V_NOM < OFF else UNKNOWN
            blind = blind or is_nan(v)
            v = 0.0 if is_nan(v) else v
            lowest = min(v, lowest)
            highest = max(v, highest)
        cause = 0
        passed = False
        for i in range(3):
            over = not highest <= fb.OVER[i] or (blind and fb.over_run[i] > 0)
            under = not lowest >= fb.UNDER[i]
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
        fb.LOWEST = lowest
        fb.HIGHEST = highest

    example = Example(
        V_NOM=230.0,
        dt="20ms",
        table="""
            x    V             | TRIP PICKUP CAUSE
            1    [230,231,229] | 0    0      0
            7    [290,231,229] | 0    1      0      # 1.26 on one phase
            1    [290,231,229] | 1    1      2      # 0.16 s
            1    [230,231,229] | 0    0      2
            1049 [230,190,229] | 0    1      2      # 0.83 on one phase
            1    [230,190,229] | 1    1      4      # 21 s
            100  [230,nan,229] | 1    1      4      # a dead measurement is 0 V
        """,
    )
