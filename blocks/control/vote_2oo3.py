"""The vote of three measured values."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, max, min
from blocks.control.laws import lasted, middle
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

NO_VALUE = math.nan
ENDLESS = math.inf
NOT_YET = -1
QUALITIES = ("none", "1oo1", "1oo2", "2oo3")


@block(source="IEC 61508-6:2010, annex B (2oo3 and its degradation); the middle of three as its analogue form")
class VOTE_2OO3:
    """One value out of three sensors: the middle one, so that a single wrong sensor cannot move it far.

    A sensor that is further than TOLERANCE from the middle for DELAY, while the other two agree, is named by WRONG and left out
    until it is within TOLERANCE of any other that is alive; a sensor that is no finite number is left out at once. Of two sensors
    OUT is their mean, or the lower or higher one by PREFER; of one it is that one; of none NaN. DISAGREE tells that no two of three
    in use, or not the two that are left alive, have agreed for DELAY, so nobody knows which is wrong and OUT is not to be trusted,
    also where it is the one that had not been left out. A TOLERANCE that is NaN makes them disagree.
    """

    IN1 = Input(LREAL, "first sensor", unit="{IN1}")
    IN2 = Input(LREAL, "second sensor", unit="{IN1}")
    IN3 = Input(LREAL, "third sensor", unit="{IN1}")
    TOLERANCE = Input(LREAL, "how far sensors may differ", unit="{IN1}", min=0, difference=True)
    DELAY = Input(TIME, "how long a sensor must differ", default=0, min=0)
    PREFER = Input(DINT, "OUT of two sensors", default=0, min=0, max=2, names=("mean", "low", "high"))
    OUT = Output(LREAL, "the value voted", unit="{IN1}", default=NO_VALUE)
    QUALITY = Output(DINT, "sensors in use", min=0, max=3, names=QUALITIES)
    WRONG = Output(DINT, "number of the sensor that is left out, the lowest of several; 0: none", min=0, max=3)
    DISAGREE = Output(BOOL, "no two sensors have agreed for DELAY, and two at least are alive")
    ALARM = Output(BOOL, "a sensor is wrong or dead, or they disagree")
    far1 = Var(TIME, "how long the first sensor has differed, -1 while it does not", default=NOT_YET)
    far2 = Var(TIME, "how long the second sensor has differed, -1 while it does not", default=NOT_YET)
    far3 = Var(TIME, "how long the third sensor has differed, -1 while it does not", default=NOT_YET)
    apart = Var(TIME, "how long no two sensors in use have agreed, -1 while they do", default=NOT_YET)
    out1 = Var(BOOL, "the first sensor is left out as wrong")
    out2 = Var(BOOL, "the second sensor is left out as wrong")
    out3 = Var(BOOL, "the third sensor is left out as wrong")

    def step(fb, dt):
        alive1 = is_finite(fb.IN1)
        alive2 = is_finite(fb.IN2)
        alive3 = is_finite(fb.IN3)
        near12 = abs(fb.IN1 - fb.IN2) <= fb.TOLERANCE
        near23 = abs(fb.IN2 - fb.IN3) <= fb.TOLERANCE
        near13 = abs(fb.IN1 - fb.IN3) <= fb.TOLERANCE
        if alive1 and alive2 and alive3:  # only three can tell who is wrong
            fb.far1 = lasted(near23 and not near12 and not near13, fb.far1, dt, fb.DELAY)
            fb.far2 = lasted(near13 and not near12 and not near23, fb.far2, dt, fb.DELAY)
            fb.far3 = lasted(near12 and not near13 and not near23, fb.far3, dt, fb.DELAY)
            fb.out1 = (fb.far1 >= fb.DELAY and fb.far1 >= 0) or (fb.out1 and not near12 and not near13)
            fb.out2 = (fb.far2 >= fb.DELAY and fb.far2 >= 0) or (fb.out2 and not near12 and not near23)
            fb.out3 = (fb.far3 >= fb.DELAY and fb.far3 >= 0) or (fb.out3 and not near13 and not near23)
        else:
            fb.out1 = fb.out1 and not (alive1 and ((alive2 and near12) or (alive3 and near13)))
            fb.out2 = fb.out2 and not (alive2 and ((alive1 and near12) or (alive3 and near23)))
            fb.out3 = fb.out3 and not (alive3 and ((alive1 and near13) or (alive2 and near23)))
        use1 = alive1 and not fb.out1
        use2 = alive2 and not fb.out2
        use3 = alive3 and not fb.out3
        used = (1 if use1 else 0) + (1 if use2 else 0) + (1 if use3 else 0)
        low = min(fb.IN1 if use1 else ENDLESS, min(fb.IN2 if use2 else ENDLESS, fb.IN3 if use3 else ENDLESS))
        high = max(fb.IN1 if use1 else -ENDLESS, max(fb.IN2 if use2 else -ENDLESS, fb.IN3 if use3 else -ENDLESS))
        of_two = low if fb.PREFER == 1 else (high if fb.PREFER == 2 else low + (high - low) * 0.5)
        of_three = middle(fb.IN1, fb.IN2, fb.IN3)
        fb.OUT = of_three if used == 3 else (of_two if used == 2 else (low if used == 1 else NO_VALUE))
        alone = not (alive1 and alive2) and not (alive1 and alive3) and not (alive2 and alive3)
        agree = alone or (near12 and use1 and use2) or (near23 and use2 and use3) or (near13 and use1 and use3)
        fb.apart = lasted(not agree, fb.apart, dt, fb.DELAY)
        fb.QUALITY = used
        fb.WRONG = 0 if used == 3 else (1 if not use1 else (2 if not use2 else 3))
        fb.DISAGREE = not agree and fb.apart >= fb.DELAY
        fb.ALARM = used < 3 or fb.DISAGREE

    example = Example(
        TOLERANCE=2.0,
        DELAY="20ms",
        table="""
        IN1 IN2 IN3 | OUT  QUALITY WRONG ALARM
        20  21  20  | 20   3       0     0
        20  21  90  | 21   3       0     0      # the middle one: a wrong sensor hardly moves it
        20  21  90  | 21   3       0     0
        20  21  90  | 20.5 2       3     1      # for 20 ms: left out, the mean of two
        20  nan 90  | 20   1       2     1      # a dead one too: one is left
        nan nan 90  | nan  0       1     1
        20  21  22  | 21   3       0     0      # all are back
    """,
    )
