"""The limits of a measured value that raise an alarm."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_nan, max
from blocks.control.laws import lasted
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

OFF = math.inf
NOT_YET = -1


@block(source="EPICS aiRecord, checkAlarms (>= limit, left below limit - hysteresis); IEC 62682:2022 (deadband, on-delay)")
class ALARM_LIMIT:
    """Four alarm limits on one value: each is active once the value stood at or beyond it for DELAY, until it is back by DEADBAND.

    A limit of plus or minus infinity is off; one that is NaN alarms. A NaN on IN stands beyond every limit that is on: a value
    nobody knows is an alarm. It is gone with its scan: only a known value moves the deadband. A DEADBAND that is negative or not
    finite is none. The delay applies to the rise only, and an alarm that stands stays when DELAY is raised; the first scan beyond a
    limit is time 0.
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
    h_held = Var(BOOL, "a known value raised H_ACTIVE and is not back by DEADBAND")
    hh_held = Var(BOOL, "a known value raised HH_ACTIVE and is not back by DEADBAND")
    l_held = Var(BOOL, "a known value raised L_ACTIVE and is not back by DEADBAND")
    ll_held = Var(BOOL, "a known value raised LL_ACTIVE and is not back by DEADBAND")

    def step(fb, dt):
        gap = max(fb.DEADBAND, 0.0) if fb.DEADBAND < OFF else 0.0
        h = abs(fb.H) != OFF and not fb.IN < fb.H - (gap if fb.h_held else 0.0)
        hh = abs(fb.HH) != OFF and not fb.IN < fb.HH - (gap if fb.hh_held else 0.0)
        l = abs(fb.L) != OFF and not fb.IN > fb.L + (gap if fb.l_held else 0.0)  # noqa: E741
        ll = abs(fb.LL) != OFF and not fb.IN > fb.LL + (gap if fb.ll_held else 0.0)
        fb.h_for = lasted(h, fb.h_for, dt, fb.DELAY)
        fb.hh_for = lasted(hh, fb.hh_for, dt, fb.DELAY)
        fb.l_for = lasted(l, fb.l_for, dt, fb.DELAY)
        fb.ll_for = lasted(ll, fb.ll_for, dt, fb.DELAY)
        fb.H_ACTIVE = h and (fb.H_ACTIVE or fb.h_for >= fb.DELAY)
        fb.HH_ACTIVE = hh and (fb.HH_ACTIVE or fb.hh_for >= fb.DELAY)
        fb.L_ACTIVE = l and (fb.L_ACTIVE or fb.l_for >= fb.DELAY)
        fb.LL_ACTIVE = ll and (fb.LL_ACTIVE or fb.ll_for >= fb.DELAY)
        # a NaN does not move the gaps: it is gone with its scan
        fb.h_held = fb.h_held if is_nan(fb.IN + fb.H) else fb.H_ACTIVE
        fb.hh_held = fb.hh_held if is_nan(fb.IN + fb.HH) else fb.HH_ACTIVE
        fb.l_held = fb.l_held if is_nan(fb.IN + fb.L) else fb.L_ACTIVE
        fb.ll_held = fb.ll_held if is_nan(fb.IN + fb.LL) else fb.LL_ACTIVE

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
