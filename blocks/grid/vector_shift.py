"""The jump of the voltage's angle."""

from __future__ import annotations

from blocks.arithmetic import abs, floor, is_finite, max, seconds
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

MS = 1_000_000


@block(
    source="EN 50549-1:2019 (loss-of-mains detection); vector shift as a protection relay defines it: a step of the voltage's angle"
)
class VECTOR_SHIFT:
    """A sudden step of the voltage's angle, the sign of a grid that was lost, gives a TRIP pulse.

    PHASE is the angle against a reference that turns with F0 (a synchrophasor, or a PLL's angle error). SHIFT is what it moved in
    this scan beyond the slow drift 360 degrees (F - F0) dt that its frequency explains, folded to -180 .. 180 degrees. TRIP stays
    for HOLD. BLOCK suppresses it, as it must while the voltage is too low to have an angle. The first scan, and the first after a
    NaN or BLOCK, has no shift. A NaN raises BAD: alarm on it, since the supervision is blind then.
    """

    PHASE = Input(LREAL, "angle of the voltage", unit="deg")
    F = Input(LREAL, "frequency of the voltage", unit="Hz", default=50.0, min=0, max=1000)
    F0 = Input(LREAL, "frequency of the reference", unit="Hz", default=50.0, min=1, max=1000)
    LIMIT = Input(LREAL, "greatest step that is no trip", unit="deg", default=8.0, min=1, max=90)
    BLOCK = Input(BOOL, "the voltage is too low to have an angle", default=False)
    HOLD = Input(TIME, "how long TRIP stays", default=200 * MS, min=0)
    SHIFT = Output(LREAL, "step of the angle in this scan", unit="deg")
    TRIP = Output(BOOL, "the angle stepped")
    BAD = Output(BOOL, "an input is not a number: nothing is supervised")
    was = Var(LREAL, "angle one scan ago", unit="deg")
    started = Var(BOOL, "there is an angle of one scan ago")
    left = Var(TIME, "time for which TRIP still stays")

    def step(fb, dt):
        alive = is_finite(fb.PHASE + fb.F + fb.F0)
        moved = fb.PHASE - fb.was - 360.0 * (fb.F - fb.F0) * seconds(dt)
        shift = moved - 360.0 * floor(moved / 360.0 + 0.5)
        seen = alive and fb.started and not fb.BLOCK and is_finite(shift)
        stepped = seen and abs(shift) > fb.LIMIT
        fb.left = max(fb.HOLD, 0) if stepped else max(fb.left - dt, 0)
        fb.SHIFT = shift if seen else 0.0
        fb.TRIP = stepped or fb.left > 0
        fb.BAD = not alive
        fb.was = fb.PHASE if alive else 0.0
        fb.started = alive and not fb.BLOCK

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
