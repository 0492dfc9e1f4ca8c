"""One frequency of a burst."""

from __future__ import annotations

import math

from blocks.arithmetic import cosine_of_turns, floor, is_finite, sine_of_turns, sqrt, to_lreal, turns_of
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, block
from blocks.grid.laws import whole_periods

UNKNOWN = math.nan
ROOT_2 = 1.4142135623730951


@block(
    source="G. Goertzel, An algorithm for the evaluation of finite trigonometric series (American Mathematical Monthly 65, 1958)"
)
class GOERTZEL:
    """How much of one frequency a burst of samples carries, and at which angle.

    The burst is cut to a whole number of periods of BASE (USED samples), and F is a multiple of it: then no other multiple leaks
    in. Left at 0, BASE is F. RMS is that of the sine; PHASE is the angle of the cosine at the first sample. What is no multiple
    leaks, the less the more periods it is away. Without one period, or with F at or above half of the sample rate, RMS is 0 and
    OK false. A NaN in the burst comes out as NaN. Costs about 2 ns a sample.
    """

    X = Input(Array(LREAL, "N"), "the burst of samples")
    FS = Input(LREAL, "samples per second", unit="Hz", min=0)
    F = Input(LREAL, "the frequency looked for", unit="Hz", default=50.0, min=0)
    BASE = Input(LREAL, "frequency whose whole periods are taken: the fundamental; 0 is F", unit="Hz", default=0.0, min=0)
    RMS = Output(LREAL, "root mean square of the part at F", unit="{X}")
    PHASE = Output(LREAL, "its angle at the first sample", unit="deg")
    USED = Output(DINT, "samples used", min=0)
    OK = Output(BOOL, "RMS and PHASE are measured")

    def step(fb, dt):
        count = whole_periods(len(fb.X), fb.FS, fb.BASE if fb.BASE > 0.0 else fb.F) if fb.F > 0.0 and fb.F * 2.0 < fb.FS else 0
        turns = fb.F / fb.FS if count > 0 else 0.0
        along = cosine_of_turns(turns)
        last = 0.0
        before = 0.0
        for i in range(count):
            new = fb.X[i] + 2.0 * along * last - before
            before = last
            last = new
        real = last - along * before
        imaginary = sine_of_turns(turns) * before
        back = turns * to_lreal(count - 1)
        scale = ROOT_2 / to_lreal(count) if count > 0 else 0.0
        fb.RMS = sqrt(real * real + imaginary * imaginary) * scale
        angle = turns_of(imaginary, real) - back
        folded = angle - floor(angle + 0.5)
        fb.PHASE = 360.0 * folded if is_finite(folded) else UNKNOWN
        fb.USED = count
        fb.OK = count > 0 and is_finite(fb.RMS)

    example = Example(
        FS=400.0,
        F=50.0,
        table="""
            X                           | RMS    PHASE   USED OK
            [10,0,-10,0,10,0,-10,0]     | ~0.000 -       8    1     # 100 Hz: none of 50 Hz
            [10,7.0710678118654755,0,-7.0710678118654755,-10,-7.0710678118654755,0,7.0710678118654755] | ~7.0711 ~0.00 8 1
            [0,7.0710678118654755,10,7.0710678118654755,0,-7.0710678118654755,-10,-7.0710678118654755] | ~7.0711 ~-90.00 8 1
            [5,5,5,5,5,5,5,5]           | ~0.000 -       8    1
            [5,nan,5,5,5,5,5,5]         | nan    nan     8    0
        """,
    )
