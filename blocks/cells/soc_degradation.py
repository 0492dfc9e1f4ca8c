"""Drift between a counted and an estimated state of charge."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min, seconds, settling
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

S_PER_H = 3600.0
SURE = 3.0  # standard deviations


@block(source="bessplc REQUIREMENTS 27 and 23 (drift detection, correction, deep calibration); a law of our own")
class SOC_DEGRADATION:
    """Notices that the counted state of charge has drifted off the estimated one, corrects it slowly and asks for a calibration.

    DEVIATION is COUNTED - ESTIMATE behind a first-order filter of T. DRIFTED: it has been beyond LIMIT, and beyond three times
    SIGMA (so that an estimate that knows little accuses nobody), for HOLD without a break. REQUEST then latches until a RESET,
    which the calibration gives when it is done. While DRIFTED, SOC leaves COUNTED for the estimate at no more than RATE;
    afterwards the correction stays, but never more of it than DEVIATION explains: a counter that has mended itself (at full, at
    empty) is believed again. A dead input is no proof: the waiting starts anew, DEVIATION, DRIFTED and the
    correction stand still, and SOC is COUNTED as corrected, or the last good one.
    """

    COUNTED = Input(LREAL, "state of charge from the coulomb counter", unit="%", min=0, max=100)
    ESTIMATE = Input(LREAL, "state of charge from the filter, or from the voltage at rest", unit="%", min=0, max=100)
    SIGMA = Input(LREAL, "standard deviation of ESTIMATE", unit="%", default=0.0, min=0, max=100)
    LIMIT = Input(LREAL, "deviation from which on it is drift", unit="%", default=5.0, min=0, max=100)
    HOLD = Input(TIME, "how long it must last", min=0, default=1_800_000_000_000)
    T = Input(LREAL, "time constant of the filter", unit="s", default=600.0, min=0)
    RATE = Input(LREAL, "fastest correction; 0 corrects nothing", unit="%/h", default=2.0, min=0, max=1e6)
    RESET = Input(BOOL, "calibrated: forget the drift and the correction, on its rising edge", default=False)
    DEVIATION = Output(LREAL, "COUNTED - ESTIMATE, filtered", unit="%", min=-100, max=100)
    DRIFTED = Output(BOOL, "the deviation is persistent, and still there")
    REQUEST = Output(BOOL, "a calibration is wanted")
    CORRECTION = Output(LREAL, "what SOC is above COUNTED", unit="%", min=-100, max=100)
    SOC = Output(LREAL, "COUNTED, corrected", unit="%", min=0, max=100)
    HELD = Output(BOOL, "COUNTED, ESTIMATE or SIGMA is dead")
    lasted = Var(TIME, "how long the deviation has been beyond the limit")
    beyond = Var(BOOL, "it was beyond the limit one scan ago")
    started = Var(BOOL, "the filter has a value")
    reset_was = Var(BOOL, "RESET one scan ago", default=True)

    def step(fb, dt):
        h = seconds(dt)
        if fb.RESET and not fb.reset_was:
            fb.REQUEST = False
            fb.DRIFTED = False
            fb.CORRECTION = 0.0
            fb.beyond = False
            fb.started = False
        fb.reset_was = fb.RESET
        now = fb.COUNTED - fb.ESTIMATE
        alive = is_finite(now + fb.SIGMA)
        if alive:
            share = settling(h, fb.T) if fb.started and is_finite(fb.T) else 1.0
            fb.DEVIATION = clamp(-100.0, fb.DEVIATION + share * (now - fb.DEVIATION), 100.0)
            fb.started = True
        hold = max(fb.HOLD, 0)
        beyond = alive and abs(fb.DEVIATION) > max(fb.LIMIT, SURE * fb.SIGMA)
        fb.lasted = min(fb.lasted + dt, hold) if beyond and fb.beyond else 0
        fb.beyond = beyond
        if alive:
            fb.DRIFTED = beyond and fb.lasted >= hold
        fb.REQUEST = fb.REQUEST or fb.DRIFTED
        if alive and fb.DRIFTED and fb.RATE > 0.0:
            way = fb.RATE * h / S_PER_H
            fb.CORRECTION = clamp(-100.0, fb.CORRECTION + clamp(0.0 - way, 0.0 - fb.DEVIATION - fb.CORRECTION, way), 100.0)
        if alive:
            least = min(0.0, 0.0 - fb.DEVIATION)
            fb.CORRECTION = clamp(least, fb.CORRECTION, max(0.0, 0.0 - fb.DEVIATION))
        if is_finite(fb.COUNTED):
            fb.SOC = clamp(0.0, fb.COUNTED + fb.CORRECTION, 100.0)
        fb.HELD = not alive

    example = Example(
        LIMIT=5.0,
        HOLD="30min",
        T=0.0,
        RATE=12.0,
        dt="10min",
        table="""
        COUNTED ESTIMATE SIGMA RESET | DEVIATION DRIFTED REQUEST CORRECTION SOC
        50      50       1     0     | 0         0       0       0          50
        50      42       3     0     | 8         0       0       0          50    # 3 sigma are 9: no proof
        50      42       1     0     | 8         0       0       0          50
        50      42       1     0     | 8         0       0       0          50
        50      42       1     0     | 8         0       0       0          50
        50      42       1     0     | 8         1       1       -2         48    # for 30 min: corrected by 12 % an hour
        50      42       1     0     | 8         1       1       -4         46
        50      48       1     0     | 2         0       1       -2         48    # no more than the deviation
        50      48       1     1     | 2         0       0       0          50    # calibrated
    """,
    )
