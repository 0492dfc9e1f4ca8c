"""The supervision of a coolant pump."""

from __future__ import annotations

import math

from blocks.arithmetic import max, min
from blocks.control.laws import lasted
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

REASONS = ("none", "no run feedback", "pressure low", "flow low", "dry")
NOT_FITTED = math.inf


@block(
    source="Protection of centrifugal pumps: dry run, flow and pressure, overridden at the start; PUMP_PSI_LOW of REQUIREMENTS 52"
)
class PUMP_SUPERVISION:
    """Runs a coolant pump and watches that it really pumps: run feedback, pressure and flow, after START_DELAY, each for DELAY.

    A demand that comes and goes hides nothing: where the pump has run for START_DELAY + DELAY in all and was never seen to pump,
    over however many starts, that fails, too. What fails stops the pump; it is tried again after PAUSE, RETRIES times, then FAULT
    stays until RESET rises. A pump that ran well for HEALTHY gets all its tries back. LEVEL false stops it at once and costs no
    try: it starts PAUSE after the level is back. A pressure or flow that is NaN counts as low; what is not wired is not fitted.
    REASON keeps the last failure until the pump has run well or RESET.
    """

    CMD = Input(BOOL, "the pump is asked for")
    RUNNING = Input(BOOL, "run feedback", default=True)
    PRESSURE = Input(LREAL, "pressure behind the pump", unit="bar", default=NOT_FITTED)
    P_MIN = Input(LREAL, "lowest pressure", unit="bar", default=0.5)
    FLOW = Input(LREAL, "flow", unit="l/min", default=NOT_FITTED)
    FLOW_MIN = Input(LREAL, "lowest flow", unit="l/min", default=1.0)
    LEVEL = Input(BOOL, "there is coolant; wired so that a cut wire is false", default=True)
    START_DELAY = Input(TIME, "nothing is watched for so long after a start", default=5_000_000_000, min=0)
    DELAY = Input(TIME, "how long something must be wrong", default=1_000_000_000, min=0)
    RETRIES = Input(DINT, "how often it is tried again", default=2, min=0)
    PAUSE = Input(TIME, "rest before it is tried again", default=10_000_000_000, min=0)
    HEALTHY = Input(TIME, "a run that forgives failures", default=60_000_000_000, min=0)
    RESET = Input(BOOL, "rising edge: the fault goes", default=False)
    RUN = Output(BOOL, "the pump shall run", volatile=True)
    FAULT = Output(BOOL, "every try failed")
    REASON = Output(DINT, "what failed last", min=0, max=4, names=REASONS)
    PUMP_PSI_LOW = Output(BOOL, "pressure or flow was too low: throughput is lost")
    TRIES = Output(DINT, "tries that failed since the last good run", min=0)
    resting = Var(TIME, "how long it must still rest")
    ran = Var(TIME, "how long it has run", volatile=True)
    unproven = Var(TIME, "how long it has run since it was last seen to pump, over all starts", volatile=True)
    wrong_for = Var(TIME, "how long something has been wrong, -1 while nothing is", default=-1, volatile=True)
    well_for = Var(TIME, "how long it has run well, -1 while it does not", default=-1, volatile=True)
    was = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        fb.resting = max(fb.resting - dt, 0)
        fb.ran = min(fb.ran + dt, max(fb.START_DELAY, 0)) if fb.RUN else 0
        watched = fb.RUN and fb.ran >= fb.START_DELAY
        low_p = not fb.PRESSURE >= fb.P_MIN
        low_f = not fb.FLOW >= fb.FLOW_MIN
        seen = 1 if not fb.RUNNING else (2 if low_p else (3 if low_f else 0))
        now = seen if watched else 0
        longest = max(fb.START_DELAY, 0) + max(fb.DELAY, 0)
        if fb.RUN:
            fb.unproven = min(fb.unproven + dt, longest) if seen > 0 else 0
        never = fb.RUN and seen > 0 and fb.unproven >= longest
        fb.wrong_for = lasted(now > 0, fb.wrong_for, dt, fb.DELAY)
        fb.well_for = lasted(watched and now == 0, fb.well_for, dt, fb.HEALTHY)
        if watched and now == 0 and fb.well_for >= fb.HEALTHY:
            fb.TRIES = 0
            fb.REASON = 0
        if fb.RESET and not fb.was:
            fb.FAULT = False
            fb.TRIES = 0
            fb.REASON = 0
            fb.resting = 0
            fb.unproven = 0
        fb.was = fb.RESET
        if not fb.LEVEL:
            fb.REASON = 4
            fb.resting = max(fb.PAUSE, 0)
            fb.unproven = 0
        elif never or (now > 0 and fb.wrong_for >= fb.DELAY):
            fb.REASON = seen
            fb.resting = max(fb.PAUSE, 0)
            fb.TRIES = fb.TRIES + 1
            fb.FAULT = fb.TRIES > fb.RETRIES
            fb.wrong_for = -1
            fb.unproven = 0
        fb.RUN = fb.CMD and not fb.FAULT and fb.resting == 0 and fb.LEVEL
        fb.ran = fb.ran if fb.RUN else 0
        fb.PUMP_PSI_LOW = fb.REASON == 2 or fb.REASON == 3

    example = Example(
        dt="1s",
        START_DELAY="2s",
        DELAY="1s",
        PAUSE="2s",
        RETRIES=1,
        table="""
        CMD PRESSURE RESET | RUN FAULT REASON TRIES PUMP_PSI_LOW
        1   0        0     | 1   0     0      0     0
        1   0        0     | 1   0     0      0     0            # it builds up pressure
        1   0.2      0     | 1   0     0      0     0
        1   0.2      0     | 0   0     2      1     1            # low for 1 s
        1   0        0     | 0   0     2      1     1
        1   0        0     | 1   0     2      1     1            # tried again
        1   0        0     | 1   0     2      1     1
        1   0        0     | 1   0     2      1     1
        1   0        0     | 0   1     2      2     1            # it stays off
        1   0        1     | 1   0     0      0     0
    """,
    )
