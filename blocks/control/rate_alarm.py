"""The alarm on a rate of change."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, max, min, seconds, settling
from blocks.control.laws import lasted
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

ENDLESS = math.inf
NONE_YET = math.nan
NOT_YET = -1
WIDEST = 0.9  # of the limit: with a wider hysteresis the alarm would never go


@block(source="IEC 62682:2022, rate-of-change alarm; the rate is that of a first-order filter (Astrom & Wittenmark 1997, 2.3)")
class RATE_ALARM:
    """An alarm on how fast a value moves: a cell that warms by a degree a minute is alarming long before it is hot.

    RATE is the slope of IN behind a first-order filter of time constant T, which takes the noise away: on a steady ramp it reaches
    the true rate after about 3 T. An alarm comes once RATE was at or beyond its limit for DELAY, and goes when it is back by
    HYSTERESIS, which counts as nine tenths of the limit where it is more, and as none where it is not finite. A value or a limit
    that is NaN alarms; the filter starts anew, with RATE 0, at the next good value. It does so after RESTART too, during which RATE
    is 0: the first value of a sensor that is back is no jump.
    """

    IN = Input(LREAL, "value that is watched", unit="{IN}")
    RISE = Input(LREAL, "fastest rise allowed per second", unit="{IN}/s", default=ENDLESS, min=0)
    FALL = Input(LREAL, "fastest fall allowed per second, as a positive number", unit="{IN}/s", default=ENDLESS, min=0)
    T = Input(LREAL, "time constant of the filter; 0 switches it off", unit="s", default=1.0, min=0, max=1e9)
    HYSTERESIS = Input(LREAL, "how far RATE must come back", unit="{IN}/s", default=0.0, min=0)
    DELAY = Input(TIME, "how long RATE must be beyond a limit", default=0, min=0)
    RESTART = Input(BOOL, "the value means nothing now: the filter starts anew behind it", default=False)
    RATE = Output(LREAL, "rate of change per second", unit="{IN}/s", volatile=True)
    RISING = Output(BOOL, "too fast a rise, or nobody knows")
    FALLING = Output(BOOL, "too fast a fall, or nobody knows")
    filtered = Var(LREAL, "IN behind the filter; NaN while there is none", unit="{IN}", default=NONE_YET, volatile=True)
    up_for = Var(TIME, "how long it has risen too fast, -1 while it does not", default=NOT_YET)
    down_for = Var(TIME, "how long it has fallen too fast, -1 while it does not", default=NOT_YET)

    def step(fb, dt):
        h = seconds(dt)
        started = is_finite(fb.filtered) and not fb.RESTART
        moved = (fb.IN - fb.filtered) * settling(h, fb.T) if started else 0.0
        rate = moved / h if is_finite(moved) else 0.0
        known = is_finite(fb.IN) and is_finite(rate) and is_finite(moved)
        fb.filtered = (fb.filtered + moved if started else fb.IN) if known and not fb.RESTART else NONE_YET
        fb.RATE = rate if known else 0.0
        gap = max(fb.HYSTERESIS, 0.0) if is_finite(fb.HYSTERESIS) else 0.0
        rising = not known or not fb.RATE < fb.RISE - (min(gap, WIDEST * fb.RISE) if fb.RISING else 0.0)
        falling = not known or not fb.RATE > (min(gap, WIDEST * fb.FALL) if fb.FALLING else 0.0) - fb.FALL
        fb.up_for = lasted(rising, fb.up_for, dt, fb.DELAY)
        fb.down_for = lasted(falling, fb.down_for, dt, fb.DELAY)
        fb.RISING = rising and (fb.RISING or fb.up_for >= fb.DELAY)
        fb.FALLING = falling and (fb.FALLING or fb.down_for >= fb.DELAY)

    example = Example(
        dt="1s",
        RISE=0.5,
        T=0.0,
        DELAY="1s",
        table="""
        IN   | RATE RISING FALLING
        25   | 0    0      0         # the first value is no jump
        25.3 | 0.3  0      0
        26.3 | 1    0      0
        27.3 | 1    1      0         # for one second
        27.5 | 0.2  0      0
        nan  | 0    0      0
        nan  | 0    1      1         # a dead sensor alarms
        40   | 0    0      0
    """,
    )
