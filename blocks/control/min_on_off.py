"""The protection of a compressor against short cycles."""

from __future__ import annotations

from blocks.arithmetic import max, min, mod
from blocks.declare import BOOL, DINT, LINT, TIME, Array, Example, Input, Output, Var, block

SLOTS = 32
HOUR = 3_600_000_000_000
HOLDS = ("free", "minimum on", "minimum off", "starts per hour", "tripped")


@block(source="Anti-short-cycle timers of compressors (minimum on and off time, starts per hour), as in HVAC controllers' manuals")
class MIN_ON_OFF:
    """Lets a compressor run for MIN_ON at least, rest for MIN_OFF at least, and start MAX_STARTS times in any hour at most.

    The limit of starts looks at the true last hour, so several starts in a row are allowed after a quiet time. After power-up
    MIN_OFF runs first, since nobody knows when the compressor stopped, also where the starts of the hour are retained. TRIP
    switches off at once, whatever MIN_ON says.
    """

    IN = Input(BOOL, "the compressor is asked for")
    TRIP = Input(BOOL, "a protection: off at once", default=False)
    MIN_ON = Input(TIME, "shortest run", default=120_000_000_000, min=0)
    MIN_OFF = Input(TIME, "shortest rest", default=180_000_000_000, min=0)
    MAX_STARTS = Input(DINT, "starts in any hour, 32 at most; 0: no limit", default=6, min=0, max=SLOTS)
    OUT = Output(BOOL, "the compressor runs", volatile=True)
    HELD = Output(DINT, "why OUT is not IN", min=0, max=4, names=HOLDS)
    REMAINING = Output(TIME, "how long it is held", min=0)
    STARTS = Output(LINT, "starts so far", min=0)
    lasted_for = Var(TIME, "how long OUT has been as it is", volatile=True)
    clock = Var(TIME, "time since the first scan")
    started_at = Var(Array(TIME, SLOTS), "`clock` at the last starts")

    def step(fb, dt):
        fb.clock = fb.clock + dt
        fb.lasted_for = fb.lasted_for + dt
        allowed = min(fb.MAX_STARTS, SLOTS)
        full = allowed > 0 and fb.STARTS >= allowed
        oldest = fb.clock - fb.started_at[mod(max(fb.STARTS - allowed, 0), SLOTS)] if full else HOUR
        left_on = fb.MIN_ON - fb.lasted_for if fb.OUT else 0
        left_off = 0 if fb.OUT else fb.MIN_OFF - fb.lasted_for
        left_starts = HOUR - oldest
        fb.HELD = 0
        fb.REMAINING = 0
        wanted = fb.IN and not fb.TRIP
        if fb.TRIP:
            fb.HELD = 4 if fb.IN else 0
        elif fb.OUT and not fb.IN and left_on > 0:
            wanted = True
            fb.HELD = 1
            fb.REMAINING = left_on
        elif not fb.OUT and fb.IN and max(left_off, left_starts) > 0:
            wanted = False
            fb.HELD = 2 if left_off >= left_starts else 3
            fb.REMAINING = max(left_off, left_starts)
        if wanted and not fb.OUT:
            fb.started_at[mod(fb.STARTS, SLOTS)] = fb.clock
            fb.STARTS = fb.STARTS + 1
        if wanted != fb.OUT:
            fb.lasted_for = 0
        fb.OUT = wanted

    example = Example(
        dt="10s",
        MIN_ON="20s",
        MIN_OFF="20s",
        MAX_STARTS=2,
        table="""
        IN TRIP x | OUT HELD REMAINING STARTS
        1  0    1 | 0   2    10s       0         # after power-up it rests first
        1  0    1 | 1   0    0s        1
        0  0    1 | 1   1    10s       1         # its shortest run
        0  0    1 | 0   0    0s        1
        1  0    2 | 1   0    0s        2
        1  1    1 | 0   4    0s        2         # a protection waits for nothing
        1  0    2 | 0   3    3530s     2         # two starts in this hour
        1  0  352 | 0   3    10s       2
        1  0    1 | 1   0    0s        3
    """,
    )
