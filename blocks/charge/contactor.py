"""One contactor: its coil, its feedback, and the current that it must not break."""

from __future__ import annotations

from blocks.arithmetic import abs, min
from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, Example, Input, Output, Var, block

FAULTS = ("none", "did not close", "did not open", "opened by itself")
MS_100 = 100_000_000
SECONDS_5 = 5_000_000_000


@block(source="foxBMS 2, contactor feedback (20 events, then 100 ms); EMS practice: bring the current to zero before opening")
class CONTACTOR:
    """Drives a contactor, opens it without current where it can, and finds out when it does not do what its coil says.

    COIL follows CLOSE. To open, COIL stays until |I| < I_OPEN, but no longer than MAX_WAIT; FORCE opens at once (emergency stop).
    A current that is NaN counts as flowing. A feedback that contradicts the coil of the scan before for EVENTS scans in a row and
    then for DELAY more is a fault: did not close, did not open (welded), or opened by itself. A fault opens the coil in the same
    order and keeps it open until RESET rises while CLOSE is false. While the feedback still says closed, an open contactor is not
    closed again; a feedback that flickers shows on CLOSED. At the first scan after a start a contactor that reports closed is
    taken over if CLOSE is true; a coil that nobody wants is not driven, whatever flows.
    """

    CLOSE = Input(BOOL, "true: close, false: open")
    FB = Input(BOOL, "feedback: the contactor is closed")
    I = Input(LREAL, "current through the contactor, either sign", unit="A")  # noqa: E741 - the letter of the trade
    FORCE = Input(BOOL, "opens at once, whatever flows", default=False)
    RESET = Input(BOOL, "forgets a fault on its rising edge, if CLOSE is false", default=False)
    I_OPEN = Input(LREAL, "opens below this current", unit="A", default=2.0, min=0)
    MAX_WAIT = Input(TIME, "longest wait for the current to go", default=SECONDS_5, min=0)
    EVENTS = Input(DINT, "contradicting scans in a row that count as one", default=20, min=1)
    DELAY = Input(TIME, "how long the contradiction must last after them", default=MS_100, min=0)
    COIL = Output(BOOL, "drives the coil", volatile=True)
    CLOSED = Output(BOOL, "the coil is driven and the feedback confirms it", volatile=True)
    WAITING = Output(BOOL, "shall open, and waits for the current to go", volatile=True)
    FAULT = Output(DINT, "what it did otherwise than its coil says", min=0, max=3, names=FAULTS)
    LOADED = Output(BOOL, "its last opening broke a current")
    CLOSINGS = Output(LINT, "how often it was closed", min=0)
    LOADED_OPENINGS = Output(LINT, "how often it was opened under load", min=0)
    waited = Var(TIME, "how long it has waited for the current to go")
    seen = Var(BOOL, "the feedback has confirmed the closed coil")
    contradictions = Var(DINT, "contradicting scans in a row, held at EVENTS")
    wrong_for = Var(TIME, "how long the contradiction has lasted after them")
    was = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck button is no edge", default=True)
    started = Var(BOOL, "the first scan is over", volatile=True)

    def step(fb, dt):
        flows = not abs(fb.I) < fb.I_OPEN
        driven = fb.COIL
        if not fb.started and fb.FB and fb.CLOSE:
            driven = True
        fb.started = True
        fb.seen = driven and (fb.seen or fb.FB)
        if fb.RESET and not fb.was and not fb.CLOSE:
            fb.FAULT = 0
            fb.contradictions = 0
        fb.was = fb.RESET
        wrong = fb.FB != driven
        fb.wrong_for = min(fb.wrong_for + dt, fb.DELAY) if wrong and fb.contradictions >= fb.EVENTS else 0
        fb.contradictions = min(fb.contradictions + 1, fb.EVENTS) if wrong else 0
        if fb.FAULT == 0 and wrong and fb.contradictions >= fb.EVENTS and fb.wrong_for >= fb.DELAY:
            fb.FAULT = 2 if not driven else (3 if fb.seen else 1)
        wanted = fb.CLOSE and not fb.FORCE and fb.FAULT == 0
        waits = driven and not wanted and flows and not fb.FORCE
        fb.waited = fb.waited + dt if waits and fb.WAITING else 0
        fb.WAITING = waits and fb.waited < fb.MAX_WAIT
        coil = fb.WAITING or (wanted and (driven or not fb.FB))
        if coil and not driven:
            fb.CLOSINGS = fb.CLOSINGS + 1
            fb.LOADED = False
        if driven and not coil:
            fb.LOADED = flows
            fb.LOADED_OPENINGS = fb.LOADED_OPENINGS + (1 if flows else 0)
        fb.COIL = coil
        fb.CLOSED = coil and fb.FB

    example = Example(
        EVENTS=2,
        DELAY="100ms",
        MAX_WAIT="5s",
        dt="100ms",
        table="""
        CLOSE FB I   RESET | COIL CLOSED WAITING FAULT LOADED_OPENINGS
        0     0  0   0     | 0    0      0       0     0
        1     0  0   0     | 1    0      0       0     0
        1     1  0   0     | 1    1      0       0     0
        1     1  -90 0     | 1    1      0       0     0
        0     1  -90 0     | 1    1      1       0     0      # charging: waits for the current to go
        0     1  -1  0     | 0    0      0       0     0
        0     1  0   0     | 0    0      0       0     0      # feedback still closed: once,
        0     1  0   0     | 0    0      0       0     0      # twice,
        0     1  0   0     | 0    0      0       2     0      # and 100 ms more: welded
        1     0  0   0     | 0    0      0       2     0      # no closing before a reset
        0     0  0   1     | 0    0      0       0     0
        1     0  0   0     | 1    0      0       0     0
    """,
    )
