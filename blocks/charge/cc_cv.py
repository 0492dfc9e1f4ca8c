"""Charging with constant current, then with constant voltage."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, is_nan, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

PHASES = ("idle", "constant current", "constant voltage", "waiting for balancing", "full", "bad input")
REASONS = (
    "nothing: it is full",
    "charging is not enabled",
    "cell voltage below the end voltage",
    "current limited from outside",
    "current above the end current",
    "end current not held long enough",
    "cells not balanced",
    "bad input",
    "full, but balancing took too long",
)
IDLE = 0
CURRENT = 1
VOLTAGE = 2
WAITING = 3
FULL = 4
BAD = 5
FREE = -math.inf
HOURS_4 = 14_400_000_000_000
SECONDS_10 = 10_000_000_000
SECONDS_30 = 30_000_000_000


@block(source="CC/CV charging of LFP cells, 3.65 V at most, 0.05 C; PI with back-calculation: Astrom & Hagglund, Advanced PID, 3.5")
class CC_CV:
    """Charges to the end: constant current until the highest cell stands at V_CV, then constant voltage until the current has died.

    The current is the smaller of RATE * CAPACITY (cut by I_MIN) and what a PI on V_CV - V_CELL asks for; its integral follows the
    current that flows, so hours of constant current wind nothing up. The end is END_RATE * CAPACITY or less for END_TIME, at the
    end voltage and by the PI's own will: a current that somebody else limits is no sign of a full battery. Then it waits, at no
    more than the end current, for BALANCED, but no longer than WAIT_MAX. WHY says what the end waits for ("stuck at 99 %"). Full
    stays full, also while EN comes and goes, until V_CELL has been below V_RECHARGE for T_RECHARGE. A NaN on any input, or a cell
    below V_LEAST, is a current of 0; the integral then starts at 0 again, but FULL and the waiting are not forgotten.

    V_CV is 3.55 V: the maker's 3.65 V is the ceiling, not the goal, and CHARGE_WINDOW stops at 3.6 V. A CHARGE_LIMITER in series
    needs its V_FULL above V_CV (3.6 V for 3.55 V), else the current dies before the end voltage. The loop is stable while KP *
    CAPACITY * R, R being the resistance of the cell, stays below 1: at 280 Ah and the default KP that is R < 7 mOhm. It
    starts softly: the full current comes after some TI.
    """

    EN = Input(BOOL, "charging is wanted")
    V_CELL = Input(LREAL, "voltage of the highest cell", unit="V")
    I = Input(LREAL, "battery current, charging is negative", unit="A")  # noqa: E741 - the letter of the trade
    CAPACITY = Input(LREAL, "capacity; 0 or less is a current of 0", unit="Ah", min=0)
    RATE = Input(LREAL, "rate of the constant current", unit="1/h", default=0.5, min=0)
    I_MIN = Input(LREAL, "charging current that limits allow, as a negative number", unit="A", default=FREE)
    V_CV = Input(LREAL, "cell voltage that is held", unit="V", default=3.55)
    V_BAND = Input(LREAL, "how far below V_CV the end voltage counts as reached", unit="V", default=0.01, min=0)
    END_RATE = Input(LREAL, "rate at which charging ends", unit="1/h", default=0.05, min=0)
    END_TIME = Input(TIME, "how long the current must have stayed there", default=SECONDS_30, min=0)
    BALANCED = Input(BOOL, "the cells are balanced", default=True)
    WAIT_MAX = Input(TIME, "longest wait for balancing", default=HOURS_4, min=0)
    V_RECHARGE = Input(LREAL, "cell voltage below which a full battery is charged again", unit="V", default=3.3)
    T_RECHARGE = Input(TIME, "how long it must have been below", default=SECONDS_10, min=0)
    V_LEAST = Input(LREAL, "a cell below this is dead or a broken wire: no charging", unit="V", default=1.5)
    KP = Input(LREAL, "gain of the PI: rate in 1/h per volt; below 1/(CAPACITY R), R in ohm of a cold old cell", default=0.5, min=0)
    TI = Input(LREAL, "integral time of the PI", unit="s", default=0.5, min=0.001)
    I_SET = Output(LREAL, "current asked for, charging is negative", unit="A", max=0)
    PHASE = Output(DINT, "where the charge is", min=0, max=5, names=PHASES)
    WHY = Output(DINT, "what the end of the charge waits for", min=0, max=8, names=REASONS, default=1)
    FULL = Output(BOOL, "charged to the end")
    HELD = Output(TIME, "how long the end current has been held", min=0)
    WAITED = Output(TIME, "how long balancing has been waited for", min=0)
    integral = Var(LREAL, "integral part of the current", unit="A")
    push = Var(LREAL, "what the integral moves by in TI", unit="A")
    ending = Var(BOOL, "at the end current one scan ago")
    waits = Var(BOOL, "it waited for balancing when the inputs were last good")
    gave_up = Var(BOOL, "full, but balancing took too long")
    low = Var(BOOL, "below V_RECHARGE one scan ago")
    low_for = Var(TIME, "how long it has been below, held at T_RECHARGE")

    def step(fb, dt):
        sums = fb.V_CELL + fb.I + fb.CAPACITY + fb.RATE + fb.V_CV + fb.V_BAND + fb.END_RATE + fb.V_RECHARGE + fb.KP + fb.TI
        known = is_finite(sums) and not is_nan(fb.I_MIN) and fb.V_CELL >= fb.V_LEAST
        low = known and fb.V_CELL < fb.V_RECHARGE
        fb.low_for = min(fb.low_for + dt, max(fb.T_RECHARGE, 0)) if low and fb.low else 0
        fb.low = low
        emptied = low and fb.low_for >= fb.T_RECHARGE
        fb.FULL = fb.FULL and not emptied
        charging = known and fb.EN and not fb.FULL
        waiting = charging and fb.waits and not emptied
        capacity = max(fb.CAPACITY, 0.0)
        end = fb.END_RATE * capacity
        ceiling = max(min(0.0 - fb.I_MIN, fb.RATE * capacity), 0.0)
        ceiling = min(end, ceiling) if waiting else ceiling
        error = fb.KP * capacity * (fb.V_CV - fb.V_CELL)
        integral = fb.integral + fb.push * (min(seconds(dt) / fb.TI, 1.0) if fb.TI > 0.0 else 0.0)
        asked = error + integral
        current = clamp(0.0, asked, ceiling) if charging else 0.0
        fb.integral = integral if charging else 0.0
        fb.push = error + current - asked if charging else 0.0
        reached = fb.V_CELL >= fb.V_CV - fb.V_BAND
        holding = charging and asked < ceiling and (reached or fb.PHASE == VOLTAGE)
        small = current <= end and 0.0 - fb.I <= end
        ending = holding and reached and small and capacity > 0.0
        fb.HELD = min(fb.HELD + dt, max(fb.END_TIME, 0)) if ending and fb.ending else 0
        fb.ending = ending
        fb.WAITED = fb.WAITED + dt if waiting else (0 if known else fb.WAITED)
        tapered = waiting or (ending and fb.HELD >= fb.END_TIME)
        late = fb.WAITED >= fb.WAIT_MAX
        gave_up = tapered and late and not fb.BALANCED
        fb.FULL = fb.FULL or (tapered and (fb.BALANCED or late))
        fb.gave_up = fb.FULL and (fb.gave_up or gave_up)
        fb.waits = tapered and not fb.FULL if known else fb.waits
        phase = WAITING if tapered else (VOLTAGE if holding else CURRENT)
        phase = phase if fb.EN else IDLE
        phase = FULL if fb.FULL else phase
        why = 6 if tapered else (5 if ending else (4 if reached else 2))
        cut = 0.0 - fb.I_MIN < fb.RATE * capacity
        why = (3 if cut else 2) if not tapered and not asked < ceiling else why
        why = why if fb.EN else 1
        why = (8 if fb.gave_up else 0) if fb.FULL else why
        fb.PHASE = phase if known else BAD
        fb.WHY = why if known else 7
        fb.I_SET = 0.0 - current if charging and not fb.FULL else 0.0

    example = Example(
        CAPACITY=280.0,
        V_CV=3.65,
        KP=2.0,
        TI=1e6,  # the integral stands still, so that each current is easy to follow
        END_TIME="2s",
        T_RECHARGE="1s",
        dt="1s",
        table="""
        EN V_CELL I    BALANCED | I_SET PHASE WHY FULL
        0  3.20   0    0        | 0     0     1   0
        1  3.20   0    0        | -140  1     2   0      # 0.5 C of 280 Ah
        1  3.45   -140 0        | ~-112.0 1     2   0      # 2 1/h per volt below 3.65 V
        1  3.6425 -112 0        | ~-4.2 2     4   0      # at the end voltage, the current follows
        1  3.6425 -4.2 0        | ~-4.2 2     5   0      # below 0.05 C = 14 A
        1  3.6425 -4.2 0        | ~-4.2 2     5   0
        1  3.6425 -4.2 0        | ~-4.2 3     6   0      # held for 2 s: waiting for balancing
        1  3.6425 -4.2 1        | 0     4     0   1
        0  3.40   0    1        | 0     4     0   1      # full stays full
        1  3.40   0    1        | 0     4     0   1
        1  3.29   0    1        | 0     4     0   1
        1  3.29   0    1        | -140  1     2   0      # below 3.3 V for 1 s: charged again
        1  nan    0    1        | 0     5     7   0
    """,
    )
