"""Charging to a target."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, is_nan, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

PHASES = ("idle", "ramping", "charging", "limited", "done", "bad input")
FREE = -math.inf


@block(source="EMS charge management, `--ramp 0.5C --target 80 %`: 0.5C is a level, reached at a separate ramp limit")
class CHARGE_TO:
    """Charges at RATE until the state of charge has reached TARGET, then stops and stays stopped.

    The rate rises no faster than RAMP, from 0; a decrease and the stop act at once. Where P_MIN limits the power, the rate follows
    it, so that the ramp starts from there when the limit opens. DONE stays until EN falls or TARGET is raised above the highest
    one that was reached; a state of charge that falls back does not start it anew, nor does a TARGET lowered and raised again.
    Repeating EN or writing the same TARGET again changes nothing. A NaN on any input is no power; DONE is kept.
    """

    EN = Input(BOOL, "charging is wanted")
    SOC = Input(LREAL, "state of charge", unit="%")
    ENERGY = Input(LREAL, "energy of the battery; 0 or less is no power", unit="kWh", min=0)
    TARGET = Input(LREAL, "state of charge at which it stops", unit="%", default=80.0, min=0, max=100)
    RATE = Input(LREAL, "charging rate", unit="1/h", default=0.5, min=0)
    RAMP = Input(LREAL, "fastest increase of the rate, per second", unit="1/h/s", default=0.05, min=0)
    P_MIN = Input(LREAL, "lowest power allowed, charging being negative", unit="kW", default=FREE)
    P_SET = Output(LREAL, "power asked for, charging is negative", unit="kW", max=0)
    RATE_NOW = Output(LREAL, "rate of P_SET", unit="1/h", min=0, volatile=True)
    PHASE = Output(DINT, "where the charge is", min=0, max=5, names=PHASES)
    DONE = Output(BOOL, "the target was reached")
    reached = Var(LREAL, "TARGET when it was reached", unit="%")

    def step(fb, dt):
        known = is_finite(fb.SOC + fb.ENERGY + fb.TARGET + fb.RATE + fb.RAMP) and not is_nan(fb.P_MIN)
        if known:
            fb.DONE = fb.EN and (fb.SOC >= fb.TARGET or (fb.DONE and fb.TARGET <= fb.reached))
            fb.reached = fb.reached if fb.DONE and fb.TARGET < fb.reached else fb.TARGET
        elif not fb.EN:
            fb.DONE = False
        active = known and fb.EN and not fb.DONE
        energy = max(fb.ENERGY, 0.0)
        goal = max(fb.RATE, 0.0) if active else 0.0
        rate = min(fb.RATE_NOW + max(fb.RAMP, 0.0) * seconds(dt), goal) if active else 0.0
        allowed = max(0.0 - fb.P_MIN, 0.0)
        power = min(rate * energy, allowed) if active else 0.0
        limited = rate * energy > power
        phase = 3 if limited else (1 if rate < goal else 2)
        phase = phase if active else (4 if fb.DONE else 0)
        fb.PHASE = phase if known else 5
        fb.RATE_NOW = (power / energy if limited else rate) if energy > 0.0 else 0.0
        fb.P_SET = 0.0 - power

    example = Example(
        ENERGY=200.0,
        TARGET=80.0,
        RATE=0.5,
        RAMP=0.2,
        dt="1s",
        table="""
        EN SOC P_MIN | P_SET RATE_NOW PHASE DONE
        0  60  -inf  | 0     0        0     0
        1  60  -inf  | -40   0.2      1     0      # 0.2 C more each second
        1  60  -inf  | -80   0.4      1     0
        1  60  -inf  | -100  0.5      2     0      # 0.5 C of 200 kWh
        1  79  -30   | -30   0.15     3     0      # a limit acts at once
        1  79  -inf  | -70   0.35     1     0      # and the ramp goes on from there
        1  80  -inf  | 0     0        4     1
        1  78  -inf  | 0     0        4     1      # done is done
        0  78  -inf  | 0     0        0     0
    """,
    )
