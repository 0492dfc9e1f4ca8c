"""The command to charge."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, LINT, Example, Input, Output, Var, block

REASONS = ("enabled", "not started", "stopped by command", "contactors are not closed", "no permit")


@block(source="EMS charge management: commands are idempotent; no charge enable unless the contactors report closed")
class CHARGE_COMMAND:
    """Turns start and stop commands into a charge enable that is true only while the contactors report closed.

    A rising edge of START enables, if nothing forbids it; a second Start while it runs changes nothing (it is counted), so
    repeated writes trigger no transient twice. STOP, an open contactor or a missing permit end it in the same scan, and STOP wins
    over START. It never comes back by itself: also a feedback that flickers needs a new Start, and a START that is stuck at true,
    from the first scan on, is none. After a restart it needs a new Start, too.
    """

    START = Input(BOOL, "starts charging on its rising edge")
    STOP = Input(BOOL, "ends charging; wins over START")
    CLOSED = Input(BOOL, "feedback of the contactors: closed")
    PERMIT = Input(BOOL, "charging is permitted", default=True)
    ENABLE = Output(BOOL, "charging is enabled", volatile=True)
    TAKEN = Output(BOOL, "true for one scan: a Start was taken")
    REFUSED = Output(BOOL, "true for one scan: a Start was refused, WHY says why")
    WHY = Output(DINT, "why it is not enabled: what ended it, or refused a Start, last", min=0, max=4, names=REASONS, default=1)
    REPEATS = Output(LINT, "Starts that came while it ran", min=0)
    was = Var(BOOL, "START one scan ago; true at the start, so that a stuck Start is none", default=True)

    def step(fb, dt):
        edge = fb.START and not fb.was
        against = 2 if fb.STOP else (3 if not fb.CLOSED else (4 if not fb.PERMIT else 0))
        runs = fb.ENABLE and against == 0
        fb.TAKEN = edge and not fb.ENABLE and against == 0
        fb.REFUSED = edge and against != 0
        if edge and runs:
            fb.REPEATS = fb.REPEATS + 1
        if (fb.ENABLE or edge) and against != 0:
            fb.WHY = against
        fb.ENABLE = runs or fb.TAKEN
        if fb.ENABLE:
            fb.WHY = 0
        fb.was = fb.START

    example = Example(
        table="""
        START STOP CLOSED | ENABLE TAKEN REFUSED WHY REPEATS
        0     0    0      | 0      0     0       1   0
        1     0    0      | 0      0     1       3   0      # no charging into an open circuit
        1     0    1      | 0      0     0       3   0      # the old Start is gone
        0     0    1      | 0      0     0       3   0
        1     0    1      | 1      1     0       0   0
        0     0    1      | 1      0     0       0   0
        1     0    1      | 1      0     0       0   1      # Start again: nothing happens
        1     0    0      | 0      0     0       3   1      # a contactor opened
        1     0    1      | 0      0     0       3   1
    """,
    )
