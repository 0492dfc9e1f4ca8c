"""The unbalance of three voltages whose angles nobody measures, and a lost phase."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, sqrt
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

S = 1_000_000_000


@block(
    source="IEC 61000-4-30:2015, 5.7 (unbalance from three phase-to-phase voltages); NEMA MG 1 (greatest deviation from the mean)"
)
class UNBALANCE:
    """How unequal three phase-to-phase voltages are, from their magnitudes alone, and which one is gone.

    U2 = sqrt((1 - sqrt(3 - 6 b))/(1 + sqrt(3 - 6 b))), b = (A^4 + B^4 + C^4)/(A^2 + B^2 + C^2)^2, is negative over positive
    sequence: exact where the three close to a triangle, as phase-to-phase voltages must; where they cannot it is 100 %. DEVIATION
    is the greatest distance from the mean over the mean, which also suits phase-to-neutral voltages and currents. HIGH is true
    when U2 has been above LIMIT for DELAY, the first scan included. LOST is the number of the lowest one where it is below LOSS
    of the highest. No voltage at all has no unbalance: DEAD says so, and LOST names the first. A NaN counts as 0, and as
    unbalanced even where the others are 0.
    """

    V = Input(Array(LREAL, 3), "magnitudes of the three voltages", unit="V", min=0)
    LIMIT = Input(LREAL, "highest U2 that is no alarm", unit="%", default=2.0, min=0, max=100)
    DELAY = Input(TIME, "time above LIMIT until HIGH", default=10 * S, min=0)
    LOSS = Input(LREAL, "share of the highest voltage below which a phase is lost", default=0.5, min=0, max=1)
    U2 = Output(LREAL, "negative sequence over positive", unit="%", min=0, max=100)
    DEVIATION = Output(LREAL, "greatest distance from the mean over the mean", unit="%", min=0)
    HIGH = Output(BOOL, "unbalanced for too long")
    LOST = Output(DINT, "number of the lost phase, from 1; 0 where none is", min=0, max=3)
    BAD = Output(BOOL, "a voltage is not a number")
    DEAD = Output(BOOL, "there is no voltage at all")
    run = Var(TIME, "time above LIMIT")

    def step(fb, dt):
        highest = 0.0
        bad = False
        for i in range(3):
            bad = bad or not is_finite(fb.V[i])
            highest = max(fb.V[i], highest) if is_finite(fb.V[i]) else highest
        squares = 0.0
        fourths = 0.0
        total = 0.0
        lowest = 1.0
        lost = 0
        for i in range(3):
            share = max(fb.V[i], 0.0) / highest if is_finite(fb.V[i]) and highest > 0.0 else 0.0
            squares = squares + share * share
            fourths = fourths + share * share * share * share
            total = total + share
            lost = i + 1 if share < lowest else lost
            lowest = min(share, lowest)
        root = sqrt(clamp(0.0, 3.0 - 6.0 * fourths / (squares * squares), 1.0)) if squares > 0.0 else 1.0
        fb.U2 = 100.0 * sqrt((1.0 - root) / (1.0 + root))
        mean = total / 3.0
        fb.DEVIATION = 100.0 * max(1.0 - mean, mean - lowest) / mean if mean > 0.0 else 0.0
        high = not fb.U2 <= fb.LIMIT or bad
        fb.run = min(fb.run + dt, max(fb.DELAY, 0)) if high else 0
        fb.HIGH = high and fb.run >= fb.DELAY
        fb.LOST = lost if lowest < fb.LOSS else 0
        fb.BAD = bad
        fb.DEAD = not highest > 0.0

    example = Example(
        DELAY="100ms",
        dt="50ms",
        table="""
            V             | U2       DEVIATION HIGH LOST
            [400,400,400] | 0        0         0    0
            [400,400,380] | ~3.36    ~3.39     0    0     # 2.17 % off the mean for the two, 3.39 % for the third
            [400,400,380] | ~3.36    ~3.39     1    0
            [400,200,200] | 100      ~50.0     1    0
            [400,190,210] | 100      ~50.0     1    2
            [nan,400,400] | 100      100       1    1
            [0,0,0]       | 0        0         0    1
        """,
    )
