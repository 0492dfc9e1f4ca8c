"""The way back to the grid."""

from __future__ import annotations

from blocks.arithmetic import is_nan, max, min, seconds, to_int, to_lreal
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

STATES = ("off", "waiting", "ramping", "in service")
S = 1_000_000_000


@block(source="IEEE 1547-2018, 4.10, table 4, as in EPRI OpenDER 2.2, section 3.5.1.1")
class ENTER_SERVICE:
    """Lets the plant run only after the grid has been good for long enough, and then ramps its power up.

    While PERMIT holds and every voltage and the frequency are inside their windows the delay runs, DELAY and RANDOM together;
    any gap starts it anew. Then RUN turns true and SHARE, what of the rated power may be used either way, rises from 0 to 1 in
    RAMP. A new RAMP goes on from the SHARE that is there. In service the windows no longer matter: only TRIP or a lost PERMIT
    ends it, at once. After a start the plant is off. RANDOM spreads the return of many plants: give each its own number. The
    windows are those of a 60 Hz grid; a 50 Hz grid needs its own. A NaN is outside.
    """

    V = Input(Array(LREAL, "N"), "the applicable voltages", unit="V")
    V_NOM = Input(LREAL, "their nominal value", unit="V", min=1)
    F = Input(LREAL, "frequency of the grid", unit="Hz")
    TRIP = Input(BOOL, "a trip stands")
    PERMIT = Input(BOOL, "the grid operator allows service", default=True)
    V_LOW = Input(LREAL, "lowest voltage, relative to V_NOM", default=0.917, min=0)
    V_HIGH = Input(LREAL, "highest voltage, relative to V_NOM", default=1.05, min=0)
    F_LOW = Input(LREAL, "lowest frequency", unit="Hz", default=59.5, min=0)
    F_HIGH = Input(LREAL, "highest frequency", unit="Hz", default=60.1, min=0)
    DELAY = Input(TIME, "time for which the grid must be good", default=300 * S, min=0)
    RANDOM = Input(TIME, "more of it, different in each plant", default=0, min=0)
    RAMP = Input(TIME, "time from 0 to rated power; 0 is at once", default=300 * S, min=0)
    RUN = Output(BOOL, "the plant may run")
    SHARE = Output(LREAL, "share of the rated power that may be used", min=0, max=1)
    STATE = Output(DINT, "where it is", min=0, max=3, names=STATES)
    LEFT = Output(TIME, "time until RUN, while waiting", min=0)
    waited = Var(TIME, "time for which the grid has been good; -1 where it is not", default=-1)
    ramped = Var(TIME, "how much of RAMP has passed, held at RAMP")
    ramp_was = Var(TIME, "RAMP one scan ago")

    def step(fb, dt):
        good = fb.PERMIT and not fb.TRIP and fb.F >= fb.F_LOW and fb.F <= fb.F_HIGH
        for i in range(len(fb.V)):
            v = fb.V[i] / fb.V_NOM
            good = good and v >= fb.V_LOW and v <= fb.V_HIGH and not is_nan(v)
        total = max(fb.DELAY, 0) + max(fb.RANDOM, 0)
        if fb.TRIP or not fb.PERMIT:
            fb.RUN = False
        ramp = max(fb.RAMP, 0)
        if fb.RUN:
            so_far = fb.ramped if ramp == fb.ramp_was else to_int(fb.SHARE * to_lreal(ramp))
            fb.ramped = min(so_far + dt, ramp)
        else:
            fb.ramped = 0
            fb.waited = (min(fb.waited + dt, total) if fb.waited >= 0 else 0) if good else -1
            if fb.waited >= total and good:
                fb.RUN = True
                fb.waited = -1
        fb.ramp_was = ramp
        fb.SHARE = (seconds(fb.ramped) / seconds(fb.RAMP) if fb.RAMP > 0 else 1.0) if fb.RUN else 0.0
        waiting = fb.waited >= 0
        fb.LEFT = max(total - fb.waited, 0) if waiting else 0
        fb.STATE = (3 if fb.SHARE >= 1.0 else 2) if fb.RUN else (1 if waiting else 0)

    example = Example(
        V_NOM=230.0,
        dt="1s",
        table="""
            x   V         F    TRIP | RUN SHARE STATE LEFT
            1   [230,230] 60   1    | 0   0     0     0s
            1   [230,230] 60   0    | 0   0     1     300s
            200 [230,230] 60   0    | 0   0     1     100s
            1   [230,200] 60   0    | 0   0     0     0s     # a gap: the delay starts anew
            300 [230,230] 60   0    | 0   0     1     1s
            1   [230,230] 60   0    | 1   0     2     0s
            150 [230,230] 60   0    | 1   0.5   2     0s
            150 [230,200] 59   0    | 1   1     3     0s     # in service only a trip counts
            1   [230,230] 60   1    | 0   0     0     0s
        """,
    )
