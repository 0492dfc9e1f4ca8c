"""The PID controller."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, is_nan, max, min, seconds
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

NEVER = math.nan


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), 2.3 and 3.5; Computer-Controlled Systems (1997), listing 8.1")
class PID:
    """PID controller: drives PV to SP by OUT, held between OUT_MIN and OUT_MAX.

    OUT = KP * (SP - PV + integral of (SP - PV)/TI - TD * slope of PV) + FF. The derivative acts on PV only, through a first-order
    filter of TD/N. Anti-windup is back-calculation with a tracking time of TI, the classic automatic reset, so the integral also
    follows limits that move; a scan longer than TI counts as TI. In manual the integral follows OUT, so the change to automatic
    has no bump; a TI that becomes 0 takes the integral part away in the next scan, and OUT jumps. A dead input (NaN) freezes the
    integral and holds OUT inside the limits; where manual or a limit moved OUT meanwhile, it carries on from there. Where the
    limits cross OUT_MAX counts. A limit that is NaN leaves OUT to the other one: it moves towards 0 only, and MAN goes through.
    """

    SP = Input(LREAL, "setpoint", unit="{SP}")
    PV = Input(LREAL, "measured value", unit="{SP}")
    KP = Input(LREAL, "proportional gain; negative where more OUT makes PV fall", unit="{OUT_MAX}/{SP}")
    TI = Input(LREAL, "integral time; 0 switches the integral off", unit="s", default=0.0, min=0)
    TD = Input(LREAL, "derivative time; 0 switches the derivative off", unit="s", default=0.0, min=0)
    N = Input(LREAL, "the derivative's filter time is TD/N", default=10.0, min=1)
    FF = Input(LREAL, "feed-forward, added to OUT", unit="{OUT_MAX}", default=0.0)
    AUTO = Input(BOOL, "true: the controller decides; false: MAN does", default=True)
    MAN = Input(LREAL, "OUT in manual", unit="{OUT_MAX}", default=0.0)
    OUT_MIN = Input(LREAL, "lowest OUT", unit="{OUT_MAX}")
    OUT_MAX = Input(LREAL, "highest OUT", unit="{OUT_MAX}")
    OUT = Output(LREAL, "what drives the process", unit="{OUT_MAX}")
    LIMITED = Output(BOOL, "OUT stands at a limit")
    HELD = Output(BOOL, "an input is not a number, so OUT is held, or the limits cross")
    integral = Var(LREAL, "integral part of OUT; NaN where it starts anew from OUT", unit="{OUT_MAX}")
    push = Var(LREAL, "what the integral moves by in TI: the error's part less what went beyond a limit", unit="{OUT_MAX}")
    lagged = Var(LREAL, "PV behind the derivative's filter; NaN while there is none", unit="{SP}", default=NEVER)

    def step(fb, dt):
        h = seconds(dt)
        filtering = max(fb.N, 1.0)
        ahead = (fb.PV - fb.lagged) * (fb.TD / (fb.TD + filtering * h)) if is_finite(fb.lagged) else 0.0
        direct = fb.KP * (fb.SP - fb.PV - filtering * ahead) + fb.FF
        integral = fb.integral + fb.push * (min(h / fb.TI, 1.0) if fb.TI > 0.0 else 0.0)
        integral = (0.0 if fb.TI <= 0.0 else fb.OUT - direct) if is_nan(integral) else integral
        wanted = direct + integral if fb.AUTO else fb.MAN
        dead = not is_finite(wanted)
        room = fb.OUT_MAX - fb.OUT_MIN
        asked = fb.OUT if dead else wanted
        careful = min(max(fb.OUT, 0.0), max(min(fb.OUT, 0.0), asked))
        out = min(fb.OUT_MAX, max(fb.OUT_MIN, careful if is_nan(room) and fb.AUTO else asked))  # passes over a NaN
        out = out if is_finite(out) else fb.OUT  # infinite limits of the wrong sign
        push = fb.KP * (fb.SP - fb.PV) + out - asked if fb.AUTO else 0.0
        kept = integral if fb.AUTO else out - direct
        alive = is_finite(direct + push + kept + fb.TI)
        frozen = fb.integral if fb.AUTO and (out == fb.OUT or not dead) else NEVER
        fb.integral = (kept if fb.TI > 0.0 else 0.0) if alive else frozen
        fb.push = push if alive else 0.0
        fb.lagged = fb.PV - ahead if alive else fb.PV  # after a gap the slope starts anew
        fb.OUT = out
        fb.LIMITED = out != asked
        fb.HELD = dead or not room >= 0.0

    example = Example(
        KP=2.0,
        TI=1.0,
        SP=10.0,
        OUT_MIN=0.0,
        OUT_MAX=5.0,
        dt="100ms",
        table="""
        x  PV  AUTO MAN | OUT LIMITED HELD
        1  9   1    0   | 2   0       0     # KP times the error
        5  9   1    0   | 3   0       0     # and once more after each TI
        15 9   1    0   | 5   1       0
        1  9   0    4   | 4   0       0     # manual
        1  9   1    0   | 4   0       0     # back without a bump
        1  9   1    0   | 4.2 0       0
        9  nan 1    0   | 4.2 0       1     # the sensor is dead
        1  9   1    0   | 4.2 0       0
    """,
    )
