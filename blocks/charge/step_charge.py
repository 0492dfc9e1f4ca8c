"""The charging rate over the state of charge."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, lerp, max
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="Step-charge as in EMS charge-management practice: the limit falls from 70 % on; the straight line is ours")
class STEP_CHARGE:
    """A charging rate that falls as the battery fills: C_MAX up to KNEE, from there a straight line to END_SHARE of it at 100 %.

    RATE = C_MAX * SHARE, in C (1/h). SHARE is 1 up to KNEE and END_SHARE from 100 % on; a KNEE of 100 % or more switches the fall
    off. SoC and SoH measure together: SOH cuts the rate in proportion, since a rate means the capacity that is left. A NaN on any
    input is a rate of 0.
    """

    SOC = Input(LREAL, "state of charge", unit="%")
    C_MAX = Input(LREAL, "charging rate below the knee", unit="1/h", default=0.5, min=0)
    KNEE = Input(LREAL, "state of charge from which the rate falls", unit="%", default=70.0, min=0, max=100)
    END_SHARE = Input(LREAL, "share of C_MAX that is left at 100 %", default=0.1, min=0, max=1)
    SOH = Input(LREAL, "state of health", unit="%", default=100.0, min=0)
    RATE = Output(LREAL, "charging rate allowed now, of the capacity as new", unit="1/h", min=0)
    SHARE = Output(LREAL, "share of C_MAX that the state of charge leaves", min=0, max=1)
    FALLING = Output(BOOL, "the state of charge is beyond the knee")

    def step(fb, dt):
        known = is_finite(fb.SOC + fb.C_MAX + fb.KNEE + fb.END_SHARE + fb.SOH)
        falling = known and fb.SOC > fb.KNEE and fb.KNEE < 100.0
        share = lerp(fb.SOC, fb.KNEE, 1.0, 100.0, clamp(0.0, fb.END_SHARE, 1.0)) if falling else 1.0
        fb.SHARE = share if known else 0.0
        fb.RATE = max(fb.C_MAX, 0.0) * clamp(0.0, fb.SOH * 0.01, 1.0) * share if known else 0.0
        fb.FALLING = falling

    example = Example(
        C_MAX=0.5,
        table="""
        SOC SOH | RATE  SHARE FALLING
        20  100 | 0.5   1     0
        70  100 | 0.5   1     0
        80  100 | 0.35  0.7   1      # a third of the way from 1 to 0.1
        90  100 | 0.2   0.4   1
        100 100 | 0.05  0.1   1
        70  80  | 0.4   1     0      # an aged battery
        nan 100 | 0     0     0
    """,
    )
