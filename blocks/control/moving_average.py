"""The moving average."""

from __future__ import annotations

from blocks.arithmetic import clamp, div, is_finite, min
from blocks.declare import DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

SLOTS = 128
LAST = 127


@block(source="CODESYS Util and OSCAT: average over the last samples; summed anew in each scan, so no rounding is carried on")
class MOVING_AVERAGE:
    """Mean of the last SIZE samples, each scan one, or one in EVERY; at the start over those that have been seen.

    Takes out a ripple completely whose period is SIZE samples. No running sum is kept, so nothing drifts and a huge value leaves
    no trace. A NaN is passed on but not kept; after NaNs for longer than SIZE times EVERY the window starts anew (with EVERY = 0
    the samples from before the NaNs stay in it). SIZE may change at any time. A scan longer than EVERY counts as one sample.
    """

    IN = Input(LREAL, "value to be averaged", unit="{IN}")
    SIZE = Input(DINT, "samples in the window", min=1, max=128)
    EVERY = Input(TIME, "time between two samples; 0: each scan is one", default=0, min=0)
    OUT = Output(LREAL, "mean of the window", unit="{IN}")
    COUNT = Output(DINT, "samples that OUT is made of", min=0, max=128)
    since = Var(TIME, "time since the last sample was due")
    newest = Var(DINT, "slot of the last sample")
    kept = Var(DINT, "samples in the ring")
    ring = Var(Array(LREAL, 128), "the samples", unit="{IN}")

    def step(fb, dt):
        good = is_finite(fb.IN)
        since = fb.since + dt
        if good and fb.EVERY > 0 and div(since, fb.EVERY) > clamp(1, fb.SIZE, SLOTS):
            fb.kept = 0
        if good and (since >= fb.EVERY or fb.kept == 0):
            since = since - fb.EVERY if fb.kept > 0 else 0
            since = since if 0 <= since and since < fb.EVERY else 0
            fb.newest = (fb.newest + 1) & LAST
            fb.ring[fb.newest] = fb.IN
            fb.kept = min(fb.kept + 1, SLOTS)
        fb.since = since
        fb.COUNT = min(clamp(1, fb.SIZE, SLOTS), fb.kept)
        total = 0.0
        for i in range(fb.COUNT):
            total = total + fb.ring[(fb.newest - i) & LAST]
        fb.OUT = total / fb.COUNT if good else fb.IN

    example = Example(
        SIZE=4,
        table="""
        IN  | OUT COUNT
        8   | 8   1
        4   | 6   2        # over what has been seen
        0   | 4   3
        4   | 4   4
        4   | 3   4        # the 8 has left
        nan | nan 4        # passed on, not kept
        8   | 4   4
    """,
    )
