"""The remaining endurance of a limited reservoir."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), 3.5: endurance to report")
class FCR_ENDURANCE:
    """How many minutes a battery could still give its reserve in full: what the grid operator is told.

    UP = (energy above SOC_MIN) / (P + C_UP), DOWN = (room below SOC_MAX) / (C_DOWN - P), in minutes; P is the power that runs
    beside the reserve's full activation (baseline and NEM). While nothing drains it, or longer than MOST, it is MOST. Both are 0
    while AEM is on, as the requirements ask, and for an input that is no finite number: nobody may count on it.
    """

    SOC = Input(LREAL, "state of charge of the reservoir", unit="%")
    ENERGY = Input(LREAL, "energy of the reservoir from 0 to 100 %", unit="kWh", min=0)
    C_UP = Input(LREAL, "capacity sold upwards", unit="kW", default=0.0, min=0)
    C_DOWN = Input(LREAL, "capacity sold downwards, as a positive number", unit="kW", default=0.0, min=0)
    P = Input(LREAL, "power beside the reserve, discharging is positive", unit="kW", default=0.0)
    AEM = Input(BOOL, "alert state energy management is on", default=False)
    SOC_MIN = Input(LREAL, "state of charge that counts as empty", unit="%", default=0.0, min=0, max=100)
    SOC_MAX = Input(LREAL, "state of charge that counts as full", unit="%", default=100.0, min=0, max=100)
    MOST = Input(LREAL, "largest value to report", unit="min", default=9999.0, min=0)
    UP = Output(LREAL, "remaining endurance upwards", unit="min", min=0)
    DOWN = Output(LREAL, "remaining endurance downwards", unit="min", min=0)

    def step(fb, dt):
        drain = fb.P + fb.C_UP
        fill = fb.C_DOWN - fb.P
        stored = fb.ENERGY * (fb.SOC - fb.SOC_MIN) * 0.01
        room = fb.ENERGY * (fb.SOC_MAX - fb.SOC) * 0.01
        known = is_finite(drain + fill + stored + room + fb.MOST) and not fb.AEM and fb.MOST > 0.0
        up = stored / drain * 60.0 if drain > 0.0 else fb.MOST
        down = room / fill * 60.0 if fill > 0.0 else fb.MOST
        fb.UP = clamp(0.0, up, fb.MOST) if known else 0.0
        fb.DOWN = clamp(0.0, down, fb.MOST) if known else 0.0

    example = Example(
        ENERGY=2000.0,
        table="""
        SOC C_UP C_DOWN P    AEM | UP   DOWN
        50  1000 1000   0    0   | 60   60
        50  1000 1000   340  0   | ~44.8 ~90.9     # NEM discharges beside it
        10  1000 0      0    0   | 12   9999       # nothing fills it
        2   1000 1000   0    1   | 0    0
        nan 1000 1000   0    0   | 0    0
    """,
    )
