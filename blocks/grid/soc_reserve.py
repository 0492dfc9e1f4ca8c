"""Energy that is kept for a backup."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(source="OpenEMS, limit total discharge and emergency capacity reserve: a floor with hysteresis on the state of charge")
class SOC_RESERVE:
    """Keeps a part of the battery for a backup: closes the discharge limit at RESERVE and opens it again GAP above.

    While BACKUP is true (the grid is lost) the reserve is what it was kept for, and FLOOR counts instead. The first scan is
    closed below RESERVE + GAP. A SOC that is no number closes the limit, and so does a limit that is none.
    """

    SOC = Input(LREAL, "state of charge", unit="%")
    LIMIT = Input(LREAL, "discharge limit of the battery", unit="kW", min=0)
    RESERVE = Input(LREAL, "state of charge that is kept", unit="%", min=0, max=100)
    GAP = Input(LREAL, "opens again this far above", unit="%", default=3.0, min=0, max=100)
    BACKUP = Input(BOOL, "true: the grid is lost, the reserve may be used", default=False)
    FLOOR = Input(LREAL, "state of charge at which a backup ends", unit="%", default=0.0, min=0, max=100)
    P_MAX = Output(LREAL, "highest power allowed", unit="kW", min=0)
    CLOSED = Output(BOOL, "discharging is closed to keep the reserve")
    open = Var(BOOL, "discharging was allowed one scan ago")

    def step(fb, dt):
        kept = fb.FLOOR if fb.BACKUP else fb.RESERVE
        known = is_finite(fb.SOC + kept + fb.GAP)
        fb.open = known and (fb.SOC > kept if fb.open else fb.SOC > kept + max(fb.GAP, 0.0))
        fb.CLOSED = not fb.open
        fb.P_MAX = max(fb.LIMIT, 0.0) if fb.open and is_finite(fb.LIMIT) else 0.0

    example = Example(
        LIMIT="100kW",
        RESERVE="30%",
        GAP="3%",
        FLOOR="5%",
        table="""
        SOC  BACKUP | P_MAX CLOSED
        50   0      | 100   0
        30.1 0      | 100   0
        30   0      | 0     1
        32.9 0      | 0     1      # not before 33 %
        33.1 0      | 100   0
        30   0      | 0     1
        30   1      | 100   0      # the grid is lost
        5    1      | 0     1
        nan  1      | 0     1
    """,
    )
