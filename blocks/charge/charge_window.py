"""The window of cell voltage and temperature outside which nothing is charged or discharged."""

from __future__ import annotations

from blocks.arithmetic import is_finite, is_nan, max
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

CHARGE_REASONS = ("none", "cell voltage", "cell temperature", "bad input", "dead cell")
DISCHARGE_REASONS = ("none", "cell voltage", "bad input", "cell temperature")


@block(
    source="EMS guardrails max_charge_voltage, min_discharge_voltage, 45 °C; ERR_MAX_V_EXCEEDED above the electrochemical ceiling"
)
class CHARGE_WINDOW:
    """Says whether the cells may be charged and discharged at all: a hard stop beside the limits that close gently.

    Charging stops when the highest cell reaches MAX_CHARGE_V, the hottest T_CHARGE_MAX or the coldest T_CHARGE_MIN; discharging
    when the lowest cell reaches MIN_DISCHARGE_V, the hottest T_DISCHARGE_MAX or the coldest T_DISCHARGE_MIN. Each comes back once
    the value is inside by HYST_V or HYST_T. At the start it must be inside by that much. A lowest cell below V_LEAST is dead, or a
    broken wire: it is not charged. ERR_MAX_V_EXCEEDED is true while the highest cell stands above V_CEILING or its voltage is not
    a number. A value that is not a finite number stops what it is for, and so does a limit that is NaN.
    """

    V_HIGH = Input(LREAL, "voltage of the highest cell", unit="V")
    V_LOW = Input(LREAL, "voltage of the lowest cell", unit="V")
    T_HIGH = Input(LREAL, "temperature of the hottest cell", unit="°C")
    T_LOW = Input(LREAL, "temperature of the coldest cell", unit="°C")
    MAX_CHARGE_V = Input(LREAL, "charging stops here", unit="V", default=3.6)
    MIN_DISCHARGE_V = Input(LREAL, "discharging stops here", unit="V", default=2.8)
    T_CHARGE_MAX = Input(LREAL, "charging stops here", unit="°C", default=45.0)
    T_CHARGE_MIN = Input(LREAL, "charging stops here", unit="°C", default=0.0)
    T_DISCHARGE_MAX = Input(LREAL, "discharging stops here", unit="°C", default=55.0)
    T_DISCHARGE_MIN = Input(LREAL, "discharging stops here", unit="°C", default=-20.0)
    V_CEILING = Input(LREAL, "no cell may ever stand above this", unit="V", default=3.65)
    V_LEAST = Input(LREAL, "a cell below this is dead or a broken wire: no charging", unit="V", default=1.5)
    HYST_V = Input(LREAL, "how far a voltage must come back", unit="V", default=0.05, min=0)
    HYST_T = Input(LREAL, "how far the temperature must come back", unit="K", default=2.0, min=0)
    CHARGE_OK = Output(BOOL, "the cells may be charged")
    DISCHARGE_OK = Output(BOOL, "the cells may be discharged")
    ERR_MAX_V_EXCEEDED = Output(BOOL, "a cell stands above its ceiling")
    CHARGE_WHY = Output(DINT, "what stops charging", min=0, max=4, names=CHARGE_REASONS)
    DISCHARGE_WHY = Output(DINT, "what stops discharging", min=0, max=3, names=DISCHARGE_REASONS)
    high_ok = Var(BOOL, "the highest cell is inside")
    low_ok = Var(BOOL, "the lowest cell is inside")
    charge_heat_ok = Var(BOOL, "the temperatures are inside those of charging")
    discharge_heat_ok = Var(BOOL, "the temperatures are inside those of discharging")

    def step(fb, dt):
        back = max(fb.HYST_V, 0.0)
        cooler = max(fb.HYST_T, 0.0)
        felt = is_finite(fb.T_HIGH + fb.T_LOW)
        fb.high_ok = is_finite(fb.V_HIGH) and fb.V_HIGH < fb.MAX_CHARGE_V and (fb.high_ok or fb.V_HIGH <= fb.MAX_CHARGE_V - back)
        fb.low_ok = is_finite(fb.V_LOW) and fb.V_LOW > fb.MIN_DISCHARGE_V and (fb.low_ok or fb.V_LOW >= fb.MIN_DISCHARGE_V + back)
        span = cooler if not fb.charge_heat_ok else 0.0
        inside = fb.T_HIGH <= fb.T_CHARGE_MAX - span and fb.T_LOW >= fb.T_CHARGE_MIN + span
        fb.charge_heat_ok = felt and inside and fb.T_HIGH < fb.T_CHARGE_MAX and fb.T_LOW > fb.T_CHARGE_MIN
        span = cooler if not fb.discharge_heat_ok else 0.0
        inside = fb.T_HIGH <= fb.T_DISCHARGE_MAX - span and fb.T_LOW >= fb.T_DISCHARGE_MIN + span
        fb.discharge_heat_ok = felt and inside and fb.T_HIGH < fb.T_DISCHARGE_MAX and fb.T_LOW > fb.T_DISCHARGE_MIN
        fb.ERR_MAX_V_EXCEEDED = not (fb.V_HIGH <= fb.V_CEILING and is_finite(fb.V_HIGH))
        alive = is_finite(fb.V_LOW) and fb.V_LOW >= fb.V_LEAST
        fb.CHARGE_OK = fb.high_ok and fb.charge_heat_ok and alive and not fb.ERR_MAX_V_EXCEEDED
        fb.DISCHARGE_OK = fb.low_ok and fb.discharge_heat_ok
        blind = is_nan(fb.MAX_CHARGE_V) or is_nan(fb.T_CHARGE_MAX) or is_nan(fb.T_CHARGE_MIN) or is_nan(fb.V_CEILING)
        known = felt and is_finite(fb.V_HIGH + fb.V_LOW) and not blind and not is_nan(fb.V_LEAST)
        why = 4 if not alive else (1 if not fb.high_ok or fb.ERR_MAX_V_EXCEEDED else 2)
        fb.CHARGE_WHY = 0 if fb.CHARGE_OK else (why if known else 3)
        blind = is_nan(fb.MIN_DISCHARGE_V) or is_nan(fb.T_DISCHARGE_MAX) or is_nan(fb.T_DISCHARGE_MIN)
        known = felt and is_finite(fb.V_LOW) and not blind
        fb.DISCHARGE_WHY = 0 if fb.DISCHARGE_OK else ((3 if fb.low_ok else 1) if known else 2)

    example = Example(
        V_LOW=3.2,
        T_LOW=25.0,
        table="""
        V_HIGH T_HIGH | CHARGE_OK CHARGE_WHY DISCHARGE_OK ERR_MAX_V_EXCEEDED
        3.50   30     | 1         0          1            0
        3.58   30     | 1         0          1            0
        3.60   30     | 0         1          1            0     # max_charge_voltage
        3.58   30     | 0         1          1            0     # not back far enough
        3.66   30     | 0         1          1            1
        3.55   30     | 1         0          1            0
        3.50   45     | 0         2          1            0
        3.50   44     | 0         2          1            0
        3.50   43     | 1         0          1            0
        nan    30     | 0         3          1            1
    """,
    )
