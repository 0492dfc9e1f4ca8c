"""The early detection of a cell in thermal runaway."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, max, min, seconds, settling
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

NEVER = math.nan
ONE_STEP = 0.75  # of the rise
REFERENCE = 600.0  # s: how slowly the voltage that a drop is measured from follows


@block(source="GB 38031-2020, judgement of thermal runaway: voltage drop, highest temperature, 1 K/s for 3 s")
class THERMAL_RUNAWAY:
    """Thermal runaway of a cell: it heats up by RISE for RISE_TIME, and its voltage breaks down or it is beyond T_MAX.

    The standard's criteria: (a) the voltage has dropped by DROP, (b) the temperature has reached the maker's maximum, (c) dT/dt
    is at RISE or above for RISE_TIME; RUNAWAY is c with a or b, and stays until a rising edge of RESET. WARNING is a or c alone,
    or a dead sensor. Time without the rise is taken off again, so a ripple only delays c, and one step alone is no rise: no
    single step of T may be more than three quarters of it. A cell in runaway burns its wires, so a dead sensor counts against it:
    a T that dies while rising goes on rising, a NaN on V is a drop, a NaN on T is hot. A sensor that is dead without a rise
    before it makes a WARNING only.
    """

    T = Input(LREAL, "temperature of the cell", unit="°C")
    V = Input(LREAL, "voltage of the cell", unit="V")
    T_MAX = Input(LREAL, "highest working temperature", unit="°C", default=60.0)
    RISE = Input(LREAL, "heating that is not normal", unit="K/s", default=1.0, min=0)
    RISE_TIME = Input(TIME, "how long", default=3_000_000_000, min=0)
    DROP = Input(LREAL, "voltage drop against what it was, about ten minutes back", unit="%", default=25.0, min=0, max=100)
    TAU = Input(LREAL, "filter of the heating rate", unit="s", default=2.0, min=0)
    RESET = Input(BOOL, "clears RUNAWAY on its rising edge, if no criterion holds", default=False)
    RATE = Output(LREAL, "heating rate", unit="K/s")
    WARNING = Output(BOOL, "one criterion holds, or a sensor is dead")
    RUNAWAY = Output(BOOL, "disconnect, alarm, extinguish; stays until RESET")
    lagged = Var(LREAL, "filtered temperature; NaN while there is none", unit="°C", default=NEVER)
    level = Var(LREAL, "voltage that a drop is measured from; NaN while there is none", unit="V", default=NEVER)
    rising = Var(BOOL, "RATE was at RISE or above")
    risen = Var(TIME, "how long, held at RISE_TIME; counted down without")
    last = Var(LREAL, "last known temperature; NaN while there is none", unit="°C", default=NEVER)
    base = Var(LREAL, "temperature that the rise began from", unit="°C")
    biggest = Var(LREAL, "largest step up in it", unit="°C")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        h = seconds(dt)
        before = fb.lagged if is_finite(fb.lagged) else fb.T
        change = settling(h, fb.TAU) * (fb.T - before)
        seen = is_finite(fb.T) and is_finite(change)
        rate = change / h if seen and h > 0.0 else 0.0
        fb.lagged = before + change if seen else fb.T
        rising = rate >= fb.RISE if seen else fb.rising
        if rising and fb.rising:
            fb.risen = min(fb.risen + dt, fb.RISE_TIME)
        elif not rising:
            fb.risen = max(fb.risen - dt, 0)
        last = fb.last if is_finite(fb.last) else fb.T
        if seen and not fb.rising and fb.risen == 0:
            fb.base = last
            fb.biggest = 0.0
        fb.biggest = max(fb.T - last, fb.biggest) if seen else fb.biggest
        stepwise = seen and fb.biggest > ONE_STEP * (fb.T - fb.base)
        fb.last = fb.T if seen else fb.last
        fb.rising = rising
        level = fb.level if is_finite(fb.level) else fb.V
        dropped = not fb.V > level * (1.0 - fb.DROP * 0.01)
        hot = not fb.T < fb.T_MAX
        heats = rising and fb.risen >= fb.RISE_TIME and not stepwise
        if not rising and not dropped:  # what a drop is measured from stands still once something has begun
            fb.level = level + settling(h, REFERENCE) * (max(fb.V, 0.0) - level)
        clears = fb.RESET and not fb.pressed and not (heats or dropped or hot)
        fb.RUNAWAY = (heats and (dropped or hot)) or (fb.RUNAWAY and not clears)
        fb.WARNING = heats or dropped or not seen
        fb.RATE = rate
        fb.pressed = fb.RESET

    example = Example(
        dt="1s",
        TAU=0,
        table="""
        x T   V    | RATE WARNING RUNAWAY
        1 25  3.30 | 0    0       0
        1 26  3.30 | 1    0       0
        1 27  3.29 | 1    0       0
        1 29  3.28 | 2    0       0
        1 32  3.20 | 3    1       0      # 1 K/s for three seconds
        1 36  2.40 | 4    1       1      # and the voltage breaks down by more than 25 %
        1 nan nan  | 0    1       1      # the wires burn
        5 30  3.30 | 0    0       1
    """,
    )
