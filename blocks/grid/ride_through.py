"""The regions of ride-through."""

from __future__ import annotations

import math

from blocks.arithmetic import is_nan, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

VOLTAGE_MODES = ("continuous", "mandatory", "momentary cessation", "cease to energize")
FREQUENCY_MODES = ("continuous", "mandatory", "none")
S = 1_000_000_000
LOW = 0.88
HIGH = 1.1
UNLIMITED = math.inf
FOREVER = 1_000_000 * S


@block(source="IEEE 1547-2018, 6.4.2 table 16 and 6.5.2 table 19, category III")
class RIDE_THROUGH:
    """Says what the plant must do while voltage or frequency are disturbed, and when it may trip at last; category III.

    Voltage over V_NOM: 0.88 to 1.1 continuous; 0.7 to 0.88 mandatory for 20 s, 0.5 to 0.7 for 10 s; below MC_LOW momentary
    cessation for 1 s, above MC_HIGH for 12 s; above 1.2 cease to energize. Frequency of a 60 Hz grid, in proportion with
    another F0: 58.8 to 61.2 Hz continuous; 57.0 to 61.8 Hz mandatory for 299 s; beyond, nothing is asked. MAY_TRIP turns true
    when the time has passed, or CONFIRM beyond 1.2 or 57.0 to 61.8 Hz, and stays until both are continuous again. Each time
    runs from the scan after the one that saw it, so the plant rather stays longer, and one bad sample lets nothing trip. A NaN
    counts as 0 V, or as a frequency beyond, as long as it lasts: what MAY_TRIP says then does not stay.
    """

    V = Input(Array(LREAL, "N"), "the applicable voltages", unit="V")
    V_NOM = Input(LREAL, "their nominal value", unit="V", min=1)
    F = Input(LREAL, "frequency of the grid", unit="Hz")
    MC_LOW = Input(LREAL, "momentary cessation below, relative to V_NOM", default=0.5, min=0, max=0.88)
    MC_HIGH = Input(LREAL, "momentary cessation above, relative to V_NOM", default=1.1, min=1.1, max=1.2)
    F0 = Input(LREAL, "nominal frequency", unit="Hz", default=60.0, min=1, max=1000)
    CONFIRM = Input(TIME, "time beyond all regions until it may trip", default=20_000_000, min=0)
    MODE_V = Output(DINT, "what the voltage asks for", min=0, max=3, names=VOLTAGE_MODES)
    MODE_F = Output(DINT, "what the frequency asks for", min=0, max=2, names=FREQUENCY_MODES)
    CEASE = Output(BOOL, "no current may be exchanged")
    MAY_TRIP = Output(BOOL, "the time of ride-through has passed")
    low_run = Var(TIME, "time below 0.88; -1 while not", default=-1)
    lower_run = Var(TIME, "time below 0.7; -1 while not", default=-1)
    lowest_run = Var(TIME, "time below 0.5; -1 while not", default=-1)
    high_run = Var(TIME, "time above 1.1; -1 while not", default=-1)
    frequency_run = Var(TIME, "time outside the continuous frequencies; -1 while not", default=-1)
    beyond_run = Var(TIME, "time beyond all regions; -1 while not", default=-1)
    passed = Var(BOOL, "a time has passed in this disturbance")

    def step(fb, dt):
        lowest = UNLIMITED
        highest = 0.0
        scale = fb.F0 / 60.0
        blind = is_nan(fb.F + fb.F0)
        for i in range(len(fb.V)):
            v = fb.V[i] / fb.V_NOM
            blind = blind or is_nan(v)
            v = 0.0 if is_nan(v) else v
            lowest = min(v, lowest)
            highest = max(v, highest)
        far = not (fb.F >= 57.0 * scale and fb.F <= 61.8 * scale)
        off = not (fb.F >= 58.8 * scale and fb.F <= 61.2 * scale)
        fb.low_run = (min(fb.low_run + dt, FOREVER) if fb.low_run >= 0 else 0) if lowest < LOW else -1
        fb.lower_run = (min(fb.lower_run + dt, FOREVER) if fb.lower_run >= 0 else 0) if lowest < 0.7 else -1
        fb.lowest_run = (min(fb.lowest_run + dt, FOREVER) if fb.lowest_run >= 0 else 0) if lowest < 0.5 else -1
        fb.high_run = (min(fb.high_run + dt, FOREVER) if fb.high_run >= 0 else 0) if highest > HIGH else -1
        fb.frequency_run = (min(fb.frequency_run + dt, FOREVER) if fb.frequency_run >= 0 else 0) if off else -1
        mode = 1 if lowest < LOW or highest > HIGH else 0
        if lowest < fb.MC_LOW or (highest > HIGH and highest > fb.MC_HIGH):
            mode = 2
        if highest > 1.2:
            mode = 3
        fb.MODE_V = mode
        fb.MODE_F = 2 if far else (1 if off else 0)
        fb.CEASE = mode >= 2
        low_passed = fb.low_run > 20 * S or fb.lower_run > 10 * S or fb.lowest_run > S
        beyond = mode == 3 or far
        fb.beyond_run = (min(fb.beyond_run + dt, FOREVER) if fb.beyond_run >= 0 else 0) if beyond else -1
        confirmed = beyond and fb.beyond_run >= fb.CONFIRM
        passed = low_passed or fb.high_run > 12 * S or confirmed or fb.frequency_run > 299 * S
        disturbed = mode > 0 or off
        fb.passed = disturbed and (fb.passed or (passed and not blind))
        fb.MAY_TRIP = fb.passed or passed

    example = Example(
        V_NOM=100.0,
        dt="100ms",
        table="""
            x   V        F    | MODE_V MODE_F CEASE MAY_TRIP
            1   [100,99] 60   | 0      0      0     0
            1   [100,80] 60   | 1      0      0     0
            200 [100,80] 60   | 1      0      0     0
            1   [100,80] 60   | 1      0      0     1       # more than 20 s
            1   [100,99] 60   | 0      0      0     0
            11  [100,40] 60   | 2      0      1     0
            1   [100,40] 60   | 2      0      1     1       # more than 1 s below one half
            1   [100,99] 58   | 0      1      0     1       # not yet continuous
            1   [100,99] 60   | 0      0      0     0
            1   [125,99] 62.5 | 3      2      1     0       # one sample may be wrong
            1   [125,99] 62.5 | 3      2      1     1
        """,
    )
