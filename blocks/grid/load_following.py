"""Following a load."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, max, min, seconds, settling
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

NEVER = math.nan


@block(source="Feed-forward control: Astrom & Hagglund, Advanced PID Control (ISA 2006); practice: load matching")
class LOAD_FOLLOWING:
    """Gives the part of a measured load that is above BASE: P = SHARE * (LOAD - BASE), without looking at the grid meter.

    Open loop, so it cannot hunt whatever the meter's delay, but it is only as exact as the load meter; SELF_CONSUMPTION closes
    the loop where the grid is metered. A load below BASE charges, unless P_MIN is 0. T smooths the load. A load or parameter that
    is no finite number sets P to 0, and the smoothing starts anew.
    """

    LOAD = Input(LREAL, "measured load, consumption is positive", unit="kW")
    BASE = Input(LREAL, "part of the load that the grid carries", unit="kW", default=0.0)
    SHARE = Input(LREAL, "share of the rest that the battery carries", default=1.0, min=0, max=1)
    T = Input(LREAL, "time constant of the smoothing; 0 has none", unit="s", default=0.0, min=0, max=1e6)
    P_MIN = Input(LREAL, "lowest power of the battery, charging being negative", unit="kW", max=0)
    P_MAX = Input(LREAL, "highest power of the battery", unit="kW", min=0)
    P = Output(LREAL, "power setpoint of the battery, discharging is positive", unit="kW")
    LIMITED = Output(BOOL, "P stands at a limit")
    BAD = Output(BOOL, "an input is no finite number")
    smooth = Var(LREAL, "the smoothed load; NaN while there is none", unit="kW", default=NEVER)

    def step(fb, dt):
        before = fb.smooth if is_finite(fb.smooth) else fb.LOAD
        smooth = before + (fb.LOAD - before) * settling(seconds(dt), fb.T)
        wanted = fb.SHARE * (smooth - fb.BASE)
        fb.BAD = not is_finite(wanted)
        fb.smooth = NEVER if fb.BAD else smooth
        fb.P = 0.0 if fb.BAD else clamp(min(fb.P_MIN, 0.0), wanted, max(fb.P_MAX, 0.0))
        fb.LIMITED = not fb.BAD and fb.P != wanted

    example = Example(
        BASE="20kW",
        P_MIN=-30.0,
        P_MAX=100.0,
        table="""
        LOAD | P   LIMITED BAD
        20   | 0   0       0
        70   | 50  0       0
        200  | 100 1       0
        0    | -20 0       0     # below the base it charges
        -40  | -30 1       0
        nan  | 0   0       1
        70   | 50  0       0
    """,
    )
