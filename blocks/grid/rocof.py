"""The rate of change of frequency."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, div, is_finite, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

KEPT = 17
MS = 1_000_000
NEVER = 9_000_000_000_000_000_000
UNKNOWN = math.nan


@block(source="EN 50549-1:2019 (rate of change of frequency immunity and loss-of-mains detection), as the mean slope over a window")
class ROCOF:
    """The rate of change of frequency over a window, and a trip where it is too fast for too long.

    RATE = (F - F before)/(time between), with the latest kept frequency that is at least WINDOW old: exact for a ramp, and
    noise of one measurement shows as noise/WINDOW. Sixteen frequencies a window are kept, so the time between is up to 1/16
    longer, or one scan. RATE is 0 and READY false until a window is full: give READY to ISLAND_DETECT. TRIP holds while |RATE|
    has been above LIMIT for DELAY, the first scan included. A NaN on F makes RATE a NaN; a timer that is running counts on,
    and once it has lasted for WINDOW and DELAY it counts as too fast and the window is emptied. A frequency outside F_LOW ..
    F_HIGH, which no grid has, is no better, but RATE is 0 and the window is emptied at once: a PLL that starts from 0 has no
    rate. BLOCK, for a voltage too low to measure a frequency by, empties the window and stops everything.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    WINDOW = Input(TIME, "time over which the slope is taken", default=500 * MS, min=20 * MS, max=60_000 * MS)
    LIMIT = Input(LREAL, "fastest rate that is no trip", unit="Hz/s", default=2.0, min=0)
    DELAY = Input(TIME, "time above LIMIT until it trips", default=0, min=0)
    BLOCK = Input(BOOL, "the frequency cannot be measured: nothing counts", default=False)
    F_LOW = Input(LREAL, "lowest frequency that is believed", unit="Hz", default=40.0, min=0)
    F_HIGH = Input(LREAL, "highest frequency that is believed", unit="Hz", default=72.0, min=0)
    RATE = Output(LREAL, "rate of change of frequency", unit="Hz/s")
    READY = Output(BOOL, "a window is full")
    TRIP = Output(BOOL, "too fast for too long")
    kept = Var(Array(LREAL, KEPT), "frequencies", unit="Hz")
    taken = Var(Array(TIME, KEPT), "when they were taken")
    place = Var(DINT, "where the next one goes")
    count = Var(DINT, "how many there are")
    clock = Var(TIME, "sum of the scans since the window was empty")
    latest = Var(TIME, "when the last one was taken")
    run = Var(TIME, "time above LIMIT")
    blind = Var(TIME, "time without a frequency")

    def step(fb, dt):
        known = is_finite(fb.F)
        alive = fb.F >= fb.F_LOW and fb.F <= fb.F_HIGH and not fb.BLOCK
        window = max(fb.WINDOW, 20 * MS)
        patience = max(window, fb.DELAY)
        fb.blind = 0 if alive or fb.BLOCK else min(fb.blind + dt, patience)
        lost = fb.blind >= patience
        best = NEVER
        before = 0.0
        fb.clock = fb.clock + dt if fb.count > 0 else 0
        if alive:
            for i in range(KEPT):
                age = fb.clock - fb.taken[i]
                if i < fb.count and age >= window and age < best:
                    best = age
                    before = fb.kept[i]
            if fb.count == 0 or fb.clock - fb.latest >= div(window, 16):
                fb.kept[fb.place] = fb.F
                fb.taken[fb.place] = fb.clock
                fb.latest = fb.clock
                fb.place = fb.place + 1 if fb.place < KEPT - 1 else 0
                fb.count = min(fb.count + 1, KEPT)
        elif known or lost or fb.BLOCK:
            fb.count = 0
            fb.place = 0
        ready = best < NEVER
        rate = (fb.F - before) / seconds(best) if ready else (0.0 if known or fb.BLOCK else UNKNOWN)
        running = not alive and not fb.BLOCK and (fb.run > 0 or fb.TRIP)
        fast = (ready and not abs(rate) <= fb.LIMIT) or running or lost
        fb.run = min(fb.run + dt, max(fb.DELAY, 0)) if fast else 0
        fb.RATE = rate
        fb.READY = ready
        fb.TRIP = lost or (fast and fb.run >= fb.DELAY)

    example = Example(
        WINDOW="100ms",
        LIMIT=1.0,
        DELAY="20ms",
        table="""
            x  F     | RATE  READY TRIP
            10 50    | 0     0     0
            5  50    | 0     1     0
            1  49.98 | ~-0.2 1     0    # 20 mHz over 100 ms
            1  49.85 | ~-1.5 1     0    # 150 mHz over 100 ms
            1  49.85 | ~-1.5 1     1
            20 49.85 | 0     1     0
            1  nan   | nan   0     0    # one is forgiven
            1  49.85 | 0     1     0
            9  nan   | nan   0     0
            1  nan   | nan   0     1    # blind for 100 ms
            1  49.85 | 0     0     0
        """,
    )
