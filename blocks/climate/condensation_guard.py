"""The guard against condensation on cold plates."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min
from blocks.control.laws import lasted
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

BLIND = 25.0
WARMEST = 40.0


@block(source="ASHRAE TC 9.9, liquid cooling: coolant supply kept above the dew point by a margin")
class CONDENSATION_GUARD:
    """Keeps the coolant warmer than the dew point: OUT is SP, but never below DEW + MARGIN, and never above SP_MAX.

    ALARM tells that the coldest surface is at DEW + NEAR or below for DELAY: water is about to stand on live parts. A dew point
    that is not finite keeps OUT at SP_BLIND at least, a MARGIN that is not finite at the higher one of SP_BLIND and DEW. An SP that
    is NaN is replaced by the lowest setpoint allowed, since the battery must still be cooled. Where air so moist, or a broken dew
    point sensor, asks for more than SP_MAX, the battery goes first: OUT is SP_MAX, and ALARM says that the air must be dried. Any
    input that is not finite alarms after DELAY, too; SP_BLIND counts as 25 °C then, SP_MAX as 40 °C.
    """

    SP = Input(LREAL, "coolant setpoint wanted", unit="°C")
    DEW = Input(LREAL, "dew point of the air inside", unit="°C")
    T_SURFACE = Input(LREAL, "coldest surface, or the coolant supply", unit="°C")
    MARGIN = Input(LREAL, "the setpoint stays so far above the dew point", unit="K", default=2.0, min=0)
    NEAR = Input(LREAL, "distance of the surface that alarms", unit="K", default=0.5, min=0)
    DELAY = Input(TIME, "how long the surface must be so cold", default=10_000_000_000, min=0)
    SP_BLIND = Input(LREAL, "lowest setpoint while the dew point is unknown", unit="°C", default=BLIND)
    SP_MAX = Input(LREAL, "highest setpoint at which the battery is still cooled", unit="°C", default=WARMEST)
    OUT = Output(LREAL, "coolant setpoint", unit="°C")
    LIMITED = Output(BOOL, "OUT is not SP")
    ALARM = Output(BOOL, "condensation threatens, or nobody knows")
    wrong_for = Var(TIME, "how long ALARM's cause has lasted, -1 while there is none", default=-1, volatile=True)

    def step(fb, dt):
        blind = fb.SP_BLIND if is_finite(fb.SP_BLIND) else BLIND
        highest = fb.SP_MAX if is_finite(fb.SP_MAX) else WARMEST
        dark = max(blind, fb.DEW) if is_finite(fb.DEW) else blind
        lowest = fb.DEW + fb.MARGIN if is_finite(fb.DEW + fb.MARGIN) else dark
        fb.OUT = min(max(fb.SP, lowest) if is_finite(fb.SP) else lowest, highest)
        fb.LIMITED = fb.OUT != fb.SP
        known = is_finite(fb.SP + fb.DEW + fb.T_SURFACE + fb.MARGIN + fb.NEAR + fb.SP_BLIND + fb.SP_MAX)
        wrong = not fb.T_SURFACE > fb.DEW + fb.NEAR or not known or lowest > highest
        fb.wrong_for = lasted(wrong, fb.wrong_for, dt, fb.DELAY)
        fb.ALARM = wrong and fb.wrong_for >= fb.DELAY

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
        18 60  70        | 40  1       1      # the battery goes first
    """,
    )
