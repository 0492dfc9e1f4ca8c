"""A manual force that ends by itself."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block


@block(source="ANSI/ASHRAE 135 (BACnet), command prioritization: a manual command over the automatic one, relinquished when done")
class FORCE_TIMEOUT:
    """Lets a person drive an actuator for a while: OUT is VALUE instead of IN, and returns to IN by itself after T_MAX.

    The force begins with a rising edge of FORCE and ends when FORCE falls or the time is over; a new one needs a new edge, so a
    button that is stuck, or a force that was on at a restart, forces nothing. VALUE may change meanwhile and is held inside MIN
    and MAX. A VALUE that is NaN ends the force. IN passes unchanged, a NaN too.
    """

    IN = Input(LREAL, "what the automatic wants", unit="{IN}")
    FORCE = Input(BOOL, "asks for the force")
    VALUE = Input(LREAL, "what the person wants", unit="{IN}")
    T_MAX = Input(TIME, "longest force", default=600_000_000_000, min=0)
    MIN = Input(LREAL, "lowest VALUE", unit="{IN}", default=0.0)
    MAX = Input(LREAL, "highest VALUE", unit="{IN}", default=100.0)
    OUT = Output(LREAL, "VALUE or IN", unit="{IN}")
    FORCED = Output(BOOL, "OUT is forced", volatile=True)
    REMAINING = Output(TIME, "how long the force still lasts", min=0, volatile=True)
    EXPIRED = Output(BOOL, "the time is over, and FORCE is still asked for", volatile=True)
    was = Var(BOOL, "FORCE one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        usable = fb.FORCE and is_finite(fb.VALUE) and fb.MIN <= fb.MAX
        left = max(fb.REMAINING - dt, 0) if fb.FORCED else 0
        if fb.FORCE and not fb.was:
            left = max(fb.T_MAX, 0)
        ran_out = fb.FORCED and left == 0
        fb.FORCED = usable and left > 0
        fb.REMAINING = left if fb.FORCED else 0
        fb.EXPIRED = fb.FORCE and (fb.EXPIRED or ran_out)
        fb.OUT = clamp(fb.MIN, fb.VALUE, fb.MAX) if fb.FORCED else fb.IN
        fb.was = fb.FORCE

    example = Example(
        T_MAX="30ms",
        IN=20.0,
        table="""
        FORCE VALUE | OUT FORCED REMAINING EXPIRED
        0     80    | 20  0      0ms       0
        1     80    | 80  1      30ms      0
        1     120   | 100 1      20ms      0        # held inside its range
        1     60    | 60  1      10ms      0
        1     60    | 20  0      0ms       1        # back by itself
        0     60    | 20  0      0ms       0
        1     60    | 60  1      30ms      0
        0     60    | 20  0      0ms       0
    """,
    )
