"""Energy that is kept for a backup."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(source="OpenEMS, limit total discharge and emergency capacity reserve: a floor with hysteresis on the state of charge")
class SOC_RESERVE:
    """Keeps a part of the battery for a backup: closes the discharge limit at RESERVE and opens it again GAP above.

    While BACKUP is true (the grid is lost) the reserve is what it was kept for, and FLOOR counts instead. The first scan is
    closed below RESERVE + GAP. It opens above 99.5 % at the latest, where RESERVE itself is below that: a full battery must not
    stay closed for a GAP that is too wide. A SOC that is no number closes the limit while it is, and so does a limit that is none;
    inside the gap what held before holds again, or one lost value would end a backup.
    """

    SOC = Input(LREAL, "state of charge", unit="%")
    LIMIT = Input(LREAL, "discharge limit of the battery", unit="kW", min=0)
    RESERVE = Input(LREAL, "state of charge that is kept", unit="%", min=0, max=100)
    GAP = Input(LREAL, "opens again this far above", unit="%", default=3.0, min=0, max=100)
    BACKUP = Input(BOOL, "true: the grid is lost, the reserve may be used", default=False)
    FLOOR = Input(LREAL, "state of charge at which a backup ends", unit="%", default=0.0, min=0, max=100)
    P_MAX = Output(LREAL, "highest power allowed", unit="kW", min=0)
    CLOSED = Output(BOOL, "discharging is closed to keep the reserve")
    open = Var(BOOL, "the last SOC that was a number allowed discharging")

    def step(fb, dt):
        kept = fb.FLOOR if fb.BACKUP else fb.RESERVE
        known = is_finite(fb.SOC + kept + fb.GAP)
        opening = min(kept + max(fb.GAP, 0.0), max(kept, 99.5))
        if known:
            fb.open = fb.SOC > kept if fb.open else fb.SOC > opening
        fb.CLOSED = not (fb.open and known)
        fb.P_MAX = 0.0 if fb.CLOSED or not is_finite(fb.LIMIT) else max(fb.LIMIT, 0.0)

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
