"""The protection of cells against deep discharge, in stages."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

STAGES = ("normal", "reduce", "stop discharging", "open contactors", "deep discharge")


@block(source="foxBMS 2 v1.11: under-voltage in three levels and the deep-discharge flag that only a service action clears")
class CRITICAL_LOW:
    """Reacts to an empty cell in stages: reduce, stop discharging, open the contactors, and lock for good.

    From V_REDUCE down SHARE falls in a line to 0 at V_STOP, where DISCHARGE_OK falls at once; V_OPEN for DELAY opens the
    contactors (the battery's own consumption empties it on); below V_DEEP for DELAY the cell is damaged: LOCKED forbids
    everything, charging too, until service has replaced the cell and gives a rising edge on SERVICE. DISCHARGE_OK returns only
    HYST above V_STOP, since the voltage jumps up as soon as the load has gone, and SHARE then rises by RISE. OPEN stays until the
    cell has been there for DELAY, or a rising edge of RESET lets the contactors close for charging (what is still low then opens
    them again after DELAY). A good sample does not undo a delay: good time counts back what low time has counted. CHARGE_OK stays
    true up to the lock, charging is the way out. A V that is not finite, or below V_LEAST, is a dead sensor: it stops discharge
    and charge at once and opens after DELAY, but locks nothing. The defaults are usual for LFP; take the cell's data sheet.
    Retain this block.
    """

    V = Input(LREAL, "voltage of the lowest cell", unit="V")
    V_REDUCE = Input(LREAL, "from here down the power is reduced", unit="V", default=3.0)
    V_STOP = Input(LREAL, "no discharging at or below", unit="V", default=2.8)
    V_OPEN = Input(LREAL, "contactors open at or below", unit="V", default=2.5)
    V_DEEP = Input(LREAL, "damaged at or below", unit="V", default=2.0)
    HYST = Input(LREAL, "discharging again this far above V_STOP", unit="V", default=0.2, min=0)
    DELAY = Input(TIME, "how long before contactors open, and before the lock", default=10_000_000_000, min=0)
    SERVICE = Input(BOOL, "a rising edge clears LOCKED, if the cell is above V_DEEP", default=False)
    V_LEAST = Input(LREAL, "below it the sensor is dead, not the cell", unit="V", default=0.5, min=0)
    RISE = Input(LREAL, "fastest increase of SHARE", unit="%/s", default=10.0, min=0)
    RESET = Input(BOOL, "a rising edge ends OPEN, so that the battery can be charged", default=False)
    STAGE = Output(DINT, "stage reached", min=0, max=4, names=STAGES)
    SHARE = Output(LREAL, "how much of the rated discharging power is allowed, 0 to 1", min=0, max=1)
    DISCHARGE_OK = Output(BOOL, "discharging is permitted")
    CHARGE_OK = Output(BOOL, "charging is permitted")
    OPEN = Output(BOOL, "open the contactors")
    LOCKED = Output(BOOL, "a cell was deeply discharged; stays until SERVICE")
    low = Var(TIME, "time at or below V_OPEN, held at DELAY; counted down above it, while OPEN only from V_STOP + HYST on")
    deep = Var(TIME, "time at or below V_DEEP, held at DELAY; counted down above it")
    was_low = Var(BOOL, "at or below V_OPEN one scan ago")
    was_deep = Var(BOOL, "at or below V_DEEP one scan ago")
    stopped = Var(BOOL, "V_STOP was reached, and V_STOP + HYST not since")
    allowed = Var(LREAL, "SHARE one scan ago; 1 at the start", default=1.0)
    pressed = Var(BOOL, "SERVICE one scan ago; true at the start", default=True)
    reset_was = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        known = is_finite(fb.V) and fb.V >= fb.V_LEAST
        is_low = not (known and fb.V > fb.V_OPEN)
        is_deep = known and fb.V <= fb.V_DEEP
        back = known and fb.V >= fb.V_STOP + fb.HYST
        serviced = fb.SERVICE and not fb.pressed and known and fb.V > fb.V_DEEP
        closes = serviced or (fb.RESET and not fb.reset_was)
        fb.pressed = fb.SERVICE
        fb.reset_was = fb.RESET
        if is_low and fb.was_low and not closes:
            fb.low = min(fb.low + dt, fb.DELAY)
        elif closes:
            fb.low = 0
        elif not fb.was_low and (back or (not is_low and not fb.OPEN)):
            fb.low = max(fb.low - dt, 0)
        if is_deep and fb.was_deep:
            fb.deep = min(fb.deep + dt, fb.DELAY)
        elif serviced:
            fb.deep = 0
        elif not is_deep and not fb.was_deep:
            fb.deep = max(fb.deep - dt, 0)
        fb.was_low = is_low
        fb.was_deep = is_deep
        fb.stopped = not (known and fb.V > fb.V_STOP) or (fb.stopped and not back)
        fb.LOCKED = (is_deep and fb.deep >= fb.DELAY) or (fb.LOCKED and not serviced)
        held = fb.OPEN and not closes and not (back and fb.low == 0)
        fb.OPEN = (is_low and fb.low >= fb.DELAY) or held or fb.LOCKED
        span = fb.V_REDUCE - fb.V_STOP
        share = clamp(0.0, (fb.V - fb.V_STOP) / span, 1.0) if span > 0.0 else (1.0 if fb.V > fb.V_STOP else 0.0)
        blocked = fb.stopped or fb.OPEN or not is_finite(span)
        rise = max(fb.RISE, 0.0) * 0.01 * seconds(dt)
        share = min(share, fb.allowed + rise) if is_finite(rise) else min(share, fb.allowed)
        fb.allowed = 0.0 if blocked else share
        fb.SHARE = fb.allowed
        fb.DISCHARGE_OK = not blocked
        fb.CHARGE_OK = known and not fb.LOCKED
        stage = 1 if share < 1.0 else 0
        stage = 2 if blocked else stage
        stage = 3 if fb.OPEN else stage
        fb.STAGE = 4 if fb.LOCKED else stage

    example = Example(
        dt="1s",
        table="""
        x  V   SERVICE | STAGE SHARE DISCHARGE_OK CHARGE_OK OPEN LOCKED
        1  3.2 0       | 0     1     1            1         0    0
        1  2.9 0       | 1     0.5   1            1         0    0      # half way from 3.0 to 2.8 V
        1  2.8 0       | 2     0     0            1         0    0
        1  2.9 0       | 2     0     0            1         0    0      # the load has gone: that is no charge
        1  2.4 0       | 2     0     0            1         0    0
        10 2.4 0       | 3     0     0            1         1    0      # for ten seconds
        11 1.9 0       | 4     0     0            0         1    1
        1  3.2 0       | 4     0     0            0         1    1
        1  3.2 1       | 1     0.1   1            1         0    0      # replaced: SHARE rises by 10 % a second
        10 3.2 0       | 0     1     1            1         0    0
    """,
    )
