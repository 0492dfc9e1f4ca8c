"""The loss of the grid."""

from __future__ import annotations

from blocks.arithmetic import abs, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

CAUSES = (
    "none",
    "breaker open",
    "voltage low",
    "voltage high",
    "frequency low",
    "frequency high",
    "rate of change",
    "vector shift",
)
MS = 1_000_000


@block(source="EN 50549-1:2019 (interface protection): voltage, frequency, rate of change and loss-of-mains, each with its delay")
class ISLAND_DETECT:
    """Says whether the public grid is there: GRID_OK falls when one sign of its loss has stood for its delay.

    The signs: an open breaker and a vector shift at once; a voltage or frequency outside its window and a rate of change above
    its limit after their delays, the first scan included. CAUSE keeps the first sign until the grid is back, an open breaker
    until it is closed. GRID_OK returns when no sign has been there for RETURN, which also runs after the start. A rate that is
    not yet known (RATE_READY, from ROCOF) is no loss, but nothing returns without it. Windows and delays are the grid
    operator's to set. Passive detection has a blind spot where load and production match: it does not replace the converter's
    active one. A NaN is outside every window, and a limit that is NaN is passed.
    """

    V = Input(Array(LREAL, "N"), "voltages of the phases", unit="V")
    V_NOM = Input(LREAL, "their nominal value", unit="V", min=1)
    F = Input(LREAL, "frequency of the grid", unit="Hz")
    RATE = Input(LREAL, "its rate of change, from ROCOF", unit="Hz/s", default=0.0)
    SHIFT = Input(BOOL, "the angle stepped, from VECTOR_SHIFT", default=False)
    BREAKER = Input(BOOL, "the breaker to the grid is closed", default=True)
    V_LOW = Input(LREAL, "lowest voltage, relative to V_NOM", default=0.8, min=0)
    V_HIGH = Input(LREAL, "highest voltage, relative to V_NOM", default=1.15, min=0)
    V_DELAY = Input(TIME, "time outside the voltage's window", default=200 * MS, min=0)
    F_LOW = Input(LREAL, "lowest frequency", unit="Hz", default=47.5, min=0)
    F_HIGH = Input(LREAL, "highest frequency", unit="Hz", default=51.5, min=0)
    F_DELAY = Input(TIME, "time outside the frequency's window", default=200 * MS, min=0)
    RATE_LIMIT = Input(LREAL, "fastest rate of change", unit="Hz/s", default=2.0, min=0)
    RATE_DELAY = Input(TIME, "time above the fastest rate", default=500 * MS, min=0)
    RETURN = Input(TIME, "time without a sign until the grid is back", default=60_000 * MS, min=0)
    RATE_READY = Input(BOOL, "RATE is known, from ROCOF's READY", default=True)
    GRID_OK = Output(BOOL, "the grid is there")
    LOST = Output(BOOL, "the grid is not there, or not yet")
    CAUSE = Output(DINT, "the first sign of its loss", min=0, max=7, names=CAUSES)
    LEFT = Output(TIME, "time until the grid counts as back", min=0)
    v_run = Var(TIME, "time outside the voltage's window")
    f_run = Var(TIME, "time outside the frequency's window")
    rate_run = Var(TIME, "time above the fastest rate")
    good_run = Var(TIME, "time without a sign; -1 while there is one", default=-1)

    def step(fb, dt):
        low = False
        high = False
        for i in range(len(fb.V)):
            v = fb.V[i] / fb.V_NOM
            high = high or not v <= fb.V_HIGH
            low = low or not v >= fb.V_LOW
        under = not fb.F >= fb.F_LOW
        over = not fb.F <= fb.F_HIGH
        fast = not abs(fb.RATE) <= fb.RATE_LIMIT
        fb.v_run = min(fb.v_run + dt, max(fb.V_DELAY, 0)) if low or high else 0
        fb.f_run = min(fb.f_run + dt, max(fb.F_DELAY, 0)) if under or over else 0
        fb.rate_run = min(fb.rate_run + dt, max(fb.RATE_DELAY, 0)) if fast else 0
        cause = 0
        if fb.SHIFT:
            cause = 7
        if fast and fb.rate_run >= fb.RATE_DELAY:
            cause = 6
        if (under or over) and fb.f_run >= fb.F_DELAY:
            cause = 4 if under else 5
        if (low or high) and fb.v_run >= fb.V_DELAY:
            cause = 2 if low else 3
        if not fb.BREAKER:
            cause = 1
        sign = low or high or under or over or fast or cause > 0 or not fb.RATE_READY
        back = max(fb.RETURN, 0)
        fb.good_run = -1 if sign else (min(fb.good_run + dt, back) if fb.good_run >= 0 else 0)
        fb.CAUSE = 0 if fb.CAUSE == 1 and fb.BREAKER else fb.CAUSE
        if cause > 0:
            fb.CAUSE = cause if fb.GRID_OK or fb.CAUSE == 0 else fb.CAUSE
            fb.GRID_OK = False
        elif fb.good_run >= back and not sign:
            fb.GRID_OK = True
            fb.CAUSE = 0
        fb.LOST = not fb.GRID_OK
        fb.LEFT = 0 if fb.GRID_OK else back - max(fb.good_run, 0)

    example = Example(
        V_NOM=230.0,
        RETURN="1s",
        dt="100ms",
        table="""
            x  V             F    RATE BREAKER | GRID_OK CAUSE LEFT
            1  [230,230,230] 50   0    1       | 0       0     1s
            10 [230,230,230] 50   0    1       | 1       0     0s
            1  [230,150,230] 50   0    1       | 1       0     0s     # a dip is no loss
            1  [230,230,230] 50   0    1       | 1       0     0s
            4  [230,230,230] 50   2.5  1       | 1       0     0s
            1  [230,230,230] 50   2.5  1       | 0       6     1s     # 0.5 s
            1  [230,230,230] 51.6 0    0       | 0       6     1s
            11 [230,230,230] 50   0    1       | 1       0     0s
            1  [230,230,230] 50   0    0       | 0       1     1s
        """,
    )
