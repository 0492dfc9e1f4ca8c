"""The limits of a measured value that raise an alarm."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, is_nan, min
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

OFF = math.inf
NOT_YET = -1


@block(source="EPICS aiRecord, checkAlarms (>= limit, left below limit - hysteresis); IEC 62682:2022, 10.6 (deadband, on-delay)")
class ALARM_LIMIT:
    """Four alarm limits on one value: each is active once the value stood at or beyond it for DELAY, until it is back by DEADBAND.

    A limit that is not finite is off. A NaN on IN stands beyond every limit that is on: a value nobody knows is an alarm. The delay
    applies to the rise only; the first scan beyond a limit is time 0.
    """

    IN = Input(LREAL, "value that is watched", unit="{IN}")
    H = Input(LREAL, "high limit", unit="{IN}", default=OFF)
    HH = Input(LREAL, "high high limit", unit="{IN}", default=OFF)
    L = Input(LREAL, "low limit", unit="{IN}", default=-OFF)
    LL = Input(LREAL, "low low limit", unit="{IN}", default=-OFF)
    DEADBAND = Input(LREAL, "how far the value must come back", unit="{IN}", default=0.0, min=0, difference=True)
    DELAY = Input(TIME, "how long the value must stand beyond a limit", default=0, min=0)
    H_ACTIVE = Output(BOOL, "high alarm")
    HH_ACTIVE = Output(BOOL, "high high alarm")
    L_ACTIVE = Output(BOOL, "low alarm")
    LL_ACTIVE = Output(BOOL, "low low alarm")
    h_for = Var(TIME, "time beyond H, -1 while it is not", default=NOT_YET)
    hh_for = Var(TIME, "time beyond HH, -1 while it is not", default=NOT_YET)
    l_for = Var(TIME, "time beyond L, -1 while it is not", default=NOT_YET)
    ll_for = Var(TIME, "time beyond LL, -1 while it is not", default=NOT_YET)

    def step(fb, dt):
        unknown = is_nan(fb.IN)
        h = is_finite(fb.H) and (unknown or fb.IN >= fb.H - (fb.DEADBAND if fb.H_ACTIVE else 0.0))
        hh = is_finite(fb.HH) and (unknown or fb.IN >= fb.HH - (fb.DEADBAND if fb.HH_ACTIVE else 0.0))
        l = is_finite(fb.L) and (unknown or fb.IN <= fb.L + (fb.DEADBAND if fb.L_ACTIVE else 0.0))  # noqa: E741
        ll = is_finite(fb.LL) and (unknown or fb.IN <= fb.LL + (fb.DEADBAND if fb.LL_ACTIVE else 0.0))
        fb.h_for = (0 if fb.h_for < 0 else min(fb.h_for + dt, fb.DELAY)) if h else NOT_YET
        fb.hh_for = (0 if fb.hh_for < 0 else min(fb.hh_for + dt, fb.DELAY)) if hh else NOT_YET
        fb.l_for = (0 if fb.l_for < 0 else min(fb.l_for + dt, fb.DELAY)) if l else NOT_YET
        fb.ll_for = (0 if fb.ll_for < 0 else min(fb.ll_for + dt, fb.DELAY)) if ll else NOT_YET
        fb.H_ACTIVE = h and fb.h_for >= fb.DELAY
        fb.HH_ACTIVE = hh and fb.hh_for >= fb.DELAY
        fb.L_ACTIVE = l and fb.l_for >= fb.DELAY
        fb.LL_ACTIVE = ll and fb.ll_for >= fb.DELAY

    example = Example(
        H=45.0,
        HH=55.0,
        DEADBAND=1.0,
        DELAY="20ms",
        table="""
        IN   | H_ACTIVE HH_ACTIVE
        40   | 0        0
        45   | 0        0
        46   | 0        0
        46   | 1        0        # beyond H for 20 ms
        44.5 | 1        0        # not back by the deadband
        43.9 | 0        0
        nan  | 0        0
        nan  | 0        0
        nan  | 1        1        # a dead sensor is beyond every limit
    """,
    )
