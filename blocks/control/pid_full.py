"""The PID controller with everything that a process loop may ask for."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, is_nan, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

NEVER = math.nan
BOUNDLESS = math.inf
WAYS = ("back-calculation", "conditional", "none")


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), chapter 3; external reset: Shinskey, Process Control Systems")
class PID_FULL:
    """PID controller with setpoint weights, tracking, external reset, dead zone and rate limit; where none is needed take PID.

    OUT = KP * (B SP - PV + integral of (SP - PV)/TI + TD * slope of (C SP - PV)) + FF, held between OUT_MIN and OUT_MAX. PID_GAINS
    converts parallel or series settings. KP, TI and TD may be wired: the integral takes up what a change would move OUT by (with
    TI = 0 there is none, and OUT jumps). HOLD, TRACK and manual, in this order, take OUT over and give it back without a bump.
    Whatever OUT could not follow (limits, RATE, EXT) counts for the anti-windup. A dead input (NaN) freezes the integral and holds
    OUT inside the limits; where manual, TRACK or a limit moved OUT meanwhile, it carries on from there. A dead RATE holds OUT too;
    a scan longer than TI counts as TI. Where the limits cross OUT_MAX counts. A limit that is NaN leaves OUT to the other one: OUT
    moves towards 0 only, and MAN and TRACK_VALUE go through.
    """

    SP = Input(LREAL, "setpoint", unit="{SP}")
    PV = Input(LREAL, "measured value", unit="{SP}")
    KP = Input(LREAL, "proportional gain", unit="{OUT_MAX}/{SP}")
    TI = Input(LREAL, "integral time; 0 switches the integral off", unit="s", default=0.0, min=0)
    TD = Input(LREAL, "derivative time; 0 switches the derivative off", unit="s", default=0.0, min=0)
    N = Input(LREAL, "the derivative's filter time is TD/N", default=10.0, min=1)
    B = Input(LREAL, "setpoint weight of P: 1 answers a step of SP at once, 0 by the integral only", default=1.0, min=0, max=1)
    C = Input(LREAL, "setpoint weight of D: 0 sees PV only, 1 the error", default=0.0, min=0, max=1)
    REVERSE = Input(BOOL, "more OUT makes PV fall, as cooling does", default=False)
    DEADBAND = Input(
        LREAL, "an error up to this counts as none, a larger one less by it", unit="{SP}", default=0.0, min=0, difference=True
    )
    FF = Input(LREAL, "feed-forward, added to OUT", unit="{OUT_MAX}", default=0.0)
    AUTO = Input(BOOL, "true: the controller decides; false: MAN does", default=True)
    MAN = Input(LREAL, "OUT in manual", unit="{OUT_MAX}", default=0.0)
    TRACK = Input(BOOL, "OUT follows TRACK_VALUE, which somebody else decides", default=False)
    TRACK_VALUE = Input(LREAL, "OUT while TRACK", unit="{OUT_MAX}", default=0.0)
    HOLD = Input(BOOL, "OUT stays where it is", default=False)
    EXT_RESET = Input(BOOL, "the integral follows EXT instead of OUT: for the outer loop of a cascade", default=False)
    EXT = Input(LREAL, "what became of OUT: the measured value of the inner loop", unit="{OUT_MAX}", default=0.0)
    ANTI_WINDUP = Input(DINT, "what the integral does at a limit (EXT_RESET calculates back)", default=0, min=0, max=2, names=WAYS)
    TT = Input(LREAL, "tracking time of the back-calculation; 0 takes TI", unit="s", default=0.0, min=0)
    RATE = Input(
        LREAL, "fastest change of OUT per second, from INIT, not while TRACK; 0: any", unit="{OUT_MAX}/s", default=0.0, min=0
    )
    INIT = Input(LREAL, "integral part at the first scan", unit="{OUT_MAX}", default=0.0)
    OUT_MIN = Input(LREAL, "lowest OUT", unit="{OUT_MAX}")
    OUT_MAX = Input(LREAL, "highest OUT", unit="{OUT_MAX}")
    OUT = Output(LREAL, "what drives the process", unit="{OUT_MAX}")
    LIMITED = Output(BOOL, "a limit or RATE keeps OUT from what it should be")
    HELD = Output(BOOL, "an input is not a number, so OUT or the integral is held, or the limits cross")
    P_PART = Output(LREAL, "proportional part of OUT", unit="{OUT_MAX}")
    I_PART = Output(LREAL, "integral part of OUT", unit="{OUT_MAX}")
    D_PART = Output(LREAL, "derivative part of OUT", unit="{OUT_MAX}")
    push = Var(LREAL, "what the error moves the integral by, per second", unit="{OUT_MAX}/s")
    excess = Var(LREAL, "how far OUT, or EXT, was from what was asked", unit="{OUT_MAX}")
    ahead = Var(LREAL, "C SP - PV one scan ago; NaN while there is none", unit="{SP}", default=NEVER)
    slope = Var(LREAL, "slope of C SP - PV behind its filter", unit="{SP}/s")
    gain = Var(LREAL, "KP one scan ago, with its sign", unit="{OUT_MAX}/{SP}")
    lead = Var(LREAL, "KP times TD one scan ago, with its sign", unit="{OUT_MAX}*s/{SP}")
    started = Var(BOOL, "there was a good scan")
    moved = Var(BOOL, "OUT was moved while an input was dead: the integral starts anew from OUT")

    def step(fb, dt):
        h = seconds(dt)
        gain = 0.0 - fb.KP if fb.REVERSE else fb.KP
        lead = gain * fb.TD
        filtering = max(fb.TD, 0.0) / max(fb.N, 1.0)
        ahead = fb.C * fb.SP - fb.PV
        slope = (fb.slope * filtering + (ahead - fb.ahead)) / (filtering + h) if is_finite(fb.ahead) else ahead * 0.0
        error = fb.SP - fb.PV
        idle = clamp(0.0 - fb.DEADBAND, error, fb.DEADBAND)
        weighted = fb.B * fb.SP - fb.PV - idle
        p = gain * weighted
        d = lead * slope
        here = fb.OUT if fb.started or fb.moved else (fb.INIT if is_finite(fb.INIT) else 0.0)
        # the integral: the error of the scan before, less what OUT could not follow, less what new settings would move OUT by
        span = min(h, fb.TI)
        tracking = fb.TT if fb.TT > 0.0 and not fb.EXT_RESET else fb.TI
        back = fb.excess * min(h / tracking, 1.0) if tracking > 0.0 and (fb.ANTI_WINDUP == 0 or fb.EXT_RESET) else 0.0
        stuck = fb.ANTI_WINDUP == 1 and not fb.EXT_RESET and fb.push * fb.excess < 0.0
        bump = (gain - fb.gain) * weighted + (lead - fb.lead) * slope
        before = fb.I_PART + back - bump + (0.0 if stuck else fb.push * span)
        before = here - p - d - fb.FF if fb.moved else (before if fb.started else fb.INIT)
        integral = before if fb.TI > 0.0 else fb.TI * 0.0  # a dead TI is no TI of 0
        # who decides
        free = fb.AUTO and not fb.TRACK and not fb.HOLD
        taken = here if fb.HOLD else (fb.TRACK_VALUE if fb.TRACK else fb.MAN)
        wanted = p + integral + d + fb.FF if free else taken
        dead = not is_finite(wanted)
        room = fb.OUT_MAX - fb.OUT_MIN
        asked = here if dead else wanted
        careful = min(max(here, 0.0), max(min(here, 0.0), asked)) if is_nan(room) and free else asked
        reach = max(fb.RATE, 0.0) * h if fb.RATE != 0.0 and not fb.TRACK else BOUNDLESS
        out = min(fb.OUT_MAX, max(fb.OUT_MIN, clamp(here - reach, careful, here + reach)))  # passes over a NaN
        out = out if is_finite(out) else here  # infinite limits of the wrong sign
        kept = (integral if free else out - p - d - fb.FF) if fb.TI > 0.0 else 0.0
        push = gain * (error - idle) / fb.TI if fb.TI > 0.0 and free else 0.0
        excess = (fb.EXT if fb.EXT_RESET else out) - asked if free else 0.0
        alive = is_finite(p + d + kept + push + excess + fb.FF + fb.TI)
        if alive:
            fb.P_PART = p
            fb.I_PART = kept
            fb.D_PART = d
            fb.gain = gain
            fb.lead = lead
            fb.started = True
        fb.moved = not alive and (fb.moved or not free or (dead and out != here))
        fb.push = push if alive else 0.0
        fb.excess = excess if alive else 0.0
        fb.slope = slope if alive else 0.0
        fb.ahead = ahead if alive else NEVER  # after a gap the slope starts anew
        fb.OUT = out
        fb.LIMITED = out != asked
        fb.HELD = dead or not room >= 0.0 or (free and not alive)

    example = Example(
        KP=2.0,
        TI=1.0,
        SP=10.0,
        OUT_MIN=0.0,
        OUT_MAX=5.0,
        dt="100ms",
        table="""
        x  PV  HOLD TRACK TRACK_VALUE | OUT LIMITED HELD P_PART I_PART
        1  9   0    0     0           | 2   0       0    2      0
        5  9   0    0     0           | 3   0       0    2      1      # 0.2 a scan
        10 9   0    1     4           | 4   0       0    2      2      # somebody else decides
        1  9   0    0     0           | 4   0       0    2      2      # no bump
        1  9   0    0     0           | 4.2 0       0    2      2.2
        10 9   1    0     0           | 4.2 0       0    2      2.2
        1  9   0    0     0           | 4.2 0       0    2      2.2
        1  nan 0    0     0           | 4.2 0       1    2      2.2    # the sensor is dead
        20 9   0    0     0           | 5   1       0    2      -
    """,
    )
