"""A push-button whose press is a deliberate act."""

from __future__ import annotations

from blocks.arithmetic import max
from blocks.control.laws import lasted
from blocks.declare import BOOL, TIME, Example, Input, Output, Var, block


@block(source="ISO 13850:2015 and IEC 60204-1:2016: a reset is a deliberate act, so a button that sticks must not give one")
class PUSHBUTTON:
    """A press of a button, as one scan of PRESSED: a rise that follows a release which was seen.

    Press and release count once they have lasted for FILTER. A button that is down at the start, or while its device was lost
    (GOOD false), is no press when the device answers: it must be seen released first. STUCK tells that it has been down for
    T_STUCK, pressed or not.
    """

    IN = Input(BOOL, "the button: true while it is down")
    GOOD = Input(BOOL, "IN is known: wire the good of its tag", default=True)
    FILTER = Input(TIME, "how long a press and a release must last", default=20_000_000, min=0)
    T_STUCK = Input(TIME, "a button that is down for so long is stuck", default=10_000_000_000, min=0)
    PRESSED = Output(BOOL, "it has been pressed: true for one scan", volatile=True)
    STUCK = Output(BOOL, "it has been down for too long", volatile=True)
    released = Var(BOOL, "it has been seen released, and not pressed since", volatile=True)
    down_for = Var(TIME, "how long it has been down, -1 while it is not", default=-1, volatile=True)
    up_for = Var(TIME, "how long it has been released, -1 while it is not", default=-1, volatile=True)

    def step(fb, dt):
        down = fb.IN and fb.GOOD
        up = fb.GOOD and not fb.IN
        fb.down_for = lasted(down, fb.down_for, dt, max(fb.FILTER, fb.T_STUCK))
        fb.up_for = lasted(up, fb.up_for, dt, fb.FILTER)
        fb.PRESSED = down and fb.released and fb.down_for >= fb.FILTER
        fb.STUCK = down and fb.down_for >= fb.T_STUCK
        fb.released = fb.GOOD and not fb.PRESSED and (fb.released or (up and fb.up_for >= fb.FILTER))

    example = Example(
        FILTER="10ms",
        T_STUCK="50ms",
        table="""
        IN GOOD x | PRESSED STUCK
        1  1    3 | 0       0         # down at the start: no press
        0  1    2 | 0       0
        1  1    1 | 0       0
        1  1    1 | 1       0         # for 10 ms, after a release
        1  1    3 | 0       0
        1  1    1 | 0       1
        0  1    2 | 0       0
        0  0    1 | 0       0         # the device is lost
        1  1    4 | 0       0         # and returns with the button down
    """,
    )
