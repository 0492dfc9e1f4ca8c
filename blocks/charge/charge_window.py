"""The window of cell voltage and temperature outside which nothing is charged or discharged."""

from __future__ import annotations

from blocks.arithmetic import max
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

CHARGE_REASONS = ("none", "cell voltage", "cell temperature", "bad input")
DISCHARGE_REASONS = ("none", "cell voltage", "bad input")


@block(
    source="EMS guardrails max_charge_voltage, min_discharge_voltage, 45 °C; ERR_MAX_V_EXCEEDED above the electrochemical ceiling"
)
class CHARGE_WINDOW:
    """Says whether the cells may be charged and discharged at all: a hard stop beside the limits that close gently.

    Charging stops when the highest cell reaches MAX_CHARGE_V or the hottest T_CHARGE_MAX, discharging when the lowest cell reaches
    MIN_DISCHARGE_V; each comes back once the value is inside by HYST_V or HYST_T. At the start it must be inside by that much.
    ERR_MAX_V_EXCEEDED is true while the highest cell stands above V_CEILING or its voltage is not a number. A NaN on a value
    or on its limit stops.
    """

    V_HIGH = Input(LREAL, "voltage of the highest cell", unit="V")
    V_LOW = Input(LREAL, "voltage of the lowest cell", unit="V")
    T_HIGH = Input(LREAL, "temperature of the hottest cell", unit="°C")
    MAX_CHARGE_V = Input(LREAL, "charging stops here", unit="V", default=3.6)
    MIN_DISCHARGE_V = Input(LREAL, "discharging stops here", unit="V", default=2.8)
    T_CHARGE_MAX = Input(LREAL, "charging stops here", unit="°C", default=45.0)
    V_CEILING = Input(LREAL, "no cell may ever stand above this", unit="V", default=3.65)
    HYST_V = Input(LREAL, "how far a voltage must come back", unit="V", default=0.05, min=0)
    HYST_T = Input(LREAL, "how far the temperature must come back", unit="K", default=2.0, min=0)
    CHARGE_OK = Output(BOOL, "the cells may be charged")
    DISCHARGE_OK = Output(BOOL, "the cells may be discharged")
    ERR_MAX_V_EXCEEDED = Output(BOOL, "a cell stands above its ceiling")
    CHARGE_WHY = Output(DINT, "what stops charging", min=0, max=3, names=CHARGE_REASONS)
    DISCHARGE_WHY = Output(DINT, "what stops discharging", min=0, max=2, names=DISCHARGE_REASONS)
    high_ok = Var(BOOL, "the highest cell is inside")
    heat_ok = Var(BOOL, "the hottest cell is inside")
    low_ok = Var(BOOL, "the lowest cell is inside")

    def step(fb, dt):
        back = max(fb.HYST_V, 0.0)
        fb.high_ok = fb.V_HIGH < fb.MAX_CHARGE_V and (fb.high_ok or fb.V_HIGH <= fb.MAX_CHARGE_V - back)
        fb.low_ok = fb.V_LOW > fb.MIN_DISCHARGE_V and (fb.low_ok or fb.V_LOW >= fb.MIN_DISCHARGE_V + back)
        fb.heat_ok = fb.T_HIGH < fb.T_CHARGE_MAX and (fb.heat_ok or fb.T_HIGH <= fb.T_CHARGE_MAX - max(fb.HYST_T, 0.0))
        fb.ERR_MAX_V_EXCEEDED = not fb.V_HIGH <= fb.V_CEILING
        fb.CHARGE_OK = fb.high_ok and fb.heat_ok and not fb.ERR_MAX_V_EXCEEDED
        fb.DISCHARGE_OK = fb.low_ok
        charge_known = fb.V_HIGH == fb.V_HIGH and fb.T_HIGH == fb.T_HIGH
        charge_why = 1 if not fb.high_ok or fb.ERR_MAX_V_EXCEEDED else 2
        fb.CHARGE_WHY = 0 if fb.CHARGE_OK else (charge_why if charge_known else 3)
        fb.DISCHARGE_WHY = 0 if fb.low_ok else (1 if fb.V_LOW == fb.V_LOW else 2)

    example = Example(
        V_LOW=3.2,
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
