"""The way to zero current before a contactor opens."""

from __future__ import annotations

from blocks.arithmetic import abs, min
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

MS_200 = 200_000_000
SECONDS_5 = 5_000_000_000


@block(source="Battery practice (foxBMS 2, Battery-Emulator): bring the current to zero before opening")
class CURRENT_ZERO:
    """Asks the converter for zero as soon as the contactors shall open, and permits the opening once nothing flows any more.

    ZERO is true while REQUEST is. PERMIT is true while |I| < I_MAX and |P| < P_MAX have held for HOLD since REQUEST rose (time for
    the command to reach the converter); a current that comes back takes the permit away. After MAX_WAIT the permit is given all
    the same and FORCED says so: the contactors then break a current. A NaN counts as flowing.
    """

    REQUEST = Input(BOOL, "the contactors shall open")
    I = Input(LREAL, "battery current, either sign", unit="A")  # noqa: E741 - the letter of the trade
    P = Input(LREAL, "power that the converter reports, either sign", unit="kW", default=0.0)
    I_MAX = Input(LREAL, "no current flows below this", unit="A", default=2.0, min=0)
    P_MAX = Input(LREAL, "no power flows below this", unit="kW", default=1.0, min=0)
    HOLD = Input(TIME, "how long nothing must have flown", default=MS_200, min=0)
    MAX_WAIT = Input(TIME, "longest wait", default=SECONDS_5, min=0)
    ZERO = Output(BOOL, "the converter shall go to zero")
    PERMIT = Output(BOOL, "the contactors may open")
    FORCED = Output(BOOL, "they may open though something flows, since MAX_WAIT is over")
    ET = Output(TIME, "time since REQUEST, held at MAX_WAIT", min=0)
    still_for = Var(TIME, "how long nothing has flown since REQUEST")
    still = Var(BOOL, "nothing flowed one scan ago")

    def step(fb, dt):
        calm = fb.REQUEST and abs(fb.I) < fb.I_MAX and abs(fb.P) < fb.P_MAX
        fb.still_for = min(fb.still_for + dt, fb.HOLD) if calm and fb.still else 0
        fb.still = calm
        gone = min(fb.ET + dt, fb.MAX_WAIT) if fb.REQUEST and fb.ZERO else 0
        fb.ET = gone if gone > 0 else 0
        fb.ZERO = fb.REQUEST
        settled = calm and fb.still_for >= fb.HOLD
        fb.FORCED = fb.REQUEST and fb.ET >= fb.MAX_WAIT and not settled
        fb.PERMIT = settled or fb.FORCED

    example = Example(
        HOLD="200ms",
        MAX_WAIT="1s",
        dt="100ms",
        table="""
        REQUEST I   P   | ZERO PERMIT FORCED ET
        0       0   0   | 0    0      0      0ms
        1       -90 -70 | 1    0      0      0ms
        1       -1  -2  | 1    0      0      100ms
        1       -1  0   | 1    0      0      200ms
        1       0   0   | 1    0      0      300ms
        1       0   0   | 1    1      0      400ms    # nothing for 200 ms
        1       50  40  | 1    0      0      500ms    # it comes back
        0       50  40  | 0    0      0      0ms
    """,
    )
