"""The moving median."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, min
from blocks.declare import DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

SLOTS = 15
LAST = 15


@block(source="Tukey, Exploratory Data Analysis (1977): running medians; of an even number the mean of the two in the middle")
class MOVING_MEDIAN:
    """Median of the last SIZE samples: takes out single wrong readings completely and keeps edges sharp.

    Up to (SIZE - 1)/2 bad samples in a row leave no trace; an edge comes as many samples late. At the start over those that have
    been seen. Each scan is a sample, or one in EVERY. A NaN is passed on but not kept. SIZE may change at any time.
    """

    IN = Input(LREAL, "value to be filtered", unit="{IN}")
    SIZE = Input(DINT, "samples in the window, best odd", default=5, min=1, max=15)
    EVERY = Input(TIME, "time between two samples; 0: each scan is one", default=0, min=0)
    OUT = Output(LREAL, "median of the window", unit="{IN}")
    COUNT = Output(DINT, "samples that OUT is made of", min=0, max=15)
    since = Var(TIME, "time since the last sample was due")
    newest = Var(DINT, "slot of the last sample")
    kept = Var(DINT, "samples in the ring")
    ring = Var(Array(LREAL, 16), "the samples", unit="{IN}")

    def step(fb, dt):
        good = is_finite(fb.IN)
        since = fb.since + dt
        if good and (since >= fb.EVERY or fb.kept == 0):
            since = since - fb.EVERY if fb.kept > 0 else 0
            since = since if 0 <= since and since < fb.EVERY else 0
            fb.newest = (fb.newest + 1) & LAST
            fb.ring[fb.newest] = fb.IN
            fb.kept = min(fb.kept + 1, SLOTS)
        fb.since = since
        fb.COUNT = min(clamp(1, fb.SIZE, SLOTS), fb.kept)
        # a sample is in the middle where no more than half are smaller and no more than half are larger
        low_rank = (fb.COUNT - 1) >> 1
        high_rank = fb.COUNT >> 1
        low = 0.0
        high = 0.0
        for i in range(fb.COUNT):
            one = fb.ring[(fb.newest - i) & LAST]
            below = 0
            up_to = 0
            for j in range(fb.COUNT):
                other = fb.ring[(fb.newest - j) & LAST]
                below = below + (1 if other < one else 0)
                up_to = up_to + (1 if other <= one else 0)
            low = one if below <= low_rank and low_rank < up_to else low
            high = one if below <= high_rank and high_rank < up_to else high
        fb.OUT = 0.5 * low + 0.5 * high if good else fb.IN

    example = Example(
        SIZE=3,
        table="""
        IN  | OUT COUNT
        20  | 20  1
        22  | 21  2       # of two the mean
        900 | 22  3       # a spike
        21  | 22  3
        20  | 21  3       # gone without a trace
        nan | nan 3
        20  | 20  3
    """,
    )
