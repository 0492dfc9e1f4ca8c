"""A switched output that is on for a share of the time."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, seconds, time
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block


@block(source="time-proportional control (IEC 60050-351 calls it pulse-duration modulation); OSCAT PWM_DC, with minimum times")
class PWM:
    """Switches Q on for DUTY per cent of each PERIOD: lets a relay, heater or fan do what a valve would.

    DUTY is looked at when a period begins. A pulse shorter than MIN_ON is left out and a gap shorter than MIN_OFF is closed, both
    to within a scan; what a period had too much or too little is carried into the next, also what is lost by whole scans, so the
    mean over many periods is DUTY. At 0 and 100 % nothing is carried. A NaN switches Q off at once, to the end of the period and
    for MIN_OFF at least; what is lost by that is not made up for, and no new period begins on a NaN. PERIOD should be many scans
    long: where a scan is longer than PERIOD, it is one period, and the mean is no longer DUTY.
    """

    DUTY = Input(LREAL, "share of the time that Q shall be on", unit="%", min=0, max=100)
    PERIOD = Input(TIME, "time from one switching on to the next", default=10_000_000_000, min=1_000_000, max=86_400_000_000_000)
    MIN_ON = Input(TIME, "shortest pulse", default=0, min=0)
    MIN_OFF = Input(TIME, "shortest gap", default=0, min=0)
    Q = Output(BOOL, "the switch")
    elapsed = Var(TIME, "time since the period began")
    length = Var(TIME, "how long Q is on in this period")
    goal = Var(TIME, "how long it should have been on, with what was carried over")
    ran = Var(TIME, "how long it has been on")
    started = Var(BOOL, "a period runs")

    def step(fb, dt):
        period = max(fb.PERIOD, 1_000_000)
        ran = fb.ran + (dt if fb.Q else 0)
        elapsed = fb.elapsed + dt
        known = is_finite(fb.DUTY)
        if not known:
            elapsed = min(elapsed, max(period - fb.MIN_OFF, 0)) if fb.Q else elapsed
            fb.goal = min(fb.goal, ran)
            fb.length = 0
        elif not fb.started or elapsed >= period:
            carried = clamp(0 - period, fb.goal - ran, period) if fb.started else 0
            elapsed = elapsed - period if fb.started and elapsed - period < period else 0
            ran = 0
            share = clamp(0.0, fb.DUTY * 0.01, 1.0)
            goal = time(share * seconds(period))
            fb.goal = goal + carried if share > 0.0 and share < 1.0 else goal
            length = 0 if fb.goal < fb.MIN_ON else min(max(fb.goal, 0), period)
            fb.length = period if length > 0 and period - length < fb.MIN_OFF else length
        fb.elapsed = elapsed
        fb.ran = ran
        fb.started = known or (fb.started and elapsed < period)
        fb.Q = known and elapsed < fb.length

    example = Example(
        PERIOD="1s",
        dt="100ms",
        table="""
        x DUTY | Q
        1 30   | 1
        2 30   | 1
        7 30   | 0      # 300 ms of 1 s
        1 30   | 1
        2 80   | 1
        1 80   | 0      # looked at when the period began
        6 80   | 0
        8 80   | 1
        2 80   | 0
        1 80   | 1
        1 nan  | 0      # off at once
    """,
    )
