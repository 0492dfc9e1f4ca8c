"""The precharge of a string."""

from __future__ import annotations

from blocks.arithmetic import abs, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

PHASES = ("idle", "precharging", "pause", "done", "locked", "main contactor opened")
IDLE = 0
RUNNING = 1
PAUSED = 2
READY = 3
BLOCKED = 4
OPENED = 5
MS_100 = 100_000_000
SECONDS_1 = 1_000_000_000
SECONDS_2 = 2_000_000_000
SECONDS_10 = 10_000_000_000


@block(
    source="foxBMS 2: closed when dV < 1 V and I < 50 mA within 2 s; 3 tries, then locked for 10 s; the pause between tries is ours"
)
class PRECHARGE:
    """Charges the bus through a resistor until the main contactor may close, gives up after some tries, and spares the resistor.

    While EN: RELAY closes; once |V_BATT - V_BUS| < DV_MAX and |I| < I_MAX, from the scan after closing to TIME_MAX, DONE says that
    the main contactor may close. RELAY opens when MAIN reports closed. A try that does not get there, or whose match is lost
    before MAIN closes, is followed by PAUSE and the next; after TRIES it is locked until RELAY has been open for LOCK and EN has
    fallen. Each closing of RELAY counts as a try, also one that succeeds and one whose EN is taken away, since each heats the
    resistor; only LOCK with RELAY open forgets them. A main contactor that is closed already needs no precharge; one whose feedback
    is gone for MAIN_DELAY needs a new EN. A NaN never matches, nor do two voltages below V_LEAST: 0 V and 0 V are a dead sensor.
    After a restart it begins anew, with the tries that it remembers.
    """

    EN = Input(BOOL, "the string shall be connected")
    V_BATT = Input(LREAL, "voltage on the battery's side", unit="V")
    V_BUS = Input(LREAL, "voltage behind the contactor", unit="V")
    I = Input(LREAL, "current of the string", unit="A")  # noqa: E741 - the letter of the trade
    MAIN = Input(BOOL, "feedback of the main contactor: closed", default=False)
    DV_MAX = Input(LREAL, "the voltages match below this", unit="V", default=1.0, min=0)
    I_MAX = Input(LREAL, "the current has died below this", unit="A", default=0.05, min=0)
    TIME_MAX = Input(TIME, "longest try", default=SECONDS_2, min=0)
    TRIES = Input(DINT, "tries before it locks", default=3, min=1, max=1000)
    PAUSE = Input(TIME, "pause between two tries", default=SECONDS_1, min=0)
    LOCK = Input(TIME, "how long it stays locked, and how long a try is remembered", default=SECONDS_10, min=0)
    V_LEAST = Input(LREAL, "below this voltage nothing matches", unit="V", default=50.0, min=0)
    MAIN_DELAY = Input(TIME, "how long MAIN must be gone to count as opened", default=MS_100, min=0)
    RELAY = Output(BOOL, "close the precharge contactor", volatile=True)
    DONE = Output(BOOL, "the main contactor may close, or is closed", volatile=True)
    LOCKED = Output(BOOL, "gave up; needs LOCK and a new EN")
    PHASE = Output(DINT, "where the precharge is", min=0, max=5, names=PHASES, volatile=True)
    TRY = Output(DINT, "number of tries that count", min=0)
    ET = Output(TIME, "how long the try has lasted", min=0)
    DV = Output(LREAL, "V_BATT - V_BUS", unit="V")
    rest = Var(TIME, "how long RELAY has been open, held at LOCK or PAUSE, whichever is longer")
    gone = Var(TIME, "how long MAIN has been gone")
    had = Var(BOOL, "MAIN reported closed one scan ago")

    def step(fb, dt):
        fb.DV = fb.V_BATT - fb.V_BUS
        alive = fb.V_BATT >= fb.V_LEAST and fb.V_BUS >= fb.V_LEAST
        matched = alive and abs(fb.DV) < fb.DV_MAX and abs(fb.I) < fb.I_MAX
        was_closed = fb.RELAY
        fb.gone = 0 if fb.MAIN or fb.had else min(fb.gone + dt, max(fb.MAIN_DELAY, 0))
        fb.had = fb.MAIN
        fb.rest = 0 if was_closed else min(fb.rest + dt, max(fb.LOCK, fb.PAUSE))
        if not was_closed and fb.rest >= fb.LOCK and fb.PHASE != PAUSED:
            fb.TRY = 0
        failed = BLOCKED if fb.TRY >= fb.TRIES else PAUSED
        starts = False
        if not fb.EN:
            fb.RELAY = False
            fb.PHASE = BLOCKED if fb.TRY >= fb.TRIES else IDLE
        elif fb.PHASE == RUNNING:
            fb.ET = fb.ET + dt
            if matched:
                fb.PHASE = READY
            elif fb.ET >= fb.TIME_MAX:
                fb.RELAY = False
                fb.PHASE = failed
        elif fb.PHASE == READY:
            if fb.MAIN:
                fb.RELAY = False
            elif not was_closed:
                fb.PHASE = OPENED if fb.gone >= fb.MAIN_DELAY else READY
            elif not matched:
                fb.RELAY = False
                fb.PHASE = failed
        elif fb.PHASE == IDLE and fb.MAIN:
            fb.PHASE = READY
        elif fb.PHASE == IDLE and fb.TRY >= fb.TRIES:
            fb.PHASE = BLOCKED
        elif fb.PHASE == IDLE or (fb.PHASE == PAUSED and fb.rest >= fb.PAUSE):
            starts = True
        if starts:
            fb.RELAY = True
            fb.PHASE = RUNNING
            fb.TRY = fb.TRY + 1
            fb.ET = 0
        fb.DONE = fb.PHASE == READY
        fb.LOCKED = fb.PHASE == BLOCKED

    example = Example(
        V_BATT=800.0,
        dt="1s",
        table="""
        EN V_BUS I    MAIN | RELAY DONE PHASE TRY ET
        0  0     0    0    | 0     0    0     0   0s
        1  0     0    0    | 1     0    1     1   0s
        1  690   0.6  0    | 1     0    1     1   1s
        1  790   0.06 0    | 0     0    2     1   2s     # not there within 2 s
        1  700   0    0    | 1     0    1     2   0s     # second try after 1 s
        1  799.9 0.01 0    | 1     1    3     2   1s     # matched: the main contactor may close
        1  799.9 0.01 1    | 0     1    3     2   1s     # it has closed
        0  799.9 0    0    | 0     0    0     2   1s
    """,
    )
