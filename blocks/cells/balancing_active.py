"""Active balancing: charge is moved from the highest cell to the lowest."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, clamp, is_finite, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

OFF = math.inf
LONG_AGO = 4_000_000_000_000_000_000  # ns


@block(source="Plett, Battery Management Systems, vol. 2 (Artech House 2016): active balancing; rest as in foxBMS 2 v1.11")
class BALANCING_ACTIVE:
    """Picks the cell (or module) that gives and the one that takes, and the currents of the converter between them.

    X is the state of charge where it is known, else the voltage. It starts when the highest is more than START above the lowest,
    and goes on with the pair until they are within STOP (or START, if that is less); when another pair is farther apart it
    changes over, but keeps a pair for at least MIN_ON, and pauses as long after a stop, since voltages move as soon as current
    flows. The source gives I_MAX; of it EFFICIENCY arrives: I_SOURCE is positive (discharging), I_DEST negative. For voltages as
    X the rest condition must hold (I_REST, REST); with states of charge set REST to 0 and I_REST high. It stops at once outside
    T_MIN to T_MAX, when the source falls to X_LOW or the other rises to X_HIGH, and while any value is not known.
    """

    X = Input(Array(LREAL, "N"), "states of charge, or voltages", unit="{X}")
    START = Input(LREAL, "starts beyond this difference", unit="{X}", min=0, difference=True)
    STOP = Input(LREAL, "stops at this difference", unit="{X}", min=0, difference=True)
    X_LOW = Input(LREAL, "a source is not emptied below this", unit="{X}", default=-OFF)
    X_HIGH = Input(LREAL, "none is filled above this", unit="{X}", default=OFF)
    I_MAX = Input(LREAL, "current taken from the source", unit="A", default=5.0, min=0)
    EFFICIENCY = Input(LREAL, "of the converter", unit="%", default=85.0, min=0, max=100)
    MIN_ON = Input(TIME, "a pair is kept, and a pause lasts, for at least this", default=60_000_000_000, min=0)
    I = Input(LREAL, "pack current, either sign", unit="A", default=0.0)  # noqa: E741 - the letter of the trade
    I_REST = Input(LREAL, "rest is a current below this", unit="A", default=0.2, min=0)
    REST = Input(TIME, "how long the rest must have lasted", default=600_000_000_000, min=0)
    T = Input(LREAL, "temperature of the converter", unit="°C", default=25.0)
    T_MIN = Input(LREAL, "not below this temperature", unit="°C", default=0.0)
    T_MAX = Input(LREAL, "not above this temperature", unit="°C", default=70.0)
    ENABLE = Input(BOOL, "true allows balancing", default=True)
    ACTIVE = Output(BOOL, "charge is moved")
    SOURCE = Output(DINT, "cell that gives, from 1; 0: none", min=0)
    DEST = Output(DINT, "cell that takes, from 1; 0: none", min=0)
    I_SOURCE = Output(LREAL, "current of the source", unit="A", min=0)
    I_DEST = Output(LREAL, "current of the destination", unit="A", max=0)
    SPREAD = Output(LREAL, "highest less lowest; 0 while one is not known", unit="{X}", min=0)
    resting = Var(TIME, "how long the rest has lasted, held at REST")
    rested = Var(BOOL, "the last scan was one of rest")
    kept = Var(TIME, "how long this pair has been at work, held at MIN_ON")
    paused = Var(TIME, "how long nothing has been moved, held at MIN_ON", default=LONG_AGO)

    def step(fb, dt):
        at_rest = abs(fb.I) < fb.I_REST
        fb.resting = min(fb.resting + dt, fb.REST) if at_rest and fb.rested else 0
        fb.rested = at_rest
        known = True
        high = 0
        low = 0
        for i in range(len(fb.X)):
            known = known and is_finite(fb.X[i])
            high = i if fb.X[i] > fb.X[high] else high
            low = i if fb.X[i] < fb.X[low] else low
        spread = fb.X[high] - fb.X[low]
        fb.SPREAD = spread if known and is_finite(spread) else 0.0
        warm = fb.T >= fb.T_MIN and fb.T <= fb.T_MAX
        allowed = fb.ENABLE and known and warm and at_rest and fb.resting >= fb.REST
        gives = clamp(0, fb.SOURCE - 1, len(fb.X) - 1)
        takes = clamp(0, fb.DEST - 1, len(fb.X) - 1)
        works = fb.ACTIVE and allowed and fb.X[gives] - fb.X[takes] > min(fb.START, fb.STOP)
        is_due = fb.kept >= fb.MIN_ON and (gives != high or takes != low)
        fb.paused = 0 if fb.ACTIVE else min(fb.paused + dt, fb.MIN_ON)
        starts = allowed and (is_due if works else spread > fb.START and fb.paused >= fb.MIN_ON)
        if starts and high != low:
            gives = high
            takes = low
            works = True
            fb.kept = 0
        elif works:
            fb.kept = min(fb.kept + dt, fb.MIN_ON)
        works = works and fb.X[gives] > fb.X_LOW and fb.X[takes] < fb.X_HIGH
        current = clamp(0.0, fb.I_MAX, OFF) if works and is_finite(fb.I_MAX) else 0.0
        share = clamp(0.0, fb.EFFICIENCY * 0.01, 1.0)
        fb.ACTIVE = works
        fb.SOURCE = gives + 1 if works else 0
        fb.DEST = takes + 1 if works else 0
        fb.I_SOURCE = current
        fb.I_DEST = 0.0 - current * share

    example = Example(
        START=5,
        STOP=1,
        REST="0s",
        MIN_ON="2min",
        dt="1min",
        table="""
        X          T  | ACTIVE SOURCE DEST I_SOURCE I_DEST SPREAD
        [50,52,54] 25 | 0      0      0    0        0      4
        [49,52,56] 25 | 1      3      1    5        -4.25  7
        [50,55,54] 25 | 1      3      1    5        -4.25  5      # the pair is kept for two minutes
        [50,55,54] 25 | 1      3      1    5        -4.25  5
        [50,55,54] 25 | 1      2      1    5        -4.25  5      # now the highest one
        [50,55,54] 75 | 0      0      0    0        0      5      # too hot
        [50,56,54] 25 | 0      0      0    0        0      6      # a pause lasts two minutes, too
        [50,56,54] 25 | 1      2      1    5        -4.25  6
        [53,54,54] 25 | 0      0      0    0        0      1
    """,
    )
