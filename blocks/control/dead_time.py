"""The dead time."""

from __future__ import annotations

from blocks.arithmetic import div, is_finite, max, min
from blocks.control.laws import younger_slots
from blocks.declare import DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

SLOTS = 256
LAST = 255


@block(source="CODESYS and other process libraries: DEAD_TIME; a ring of 256 time-stamped samples")
class DEAD_TIME:
    """Shows what IN was T ago, like a pipe or a conveyor: OUT is IN, later by T.

    Each scan is kept, but no more than one sample in T/254: with T beyond 254 scans a change comes out up to T/254 late, never
    early. While less than T has been seen, OUT is the oldest value that was. T may change: a shorter one skips, a longer one
    repeats, and beyond what was kept the oldest is shown. A NaN is a value like any other: it comes out T later, once, and is gone;
    at the start it is waited for a good one.
    """

    IN = Input(LREAL, "value to be delayed", unit="{IN}")
    T = Input(TIME, "dead time; 0 is a wire", min=0)
    OUT = Output(LREAL, "IN, T ago", unit="{IN}")
    now = Var(TIME, "time since the start")
    newest = Var(DINT, "slot of the last sample")
    count = Var(DINT, "samples kept")
    values = Var(Array(LREAL, 256), "the samples", unit="{IN}")
    stamps = Var(Array(TIME, 256), "when each was taken")

    def step(fb, dt):
        fb.now = fb.now + dt
        delay = max(fb.T, 0)
        is_due = fb.now - fb.stamps[fb.newest] > div(delay, 254)
        if fb.count == 0:
            is_due = is_finite(fb.IN)
        if is_due:
            fb.newest = (fb.newest + 1) & LAST
            fb.values[fb.newest] = fb.IN
            fb.stamps[fb.newest] = fb.now
            fb.count = min(fb.count + 1, SLOTS)
        back = min(younger_slots(fb.stamps, fb.newest, fb.count, fb.now - delay), max(fb.count - 1, 0))
        fb.OUT = fb.values[(fb.newest - back) & LAST] if fb.count > 0 else fb.IN

    example = Example(
        T="30ms",
        table="""
        IN | OUT
        5  | 5
        6  | 5
        7  | 5
        8  | 5
        9  | 6      # 30 ms after it was 6
        9  | 7
        9  | 8
        9  | 9
    """,
    )
