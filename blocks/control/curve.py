"""The characteristic curve."""

from __future__ import annotations

from blocks.arithmetic import interpolate, is_finite
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, block


@block(source="CODESYS Util library, CHARCURVE (X must rise; an error for points out of order and for IN beyond them)")
class CURVE:
    """OUT from a table of points over IN: linear between them, flat beyond, or going on as the last piece with EXTRAPOLATE.

    X must rise from point to point and every point be a finite number, or ERROR is true. OUT is FAIL in an error and for a NaN on
    IN: its default 0 closes a limit in either direction. The inverse of a curve that rises is the same with X and Y swapped.
    """

    IN = Input(LREAL, "where on the curve", unit="{X}")
    X = Input(Array(LREAL, "N"), "the points' places, rising", unit="{X}")
    Y = Input(Array(LREAL, "N"), "the points' values", unit="{Y}")
    EXTRAPOLATE = Input(BOOL, "beyond the points the line goes on", default=False)
    FAIL = Input(LREAL, "OUT in an error, and for a NaN on IN", unit="{Y}", default=0.0)
    OUT = Output(LREAL, "the curve's value", unit="{Y}")
    OUTSIDE = Output(BOOL, "IN is beyond the points, or NaN")
    ERROR = Output(BOOL, "X does not rise, or a point is no finite number")

    def step(fb, dt):
        last = len(fb.X) - 1
        error = not is_finite(fb.X[0]) or not is_finite(fb.Y[0])
        for i in range(1, len(fb.X)):
            error = error or not fb.X[i] > fb.X[i - 1] or not is_finite(fb.X[i]) or not is_finite(fb.Y[i])
        out = interpolate(fb.IN, fb.X, fb.Y)
        if fb.EXTRAPOLATE and last > 0:
            if fb.IN < fb.X[0]:
                out = fb.Y[0] + (fb.IN - fb.X[0]) * ((fb.Y[1] - fb.Y[0]) / (fb.X[1] - fb.X[0]))
            elif fb.IN > fb.X[last]:
                out = fb.Y[last] + (fb.IN - fb.X[last]) * ((fb.Y[last] - fb.Y[last - 1]) / (fb.X[last] - fb.X[last - 1]))
        fb.OUT = fb.FAIL if error or not fb.IN == fb.IN or not is_finite(out) else out
        fb.OUTSIDE = not (fb.X[0] <= fb.IN and fb.IN <= fb.X[last])
        fb.ERROR = error

    example = Example(
        X=[0.0, 250.0, 500.0, 750.0, 1000.0],
        Y=[0.0, 50.0, 150.0, 400.0, 1000.0],
        table="""
        IN   | OUT  OUTSIDE ERROR
        0    | 0    0       0
        125  | 25   0       0
        600  | 250  0       0
        1000 | 1000 0       0
        1200 | 1000 1       0         # flat beyond the last point
        -10  | 0    1       0
        nan  | 0    1       0
    """,
    )
