"""Reactive power over active power."""

from __future__ import annotations

from blocks.arithmetic import interpolate, is_finite
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, block
from blocks.grid.laws import is_curve, response


@block(source="IEEE 1547-2018, 5.3.4, table 9, as in EPRI OpenDER 2.2 (watt-var)")
class WATT_VAR:
    """Reactive power that follows the active power: strong discharging absorbs, strong charging injects (positive Q).

    Q is a share of S_RATED, linear between six points of P over P_RATED (three charging, three discharging) and flat beyond; OLRT
    is the response time, to 90 % of a step. The defaults are those of category B: nothing up to half of the rated power, 44 % at
    all of it. At the start Q is 0. A NaN on P or a setting, and points that fall, take Q to 0 in the same time and are not
    remembered.
    """

    P = Input(LREAL, "active power, discharging is positive", unit="kW")
    P_RATED = Input(LREAL, "rated power", unit="kW", min=0.001)
    S_RATED = Input(LREAL, "rated apparent power", unit="kVA", min=0)
    POINTS = Input(Array(LREAL, 6), "active power of the points over P_RATED, rising", default=(-1.0, -0.5, -0.2, 0.2, 0.5, 1.0))
    SHARES = Input(
        Array(LREAL, 6), "reactive power at the points over S_RATED", default=(0.44, 0.0, 0.0, 0.0, 0.0, -0.44), min=-1, max=1
    )
    OLRT = Input(LREAL, "response time, to 90 %; 0 answers at once", unit="s", default=10.0, min=0, max=1e9)
    Q = Output(LREAL, "reactive power, injecting is positive", unit="kvar")
    BAD = Output(BOOL, "the power or a setting is not a number, or POINTS falls: Q goes to 0")

    def step(fb, dt):
        p = fb.P / fb.P_RATED
        share = response(dt, fb.OLRT)
        asked = interpolate(p, fb.POINTS, fb.SHARES) * fb.S_RATED
        moved = fb.Q + (asked - fb.Q) * share
        faded = fb.Q - fb.Q * share
        alive = is_finite(p) and is_finite(moved) and is_curve(fb.POINTS, fb.SHARES)
        fb.Q = moved if alive else (faded if is_finite(faded) else 0.0)
        fb.BAD = not alive

    example = Example(
        P_RATED=100.0,
        S_RATED=125.0,
        OLRT=10.0,
        table="""
            x    P    | Q       BAD
            1    0    | 0       0
            1    50   | 0       0
            1000 75   | ~-24.75 0      # -0.22 * 125 kVA, 90 % of it after 10 s
            9000 75   | ~-27.50 0
            9000 100  | ~-55.00 0
            9000 -100 | ~55.00  0
            1000 nan  | ~5.50   1
        """,
    )
