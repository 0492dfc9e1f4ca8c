"""The power of a pack."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min
from blocks.declare import DINT, LREAL, Example, Input, Output, block

DIRECTIONS = ("rest", "charging", "discharging", "unknown")


@block(source="P = U I; the sign is that of this library: discharging is positive")
class PACK_POWER:
    """The power of a pack from its voltage and current: P is positive while it discharges.

    P = V I / 1000. A current below I_ZERO is the sensor's offset: its power is shown as 0 and the direction as rest. A meter whose
    sign is the other way round is turned here, once, by SIGN = -1. A NaN is passed on to P, and both parts are 0.
    """

    V = Input(LREAL, "pack voltage", unit="V")
    I = Input(LREAL, "pack current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    I_ZERO = Input(LREAL, "a current below this is none", unit="A", default=0.0, min=0)
    SIGN = Input(LREAL, "-1 where the meter counts charging as positive", default=1.0, min=-1, max=1)
    P = Output(LREAL, "power, discharging is positive", unit="kW")
    P_CHARGE = Output(LREAL, "charging power, 0 while discharging", unit="kW", max=0)
    P_DISCHARGE = Output(LREAL, "discharging power, 0 while charging", unit="kW", min=0)
    DIRECTION = Output(DINT, "which way", min=0, max=3, names=DIRECTIONS)

    def step(fb, dt):
        current = fb.I * (0.0 - 1.0 if fb.SIGN < 0.0 else 1.0)
        power = 0.0 if abs(current) < fb.I_ZERO else fb.V * current / 1000.0
        power = power if is_finite(fb.V) else fb.V
        known = is_finite(power)
        fb.P = power
        fb.P_CHARGE = min(power, 0.0) if known else 0.0
        fb.P_DISCHARGE = max(power, 0.0) if known else 0.0
        fb.DIRECTION = (2 if power > 0.0 else (1 if power < 0.0 else 0)) if known else 3

    example = Example(
        V=800,
        I_ZERO=0.2,
        table="""
        I    | P   P_CHARGE P_DISCHARGE DIRECTION
        0    | 0   0        0           0
        100  | 80  0        80          2
        -50  | -40 -40      0           1
        0.1  | 0   0        0           0         # the sensor's offset
        nan  | nan 0        0           3
    """,
    )
