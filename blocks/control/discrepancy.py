"""The watch on a contactor, a valve or a motor: does it do what it is told."""

from __future__ import annotations

from blocks.arithmetic import max, min
from blocks.declare import BOOL, DINT, TIME, Example, Input, Output, Var, block

REASONS = ("none", "does not switch on", "does not switch off", "went off by itself", "went on by itself")


@block(source="PLCopen Safety, part 1: SF_EDM (external device monitoring: feedback within the monitoring time)")
class DISCREPANCY:
    """Compares a command with its feedback: ALARM once they have differed for longer than the device needs.

    After a change of the command the feedback may take T_ON to come and T_OFF to go. Once it has obeyed and that time is over, a
    feedback that leaves by itself alarms after T_SELF; between two short absences an eighth of the time in agreement counts against
    them, so a chattering contact alarms, too. A device that has not yet answered the last command when the next one comes has not
    obeyed: its late answer is on its way, not "by itself". Commands that change too fast hide nothing: what differed for three
    times its time in all, and was never seen to obey, alarms. REASON keeps the last one: "does not switch off" is a welded
    contactor. ALARM goes when they agree again or the command changes; wire it into an INTERLOCK where it must stay.
    """

    CMD = Input(BOOL, "the command")
    FB = Input(BOOL, "the feedback: true while the device is on")
    T_ON = Input(TIME, "how long the device may take to switch on", default=100_000_000, min=0)
    T_OFF = Input(TIME, "how long the device may take to switch off", default=100_000_000, min=0)
    T_SELF = Input(TIME, "how long the feedback may leave the command by itself", default=20_000_000, min=0)
    ALARM = Output(BOOL, "they have differed for too long", volatile=True)
    REASON = Output(DINT, "what happened last", min=0, max=4, names=REASONS)
    AGREED = Output(BOOL, "command and feedback are the same")
    since = Var(TIME, "time since the command changed, held at T_ON or T_OFF", volatile=True)
    apart = Var(TIME, "how long they have differed since then, or since the device obeyed", volatile=True)
    not_on = Var(TIME, "how long it was commanded on since FB was last true", volatile=True)
    not_off = Var(TIME, "how long it was commanded off since FB was last false", volatile=True)
    was = Var(BOOL, "CMD one scan ago", volatile=True)
    fb_was = Var(BOOL, "FB one scan ago", volatile=True)
    obeyed = Var(BOOL, "the device has done what the command asks for", volatile=True)

    def step(fb, dt):
        changed = fb.CMD != fb.was
        moved = fb.FB != fb.fb_was
        rest = dt >> 3
        allowed = fb.T_ON if fb.CMD else fb.T_OFF
        fb.AGREED = fb.CMD == fb.FB
        fb.since = 0 if changed else min(fb.since + dt, allowed)
        settled = fb.since >= allowed
        if changed or (fb.AGREED and not fb.obeyed):
            fb.apart = 0
        else:
            fb.apart = fb.apart + dt if fb.was != fb.fb_was else max(fb.apart - rest, 0)
        kept = fb.obeyed and (fb.AGREED or not changed)
        fb.obeyed = kept or (fb.AGREED and (moved or (settled and not changed)))
        fb.not_on = 0 if fb.FB else (fb.not_on + dt if fb.was else max(fb.not_on - rest, 0))
        fb.not_off = 0 if not fb.FB else (max(fb.not_off - rest, 0) if fb.was else fb.not_off + dt)
        never = (fb.not_on if fb.CMD else fb.not_off) >= 3 * allowed
        over = (settled and fb.apart >= fb.T_SELF) if fb.obeyed else (fb.apart >= allowed or never)
        fb.ALARM = not fb.AGREED and (over or (fb.ALARM and not changed))
        if fb.ALARM:
            fb.REASON = (3 if fb.obeyed else 1) if fb.CMD else (4 if fb.obeyed else 2)
        fb.was = fb.CMD
        fb.fb_was = fb.FB

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
