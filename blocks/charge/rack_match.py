"""The permission to connect a rack in parallel."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

REASONS = ("may close", "bad input", "voltages apart", "current flows", "not long enough", "no voltage")


@block(source="foxBMS 2: the next string is closed only if dV < 3 V and I < 20 A")
class RACK_MATCH:
    """Says whether a rack may be connected to a bus that is under voltage: without a rush of current from one into the other.

    OK while |V_RACK - V_BUS| < DV_MAX and |I| < I_MAX have held for HOLD; the first such scan is time 0. It falls at once. A NaN is
    no permission, nor are two voltages below V_LEAST: 0 V and 0 V are a dead sensor, and a bus without voltage is for PRECHARGE.
    """

    V_RACK = Input(LREAL, "voltage of the rack that shall be connected", unit="V")
    V_BUS = Input(LREAL, "voltage of the bus, or mean of the racks that are connected", unit="V")
    I = Input(LREAL, "current on the bus, or largest of the connected racks", unit="A")  # noqa: E741 - the letter of the trade
    DV_MAX = Input(LREAL, "the voltages match below this", unit="V", default=3.0, min=0)
    I_MAX = Input(LREAL, "the bus is at rest below this", unit="A", default=20.0, min=0)
    HOLD = Input(TIME, "how long both must have held", default=0, min=0)
    V_LEAST = Input(LREAL, "below this voltage nothing matches", unit="V", default=50.0, min=0)
    OK = Output(BOOL, "the rack may be connected")
    WHY = Output(DINT, "what stands in the way", min=0, max=5, names=REASONS, default=1)
    DV = Output(LREAL, "V_RACK - V_BUS", unit="V")
    held = Var(TIME, "how long both have held")
    matched = Var(BOOL, "both held one scan ago")

    def step(fb, dt):
        fb.DV = fb.V_RACK - fb.V_BUS
        near = abs(fb.DV) < fb.DV_MAX
        resting = abs(fb.I) < fb.I_MAX
        known = is_finite(fb.DV + fb.I + fb.DV_MAX + fb.I_MAX + fb.V_LEAST)
        alive = min(fb.V_RACK, fb.V_BUS) >= fb.V_LEAST
        both = known and alive and near and resting
        fb.held = min(fb.held + dt, fb.HOLD) if both and fb.matched else 0
        fb.matched = both
        fb.OK = both and fb.held >= fb.HOLD
        against = 4 if both else (2 if not near else (3 if alive else 5))
        fb.WHY = 0 if fb.OK else (against if known else 1)

    example = Example(
        V_BUS=800.0,
        HOLD="20ms",
        table="""
        V_RACK I   | OK WHY DV
        804    0   | 0  2   4      # voltages apart
        802    -25 | 0  3   2      # current flows
        802    -5  | 0  4   2
        802    -5  | 0  4   2
        802    -5  | 1  0   2      # for 20 ms
        797    -5  | 0  2   -3     # exactly 3 V is not below
        nan    0   | 0  1   nan
    """,
    )
