"""The PID controller."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, seconds
from blocks.declare import BOOL, LREAL, Input, Output, Var, block


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), 2.3 and 3.5; Computer-Controlled Systems (1997), listing 8.1")
class PID:
    """PID controller: drives PV to SP by OUT, held between OUT_MIN and OUT_MAX.

    OUT = KP * (SP - PV + integral of (SP - PV)/TI - TD * slope of PV) + FF. The derivative acts on PV only, through a first-order
    filter of TD/N. Anti-windup is back-calculation with a tracking time of TI, the classic automatic reset, so the integral also
    follows limits that move. In manual the integral follows OUT, so the change to automatic has no bump. A dead input (NaN)
    freezes the integral and holds OUT inside the limits; nothing that was broken is remembered. dt is the true time since the last scan.
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
    HELD = Output(BOOL, "an input is not a number or the limits cross: OUT is held")
    integral = Var(LREAL, "integral part of OUT", unit="{OUT_MAX}")
    slope = Var(LREAL, "filtered slope of PV per second", unit="{SP}/s")
    pv_was = Var(LREAL, "PV one scan ago", unit="{SP}")
    started = Var(BOOL, "pv_was holds a measured value")

    def step(fb, dt):
        h = seconds(dt)
        filtering = max(fb.N, 1.0)
        slope = (fb.TD * fb.slope + filtering * (fb.PV - fb.pv_was)) / (fb.TD + filtering * h) if fb.started else 0.0
        direct = fb.KP * (fb.SP - fb.PV - fb.TD * slope) + fb.FF
        wanted = direct + fb.integral if fb.AUTO else fb.MAN
        dead = not is_finite(wanted)
        asked = fb.OUT if dead else wanted
        crossed = not fb.OUT_MIN <= fb.OUT_MAX
        out = fb.OUT if crossed else clamp(fb.OUT_MIN, asked, fb.OUT_MAX)
        share = min(h / fb.TI, 1.0) if fb.TI > 0.0 else 0.0
        integral = fb.integral + (fb.KP * (fb.SP - fb.PV) + out - asked) * share if fb.AUTO else out - direct
        if is_finite(direct) and is_finite(integral) and not crossed:
            fb.integral = 0.0 if fb.TI <= 0.0 else integral
            fb.slope = slope
            fb.pv_was = fb.PV
            fb.started = True
        fb.OUT = out
        fb.LIMITED = out != asked
        fb.HELD = dead or crossed
