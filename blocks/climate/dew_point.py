"""The dew point of air."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, log_ratio
from blocks.declare import LREAL, Example, Input, Output, block

A = 17.625
B = 243.04
LEAST = 0.1
BROKEN = -2.0
COLDEST = -80.0
HOTTEST = 100.0
UNKNOWN = math.nan


@block(source="Alduchov & Eskridge, Improved Magnus form approximation, J. Appl. Meteor. 35 (1996) 601: 17.625 and 243.04 °C")
class DEW_POINT:
    """The temperature at which this air begins to wet cold surfaces: DEW = B g/(A - g), g = ln(RH/100) + A T/(B + T).

    Good to about 0.1 K from -40 to 50 °C. It is the dew point over water at every temperature, as meteorologists and RH sensors
    count it; below 0 °C hoar frost forms a little earlier. RH from -2 to 0.1 %, where a good sensor may
    stand in dry air, counts as 0.1 %, above 100 % as 100 %. A NaN, an RH below -2 %, which no sensor in order sends, or a T outside
    -80 to 100 °C gives NaN: a dew point that nobody knows must not look dry.
    """

    T = Input(LREAL, "air temperature", unit="°C", min=-80, max=100)
    RH = Input(LREAL, "relative humidity over water", unit="%", min=0, max=100)
    DEW = Output(LREAL, "dew point", unit="°C", default=UNKNOWN)
    SPREAD = Output(LREAL, "how far the air is above it", unit="K", default=UNKNOWN)

    def step(fb, dt):
        g = log_ratio(clamp(LEAST, fb.RH, 100.0) / 100.0) + A * fb.T / (B + fb.T)
        known = fb.RH >= BROKEN and COLDEST <= fb.T and fb.T <= HOTTEST
        fb.DEW = B * g / (A - g) if known else UNKNOWN
        fb.SPREAD = fb.T - fb.DEW

    example = Example(
        table="""
        T   RH  | DEW    SPREAD
        20  100 | 20     0
        20  50  | ~9.26  ~10.74
        30  80  | ~26.17 ~3.83
        35  20  | ~8.70  ~26.30
        nan 50  | nan    nan
    """,
    )
