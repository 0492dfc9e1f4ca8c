"""The limited frequency sensitive modes of the European grid code."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, max, min
from blocks.declare import BOOL, LREAL, Example, Input, Output, block
from blocks.grid.laws import grid_frequency

UNKNOWN = math.nan


@block(source="Regulation (EU) 2016/631 (RfG), article 13(2)")
class LFSM_O:
    """Takes power off when the frequency is far too high (limited frequency sensitive mode, over-frequency).

    Above F1 P = P_SET - (F - F1)/F0 * 100/DROOP * P_REF: with 5 % droop each 100 mHz takes 4 % of P_REF. P_REF is the greatest
    power, or the power when F1 was passed, as the grid operator says. P is not taken below P_MIN; what was asked below it stays.
    It only ever takes off. A NaN or infinity on an input and a frequency outside 0.8 .. 1.2 F0 come out as NaN, so that they are
    seen.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    P_SET = Input(LREAL, "power while the frequency is normal", unit="kW")
    P_REF = Input(LREAL, "power to which the droop relates", unit="kW", min=0)
    F1 = Input(LREAL, "frequency above which it acts", unit="Hz", default=50.2, min=50.2, max=50.5)
    DROOP = Input(LREAL, "droop, in percent: relative deviation that takes all of P_REF off", unit="%", default=5.0, min=2, max=12)
    P_MIN = Input(LREAL, "lowest power to which it goes, charging being negative", unit="kW", default=0.0)
    F0 = Input(LREAL, "nominal frequency", unit="Hz", default=50.0, min=1, max=1000)
    P = Output(LREAL, "power with what was taken off", unit="kW")
    ACTIVE = Output(BOOL, "the frequency is above F1")

    def step(fb, dt):
        off = grid_frequency(fb.F, fb.F0) - fb.F1
        answer = off / fb.F0 * (100.0 / fb.DROOP) * fb.P_REF if off > 0.0 else 0.0
        power = max(fb.P_SET - answer, min(fb.P_SET, fb.P_MIN))
        fb.P = power if is_finite(off + fb.P_SET + fb.P_REF + fb.DROOP + fb.P_MIN) else UNKNOWN
        fb.ACTIVE = off > 0.0

    example = Example(
        P_REF=100.0,
        P_SET=80.0,
        table="""
            F    P_MIN | P   ACTIVE
            50   0     | 80  0
            50.2 0     | 80  0
            50.7 0     | 60  1     # 0.5 Hz of 2.5 Hz: 20 % of 100 kW
            52.2 0     | 0   1
            52.7 0     | 0   1     # 100 kW off, but not below P_MIN
            52.7 -50   | -20 1     # a battery may charge
            nan  0     | nan 0
            50   0     | 80  0
        """,
    )


@block(source="Regulation (EU) 2016/631 (RfG), article 15(2)(c)")
class LFSM_U:
    """Puts power on when the frequency is far too low (limited frequency sensitive mode, under-frequency).

    Below F1 P = P_SET + (F1 - F)/F0 * 100/DROOP * P_REF, but not above P_MAX; what was asked above it stays. It only ever puts
    on. A NaN or infinity on an input and a frequency outside 0.8 .. 1.2 F0 come out as NaN, so that they are seen: F = 0 of a dead
    measurement is no full discharge.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    P_SET = Input(LREAL, "power while the frequency is normal", unit="kW")
    P_REF = Input(LREAL, "power to which the droop relates", unit="kW", min=0)
    P_MAX = Input(LREAL, "highest power to which it goes", unit="kW")
    F1 = Input(LREAL, "frequency below which it acts", unit="Hz", default=49.8, min=49.5, max=49.8)
    DROOP = Input(LREAL, "droop, in percent: relative deviation that puts all of P_REF on", unit="%", default=5.0, min=2, max=12)
    F0 = Input(LREAL, "nominal frequency", unit="Hz", default=50.0, min=1, max=1000)
    P = Output(LREAL, "power with what was put on", unit="kW")
    ACTIVE = Output(BOOL, "the frequency is below F1")

    def step(fb, dt):
        off = fb.F1 - grid_frequency(fb.F, fb.F0)
        answer = off / fb.F0 * (100.0 / fb.DROOP) * fb.P_REF if off > 0.0 else 0.0
        power = min(fb.P_SET + answer, max(fb.P_SET, fb.P_MAX))
        fb.P = power if is_finite(off + fb.P_SET + fb.P_REF + fb.DROOP + fb.P_MAX) else UNKNOWN
        fb.ACTIVE = off > 0.0

    example = Example(
        P_REF=100.0,
        P_MAX=100.0,
        table="""
            F    P_SET | P    ACTIVE
            50   -40   | -40  0
            49.8 -40   | -40  0
            49.3 -40   | -20  1     # 0.5 Hz of 2.5 Hz: 20 % of 100 kW
            48.3 -40   | 20   1
            47.8 80    | 100  1
            49.3 120   | 120  1
            nan  80    | nan  0
            50   80    | 80   0
        """,
    )
