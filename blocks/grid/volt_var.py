"""Reactive power over voltage."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, interpolate, is_finite, seconds, settling
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, Var, block
from blocks.grid.laws import is_curve, response

UNKNOWN = math.nan


@block(source="IEEE 1547-2018, 5.3.3, table 8, as in EPRI OpenDER 2.2 (volt-var with autonomous reference)")
class VOLT_VAR:
    """Reactive power that supports the voltage: low voltage injects (positive Q), high voltage absorbs.

    Q is a share of S_RATED, linear between four points of voltage (relative to V_NOM) and flat beyond; OLRT is the open-loop
    response time, to 90 % of a step. The defaults are those of category B; category A is VOLTS 0.9, 1, 1, 1.1, SHARES 0.25, 0, 0,
    -0.25 and OLRT 10 s. The points lie about VREF; with VREF_AUTO they follow the voltage itself with a time constant of
    VREF_TIME, so that only changes are answered: inside 0.95 to 1.05, and not while it is outside 0.88 to 1.1, since a fault is
    nothing to get used to. At the start Q is 0. A NaN on V or a setting, and points that fall, take Q to 0 in the same time and
    are not remembered.
    """

    V = Input(LREAL, "voltage, the mean of the phases or the positive sequence", unit="V")
    V_NOM = Input(LREAL, "nominal voltage", unit="V", min=1)
    S_RATED = Input(LREAL, "rated apparent power", unit="kVA", min=0)
    VOLTS = Input(Array(LREAL, 4), "voltages of the points, relative to V_NOM, rising", default=(0.92, 0.98, 1.02, 1.08))
    SHARES = Input(Array(LREAL, 4), "reactive power at the points over S_RATED", default=(0.44, 0.0, 0.0, -0.44), min=-1, max=1)
    OLRT = Input(LREAL, "open-loop response time, to 90 %; 0 answers at once", unit="s", default=5.0, min=0, max=1e9)
    VREF = Input(LREAL, "voltage about which the points lie, relative to V_NOM", default=1.0, min=0.95, max=1.05)
    VREF_AUTO = Input(BOOL, "the points follow the measured voltage", default=False)
    VREF_TIME = Input(LREAL, "time constant of the following", unit="s", default=300.0, min=1, max=1e9)
    Q = Output(LREAL, "reactive power, injecting is positive", unit="kvar")
    VREF_NOW = Output(LREAL, "voltage about which the points lie now, relative to V_NOM", default=1.0, min=0.95, max=1.05)
    BAD = Output(BOOL, "the voltage or a setting is not a number, or VOLTS falls: Q goes to 0")
    tracked = Var(LREAL, "the voltage, slowly, relative to V_NOM; NaN before the first", default=UNKNOWN)

    def step(fb, dt):
        v = fb.V / fb.V_NOM
        before = fb.tracked if is_finite(fb.tracked) else v
        followed = before + (v - before) * settling(seconds(dt), fb.VREF_TIME)
        usual = v >= 0.88 and v <= 1.1 and is_finite(followed)
        tracked = clamp(0.95, followed, 1.05) if usual else fb.tracked
        around = clamp(0.95, tracked if fb.VREF_AUTO and is_finite(tracked) else fb.VREF, 1.05)
        asked = interpolate(v - around + 1.0, fb.VOLTS, fb.SHARES) * fb.S_RATED
        moved = fb.Q + (asked - fb.Q) * response(dt, fb.OLRT)
        alive = is_finite(v + fb.VREF + fb.VREF_TIME) and is_finite(moved) and is_curve(fb.VOLTS, fb.SHARES)
        faded = fb.Q - fb.Q * response(dt, fb.OLRT)
        fb.tracked = tracked if is_finite(tracked) else UNKNOWN
        fb.VREF_NOW = around
        fb.Q = moved if alive else (faded if is_finite(faded) else 0.0)
        fb.BAD = not alive

    example = Example(
        V_NOM=400.0,
        S_RATED=100.0,
        OLRT=5.0,
        table="""
            x    V   | Q      BAD
            1    400 | 0      0
            500  380 | ~19.8  0     # 0.95 of nominal asks for 22 kvar: 90 % of it after 5 s
            5000 380 | ~22.00 0
            5000 360 | ~44.00 0
            5000 400 | ~0.00  0
            5000 420 | ~-22.0 0
            500  nan | ~-2.2  1
        """,
    )
