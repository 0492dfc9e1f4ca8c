"""The shaving of peaks at the grid connection."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min, seconds, settling
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block
from blocks.grid.laws import held_integral

STATES = ("idle", "shaving import", "limiting export", "recovering", "bad input", "returning", "too small")
ALARM_AFTER = 10_000_000_000


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), PI with a limited integral; practice: OpenEMS peak shaving")
class PEAK_SHAVING:
    """Keeps the power at the grid connection between -EXPORT_LIMIT and IMPORT_LIMIT, and the battery at rest while it is.

    P_GRID is the meter: import is positive. Where the site would be beyond a limit with the battery at its rest power (P_GRID +
    P_BATTERY - rest), or is beyond it, a PI controller holds P_GRID at that limit. Inside the limits P returns to rest with the
    lag TI. Rest is 0, or charging with P_RECOVERY below SOC_TARGET (linear over the last 2 %), so recovery can never make a new
    peak. The integral is held within P_MIN .. P_MAX, so it does not wind up while the battery is too small; SHORT says by how much
    it is.

    P_BATTERY only decides what the site would be: stuck, or with a wrong sign, it makes shaving worse, but P still returns to
    rest inside the limits, is never below rest for import and never above it for export. MISMATCH: P_BATTERY has been off P by
    more than a tenth of the larger battery limit (and 1 kW) for 10 s. KP and TI suit a meter and converter of up to 1 s together.

    An input that is no finite number sets P to 0 and is forgotten; a battery limit that is none is closed, a SOC that is none
    only ends the recovery.
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
    STATE = Output(DINT, "what it does", min=0, max=6, names=STATES)
    SHORT = Output(LREAL, "import or export beyond its limit now", unit="kW", min=0)
    MISMATCH = Output(BOOL, "the battery does not do what P says, or P_BATTERY is wrong", volatile=True)
    integral = Var(LREAL, "integral part of P", unit="kW", volatile=True)
    apart = Var(TIME, "how long P_BATTERY has been off P", volatile=True)

    def step(fb, dt):
        low = min(fb.P_MIN, 0.0)
        high = max(fb.P_MAX, 0.0)
        missing = clamp(0.0, (fb.SOC_TARGET - fb.SOC) * 0.5, 1.0) if is_finite(fb.SOC) else 0.0
        rest = clamp(low, 0.0 - max(fb.P_RECOVERY, 0.0) * missing, 0.0)
        import_limit = max(fb.IMPORT_LIMIT, 0.0)
        export_limit = max(fb.EXPORT_LIMIT, 0.0)
        at_rest = fb.P_GRID + fb.P_BATTERY - rest
        is_below = fb.P_GRID < 0.0 - export_limit
        is_import = fb.P_GRID > import_limit or (at_rest > import_limit and not is_below)
        is_export = not is_import and (is_below or at_rest < 0.0 - export_limit)
        error = fb.P_GRID - import_limit if is_import else (fb.P_GRID + export_limit if is_export else 0.0)
        measured = fb.P_GRID + fb.P_BATTERY + fb.IMPORT_LIMIT + fb.EXPORT_LIMIT
        bad = not is_finite(measured + rest + low + high + fb.KP * error + fb.TI)
        reset = max(fb.TI, 0.001)
        least = rest if is_import else low
        most = rest if is_export and at_rest < 0.0 - export_limit else high
        held = held_integral(fb.integral, error, fb.KP, reset, seconds(dt), least, most)
        returned = clamp(low, fb.integral + (rest - fb.integral) * settling(seconds(dt), reset), high)
        if at_rest <= import_limit and at_rest >= 0.0 - export_limit:
            held = max(held, returned) if is_import else (min(held, returned) if is_export else returned)
        fb.integral = 0.0 if bad else held
        is_apart = not bad and abs(fb.P - fb.P_BATTERY) > max(0.1 * max(high, 0.0 - low), 1.0)
        fb.apart = min(fb.apart + dt, ALARM_AFTER) if is_apart else 0
        fb.MISMATCH = fb.apart >= ALARM_AFTER
        fb.P = 0.0 if bad else clamp(least, fb.KP * error + fb.integral, most)
        fb.SHORT = 0.0 if bad else max(max(fb.P_GRID - import_limit, 0.0 - export_limit - fb.P_GRID), 0.0)
        discharges = fb.P > 0.001
        charges = fb.P < -0.001
        state = 0
        if fb.SHORT > 0.0 and ((is_import and fb.P >= high) or (is_export and fb.P <= low)):
            state = 6
        elif is_import and discharges:
            state = 1
        elif is_export and charges:
            state = 2
        elif charges and fb.P >= rest - 0.001:
            state = 3
        elif charges or discharges:
            state = 5
        fb.STATE = 4 if bad else state

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
        900    60        | 100 6     400    # too small for that
        nan    100       | 0   4     0
    """,
    )
