"""Limits in ampere from limits in kilowatt."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min
from blocks.declare import BOOL, LREAL, Example, Input, Output, block

LEAST = 0.001


@block(source="I = P / V, each limit on its own side of zero")
class POWER_TO_CURRENT:
    """Turns power limits into current limits at the present voltage: I_MIN (charging, not above 0), I_MAX (discharging, not below).

    I = 1000 P / V, never beyond I_CHARGE and I_DISCHARGE, the currents that cables and fuses bear. A limit of the wrong sign is 0.
    A limit that is infinite is the rated current. At a voltage below V_LEAST, where a division would allow anything, both are 0. A
    NaN on V or V_LEAST closes both sides, one on a limit or a rated current its own side.
    """

    P_MIN = Input(LREAL, "lowest power, charging being negative", unit="kW")
    P_MAX = Input(LREAL, "highest power, discharging being positive", unit="kW")
    V = Input(LREAL, "voltage of the battery", unit="V")
    V_LEAST = Input(LREAL, "below this voltage nothing is allowed", unit="V", default=50.0, min=0.001)
    I_CHARGE = Input(LREAL, "rated charging current, as a positive number", unit="A", min=0)
    I_DISCHARGE = Input(LREAL, "rated discharging current", unit="A", min=0)
    I_MIN = Output(LREAL, "lowest current, charging being negative", unit="A", max=0)
    I_MAX = Output(LREAL, "highest current, discharging being positive", unit="A", min=0)
    OK = Output(BOOL, "the voltage is good for a division")

    def step(fb, dt):
        fb.OK = fb.V >= fb.V_LEAST and fb.V >= LEAST and is_finite(fb.V)
        per_kw = 1000.0 / fb.V if fb.OK else 0.0
        charging = max(0.0 - fb.P_MIN, 0.0) * per_kw if fb.OK else 0.0
        discharging = max(fb.P_MAX, 0.0) * per_kw if fb.OK else 0.0
        fb.I_MIN = 0.0 - min(charging, max(fb.I_CHARGE, 0.0))
        fb.I_MAX = min(discharging, max(fb.I_DISCHARGE, 0.0))

    example = Example(
        I_CHARGE=100.0,
        I_DISCHARGE=200.0,
        table="""
        P_MIN P_MAX V   | I_MIN I_MAX OK
        -40   80    800 | -50   100   1
        -40   80    500 | -80   160   1     # a lower voltage, a higher current
        -400  800   800 | -100  200   1     # never beyond the rated ones
        40    -80   800 | 0     0     1     # wrong signs allow nothing
        -40   80    10  | 0     0     0     # no voltage
        nan   80    800 | 0     100   1
        -40   80    nan | 0     0     0
    """,
    )
