"""The watch on a contactor, a valve or a motor: does it do what it is told."""

from __future__ import annotations

from blocks.control.laws import lasted
from blocks.declare import BOOL, DINT, TIME, Example, Input, Output, Var, block

REASONS = ("none", "does not switch on", "does not switch off", "went off by itself", "went on by itself")


@block(source="PLCopen Safety, part 1: SF_EDM (external device monitoring: feedback within the monitoring time)")
class DISCREPANCY:
    """Compares a command with its feedback: ALARM once they have differed for longer than the device needs.

    After a change of the command the feedback may take T_ON to come and T_OFF to go; a feedback that leaves by itself alarms after
    T_SELF. REASON keeps the last one: "does not switch off" is a welded contactor. ALARM goes when they agree again; wire it into
    an INTERLOCK where it must stay.
    """

    CMD = Input(BOOL, "the command")
    FB = Input(BOOL, "the feedback: true while the device is on")
    T_ON = Input(TIME, "how long the device may take to switch on", default=100_000_000, min=0)
    T_OFF = Input(TIME, "how long the device may take to switch off", default=100_000_000, min=0)
    T_SELF = Input(TIME, "how long the feedback may leave the command by itself", default=20_000_000, min=0)
    ALARM = Output(BOOL, "they have differed for too long")
    REASON = Output(DINT, "what happened last", min=0, max=4, names=REASONS)
    AGREED = Output(BOOL, "command and feedback are the same")
    apart = Var(TIME, "how long they have differed, -1 while they agree", default=-1)
    was = Var(BOOL, "CMD one scan ago")
    obeyed = Var(BOOL, "they have agreed since the command last changed")

    def step(fb, dt):
        if fb.CMD != fb.was:
            fb.obeyed = False
            fb.apart = -1
        fb.was = fb.CMD
        fb.AGREED = fb.CMD == fb.FB
        fb.obeyed = fb.obeyed or fb.AGREED
        limit = fb.T_SELF if fb.obeyed else (fb.T_ON if fb.CMD else fb.T_OFF)
        fb.apart = lasted(not fb.AGREED, fb.apart, dt, limit)
        fb.ALARM = not fb.AGREED and fb.apart >= limit
        if fb.ALARM:
            fb.REASON = (3 if fb.obeyed else 1) if fb.CMD else (4 if fb.obeyed else 2)

    example = Example(
        T_ON="20ms",
        T_OFF="20ms",
        T_SELF="10ms",
        table="""
        CMD FB | ALARM REASON AGREED
        1   0  | 0     0      0
        1   0  | 0     0      0
        1   1  | 0     0      1      # closed in time
        0   1  | 0     0      0
        0   1  | 0     0      0
        0   1  | 1     2      0      # welded
        0   0  | 0     2      1
        0   1  | 0     2      0
        0   1  | 1     4      0      # closed by itself
    """,
    )
