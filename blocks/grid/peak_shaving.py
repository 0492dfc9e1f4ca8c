"""The shaving of peaks at the grid connection."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min, seconds
from blocks.declare import DINT, LREAL, Example, Input, Output, Var, block
from blocks.grid.laws import held_integral

STATES = ("idle", "shaving import", "limiting export", "recovering", "bad input")


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), PI with a limited integral; practice: OpenEMS peak shaving")
class PEAK_SHAVING:
    """Keeps the power at the grid connection between -EXPORT_LIMIT and IMPORT_LIMIT, and the battery at rest while it is.

    P_GRID is the meter: import is positive. A PI controller drives P_GRID to what it would be with the battery at its rest power,
    held within the two limits: beyond a limit the battery discharges or charges as much as needed, inside it returns to rest.
    Rest is 0, or charging with P_RECOVERY below SOC_TARGET (linear over the last 2 %), so recovery can never make a new peak. The
    integral is held within P_MIN .. P_MAX, so it does not wind up while the battery is too small; SHORT says by how much it is.
    KP and TI suit a meter and converter of up to 1 s together. An input that is no finite number sets P to 0 and is forgotten; a
    battery limit that is none is closed.
    """

    P_GRID = Input(LREAL, "power at the meter, import is positive", unit="kW")
    P_BATTERY = Input(LREAL, "measured power of the battery, discharging is positive", unit="kW")
    IMPORT_LIMIT = Input(LREAL, "highest import", unit="kW", min=0)
    EXPORT_LIMIT = Input(LREAL, "highest export, as a positive number", unit="kW", default=1e9, min=0)
    P_MIN = Input(LREAL, "lowest power of the battery, charging being negative", unit="kW", max=0)
    P_MAX = Input(LREAL, "highest power of the battery", unit="kW", min=0)
    SOC = Input(LREAL, "state of charge, for the recovery", unit="%", default=100.0)
    SOC_TARGET = Input(LREAL, "below this it recovers while there is room", unit="%", default=0.0, min=0, max=100)
    P_RECOVERY = Input(LREAL, "charging power of the recovery, as a positive number", unit="kW", default=0.0, min=0)
    KP = Input(LREAL, "proportional gain", default=0.5, min=0, max=10)
    TI = Input(LREAL, "integral time", unit="s", default=1.0, min=0.001)
    P = Output(LREAL, "power setpoint of the battery, discharging is positive", unit="kW")
    STATE = Output(DINT, "what it does", min=0, max=4, names=STATES)
    SHORT = Output(LREAL, "import or export beyond its limit now", unit="kW", min=0)
    integral = Var(LREAL, "integral part of P", unit="kW")

    def step(fb, dt):
        low = min(fb.P_MIN, 0.0)
        high = max(fb.P_MAX, 0.0)
        rest = 0.0 - max(fb.P_RECOVERY, 0.0) * clamp(0.0, (fb.SOC_TARGET - fb.SOC) * 0.5, 1.0)
        import_limit = max(fb.IMPORT_LIMIT, 0.0)
        export_limit = max(fb.EXPORT_LIMIT, 0.0)
        at_rest = fb.P_GRID + fb.P_BATTERY - rest
        error = fb.P_GRID - clamp(0.0 - export_limit, at_rest, import_limit)
        measured = fb.P_GRID + fb.P_BATTERY + fb.IMPORT_LIMIT + fb.EXPORT_LIMIT + fb.SOC
        bad = not is_finite(measured + rest + low + high + fb.KP * error + fb.TI)
        fb.integral = 0.0 if bad else held_integral(fb.integral, error, fb.KP, max(fb.TI, 0.001), seconds(dt), low, high)
        fb.P = 0.0 if bad else clamp(low, fb.KP * error + fb.integral, high)
        fb.SHORT = 0.0 if bad else max(max(fb.P_GRID - import_limit, 0.0 - export_limit - fb.P_GRID), 0.0)
        is_moving = abs(fb.P) > 0.001
        fb.STATE = 4 if bad else (1 if at_rest > import_limit else (2 if at_rest < 0.0 - export_limit else (3 if is_moving else 0)))

    example = Example(
        P_MIN=-100.0,
        P_MAX=100.0,
        IMPORT_LIMIT="500kW",
        KP=0.5,
        TI=1.0,
        dt="1s",
        table="""
        P_GRID P_BATTERY | P   STATE SHORT
        400    0         | 0   0     0
        560    0         | 60  1     60     # half of 60 kW at once, the other half in the first second
        500    60        | 30  1     0      # the integral keeps what the error has left
        530    30        | 60  1     30
        900    60        | 100 1     400    # too small for that
        nan    100       | 0   4     0
    """,
    )
