"""The moving root mean square."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, min, sqrt
from blocks.declare import DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

SLOTS = 128
LAST = 127


@block(source="definition of the effective value over a sliding window; summed anew in each scan, so no rounding is carried on")
class MOVING_RMS:
    """Effective value of the last SIZE samples, each scan one, or one in EVERY; at the start over those that have been seen.

    OUT = sqrt(mean of IN^2). Right for a ripple of which SIZE samples span whole periods. No running sum is kept, so nothing
    drifts. A NaN is passed on but not kept. SIZE may change at any time. A scan longer than EVERY counts as one sample.
    """

    IN = Input(LREAL, "value whose effective value is sought", unit="{IN}", min=-1e100, max=1e100)
    SIZE = Input(DINT, "samples in the window", min=1, max=128)
    EVERY = Input(TIME, "time between two samples; 0: each scan is one", default=0, min=0)
    OUT = Output(LREAL, "effective value of the window", unit="{IN}")
    COUNT = Output(DINT, "samples that OUT is made of", min=0, max=128)
    since = Var(TIME, "time since the last sample was due")
    newest = Var(DINT, "slot of the last sample")
    kept = Var(DINT, "samples in the ring")
    squares = Var(Array(LREAL, 128), "the squares of the samples")

    def step(fb, dt):
        square = fb.IN * fb.IN
        good = is_finite(square)
        since = fb.since + dt
        if good and (since >= fb.EVERY or fb.kept == 0):
            since = since - fb.EVERY if fb.kept > 0 else 0
            since = since if 0 <= since and since < fb.EVERY else 0
            fb.newest = (fb.newest + 1) & LAST
            fb.squares[fb.newest] = square
            fb.kept = min(fb.kept + 1, SLOTS)
        fb.since = since
        fb.COUNT = min(clamp(1, fb.SIZE, SLOTS), fb.kept)
        total = 0.0
        for i in range(fb.COUNT):
            total = total + fb.squares[(fb.newest - i) & LAST]
        fb.OUT = sqrt(total / fb.COUNT) if good else square

    example = Example(
        SIZE=2,
        table="""
        IN  | OUT COUNT
        3   | 3   1
        -3  | 3   2        # the sign does not count
        1   | ~2.236 2     # sqrt((9 + 1)/2)
        7   | 5   2        # sqrt((1 + 49)/2)
        nan | nan 2
        1   | 5   2
    """,
    )
