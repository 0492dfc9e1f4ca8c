"""The use of one's own power."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min, seconds
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block
from blocks.grid.laws import held_integral


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), PI with a limited integral; practice: OpenEMS balancing")
class SELF_CONSUMPTION:
    """Holds the power at the grid connection at SETPOINT: a surplus charges the battery, a need is taken from it.

    P_GRID is the meter: import is positive. P = PI of (P_GRID - SETPOINT), held within P_MIN .. P_MAX; the integral is held
    there, too, so it does not wind up while the battery is full, empty or too small. A difference within DEADBAND counts as none,
    so that meter noise does not make the battery work. Wire P_MAX from SOC_RESERVE.P_MAX to keep energy for a backup. SLEEP
    allows the converter to rest after P has stayed within DEADBAND of 0 for SLEEP_AFTER, and ends as soon as there is something
    to do. A meter that is no finite number sets P to 0 and lets nothing sleep; a battery limit that is none is closed.
    """

    P_GRID = Input(LREAL, "power at the meter, import is positive", unit="kW")
    SETPOINT = Input(LREAL, "wanted power at the meter; a little import avoids export by mistake", unit="kW", default=0.0)
    P_MIN = Input(LREAL, "lowest power of the battery, charging being negative", unit="kW", max=0)
    P_MAX = Input(LREAL, "highest power of the battery", unit="kW", min=0)
    DEADBAND = Input(LREAL, "difference without an answer, to either side", unit="kW", default=0.0, min=0)
    KP = Input(LREAL, "proportional gain", default=0.5, min=0, max=10)
    TI = Input(LREAL, "integral time", unit="s", default=1.0, min=0.001)
    SLEEP_AFTER = Input(TIME, "time without power before SLEEP", default=300_000_000_000, min=0, max=86_400_000_000_000)
    P = Output(LREAL, "power setpoint of the battery, discharging is positive", unit="kW")
    LIMITED = Output(BOOL, "P stands at a limit of the battery: more is asked for, or just that")
    SLEEP = Output(BOOL, "nothing to do: the converter may rest", volatile=True)
    BAD = Output(BOOL, "an input is no finite number")
    integral = Var(LREAL, "integral part of P", unit="kW", volatile=True)
    idle = Var(TIME, "how long there has been nothing to do", volatile=True)
    was_idle = Var(BOOL, "there was nothing to do one scan ago", volatile=True)

    def step(fb, dt):
        low = min(fb.P_MIN, 0.0)
        high = max(fb.P_MAX, 0.0)
        off = fb.P_GRID - fb.SETPOINT
        band = max(fb.DEADBAND, 0.0)
        error = max(off - band, 0.0) + min(off + band, 0.0)
        wanted = fb.KP * error
        fb.BAD = not is_finite(off + band + low + high + wanted + fb.TI)
        fb.integral = 0.0 if fb.BAD else held_integral(fb.integral, error, fb.KP, max(fb.TI, 0.001), seconds(dt), low, high)
        fb.P = 0.0 if fb.BAD else clamp(low, wanted + fb.integral, high)
        is_at_limit = fb.P != 0.0 and (fb.P <= low or fb.P >= high)
        fb.LIMITED = not fb.BAD and (is_at_limit or fb.P != wanted + fb.integral)
        is_idle = not fb.BAD and abs(fb.P) <= band
        fb.idle = min(fb.idle + dt, fb.SLEEP_AFTER) if is_idle and fb.was_idle else 0
        fb.was_idle = is_idle
        fb.SLEEP = is_idle and fb.idle >= fb.SLEEP_AFTER

    example = Example(
        P_MIN=-100.0,
        P_MAX=100.0,
        SLEEP_AFTER="3s",
        dt="1s",
        table="""
        P_GRID | P    LIMITED SLEEP
        0      | 0    0       0
        0      | 0    0       0
        0      | 0    0       0
        0      | 0    0       1
        -40    | -40  0       0      # export charges: half at once, half in the first second
        0      | -20  0       0
        60     | 40   0       0      # import discharges
        500    | 100  1       0
        -20    | 80   0       0      # leaves the limit at once
        nan    | 0    0       0
    """,
    )
