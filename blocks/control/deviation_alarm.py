"""The alarm on a controller that does not hold its setpoint."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min
from blocks.control.laws import lasted
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

NOT_YET = -1
NOTICED = 0.1  # of TOLERANCE: a smaller change of the setpoint is none
WIDEST = 0.9  # of TOLERANCE: with a wider deadband the alarm would never go


@block(source="IEC 62682:2022, deviation alarm, with deadband and on-delay")
class DEVIATION_ALARM:
    """An alarm on a value that is too far from its setpoint: HIGH above, LOW below, once it was so for DELAY.

    It goes when the value is back by DEADBAND, of which more than nine tenths of TOLERANCE count as that. After a change of the
    setpoint by more than a tenth of TOLERANCE, and after the start, it is blocked for SETTLE, so a step is no alarm. A ramp of the
    setpoint blocks it throughout, but no longer than BLOCK_MAX (or SETTLE, where that is longer) in one go. A NaN on any input
    alarms both ways, blocked or not, and is gone with its scan.
    """

    PV = Input(LREAL, "measured value", unit="{PV}")
    SP = Input(LREAL, "setpoint", unit="{PV}")
    TOLERANCE = Input(LREAL, "distance that alarms", unit="{PV}", min=0, difference=True)
    DEADBAND = Input(LREAL, "how far the value must come back", unit="{PV}", default=0.0, min=0, difference=True)
    DELAY = Input(TIME, "how long the value must be too far", default=0, min=0)
    SETTLE = Input(TIME, "blocked for so long after the setpoint has changed", default=0, min=0)
    BLOCK_MAX = Input(TIME, "a setpoint that never rests blocks no longer than this", default=3_600_000_000_000, min=0)
    HIGH = Output(BOOL, "too far above, or nobody knows")
    LOW = Output(BOOL, "too far below, or nobody knows")
    BLOCKED = Output(BOOL, "the setpoint has just changed")
    high_for = Var(TIME, "how long it has been too high, -1 while it is not", default=NOT_YET)
    low_for = Var(TIME, "how long it has been too low, -1 while it is not", default=NOT_YET)
    left = Var(TIME, "time for which the change of the setpoint still counts", volatile=True)
    blocked_for = Var(TIME, "how long changes have blocked it, -1 while they do not", default=NOT_YET, volatile=True)
    sp_was = Var(LREAL, "the setpoint at its last change", unit="{PV}", volatile=True)
    started = Var(BOOL, "sp_was holds a setpoint", volatile=True)
    high_held = Var(BOOL, "a known value raised HIGH and is not back by DEADBAND")
    low_held = Var(BOOL, "a known value raised LOW and is not back by DEADBAND")

    def step(fb, dt):
        off = fb.PV - fb.SP
        known = is_finite(off + fb.TOLERANCE + fb.DEADBAND)
        changed = is_finite(fb.SP) and (not fb.started or abs(fb.SP - fb.sp_was) > NOTICED * fb.TOLERANCE)
        fb.left = fb.SETTLE if changed else max(fb.left - dt, 0)
        if changed:
            fb.sp_was = fb.SP
            fb.started = True
        longest = max(fb.BLOCK_MAX, fb.SETTLE)
        fb.blocked_for = lasted(fb.left > 0, fb.blocked_for, dt, longest)
        blocked = fb.left > 0 and fb.blocked_for < longest
        gap = min(max(fb.DEADBAND, 0.0), WIDEST * fb.TOLERANCE)
        high = not known or (not blocked and off >= fb.TOLERANCE - (gap if fb.high_held else 0.0))
        low = not known or (not blocked and 0.0 - off >= fb.TOLERANCE - (gap if fb.low_held else 0.0))
        fb.high_for = lasted(high, fb.high_for, dt, fb.DELAY)
        fb.low_for = lasted(low, fb.low_for, dt, fb.DELAY)
        fb.HIGH = high and (fb.HIGH or fb.high_for >= fb.DELAY)
        fb.LOW = low and (fb.LOW or fb.low_for >= fb.DELAY)
        fb.high_held = fb.HIGH if known else fb.high_held
        fb.low_held = fb.LOW if known else fb.low_held
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
