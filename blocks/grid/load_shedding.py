"""Under-frequency load shedding."""

from __future__ import annotations

from blocks.arithmetic import max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

S = 1_000_000_000
MS = 1_000_000


@block(source="Regulation (EU) 2017/2196 (automatic low-frequency demand disconnection), for the feeders of one site or island")
class LOAD_SHEDDING:
    """Opens feeders one after another while the frequency is too low, and gives them back when it has recovered.

    Each feeder has its own threshold AT and DELAY: SHED turns true when F has been below AT for DELAY, the first scan
    included. Back they come one at a time, the last of the list first, when F has been above RESTORE for PAUSE (READY); each
    needs PAUSE anew, so that the frequency can show what a feeder costs. With AUTO off each waits for RELEASE: a pulse while
    READY frees one, a pulse before is lost, a RELEASE that stays true frees one after another. BLOCK, for a voltage too low to
    measure a frequency by, a NaN and a frequency outside F_LOW .. F_HIGH hold all counts and keep what is shed: a broken
    sensor neither blacks out feeders nor loads the grid. A feeder whose AT is NaN stays as it is. After a start nothing is
    shed but what IS_OPEN says: wire the feeders' contacts to it, or keep SHED over a restart (`retain: true`).
    """

    F = Input(LREAL, "frequency", unit="Hz")
    AT = Input(Array(LREAL, "N"), "threshold of each feeder", unit="Hz", min=0)
    DELAY = Input(Array(TIME, "N"), "time below its threshold until each feeder opens", default=200 * MS, min=0)
    RESTORE = Input(LREAL, "frequency above which feeders come back", unit="Hz", default=49.9, min=0)
    PAUSE = Input(TIME, "time above RESTORE before each one comes back", default=60 * S, min=0)
    AUTO = Input(BOOL, "feeders come back by themselves", default=False)
    RELEASE = Input(BOOL, "feeders may come back now", default=False)
    BLOCK = Input(BOOL, "the frequency cannot be measured", default=False)
    IS_OPEN = Input(Array(BOOL, "N"), "the feeder's contact says open; counts at the start only", default=False)
    F_LOW = Input(LREAL, "lowest frequency that is believed", unit="Hz", default=40.0, min=0)
    F_HIGH = Input(LREAL, "highest frequency that is believed", unit="Hz", default=72.0, min=0)
    SHED = Output(Array(BOOL, "N"), "the feeder is to be open")
    OPEN = Output(DINT, "how many feeders are shed", min=0)
    HELD = Output(BOOL, "blocked, or the frequency cannot be: nothing changes")
    READY = Output(BOOL, "the frequency has been good for PAUSE: a feeder may come back")
    run = Var(Array(TIME, "N"), "time below each threshold")
    good_run = Var(TIME, "time above RESTORE, since the last feeder came back")
    started = Var(BOOL, "IS_OPEN has been taken over")

    def step(fb, dt):
        held = fb.BLOCK or not (fb.F >= fb.F_LOW and fb.F <= fb.F_HIGH)
        good = fb.F > fb.RESTORE and not held
        fb.good_run = min(fb.good_run + dt, max(fb.PAUSE, 0)) if good else (fb.good_run if held else 0)
        fb.READY = good and fb.good_run >= fb.PAUSE
        back = fb.READY and (fb.AUTO or fb.RELEASE)
        last = 0
        count = 0
        for i in range(len(fb.AT)):
            low = fb.F < fb.AT[i] and not held
            fb.run[i] = min(fb.run[i] + dt, max(fb.DELAY[i], 0)) if low else (fb.run[i] if held else 0)
            if (low and fb.run[i] >= fb.DELAY[i]) or (fb.IS_OPEN[i] and not fb.started):
                fb.SHED[i] = True
            if fb.SHED[i]:
                last = i + 1
                count = count + 1
        if back and last > 0:
            if fb.F >= fb.AT[last - 1]:
                fb.SHED[last - 1] = False
                count = count - 1
            fb.good_run = 0
        fb.OPEN = count
        fb.started = True
        fb.HELD = held

    example = Example(
        AT=(49.0, 48.8, 48.6),
        DELAY=("200ms", "200ms", "200ms"),
        AUTO=True,
        PAUSE="10s",
        dt="100ms",
        table="""
            x   F    | SHED    OPEN HELD
            1   50   | [0,0,0] 0    0
            1   48.9 | [0,0,0] 0    0
            1   48.9 | [1,0,0] 1    0     # 0.2 s below 49.0
            2   48.7 | [1,1,0] 2    0
            1   49.5 | [1,1,0] 2    0     # better, but not good
            100 49.95 | [1,0,0] 1   0     # 10 s above 49.9
            100 49.95 | [0,0,0] 0   0
            5   nan  | [0,0,0] 0    1
        """,
    )
