"""The statistics of a value since a reset: smallest, largest, mean and variance, weighted with the time between scans."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min, seconds
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

WEST = "; D. H. D. West, Commun. ACM 22 (1979) 532-535 (updating mean and variance, weighted)"


@block(source="CODESYS Util library, STATISTICS_REAL" + WEST)
class STATISTICS_REAL:
    """The smallest, the largest and the mean of IN since RESET.

    Each value weighs as much as the time since the last scan, so a late scan does not distort AVG; with even scans it is the plain
    mean. A value that is not finite is left out, and HELD says so. The scan of a RESET is the first of the new count.
    """

    IN = Input(LREAL, "value that is watched", unit="{IN}")
    RESET = Input(BOOL, "begins anew with this scan", default=False)
    MN = Output(LREAL, "smallest", unit="{IN}")
    MX = Output(LREAL, "largest", unit="{IN}")
    AVG = Output(LREAL, "mean over time", unit="{IN}")
    HELD = Output(BOOL, "IN is not finite and left out")
    weight = Var(LREAL, "time counted so far", unit="s")

    def step(fb, dt):
        good = is_finite(fb.IN)
        before = 0.0 if fb.RESET else fb.weight
        weight = before + seconds(dt)
        first = not before > 0.0
        if good:
            fb.MN = fb.IN if first else min(fb.IN, fb.MN)
            fb.MX = fb.IN if first else max(fb.IN, fb.MX)
            share = seconds(dt) / weight
            fb.AVG = fb.IN if first else fb.AVG * (1.0 - share) + fb.IN * share
        fb.weight = weight if good else before
        fb.HELD = not good

    example = Example(
        dt="100ms",
        table="""
        dt    IN  RESET | MN MX AVG HELD
        100ms 10  0     | 10 10 10  0
        100ms 20  0     | 10 20 15  0
        100ms 0   0     | 0  20 10  0
        100ms nan 0     | 0  20 10  1
        300ms 30  0     | 0  30 20  0       # a late scan counts for three
        100ms 5   1     | 5  5  5   0
    """,
    )


@block(source="CODESYS Util library, VARIANCE" + WEST)
class VARIANCE:
    """The variance of IN since RESET: the mean square of its distance from its mean. Its root is the standard deviation.

    Each value weighs as much as the time since the last scan; with even scans it is the sum of squares by the number of scans (the
    whole population, not a sample). It is updated about the mean, so a large mean does not drown a small variance. A value that is
    not finite is left out, and HELD says so. The scan of a RESET is the first of the new count.
    """

    IN = Input(LREAL, "value that is watched", unit="{IN}")
    RESET = Input(BOOL, "begins anew with this scan", default=False)
    OUT = Output(LREAL, "variance", unit="{IN}*{IN}", min=0)
    HELD = Output(BOOL, "IN is not finite and left out")
    mean = Var(LREAL, "mean so far", unit="{IN}")
    weight = Var(LREAL, "time counted so far", unit="s")

    def step(fb, dt):
        before = 0.0 if fb.RESET else fb.weight
        weight = before + seconds(dt)
        share = seconds(dt) / weight
        away = fb.IN - fb.mean if before > 0.0 else 0.0
        spread = (1.0 - share) * ((fb.OUT if before > 0.0 else 0.0) + share * away * away)
        good = is_finite(fb.IN) and is_finite(spread)
        if good:
            fb.mean = fb.mean + share * away if before > 0.0 else fb.IN
            fb.OUT = spread
        fb.weight = weight if good else before
        fb.HELD = not good

    example = Example(
        dt="100ms",
        table="""
        IN  RESET | OUT HELD
        4   0     | 0   0
        6   0     | 1   0       # mean 5: (1 + 1) / 2
        nan 0     | 1   1
        2   0     | ~2.666667 0 # mean 4: (0 + 4 + 4) / 3
        4   0     | 2   0
        7   1     | 0   0
    """,
    )
