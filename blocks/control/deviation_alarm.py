"""The alarm on a controller that does not hold its setpoint."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max
from blocks.control.laws import lasted
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

NOT_YET = -1


@block(source="IEC 62682:2022, deviation alarm, with deadband and on-delay")
class DEVIATION_ALARM:
    """An alarm on a value that is too far from its setpoint: HIGH above, LOW below, once it was so for DELAY.

    It goes when the value is back by DEADBAND. After a change of the setpoint, and after the start, it is blocked for SETTLE, so a
    step is no alarm; a steady ramp of the setpoint blocks it throughout. A NaN on any input alarms both ways, blocked or not.
    """

    PV = Input(LREAL, "measured value", unit="{PV}")
    SP = Input(LREAL, "setpoint", unit="{PV}")
    TOLERANCE = Input(LREAL, "distance that alarms", unit="{PV}", min=0, difference=True)
    DEADBAND = Input(LREAL, "how far the value must come back", unit="{PV}", default=0.0, min=0, difference=True)
    DELAY = Input(TIME, "how long the value must be too far", default=0, min=0)
    SETTLE = Input(TIME, "blocked for so long after the setpoint has changed", default=0, min=0)
    HIGH = Output(BOOL, "too far above, or nobody knows")
    LOW = Output(BOOL, "too far below, or nobody knows")
    BLOCKED = Output(BOOL, "the setpoint has just changed")
    high_for = Var(TIME, "how long it has been too high, -1 while it is not", default=NOT_YET)
    low_for = Var(TIME, "how long it has been too low, -1 while it is not", default=NOT_YET)
    left = Var(TIME, "time for which it is still blocked")
    sp_was = Var(LREAL, "the setpoint one scan ago", unit="{PV}")
    started = Var(BOOL, "sp_was holds a setpoint")

    def step(fb, dt):
        off = fb.PV - fb.SP
        known = is_finite(off + fb.TOLERANCE + fb.DEADBAND)
        changed = is_finite(fb.SP) and (not fb.started or fb.SP != fb.sp_was)
        fb.left = fb.SETTLE if changed else max(fb.left - dt, 0)
        if is_finite(fb.SP):
            fb.sp_was = fb.SP
            fb.started = True
        blocked = fb.left > 0
        high = not known or (not blocked and off >= fb.TOLERANCE - (fb.DEADBAND if fb.HIGH else 0.0))
        low = not known or (not blocked and 0.0 - off >= fb.TOLERANCE - (fb.DEADBAND if fb.LOW else 0.0))
        fb.high_for = lasted(high, fb.high_for, dt, fb.DELAY)
        fb.low_for = lasted(low, fb.low_for, dt, fb.DELAY)
        fb.HIGH = high and fb.high_for >= fb.DELAY
        fb.LOW = low and fb.low_for >= fb.DELAY
        fb.BLOCKED = blocked

    example = Example(
        TOLERANCE=2.0,
        DEADBAND=0.5,
        SETTLE="20ms",
        table="""
        PV   SP | HIGH LOW BLOCKED
        20   20 | 0    0   1
        20   20 | 0    0   1
        22   20 | 1    0   0
        21.6 20 | 1    0   0        # not back by the deadband
        21.4 20 | 0    0   0
        21.4 30 | 0    0   1        # a step of the setpoint is no alarm
        24   30 | 0    0   1
        28   30 | 0    1   0        # it should have arrived
        nan  30 | 1    1   0
    """,
    )
