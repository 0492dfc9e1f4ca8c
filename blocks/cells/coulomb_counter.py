"""The counted state of charge."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, clamp, is_finite, max, min, seconds, sqrt
from blocks.declare import BOOL, LREAL, TIME, Array, Example, Input, Output, Var, block

S_PER_H = 3600.0
HOUR = 3_600_000_000_000


NAN = math.nan


@block(source="Ng, Moo, Chen, Hsieh, Enhanced coulomb counting method (Applied Energy 86, 2009); a scalar Kalman update")
class COULOMB_COUNTER:
    """Counts the state of charge from the current, and knows how far it may have drifted.

    SOC falls by the integral of I - OFFSET over CAPACITY; what is charged counts ETA of itself. FULL sets it to 100 %, EMPTY to 0
    %, each once when it rises; while both are true neither does, but what stays true acts when the other has gone. CORRECT, when
    it rises, takes the reading SOC_REST of a cell at rest into account: each side is believed as its SIGMA says. SIGMA grows by
    OFFSET_ERROR and by GAIN_ERROR of what flows: both are constant errors, so it grows in proportion to time, not to its root.
    DRIFT is the sensor's offset that would explain the last correction; it is found only after an hour, and a counter that stood
    at 0 or 100 % hides a part. A dead current or capacity holds SOC while SIGMA grows as if the last good current still flowed;
    an error that is no number makes it 100 %.
    """

    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    CAPACITY = Input(LREAL, "capacity; 0 or less is no capacity", unit="Ah", min=0)
    ETA = Input(
        LREAL,
        "coulombic efficiency: share of the charging current that stays in the cell",
        unit="%",
        default=100.0,
        min=50,
        max=100,
    )
    OFFSET = Input(LREAL, "what the current sensor shows at no current", unit="A", default=0.0)
    OFFSET_ERROR = Input(LREAL, "standard deviation of what is left of the offset", unit="A", default=0.1, min=0)
    GAIN_ERROR = Input(LREAL, "standard deviation of the sensor's gain and of CAPACITY", unit="%", default=0.5, min=0, max=100)
    SOC0 = Input(LREAL, "state of charge at the start", unit="%", default=50.0, min=0, max=100)
    SIGMA0 = Input(LREAL, "standard deviation of SOC0", unit="%", default=20.0, min=0, max=100)
    FULL = Input(BOOL, "the cell is full: SOC becomes 100 % when it rises", default=False)
    EMPTY = Input(BOOL, "the cell is empty: SOC becomes 0 % when it rises", default=False)
    SIGMA_END = Input(LREAL, "standard deviation of SOC when FULL or EMPTY", unit="%", default=1.0, min=0, max=100)
    CORRECT = Input(BOOL, "SOC_REST is a usable reading: it counts once, when this rises", default=False)
    SOC_REST = Input(LREAL, "state of charge read from the voltage at rest", unit="%", default=0.0, min=0, max=100)
    SIGMA_REST = Input(LREAL, "standard deviation of SOC_REST", unit="%", default=100.0, min=0, max=100)
    SOC = Output(LREAL, "state of charge", unit="%", min=0, max=100)
    SIGMA = Output(LREAL, "standard deviation that SOC may have by now", unit="%", default=100.0, min=0, max=100)
    CORRECTION = Output(LREAL, "what the last correction added to SOC", unit="%", min=-100, max=100)
    DRIFT = Output(LREAL, "offset of the sensor, beside OFFSET, that explains the last correction", unit="A")
    SINCE = Output(TIME, "time since the last correction, or since the start", min=0)
    HELD = Output(BOOL, "the current, the capacity or SOC0 is dead: SOC is held")
    z = Var(LREAL, "state of charge", unit="%")
    settled = Var(LREAL, "standard deviation at the last correction", unit="%", default=100.0)
    wander = Var(LREAL, "standard deviation that came since", unit="%")
    flow = Var(LREAL, "last good rate of the uncertainty", unit="%/s")
    was = Var(Array(BOOL, 3), "FULL and EMPTY have acted, or CORRECT one scan ago")
    started = Var(BOOL, "SOC0 was taken")

    def step(fb, dt):
        h = seconds(dt)
        if not fb.started and is_finite(fb.SOC0):
            fb.z = clamp(0.0, fb.SOC0, 100.0)
            fb.settled = clamp(0.0, fb.SIGMA0, 100.0) if is_finite(fb.SIGMA0) else 100.0
            fb.started = True
        net = fb.I - fb.OFFSET
        taken = net if net > 0.0 else net * fb.ETA * 0.01
        share = 100.0 / (S_PER_H * fb.CAPACITY) if fb.CAPACITY > 0.0 else NAN
        counted = taken * share * h
        flow = (max(fb.OFFSET_ERROR, 0.0) + abs(net) * max(fb.GAIN_ERROR, 0.0) * 0.01) * share
        alive = is_finite(counted + flow)
        fb.SINCE = max(fb.SINCE, 0) + dt if fb.SINCE < 1000000 * HOUR else fb.SINCE
        if alive:
            fb.z = clamp(0.0, fb.z - counted, 100.0)
            fb.flow = flow
        fb.wander = min(fb.wander + fb.flow * h, 100.0) if is_finite(fb.OFFSET_ERROR + fb.GAIN_ERROR) else 100.0
        sigma = min(sqrt(fb.settled * fb.settled + fb.wander * fb.wander), 100.0)
        end = (fb.FULL and not fb.was[0] and not fb.EMPTY) or (fb.EMPTY and not fb.was[1] and not fb.FULL)
        read = fb.CORRECT and not fb.was[2] and is_finite(fb.SOC_REST + fb.SIGMA_REST)
        if end or read:
            variance = sigma * sigma
            doubt = fb.SIGMA_REST * fb.SIGMA_REST
            gain = variance / (variance + doubt) if variance + doubt > 0.0 else 0.0
            target = (100.0 if fb.FULL else 0.0) if end else fb.z + gain * (clamp(0.0, fb.SOC_REST, 100.0) - fb.z)
            fb.CORRECTION = target - fb.z
            if fb.SINCE >= HOUR and alive:
                fb.DRIFT = fb.CORRECTION / (share * seconds(fb.SINCE))
            fb.z = target
            at_end = clamp(0.0, fb.SIGMA_END, 100.0) if is_finite(fb.SIGMA_END) else 100.0
            fb.settled = at_end if end else sqrt(1.0 - gain) * sigma
            fb.wander = 0.0
            sigma = fb.settled
            fb.started = True
            fb.SINCE = 0
        contradict = fb.FULL and fb.EMPTY
        fb.was[0] = fb.FULL and (fb.was[0] or not contradict)
        fb.was[1] = fb.EMPTY and (fb.was[1] or not contradict)
        fb.was[2] = fb.CORRECT
        fb.SOC = fb.z
        fb.SIGMA = sigma if fb.started else 100.0
        fb.HELD = not (alive and fb.started)

    example = Example(
        CAPACITY=280.0,
        SOC0=50.0,
        OFFSET_ERROR=0.0,
        GAIN_ERROR=1.0,
        SIGMA0=0.0,
        SIGMA_REST=3.0,
        dt="1s",
        table="""
        x   I   FULL CORRECT SOC_REST | SOC SIGMA CORRECTION HELD
        36  280 0    0       0        | 49  0.01  0          0      # 280 A of 280 Ah for 36 s are 1 %
        36  nan 0    0       0        | 49  0.02  0          1
        360 280 0    0       0        | 39  0.12  0          0
        1   0   0    1       39       | 39  ~0.12 0          0      # agrees: nothing to correct
        1   0   1    1       39       | 100 1     61         0      # full: both start anew
        36  280 1    1       39       | 99  ~1.00 61         0
    """,
    )
