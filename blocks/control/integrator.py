"""The integrator."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, is_nan, max, min, seconds
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

BOUNDLESS = math.inf


@block(source="trapezoidal rule; Kahan, Further remarks on reducing truncation errors (CACM 1965): compensated summation")
class INTEGRATOR:
    """Adds up IN over time: OUT moves by GAIN * IN each second, between OUT_MIN and OUT_MAX.

    By the trapezoidal rule, in true time; a rounding error is carried over to the next scan, so a small IN is not lost beside a
    large OUT. At a limit nothing winds up. OUT starts at RESET_TO, and goes there while RESET; HOLD keeps it. A NaN on IN or GAIN
    holds OUT inside the limits, and HELD tells. Where the limits cross OUT_MAX counts. A limit that is NaN leaves OUT to the other
    one: it moves towards 0 only, and RESET_TO goes through.
    """

    IN = Input(LREAL, "what is added up", unit="{IN}")
    GAIN = Input(LREAL, "change of OUT per second and IN", unit="{OUT_MAX}/{IN}/s", default=1.0)
    HOLD = Input(BOOL, "OUT stays", default=False)
    RESET = Input(BOOL, "OUT goes to RESET_TO", default=False)
    RESET_TO = Input(LREAL, "OUT at the start and while RESET", unit="{OUT_MAX}", default=0.0)
    OUT_MIN = Input(LREAL, "lowest OUT", unit="{OUT_MAX}", default=-BOUNDLESS)
    OUT_MAX = Input(LREAL, "highest OUT", unit="{OUT_MAX}", default=BOUNDLESS)
    OUT = Output(LREAL, "the integral", unit="{OUT_MAX}")
    LIMITED = Output(BOOL, "OUT stands at a limit")
    HELD = Output(BOOL, "an input is not a number, so OUT is held, or the limits cross")
    was = Var(LREAL, "GAIN IN one scan ago", unit="{OUT_MAX}/s")
    lost = Var(LREAL, "what rounding added too much", unit="{OUT_MAX}")
    started = Var(BOOL, "OUT holds a value")

    def step(fb, dt):
        slope = fb.GAIN * fb.IN
        resets = fb.RESET or not fb.started
        is_good = is_finite(fb.RESET_TO if resets else slope)
        room = fb.OUT_MAX - fb.OUT_MIN
        moves = is_good and not resets and not fb.HOLD
        by = 0.5 * (fb.was + slope) * seconds(dt) - fb.lost if moves else 0.0
        asked = fb.RESET_TO if resets and is_good else fb.OUT + by
        asked = asked if is_finite(asked) else fb.OUT
        careful = min(max(fb.OUT, 0.0), max(min(fb.OUT, 0.0), asked))
        out = min(fb.OUT_MAX, max(fb.OUT_MIN, careful if is_nan(room) and not resets else asked))  # passes over a NaN
        out = out if is_finite(out) else fb.OUT  # infinite limits of the wrong sign
        fb.lost = 0.0 if resets or out != asked else ((out - fb.OUT) - by if moves else fb.lost)
        fb.was = slope if is_finite(slope) else 0.0
        fb.started = fb.started or is_good
        fb.LIMITED = is_good and (out <= fb.OUT_MIN or out >= fb.OUT_MAX)
        fb.HELD = not (is_good and is_finite(slope) and room >= 0.0)
        fb.OUT = out

    example = Example(
        RESET_TO=5.0,
        OUT_MAX=10.0,
        dt="500ms",
        table="""
        IN  HOLD RESET | OUT LIMITED HELD
        4   0    0     | 5   0       0
        4   0    0     | 7   0       0
        4   0    0     | 9   0       0
        4   0    0     | 10  1       0
        -4  0    0     | 10  1       0      # from 4 to -4 the mean is 0
        -4  0    0     | 8   0       0
        -4  1    0     | 8   0       0
        nan 0    0     | 8   0       1
        -4  0    1     | 5   0       0
    """,
    )
