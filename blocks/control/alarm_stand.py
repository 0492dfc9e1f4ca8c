"""How long an alarm stands: off-delay, latch and suppression by design."""

from __future__ import annotations

from blocks.arithmetic import max
from blocks.control.laws import lasted
from blocks.declare import BOOL, TIME, Example, Input, Output, Var, block

NOT_YET = -1


@block(source="ANSI/ISA-18.2-2016 and IEC 62682:2022: off-delay, latched alarms, suppression by design")
class ALARM_STAND:
    """An alarm that outlasts its condition, or that is silent while the plant's state makes it meaningless.

    It stands with IN, and goes when IN has been gone for OFF_DELAY; with LATCH it stays until RESET rises. RESET does nothing while
    the alarm stands of itself, nor where it is stuck at true. While INHIBIT is true there is no alarm, and none comes before SETTLE
    has passed since; what was latched is not forgotten by that. The on-delay is ALARM_LIMIT's and ALARM_CONDITION's.
    """

    IN = Input(BOOL, "the condition, after its delay")
    OFF_DELAY = Input(TIME, "how long the condition must be gone", default=0, min=0)
    LATCH = Input(BOOL, "the alarm stays until RESET", default=False)
    RESET = Input(BOOL, "rising edge: a latched alarm whose condition is gone goes", default=False)
    INHIBIT = Input(BOOL, "suppressed by design", default=False)
    SETTLE = Input(TIME, "no alarm comes for so long after INHIBIT", default=0, min=0)
    ACTIVE = Output(BOOL, "the alarm")
    stands = Var(BOOL, "the condition, after OFF_DELAY")
    latched = Var(BOOL, "it stood, and nobody has reset it since")
    gone_for = Var(TIME, "how long IN has been gone, -1 while it is not", default=NOT_YET)
    left = Var(TIME, "what is left of SETTLE", volatile=True)
    was_inhibited = Var(BOOL, "INHIBIT one scan ago", volatile=True)
    was_reset = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        fb.left = fb.SETTLE if fb.INHIBIT else (fb.left if fb.was_inhibited else max(fb.left - dt, 0))
        fb.gone_for = lasted(fb.stands and not fb.IN, fb.gone_for, dt, fb.OFF_DELAY)
        stays = fb.stands and (fb.IN or fb.gone_for < fb.OFF_DELAY)
        fb.stands = not fb.INHIBIT and (stays or (fb.IN and fb.left <= 0))
        fb.latched = fb.LATCH and (fb.stands or (fb.latched and not (fb.RESET and not fb.was_reset)))
        fb.was_inhibited = fb.INHIBIT
        fb.was_reset = fb.RESET
        fb.ACTIVE = not fb.INHIBIT and (fb.stands or fb.latched)

    example = Example(
        OFF_DELAY="10ms",
        LATCH=True,
        table="""
        IN RESET INHIBIT | ACTIVE
        1  0     0       | 1
        0  0     0       | 1        # gone for less than OFF_DELAY
        1  0     0       | 1
        0  1     0       | 1        # no reset while it stands
        0  0     0       | 1
        0  0     0       | 1        # gone, and latched
        0  0     1       | 0        # suppressed by design
        0  0     0       | 1        # and not forgotten
        0  1     0       | 0
        1  0     1       | 0
        1  0     0       | 1
    """,
    )
