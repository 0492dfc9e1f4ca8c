"""The synchronism check."""

from __future__ import annotations

from blocks.arithmetic import abs, floor, is_finite, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

REASONS = ("none", "bad input", "voltage of the grid", "voltage of the plant", "voltage difference", "frequency", "angle")
MS = 1_000_000


@block(source="IEEE 1547-2018, 4.10.4, table 5 (synchronization parameter limits)")
class SYNC_CHECK:
    """Allows the breaker between plant and grid to close: both have voltage, and magnitude, frequency and angle are close.

    The limits follow from S_RATED: up to 500 kVA 0.3 Hz, 10 %, 20 degrees; up to 1,500 kVA 0.2 Hz, 5 %, 15 degrees; above 0.1 Hz,
    3 %, 10 degrees. The voltage difference relates to V_NOM. Everything must hold for HOLD before OK turns true; OK falls at
    once. MISSING says what stands in the way first. The angle is the one at the moment of contact: D_PHASE + 360 D_F T_CLOSE. A
    closing onto a dead bus is not this block's: both sides need V_LIVE. What no grid has (a frequency of 0, twice the voltage)
    refuses even where both sides agree on it. A NaN refuses.
    """

    V_GRID = Input(LREAL, "voltage of the grid", unit="V")
    V_PLANT = Input(LREAL, "voltage of the plant", unit="V")
    F_GRID = Input(LREAL, "frequency of the grid", unit="Hz")
    F_PLANT = Input(LREAL, "frequency of the plant", unit="Hz")
    PHASE_GRID = Input(LREAL, "angle of the grid's voltage", unit="deg")
    PHASE_PLANT = Input(LREAL, "angle of the plant's voltage", unit="deg")
    V_NOM = Input(LREAL, "nominal voltage", unit="V", min=1)
    S_RATED = Input(LREAL, "rated apparent power of the plant, which chooses the limits", unit="kVA", min=0)
    V_LIVE = Input(LREAL, "lowest voltage of either side, relative to V_NOM", default=0.88, min=0, max=1)
    HOLD = Input(TIME, "time for which everything must hold", default=100 * MS, min=0)
    V_HIGH = Input(LREAL, "highest voltage of either side, relative to V_NOM", default=1.15, min=1)
    F_LOW = Input(LREAL, "lowest frequency of either side", unit="Hz", default=47.0, min=0)
    F_HIGH = Input(LREAL, "highest frequency of either side", unit="Hz", default=62.0, min=0)
    T_CLOSE = Input(TIME, "time from OK to the breaker's contact", default=0, min=0)
    OK = Output(BOOL, "the breaker may close")
    MISSING = Output(DINT, "what stands in the way", min=0, max=6, names=REASONS)
    D_V = Output(LREAL, "plant less grid, relative to V_NOM")
    D_F = Output(LREAL, "plant less grid", unit="Hz")
    D_PHASE = Output(LREAL, "plant less grid, folded to -180 to 180 degrees", unit="deg")
    good_run = Var(TIME, "time for which everything has held; -1 while it does not", default=-1)

    def step(fb, dt):
        size = 1 if fb.S_RATED <= 500.0 else (2 if fb.S_RATED <= 1500.0 else 3)  # a NaN has the tightest limits
        f_limit = 0.3 if size == 1 else (0.2 if size == 2 else 0.1)
        v_limit = 0.1 if size == 1 else (0.05 if size == 2 else 0.03)
        angle_limit = 20.0 if size == 1 else (15.0 if size == 2 else 10.0)
        apart = fb.PHASE_PLANT - fb.PHASE_GRID
        fb.D_V = (fb.V_PLANT - fb.V_GRID) / fb.V_NOM if fb.V_NOM > 0.0 else 0.0
        fb.D_F = fb.F_PLANT - fb.F_GRID
        fb.D_PHASE = apart - 360.0 * floor(apart / 360.0 + 0.5)
        v_grid = fb.V_GRID / fb.V_NOM
        v_plant = fb.V_PLANT / fb.V_NOM
        f_low = min(fb.F_GRID, fb.F_PLANT)
        f_high = max(fb.F_GRID, fb.F_PLANT)
        missing = 0
        if not is_finite(fb.D_V + fb.D_F + fb.D_PHASE + fb.V_NOM) or not fb.V_NOM > 0.0:
            missing = 1
        elif not (v_grid >= fb.V_LIVE and v_grid <= fb.V_HIGH):
            missing = 2
        elif not (v_plant >= fb.V_LIVE and v_plant <= fb.V_HIGH):
            missing = 3
        elif abs(fb.D_V) > v_limit:
            missing = 4
        elif abs(fb.D_F) > f_limit or not (f_low >= fb.F_LOW and f_high <= fb.F_HIGH):
            missing = 5
        elif abs(fb.D_PHASE + 360.0 * fb.D_F * seconds(max(fb.T_CLOSE, 0))) > angle_limit:
            missing = 6
        hold = max(fb.HOLD, 0)
        fb.good_run = -1 if missing > 0 else (min(fb.good_run + dt, hold) if fb.good_run >= 0 else 0)
        fb.OK = missing == 0 and fb.good_run >= hold
        fb.MISSING = missing

    example = Example(
        V_NOM=400.0,
        V_GRID=400.0,
        F_GRID=50.0,
        PHASE_GRID=175.0,
        S_RATED=1000.0,
        HOLD="40ms",
        dt="20ms",
        table="""
            V_PLANT F_PLANT PHASE_PLANT | OK MISSING D_V   D_F   D_PHASE
            0       50      0           | 0  3       -1    0     -175
            390     50      -175        | 0  0       -0.025 0    10      # over the seam at 180 degrees
            390     50      -175        | 0  0       -0.025 0    10
            390     50      -175        | 1  0       -0.025 0    10      # held for 40 ms
            390     50      -165        | 0  6       -0.025 0    20
            390     50.25   -175        | 0  5       -0.025 0.25 10
            375     50      -175        | 0  4       -0.0625 0   10
            nan     50      -175        | 0  1       nan   0     10
        """,
    )
