"""The slope of a value over a time window."""

from __future__ import annotations

from blocks.arithmetic import div, is_finite, max, min, seconds
from blocks.control.laws import younger_slots
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

SLOTS = 64
LAST = 63


@block(source="difference quotient over a sliding window, as rate-of-change relays use it; a ring of 64 time-stamped samples")
class RATE_OF_CHANGE:
    """How fast IN rises per second, seen over WINDOW: (IN now - IN then)/(now - then).

    The window is true time and ends up to WINDOW/60, or one scan, earlier than asked. A longer one is calmer and slower: noise of s
    on IN is noise of 1.4 s/WINDOW on OUT, and OUT shows half of a new slope after half the WINDOW. Until the window is full, OUT is
    the change so far over the whole WINDOW, so it starts at 0 and never shows too much. A NaN is passed on but not kept.
    """

    IN = Input(LREAL, "value whose slope is sought", unit="{IN}")
    WINDOW = Input(TIME, "how far to look back; 0: to the scan before", min=0)
    OUT = Output(LREAL, "slope per second", unit="{IN}/s")
    FULL = Output(BOOL, "the whole window has been seen")
    now = Var(TIME, "time since the start")
    newest = Var(DINT, "slot of the last sample")
    count = Var(DINT, "samples kept")
    values = Var(Array(LREAL, 64), "the samples", unit="{IN}")
    stamps = Var(Array(TIME, 64), "when each was taken")

    def step(fb, dt):
        fb.now = fb.now + dt
        window = max(fb.WINDOW, 0)
        younger = younger_slots(fb.stamps, fb.newest, fb.count, fb.now - window)
        fb.FULL = younger < fb.count
        then = (fb.newest - min(younger, max(fb.count - 1, 0))) & LAST
        span = fb.now - fb.stamps[then] if fb.FULL else window
        change = fb.IN - fb.values[then] if fb.count > 0 else fb.IN * 0.0
        fb.OUT = change / seconds(span) if span > 0 else change * 0.0
        is_due = fb.count == 0 or fb.now - fb.stamps[fb.newest] > div(window, 60)
        if is_due and is_finite(fb.IN):
            fb.newest = (fb.newest + 1) & LAST
            fb.values[fb.newest] = fb.IN
            fb.stamps[fb.newest] = fb.now
            fb.count = min(fb.count + 1, SLOTS)

    example = Example(
        WINDOW="400ms",
        dt="100ms",
        table="""
        x IN  | OUT FULL
        1 20  | 0   0
        1 21  | 2.5 0       # 1 over 400 ms: the window is not full
        1 22  | 5   0
        1 23  | 7.5 0
        1 24  | 10  1       # 10 per second
        1 24  | 7.5 1
        3 24  | 0   1
    """,
    )
