"""When cells are full and when they are empty."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, seconds
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

S_PER_H = 3600.0
MOST = 1e9  # Ah
LONGEST = 9_000_000_000_000_000_000


@block(source="foxBMS 2 and common LFP practice: full at the charging voltage once the current has fallen to 0.05C (CC/CV)")
class FULL_EMPTY:
    """Finds that the cells are fully charged or fully discharged, and how long ago they last were.

    FULL: the highest cell is at V_FULL or above while the charging current has fallen to I_FULL (and nothing discharges), for
    HOLD. EMPTY: the lowest cell is at V_EMPTY or below while at most I_EMPTY discharges (and nothing charges), for HOLD: a
    voltage that only sags under load is not empty. FULL falls once BACK has been discharged since (what is charged again in
    between counts back), or V_MAX is below V_NOT_FULL; EMPTY once BACK has been charged, or V_MIN is above V_NOT_EMPTY: a current
    that nobody measured must not leave it standing. Both may hold in a badly unbalanced pack. A NaN changes nothing and restarts
    the waiting. The times since count from the first scan where it never happened: see HAD_FULL.

    The defaults are LFP's and stand inside of what CHARGE_LIMITER and DISCHARGE_LIMITER leave (their limits reach 0 at 3.5 V and
    2.8 V, so these are never reached). A discharge at constant power, not tapered, needs I_EMPTY above its current.
    """

    V_MAX = Input(LREAL, "voltage of the highest cell", unit="V")
    V_MIN = Input(LREAL, "voltage of the lowest cell", unit="V")
    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    V_FULL = Input(LREAL, "voltage of a full cell; a little below the charger's constant voltage", unit="V", default=3.45)
    V_EMPTY = Input(LREAL, "voltage of an empty cell", unit="V", default=2.9)
    I_FULL = Input(LREAL, "current at which charging has ended, as a positive number; 0.05C", unit="A", default=14.0, min=0)
    I_EMPTY = Input(LREAL, "largest discharging current at which V_EMPTY counts; 0.05C", unit="A", default=14.0, min=0)
    BACK = Input(LREAL, "charge whose discharge ends FULL, and whose charge ends EMPTY; 1 %", unit="Ah", default=2.8, min=0)
    HOLD = Input(TIME, "how long what makes it full or empty must hold", min=0, default=30_000_000_000)
    V_NOT_FULL = Input(LREAL, "FULL ends below this voltage, which a full cell never shows", unit="V", default=3.0)
    V_NOT_EMPTY = Input(LREAL, "EMPTY ends above this voltage, which an empty cell never shows", unit="V", default=3.4)
    FULL = Output(BOOL, "fully charged")
    EMPTY = Output(BOOL, "fully discharged")
    SINCE_FULL = Output(TIME, "time since FULL was last true", min=0)
    SINCE_EMPTY = Output(TIME, "time since EMPTY was last true", min=0)
    HAD_FULL = Output(BOOL, "FULL was true at least once")
    HAD_EMPTY = Output(BOOL, "EMPTY was true at least once")
    full_for = Var(TIME, "how long it has looked full")
    empty_for = Var(TIME, "how long it has looked empty")
    full_was = Var(BOOL, "it looked full one scan ago")
    empty_was = Var(BOOL, "it looked empty one scan ago")
    taken = Var(LREAL, "discharged since FULL", unit="Ah")
    given = Var(LREAL, "charged since EMPTY", unit="Ah")

    def step(fb, dt):
        hold = max(fb.HOLD, 0)
        charged = fb.V_MAX >= fb.V_FULL and fb.I <= 0.0 and fb.I >= 0.0 - fb.I_FULL
        drained = fb.V_MIN <= fb.V_EMPTY and fb.I >= 0.0 and fb.I <= fb.I_EMPTY
        fb.full_for = min(fb.full_for + dt, hold) if charged and fb.full_was else 0
        fb.empty_for = min(fb.empty_for + dt, hold) if drained and fb.empty_was else 0
        fb.full_was = charged
        fb.empty_was = drained
        flow = fb.I * seconds(dt) / S_PER_H if is_finite(fb.I) else 0.0
        turns_full = charged and fb.full_for >= hold
        turns_empty = drained and fb.empty_for >= hold
        fb.taken = 0.0 if turns_full else clamp(0.0, fb.taken + flow, MOST)
        fb.given = 0.0 if turns_empty else clamp(0.0, fb.given - flow, MOST)
        fb.FULL = turns_full or (fb.FULL and not (fb.taken > 0.0 and fb.taken >= fb.BACK) and not fb.V_MAX < fb.V_NOT_FULL)
        fb.EMPTY = turns_empty or (fb.EMPTY and not (fb.given > 0.0 and fb.given >= fb.BACK) and not fb.V_MIN > fb.V_NOT_EMPTY)
        fb.HAD_FULL = fb.HAD_FULL or fb.FULL
        fb.HAD_EMPTY = fb.HAD_EMPTY or fb.EMPTY
        fb.SINCE_FULL = 0 if fb.FULL else min(max(fb.SINCE_FULL, 0), LONGEST) + dt
        fb.SINCE_EMPTY = 0 if fb.EMPTY else min(max(fb.SINCE_EMPTY, 0), LONGEST) + dt

    example = Example(
        V_MIN=3.3,
        HOLD="30s",
        BACK=1.0,
        dt="10s",
        table="""
        V_MAX I    | FULL HAD_FULL SINCE_FULL
        3.5   -140 | 0    0        10s
        3.65  -140 | 0    0        20s      # constant current
        3.65  -14  | 0    0        30s      # constant voltage, and the current has fallen to 0.05C
        3.65  -10  | 0    0        40s
        3.65  -9   | 0    0        50s
        3.65  -8   | 1    1        0s
        3.40  0    | 1    1        0s       # relaxes, but nothing was taken
        3.30  140  | 1    1        0s
        3.30  140  | 1    1        0s       # 0.78 Ah
        3.30  140  | 0    1        10s      # 1.17 Ah
        3.30  140  | 0    1        20s
    """,
    )
