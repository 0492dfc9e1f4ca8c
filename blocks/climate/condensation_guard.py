"""The guard against condensation on cold plates."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max
from blocks.control.laws import lasted
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block


@block(source="ASHRAE TC 9.9, liquid cooling: coolant supply kept above the dew point by a margin")
class CONDENSATION_GUARD:
    """Keeps the coolant warmer than the dew point: OUT is SP, but never below DEW + MARGIN.

    ALARM tells that the coldest surface is at DEW + NEAR or below for DELAY: water is about to stand on live parts. A dew point
    that is NaN keeps OUT at SP_BLIND at least and alarms; a T_SURFACE that is NaN alarms. An SP that is NaN is replaced by the
    lowest setpoint allowed, since the battery must still be cooled.
    """

    SP = Input(LREAL, "coolant setpoint wanted", unit="°C")
    DEW = Input(LREAL, "dew point of the air inside", unit="°C")
    T_SURFACE = Input(LREAL, "coldest surface, or the coolant supply", unit="°C")
    MARGIN = Input(LREAL, "the setpoint stays so far above the dew point", unit="K", default=2.0, min=0)
    NEAR = Input(LREAL, "distance of the surface that alarms", unit="K", default=0.5, min=0)
    DELAY = Input(TIME, "how long the surface must be so cold", default=10_000_000_000, min=0)
    SP_BLIND = Input(LREAL, "lowest setpoint while the dew point is unknown", unit="°C", default=25.0)
    OUT = Output(LREAL, "coolant setpoint", unit="°C")
    LIMITED = Output(BOOL, "OUT is not SP")
    ALARM = Output(BOOL, "condensation threatens, or nobody knows")
    cold_for = Var(TIME, "how long the surface has been too cold, -1 while it is not", default=-1)

    def step(fb, dt):
        lowest = fb.DEW + fb.MARGIN if is_finite(fb.DEW + fb.MARGIN) else fb.SP_BLIND
        fb.OUT = max(fb.SP, lowest) if is_finite(fb.SP) else lowest
        fb.LIMITED = fb.OUT != fb.SP
        cold = not fb.T_SURFACE > fb.DEW + fb.NEAR
        fb.cold_for = lasted(cold, fb.cold_for, dt, fb.DELAY)
        fb.ALARM = cold and fb.cold_for >= fb.DELAY

    example = Example(
        DELAY="10s",
        dt="10s",
        table="""
        SP DEW T_SURFACE | OUT LIMITED ALARM
        18 10  18        | 18  0       0
        18 17  18        | 19  1       0      # the margin of 2 K
        18 18  18.2      | 20  1       0
        18 18  18.2      | 20  1       1      # too near for 10 s
        18 10  18        | 18  0       0
        18 nan 18        | 25  1       0      # nobody knows the dew point
        18 nan 18        | 25  1       1
    """,
    )
