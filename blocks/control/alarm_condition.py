"""A condition that raises an alarm."""

from __future__ import annotations

from blocks.arithmetic import min
from blocks.declare import BOOL, TIME, Example, Input, Output, Var, block


@block(source="IEC 62682:2022: on-delay")
class ALARM_CONDITION:
    """An alarm that is active once its condition has held for DELAY, and no longer when the condition is gone.

    It is TON under the name of its use, which the language gives to every alarm with a condition; only an alarm that stands stays
    when DELAY is raised. A deadband is ALARM_LIMIT's, a delay of the end and an acknowledgement are ALARM_LATCH's.
    """

    IN = Input(BOOL, "the condition")
    DELAY = Input(TIME, "how long it must hold", default=0, min=0)
    ACTIVE = Output(BOOL, "the alarm")
    lasted = Var(TIME, "how long the condition has held, held at DELAY")
    was = Var(BOOL, "the condition one scan ago")

    def step(fb, dt):
        fb.lasted = min(fb.lasted + dt, fb.DELAY) if fb.IN and fb.was else 0
        fb.ACTIVE = fb.IN and (fb.ACTIVE or fb.lasted >= fb.DELAY)
        fb.was = fb.IN

    example = Example(
        DELAY="20ms",
        table="""
        IN | ACTIVE
        1  | 0
        0  | 0          # too short
        1  | 0
        1  | 0
        1  | 1
        1  | 1
        0  | 0          # gone at once
    """,
    )
