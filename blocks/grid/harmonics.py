"""The harmonics of a burst."""

from __future__ import annotations

from blocks.arithmetic import cosine_of_turns, is_finite, max, sqrt, to_lreal
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block
from blocks.grid.laws import whole_periods

ORDERS = 40
ROOT_2 = 1.4142135623730951
ROUNDING = 1e-9


@block(
    source="IEC 61000-4-7 (harmonics to order 40, THD), without its grouping and its window of 200 ms; each by Goertzel's algorithm"
)
class HARMONICS:
    """The harmonics 1 to 40 of a burst of samples, and the total harmonic distortion.

    The burst is cut to a whole number of periods of F; give F as measured (BURST_FREQUENCY): 0.1 % off lets about 0.1 % times the
    order of the fundamental leak. H holds root mean squares; orders at or above half of the sample rate are 0, so sample at 4 kHz
    or faster, behind a filter against aliasing. THD is the root of the sum of squares of the orders 2 to 40 over the fundamental;
    0 where there is no fundamental. Interharmonics leak and are not grouped. A NaN in the burst comes out as NaN on H; THD is 0
    and OK false then. Costs about 2 ns a sample where the processor has lanes of 512 bits.
    """

    X = Input(Array(LREAL, "N"), "the burst of samples")
    FS = Input(LREAL, "samples per second", unit="Hz", min=0)
    F = Input(LREAL, "fundamental frequency", unit="Hz", default=50.0, min=0)
    LIMIT = Input(LREAL, "highest THD that is no alarm", unit="%", default=8.0, min=0)
    H = Output(Array(LREAL, ORDERS), "root mean squares of the orders 1 to 40", unit="{X}")
    THD = Output(LREAL, "orders 2 to 40 over the first", unit="%", min=0)
    WORST = Output(DINT, "the order above 1 that is greatest; 0 where there is none", min=0, max=40)
    HIGH = Output(BOOL, "THD is above LIMIT, there are harmonics alone, or nothing can be measured")
    OK = Output(BOOL, "the harmonics are measured")

    along = Var(Array(LREAL, ORDERS), "twice the cosine of each order's angle between two samples")
    last = Var(Array(LREAL, ORDERS), "Goertzel's sum of each order, only used within a scan", unit="{X}")
    before = Var(Array(LREAL, ORDERS), "the sum one sample before", unit="{X}")

    def step(fb, dt):
        count = whole_periods(len(fb.X), fb.FS, fb.F)
        turns = fb.F / fb.FS if count > 0 else 1.0
        scale = ROOT_2 / to_lreal(count) if count > 0 else 0.0
        for i in range(ORDERS):
            fb.along[i] = 2.0 * cosine_of_turns(turns * to_lreal(i + 1))
            fb.last[i] = 0.0
            fb.before[i] = 0.0
        for k in range(count):  # samples outside, orders inside: the orders run side by side in the processor's lanes
            for i in range(ORDERS):
                new = fb.X[k] + fb.along[i] * fb.last[i] - fb.before[i]
                fb.before[i] = fb.last[i]
                fb.last[i] = new
        total = 0.0
        greatest = 0.0
        worst = 0
        for i in range(ORDERS):
            square = fb.last[i] * (fb.last[i] - fb.along[i] * fb.before[i]) + fb.before[i] * fb.before[i]
            part = sqrt(max(0.0, square)) * scale if turns * to_lreal(i + 1) < 0.5 else 0.0  # in this order a NaN stays
            fb.H[i] = part
            if i > 0:
                total = total + part * part
                worst = i + 1 if part > greatest else worst
                greatest = part if part > greatest else greatest
        alive = count > 0 and is_finite(total + fb.H[0])
        founded = alive and fb.H[0] > ROUNDING * sqrt(total)
        fb.THD = 100.0 * sqrt(total) / fb.H[0] if founded else 0.0
        fb.WORST = worst if alive else 0
        fb.HIGH = fb.THD > fb.LIMIT or not alive or (total > 0.0 and not founded)
        fb.OK = alive

    example = Example(
        FS=400.0,
        F=50.0,
        table="""
            X                         | THD     WORST HIGH OK
            [10,0,-10,0,10,0,-10,0]   | 0       2     1    1      # 100 Hz alone
            [1,1,1,1,-1,-1,-1,-1]     | ~41.421 3     1    1      # a square wave, as 8 samples show it: 1 and tan(pi/8)
            [1,1,1,1,-1,-1,nan,-1]    | 0       0     1    0
        """,
    )
