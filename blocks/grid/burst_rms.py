"""The size of a burst."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min, sqrt, to_lreal
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, block


@block(source="IEC 60050-103 (mean, root mean square, peak and crest factor), over all samples of the burst")
class BURST_RMS:
    """Root mean square, mean, peak and crest factor of a burst of samples.

    RMS counts the mean in, RMS_AC does not: RMS^2 = MEAN^2 + RMS_AC^2. CREST is PEAK over RMS, 1.414 for a sine and 0 where all
    is 0. Whole periods are the giver's affair: a rest of a period shows as a mean. A NaN comes out as NaN and is not remembered.
    """

    X = Input(Array(LREAL, "N"), "the burst of samples")
    RMS = Output(LREAL, "root mean square", unit="{X}")
    MEAN = Output(LREAL, "mean", unit="{X}")
    RMS_AC = Output(LREAL, "root mean square without the mean", unit="{X}")
    PEAK = Output(LREAL, "greatest magnitude", unit="{X}")
    CREST = Output(LREAL, "peak over root mean square", min=0)
    OK = Output(BOOL, "all samples are numbers")

    def step(fb, dt):
        total = 0.0
        highest = fb.X[0]
        lowest = fb.X[0]
        for i in range(len(fb.X)):
            total = total + fb.X[i]
            highest = max(fb.X[i], highest)
            lowest = min(fb.X[i], lowest)
        mean = total / to_lreal(len(fb.X))
        squares = 0.0
        for i in range(len(fb.X)):
            squares = squares + (fb.X[i] - mean) * (fb.X[i] - mean)
        fb.MEAN = mean
        fb.RMS_AC = sqrt(squares / to_lreal(len(fb.X)))
        fb.RMS = sqrt(squares / to_lreal(len(fb.X)) + mean * mean)
        fb.PEAK = max(abs(highest), abs(lowest)) + (mean - mean)  # a NaN anywhere is one here
        crest = fb.PEAK / fb.RMS if fb.RMS > 0.0 else 0.0
        fb.CREST = crest if is_finite(crest) else 0.0
        fb.OK = is_finite(fb.RMS)

    example = Example(
        table="""
            X             | RMS  MEAN RMS_AC PEAK CREST   OK
            [1,-1,1,-1]   | 1    0    1      1    1       1
            [3,3,3,3]     | 3    3    0      3    1       1
            [7,-1,7,-1]   | 5    3    4      7    1.4     1    # 25 = 9 + 16
            [0,0,0,0]     | 0    0    0      0    0       1
            [1,nan,1,-1]  | nan  nan  nan    nan  0       0
        """,
    )
