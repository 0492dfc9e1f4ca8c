"""Ripple on a direct voltage or current."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min, sqrt, to_lreal
from blocks.declare import BOOL, LREAL, TIME, Array, Example, Input, Output, Var, block
from blocks.grid.laws import tone_square, whole_periods

ROOT_2 = 1.4142135623730951
S = 1_000_000_000


@block(source="IEC 60050-551 (ripple of a direct voltage: alternating part over mean); each tone by Goertzel's algorithm")
class RIPPLE:
    """How much alternating noise a converter puts onto the direct line, from a burst of samples; it ages cells and capacitors.

    RMS is the root mean square of what is not the mean, PP the distance from the lowest to the highest sample. FACTOR is RMS over
    the magnitude of the mean; 0 where the mean is 0. TWICE is the part at twice the grid's frequency, the sign of unbalanced
    phases, over a whole number of its periods. HIGH is true when RMS has been above LIMIT of RATED for DELAY, the first scan
    included; it relates to RATED and not to the mean, so that an idle line is no alarm. A NaN comes out as NaN and counts as too
    high.
    """

    X = Input(Array(LREAL, "N"), "the burst of samples")
    FS = Input(LREAL, "samples per second", unit="Hz", min=0)
    F = Input(LREAL, "frequency of the grid", unit="Hz", default=50.0, min=0)
    RATED = Input(LREAL, "rated value of the line", unit="{X}", min=0.001)
    LIMIT = Input(LREAL, "greatest RMS over RATED that is no alarm", unit="%", default=2.0, min=0)
    DELAY = Input(TIME, "time above LIMIT until HIGH", default=S, min=0)
    MEAN = Output(LREAL, "direct part", unit="{X}")
    RMS = Output(LREAL, "alternating part", unit="{X}")
    PP = Output(LREAL, "lowest to highest sample", unit="{X}")
    FACTOR = Output(LREAL, "alternating over direct part", unit="%", min=0)
    TWICE = Output(LREAL, "part at twice the grid's frequency", unit="{X}")
    HIGH = Output(BOOL, "too much for too long")
    run = Var(TIME, "time above LIMIT")

    def step(fb, dt):
        total = 0.0
        highest = fb.X[0]
        lowest = fb.X[0]
        for i in range(len(fb.X)):
            total = total + fb.X[i]
            highest = max(fb.X[i], highest)
            lowest = min(fb.X[i], lowest)
        mean = total / to_lreal(len(fb.X))
        squares = 0.0
        for i in range(len(fb.X)):
            squares = squares + (fb.X[i] - mean) * (fb.X[i] - mean)
        count = whole_periods(len(fb.X), fb.FS, 2.0 * fb.F)
        fb.MEAN = mean
        fb.RMS = sqrt(squares / to_lreal(len(fb.X)))
        fb.PP = highest - lowest + (mean - mean)  # a NaN anywhere is one here
        fb.TWICE = sqrt(tone_square(fb.X, count, 2.0 * fb.F / fb.FS)) * ROOT_2 / to_lreal(count) if count > 0 else 0.0
        factor = 100.0 * fb.RMS / abs(mean) if abs(mean) > 0.0 else 0.0
        fb.FACTOR = factor if is_finite(factor) else 0.0
        high = not fb.RMS <= fb.LIMIT * 0.01 * fb.RATED
        fb.run = min(fb.run + dt, max(fb.DELAY, 0)) if high else 0
        fb.HIGH = high and fb.run >= fb.DELAY

    example = Example(
        FS=400.0,
        RATED=800.0,
        DELAY="20ms",
        table="""
            X                                 | MEAN RMS     PP  FACTOR TWICE   HIGH
            [700,700,700,700,700,700,700,700] | 700  0       0   0      ~0.000  0
            [720,700,680,700,720,700,680,700] | 700  ~14.142 40  ~2.020 ~14.142 0    # 100 Hz on a 50 Hz grid, below 16 V
            [720,680,720,680,720,680,720,680] | 700  20      40  ~2.857 ~0.000  0    # 200 Hz
            [720,680,720,680,720,680,720,680] | 700  20      40  ~2.857 ~0.000  1
            [700,nan,700,700,700,700,700,700] | nan  nan     nan 0      nan     1
            [700,700,700,700,700,700,700,700] | 700  0       0   0      ~0.000  0
        """,
    )
