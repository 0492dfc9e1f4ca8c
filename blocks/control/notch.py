"""The notch filter."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, seconds
from blocks.control.laws import prewarped
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

HALF_TURN = 3.141592653589793
WIDEST = 0.4


@block(source="Oppenheim & Schafer, Discrete-Time Signal Processing: bilinear transform with prewarping of the analogue notch")
class NOTCH:
    """Band-stop: takes out one frequency F0, such as a mechanical resonance or a ripple, and lets the others through.

    OUT = (s^2 + w^2)/(s^2 + w/Q s + w^2) IN with w = 2 pi F0, by the trapezoidal rule with prewarping: nothing is left of F0, 3 dB
    are lost at about F0/(2 Q) to either side, and a constant passes unchanged. Where F0 is 0, or a scan is longer than 0.4/F0, or
    late by as much, OUT is IN. A NaN is passed on; the filter starts anew at the first good value after it.
    """

    IN = Input(LREAL, "value to be filtered", unit="{IN}")
    F0 = Input(LREAL, "frequency that is taken out; 0: none", unit="Hz", min=0, max=1e6)
    Q = Input(
        LREAL, "sharpness: F0 over the width of the notch; a sharp one rings for about Q periods", default=2.0, min=0.5, max=50
    )
    OUT = Output(LREAL, "IN without F0", unit="{IN}")
    low = Var(LREAL, "the low-pass part", unit="{IN}")
    band = Var(LREAL, "the band-pass part, over the damping", unit="{IN}")
    was = Var(LREAL, "IN one scan ago", unit="{IN}")
    started = Var(BOOL, "the parts hold good values")

    def step(fb, dt):
        cycles = fb.F0 * seconds(dt)
        g = prewarped(HALF_TURN * cycles)
        k = 1.0 / max(fb.Q, 0.5)
        band = fb.band + g * (fb.was - fb.low - k * fb.band)
        low = fb.low + g * fb.band
        band = (band + g * (fb.IN - low)) / (1.0 + g * (g + k))
        low = low + g * band
        runs = fb.started and cycles > 0.0 and cycles <= WIDEST
        fb.OUT = (fb.IN - k * band if runs else fb.IN) + cycles * 0.0 + fb.Q * 0.0
        fb.started = is_finite(fb.OUT)
        fb.low = (low if runs else fb.IN) if fb.started else 0.0
        fb.band = band if runs and fb.started else 0.0
        fb.was = fb.IN if fb.started else 0.0

    example = Example(
        F0=5.0,
        Q=0.5,
        dt="50ms",
        table="""
        x  IN | OUT
        40 20 | 20        # a constant passes
        1  21 | -         # 5 Hz on top of it, from here on
        1  20 | -
        1  19 | -
        1  20 | -
        1  21 | -
        1  20 | -
        1  19 | -
        1  20 | ~20.0
        1  21 | ~20.0     # settled after a period: nothing of it is left
        1  20 | ~20.0
        1  19 | ~20.0
    """,
    )
