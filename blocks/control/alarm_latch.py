"""An alarm that waits for the operator."""

from __future__ import annotations

from blocks.arithmetic import min
from blocks.declare import BOOL, DINT, TIME, Example, Input, Output, Var, block

STATES = ("normal", "unacknowledged", "acknowledged", "returned unacknowledged", "latched unacknowledged", "latched acknowledged")


@block(source="ANSI/ISA-18.2-2016 and IEC 62682:2022: alarm states, latching, on-delay and off-delay")
class ALARM_LATCH:
    """An alarm with its acknowledgement: it comes after ON_DELAY, goes after OFF_DELAY, and stays until the operator has seen it.

    States as in ISA-18.2. A rising edge of ACK acknowledges what was shown before this scan, never the alarm that comes with it.
    With LATCH the alarm stays when its condition is gone, until RESET rises; only an acknowledged alarm can be reset. A condition
    that returns is a new alarm. ACK and RESET stuck at true do nothing. The deadband of a measured value is ALARM_LIMIT's.
    """

    IN = Input(BOOL, "the condition")
    ON_DELAY = Input(TIME, "how long the condition must hold", default=0, min=0)
    OFF_DELAY = Input(TIME, "how long the condition must be gone", default=0, min=0)
    LATCH = Input(BOOL, "the alarm stays until RESET", default=False)
    ACK = Input(BOOL, "rising edge: the operator has seen it")
    RESET = Input(BOOL, "rising edge: a latched alarm goes", default=False)
    ACTIVE = Output(BOOL, "the condition, after its delays")
    ALARM = Output(BOOL, "active, unacknowledged or latched")
    UNACK = Output(BOOL, "waits for ACK: the lamp blinks")
    STATE = Output(DINT, "where it stands", min=0, max=5, names=STATES)
    lasted_for = Var(TIME, "how long IN has been other than ACTIVE, -1 while it is not", default=-1)
    was_ack = Var(BOOL, "ACK one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)
    was_reset = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        seen = fb.UNACK
        limit = fb.OFF_DELAY if fb.ACTIVE else fb.ON_DELAY
        if fb.IN == fb.ACTIVE:
            fb.lasted_for = -1
        else:
            fb.lasted_for = 0 if fb.lasted_for < 0 else min(fb.lasted_for + dt, limit)
            if fb.lasted_for >= limit:
                fb.ACTIVE = fb.IN
                fb.lasted_for = -1
                if fb.IN:
                    fb.STATE = 1
                    seen = False
                else:
                    fb.STATE = (4 if fb.STATE == 1 else 5) if fb.LATCH else (3 if fb.STATE == 1 else 0)
        if not fb.LATCH and fb.STATE > 3:
            fb.STATE = 3 if fb.STATE == 4 else 0
        if fb.ACK and not fb.was_ack and seen:
            fb.STATE = 2 if fb.STATE == 1 else (5 if fb.STATE == 4 else 0)
        elif fb.RESET and not fb.was_reset and fb.STATE == 5:
            fb.STATE = 0
        fb.was_ack = fb.ACK
        fb.was_reset = fb.RESET
        fb.ALARM = fb.STATE > 0
        fb.UNACK = fb.STATE == 1 or fb.STATE == 3 or fb.STATE == 4

    example = Example(
        ON_DELAY="10ms",
        LATCH=True,
        table="""
        IN ACK RESET | ACTIVE ALARM UNACK STATE
        0  0   0     | 0      0     0     0
        1  0   0     | 0      0     0     0
        1  0   0     | 1      1     1     1
        0  0   0     | 0      1     1     4        # gone, and still there for the operator
        0  0   1     | 0      1     1     4        # not before it is acknowledged
        0  1   0     | 0      1     0     5
        0  0   1     | 0      0     0     0
    """,
    )
