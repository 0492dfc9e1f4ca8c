"""Direct current on an alternating line."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min, to_lreal
from blocks.declare import BOOL, LREAL, TIME, Array, Example, Input, Output, Var, block
from blocks.grid.laws import whole_periods

S = 1_000_000_000


@block(source="IEEE 1547-2018, 7.1 (limitation of dc injection: 0.5 % of the rated output current)")
class DC_OFFSET:
    """The direct part of an alternating current, which saturates transformers, from a burst of samples.

    DC is the mean over a whole number of periods of F: a burst needs at least two at the nominal frequency, since one is a sample
    too short as soon as F falls. HIGH is true when its magnitude has been above LIMIT of RATED for DELAY, the first scan included.
    A NaN in the burst, or a burst without a period, makes DC a NaN or 0 and OK false; that counts as too high as well, as the
    supervision is blind, and BAD says that HIGH is no measured current.
    """

    X = Input(Array(LREAL, "N"), "the burst of samples of the current", unit="A")
    FS = Input(LREAL, "samples per second", unit="Hz", min=0)
    F = Input(LREAL, "frequency of the grid", unit="Hz", default=50.0, min=0)
    RATED = Input(LREAL, "rated current", unit="A", min=0.001)
    LIMIT = Input(LREAL, "greatest share that is no alarm", unit="%", default=0.5, min=0)
    DELAY = Input(TIME, "time above LIMIT until HIGH", default=S, min=0)
    DC = Output(LREAL, "direct part", unit="A")
    SHARE = Output(LREAL, "its magnitude over RATED", unit="%")
    HIGH = Output(BOOL, "too much for too long")
    OK = Output(BOOL, "DC is measured")
    BAD = Output(BOOL, "HIGH is true because nothing is measured")
    run = Var(TIME, "time above LIMIT")

    def step(fb, dt):
        count = whole_periods(len(fb.X), fb.FS, fb.F)
        total = 0.0
        for i in range(count):
            total = total + fb.X[i]
        fb.DC = total / to_lreal(max(count, 1))
        fb.SHARE = 100.0 * abs(fb.DC) / fb.RATED if fb.RATED > 0.0 else 0.0
        fb.OK = count > 0 and fb.RATED > 0.0 and is_finite(fb.SHARE)
        high = not fb.SHARE <= fb.LIMIT or not fb.OK
        fb.run = min(fb.run + dt, max(fb.DELAY, 0)) if high else 0
        fb.HIGH = high and fb.run >= fb.DELAY
        fb.BAD = fb.HIGH and not fb.OK

    example = Example(
        FS=200.0,
        RATED=200.0,
        DELAY="200ms",
        dt="100ms",
        table="""
            X                       | DC   SHARE HIGH OK
            [100,0,-100,0,100]      | 0    0     0    1     # the fifth sample is of the next period
            [102,2,-98,2,100]       | 2    1     0    1
            [102,2,-98,2,100]       | 2    1     1    1
            [100.5,0.5,-99.5,0.5,0] | 0.5  0.25  0    1
            [100,nan,-100,0,100]    | nan  nan   0    0
            [100,nan,-100,0,100]    | nan  nan   1    0
        """,
    )
