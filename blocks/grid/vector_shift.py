"""The jump of the voltage's angle."""

from __future__ import annotations

from blocks.arithmetic import abs, div, floor, is_finite, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

MS = 1_000_000
KEPT = 18
LONGEST = 200 * MS


@block(
    source="EN 50549-1:2019 (loss-of-mains detection); vector shift as a protection relay defines it: a step of the voltage's angle"
)
class VECTOR_SHIFT:
    """A sudden step of the voltage's angle, the sign of a grid that was lost, gives a TRIP pulse.

    PHASE is the angle against a reference that turns with F0 (a synchrophasor, or a PLL's angle error). SHIFT is what it moved over
    WINDOW beyond the drift, the sum of 360 degrees (F - F0) dt, that its frequency explains, folded to -180 .. 180 degrees: a PLL
    may spread a step over some scans. F must not follow the step itself, or it explains it away. Only a PHASE that changed is
    compared, with the latest that is WINDOW old; so it may be refreshed more slowly than the scan. TRIP stays for HOLD. BLOCK
    ends it, as it must while the voltage is too low to have an angle. The first scan, and the first after a NaN, BLOCK or a scan
    of more than 0.2 s, has no shift. A NaN or such a scan raises BAD: alarm on it, since the supervision is blind then.
    """

    PHASE = Input(LREAL, "angle of the voltage", unit="deg")
    F = Input(LREAL, "frequency of the voltage", unit="Hz", default=50.0, min=0, max=1000)
    F0 = Input(LREAL, "frequency of the reference", unit="Hz", default=50.0, min=1, max=1000)
    LIMIT = Input(LREAL, "greatest step that is no trip", unit="deg", default=8.0, min=1, max=90)
    BLOCK = Input(BOOL, "the voltage is too low to have an angle", default=False)
    HOLD = Input(TIME, "how long TRIP stays", default=200 * MS, min=0)
    WINDOW = Input(TIME, "time over which the step is taken: one or two periods", default=20 * MS, min=0, max=200 * MS)
    SHIFT = Output(LREAL, "step of the angle over WINDOW; 0 where PHASE did not change", unit="deg")
    TRIP = Output(BOOL, "the angle stepped")
    BAD = Output(BOOL, "an input is not a number, or the scan is too long: nothing is supervised")
    was = Var(LREAL, "angle one scan ago", unit="deg")
    drift = Var(LREAL, "what the frequency explains since the start, folded", unit="deg")
    kept = Var(Array(LREAL, KEPT), "angles less their drift", unit="deg")
    taken = Var(Array(TIME, KEPT), "when they were taken")
    place = Var(DINT, "where the next one goes")
    count = Var(DINT, "how many there are")
    clock = Var(TIME, "time since the start")
    latest = Var(TIME, "when the last one was taken")
    left = Var(TIME, "time for which TRIP still stays")

    def step(fb, dt):
        turned = fb.drift + 360.0 * (fb.F - fb.F0) * seconds(dt)
        turned = turned - 360.0 * floor(turned / 360.0 + 0.5)
        alive = is_finite(fb.PHASE + turned) and dt <= LONGEST
        shift = 0.0
        seen = False
        if alive and not fb.BLOCK:
            fb.clock = fb.clock + dt if fb.count > 0 else 0
            fb.drift = turned if fb.count > 0 else 0.0
            best = 0 - 1
            for i in range(KEPT):
                age = fb.clock - fb.taken[i]
                nearer = age < best if age >= fb.WINDOW and best >= fb.WINDOW else age > best
                if i < fb.count and nearer:
                    best = age
                    shift = fb.PHASE - fb.drift - fb.kept[i]
            seen = fb.count > 0 and fb.PHASE != fb.was
            if fb.count == 0 or (seen and fb.clock - fb.latest >= div(fb.WINDOW, 16)):
                fb.kept[fb.place] = fb.PHASE - fb.drift
                fb.taken[fb.place] = fb.clock
                fb.latest = fb.clock
                fb.place = fb.place + 1 if fb.place < KEPT - 1 else 0
                fb.count = min(fb.count + 1, KEPT)
            fb.was = fb.PHASE
        else:
            fb.count = 0
            fb.place = 0
        shift = shift - 360.0 * floor(shift / 360.0 + 0.5) if seen else 0.0
        stepped = seen and not abs(shift) <= fb.LIMIT
        fb.left = 0 if fb.BLOCK else (max(fb.HOLD, 0) if stepped else max(fb.left - dt, 0))
        fb.SHIFT = shift
        fb.TRIP = stepped or fb.left > 0
        fb.BAD = not alive

    example = Example(
        dt="20ms",
        HOLD="40ms",
        table="""
            PHASE F    | SHIFT TRIP BAD
            170   50   | 0     0    0
            172   50   | 2     0    0
            -176  50   | 12    1    0      # over the seam at 180 degrees
            -176  50   | 0     1    0
            -176  50   | 0     0    0
            -172.4 50.5 | 0    0    0      # 0.5 Hz explains 3.6 degrees in 20 ms
            nan   50   | 0     0    1
            90    50   | 0     0    0
        """,
    )
