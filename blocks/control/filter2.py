"""The second-order low-pass filter."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, seconds
from blocks.control.laws import prewarped
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

HALF_TURN = 3.141592653589793
WIDEST = 0.4


@block(source="Oppenheim & Schafer, Discrete-Time Signal Processing: bilinear transform with prewarping, as in scipy.signal.butter")
class FILTER2:
    """Second-order low-pass: passes what is slower than F0 and damps what is faster by 40 dB a decade; starts at its input.

    OUT = w^2/(s^2 + 2 D w s + w^2) IN with w = 2 pi F0, by the trapezoidal rule with prewarping: at F0 the response is exact, for
    scans of any length, equal or not. D = 0.707 (Butterworth) overshoots a step by 4 %, D = 1 not at all. Where a scan is longer
    than 0.4/F0, or late by as much, OUT is IN: no filter can work there. F0 = 0 holds OUT. A NaN is passed on; the filter starts
    anew at the first good value after it.
    """

    IN = Input(LREAL, "value to be filtered", unit="{IN}")
    F0 = Input(LREAL, "corner frequency", unit="Hz", min=0, max=1e6)
    D = Input(LREAL, "damping", default=0.7071067811865476, min=0.05, max=1)
    OUT = Output(LREAL, "IN, filtered", unit="{IN}")
    slope = Var(LREAL, "slope of OUT over 2 pi F0", unit="{IN}")
    was = Var(LREAL, "IN one scan ago", unit="{IN}")
    started = Var(BOOL, "OUT holds a good value")

    def step(fb, dt):
        cycles = fb.F0 * seconds(dt)
        g = prewarped(HALF_TURN * cycles)
        k = 2.0 * clamp(0.05, fb.D, 1.0)
        # half a trapezoid from the scan before, then the other half, solved for the new slope
        slope = fb.slope + g * (fb.was - fb.OUT - k * fb.slope)
        out = fb.OUT + g * fb.slope
        slope = (slope + g * (fb.IN - out)) / (1.0 + g * (g + k))
        out = out + g * slope
        runs = fb.started and cycles <= WIDEST
        fb.OUT = (out if runs else fb.IN) + cycles * 0.0 + fb.D * 0.0
        fb.started = is_finite(fb.OUT)
        fb.slope = slope if runs and fb.started else 0.0
        fb.was = fb.IN if fb.started else 0.0

    example = Example(
        F0=1.0,
        D=1.0,
        table="""
        x   IN | OUT
        1   20 | 20        # starts at its input
        1   20 | 20
        16  21 | ~20.3     # 1 - (1 + w t) exp(-w t) at w t = 1
        16  21 | ~20.6     # at w t = 2
        100 21 | ~21.0
    """,
    )
