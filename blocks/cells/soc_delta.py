"""The state of charge that people see."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, clamp, is_finite, max, seconds
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

S_PER_H = 3600.0


NAN = math.nan


@block(source="bessplc REQUIREMENTS 26 (SoC with delta compensation); a law of our own")
class SOC_DELTA:
    """Shows a state of charge that approaches the estimate without jumps and never moves against the current.

    A discharge of dq % of CAPACITY lowers SOC by dq SOC/IN, a charge raises it by dq (100 - SOC)/(100 - IN): so estimate and
    display reach 0, or 100 %, together, whatever their difference DELTA was. The factor is held between 1/FASTEST and FASTEST.
    Without current SOC stands still. LARGE says that the display is more than DELTA_MAX off. While IN is dead the charge is
    counted as it is; a dead current or capacity holds SOC. For people and for plans: limits and trips must use the estimate
    itself.
    """

    IN = Input(LREAL, "estimated state of charge, which may jump", unit="%", min=0, max=100)
    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    CAPACITY = Input(LREAL, "capacity; 0 or less is no capacity", unit="Ah", min=0)
    FASTEST = Input(LREAL, "how many times faster than counted, and slower, SOC may move", default=3.0, min=1, max=100)
    DELTA_MAX = Input(LREAL, "difference from which on LARGE is true", unit="%", default=5.0, min=0, max=100)
    SOC = Output(LREAL, "state of charge to show; 0 before the first estimate", unit="%", min=0, max=100)
    DELTA = Output(LREAL, "IN - SOC, as long as IN is alive", unit="%", min=-100, max=100)
    LARGE = Output(BOOL, "the display is further off than DELTA_MAX")
    HELD = Output(BOOL, "the current, the capacity or IN is dead")
    started = Var(BOOL, "SOC has a value")

    def step(fb, dt):
        good = is_finite(fb.IN)
        estimate = clamp(0.0, fb.IN, 100.0) if good else fb.SOC
        counted = fb.I * seconds(dt) * 100.0 / (S_PER_H * fb.CAPACITY) if fb.CAPACITY > 0.0 else NAN
        fastest = max(fb.FASTEST, 1.0)
        shown = fb.SOC if counted > 0.0 else 100.0 - fb.SOC
        true = estimate if counted > 0.0 else 100.0 - estimate
        factor = clamp(1.0 / fastest, shown / true if true > 0.0 else fastest, fastest) if shown != true else 1.0
        moved = counted * factor
        if not fb.started:
            fb.SOC = estimate
        elif is_finite(moved):
            fb.SOC = clamp(0.0, fb.SOC - moved, 100.0)
        fb.started = fb.started or good
        fb.DELTA = estimate - fb.SOC if good else fb.DELTA
        fb.LARGE = not abs(fb.DELTA) <= fb.DELTA_MAX
        fb.HELD = not (is_finite(counted) and good)

    example = Example(
        CAPACITY=100.0,
        dt="36s",
        table="""
        IN  I    | SOC  DELTA LARGE HELD
        50  0    | 50   0     0     0         # 100 A for 36 s will be 1 % of 100 Ah
        40  0    | 50   -10   1     0         # the estimate jumps, at rest nothing moves
        40  100  | 48.75 -8.75 1    0         # 50/40 of 1 %
        40  -100 | ~49.60 ~-9.60 1  0         # (100 - 48.75)/(100 - 40) of 1 %: upwards, as the current
        nan 100  | ~48.60 ~-9.60 1  1
        nan nan  | ~48.60 ~-9.60 1  1
    """,
    )
