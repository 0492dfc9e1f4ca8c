"""The state of health."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, min
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, block

NAN = math.nan


@block(source="Plett, Battery Management Systems, volume 2 (Artech House 2016): health by capacity and by resistance")
class SOH:
    """How much a cell or pack has aged: capacity and resistance against those of a new one.

    SOH = CAPACITY / CAPACITY_NEW. LIFE is what is left until the end of life, 100 % new and 0 % at the end: the smaller of (SOH -
    SOH_END) / (100 - SOH_END) and (R_END - R / R_NEW) / (R_END - 100 %), with WEAK naming which it was. CAPACITY or R = 0 means
    that none was measured yet: without a resistance the capacity decides. Both must come from the same temperature. A NaN, no
    capacity, or a new value of 0 or less holds SOH and LIFE and sets HELD.
    """

    CAPACITY = Input(LREAL, "capacity measured; 0: none", unit="Ah", min=0)
    CAPACITY_NEW = Input(LREAL, "capacity of a new one", unit="Ah", min=0)
    R = Input(LREAL, "resistance measured, normalised to the temperature of R_NEW; 0: none", unit="Ohm", default=0.0, min=0)
    R_NEW = Input(LREAL, "resistance of a new one; needed with R", unit="Ohm", default=0.0, min=0)
    SOH_END = Input(LREAL, "SOH at the end of life", unit="%", default=80.0, min=0, max=99)
    R_END = Input(LREAL, "resistance at the end of life, relative to new", unit="%", default=200.0, min=101, max=1e4)
    SOH = Output(LREAL, "capacity relative to new", unit="%", default=100.0, min=0, max=200)
    GROWTH = Output(LREAL, "resistance relative to new; 100 while none is known", unit="%", default=100.0, min=0, max=1e6)
    LIFE = Output(LREAL, "what is left until the end of life", unit="%", default=100.0, min=0, max=100)
    WEAK = Output(DINT, "what is nearer to its end", min=0, max=2, names=("none", "capacity", "resistance"))
    END = Output(BOOL, "the end of life is reached")
    HELD = Output(BOOL, "an input has no sense: the outputs are held")

    def step(fb, dt):
        share = 100.0 * fb.CAPACITY / fb.CAPACITY_NEW if fb.CAPACITY_NEW > 0.0 else NAN
        growth = 100.0 if fb.R == 0.0 else 100.0 * fb.R / fb.R_NEW if fb.R_NEW > 0.0 else NAN
        by_capacity = (share - fb.SOH_END) / (100.0 - fb.SOH_END) if fb.SOH_END < 100.0 else NAN
        by_resistance = (fb.R_END - growth) / (fb.R_END - 100.0) if fb.R_END > 100.0 else NAN
        left = min(by_capacity, by_resistance)
        fb.HELD = not (share > 0.0 and growth >= 0.0 and is_finite(by_capacity + by_resistance))
        if not fb.HELD:
            fb.SOH = clamp(0.0, share, 200.0)
            fb.GROWTH = clamp(0.0, growth, 1e6)
            fb.LIFE = clamp(0.0, 100.0 * left, 100.0)
            fb.WEAK = (2 if by_resistance < by_capacity else 1) if left < 1.0 else 0
            fb.END = left <= 0.0

    example = Example(
        CAPACITY_NEW=280.0,
        R_NEW=0.0005,
        table="""
        CAPACITY R       | SOH LIFE WEAK END HELD
        280      0       | 100 100  0    0   0       # no resistance measured yet
        280      0.5mOhm | 100 100  0    0   0
        252      0.6mOhm | 90  50   1    0   0       # half of the 20 % that may be lost; resistance 80 % left
        252      0.9mOhm | 90  20   2    0   0
        224      0.6mOhm | 80  0    1    1   0
        nan      0.6mOhm | 80  0    1    1   1
    """,
    )
