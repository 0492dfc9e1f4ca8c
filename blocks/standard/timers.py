"""The timers of IEC 61131-3: on-delay, off-delay and pulse."""

from __future__ import annotations

from blocks.arithmetic import min
from blocks.declare import BOOL, TIME, Example, Input, Output, Var, block


@block(source="IEC 61131-3:2013, table 46, figure 15")
class TON:
    """On-delay timer: Q turns true once IN has stayed true for PT."""

    IN = Input(BOOL, "runs while true, resets while false")
    PT = Input(TIME, "delay", min=0)
    Q = Output(BOOL, "IN, delayed by PT")
    ET = Output(TIME, "time since IN rose, held at PT")
    was = Var(BOOL, "IN one scan ago")

    def step(fb, dt):
        if not fb.IN:
            fb.ET = 0
        elif fb.was:
            fb.ET = min(fb.ET + dt, fb.PT)
        fb.Q = fb.IN and fb.ET >= fb.PT
        fb.was = fb.IN

    example = Example(
        PT="30ms",
        table="""
        IN | Q ET
        0  | 0 0ms
        1  | 0 0ms
        1  | 0 10ms
        0  | 0 0ms        # too short
        1  | 0 0ms
        1  | 0 10ms
        1  | 0 20ms
        1  | 1 30ms
        1  | 1 30ms
        0  | 0 0ms
    """,
    )


@block(source="IEC 61131-3:2013, table 46, figure 15")
class TOF:
    """Off-delay timer: Q stays true until IN has stayed false for PT."""

    IN = Input(BOOL, "holds Q while true, runs once it has fallen")
    PT = Input(TIME, "delay", min=0)
    Q = Output(BOOL, "IN, its fall delayed by PT")
    ET = Output(TIME, "time since IN fell, held at PT")
    was = Var(BOOL, "IN one scan ago")

    def step(fb, dt):
        if fb.IN:
            fb.ET = 0
            fb.Q = True
        elif fb.Q:
            if not fb.was:
                fb.ET = min(fb.ET + dt, fb.PT)
            fb.Q = fb.ET < fb.PT
        fb.was = fb.IN

    example = Example(
        PT="30ms",
        table="""
        IN | Q ET
        0  | 0 0ms
        1  | 1 0ms
        0  | 1 0ms
        0  | 1 10ms
        1  | 1 0ms        # rises again: the time starts anew
        0  | 1 0ms
        0  | 1 10ms
        0  | 1 20ms
        0  | 0 30ms
    """,
    )


@block(source="IEC 61131-3:2013, table 46, figure 15")
class TP:
    """Pulse timer: Q is true for exactly PT after IN has risen, whatever IN does meanwhile."""

    IN = Input(BOOL, "starts the pulse when it rises")
    PT = Input(TIME, "length of the pulse", min=0)
    Q = Output(BOOL, "the pulse")
    ET = Output(TIME, "time since the pulse began, held at PT while IN is true")
    was = Var(BOOL, "IN one scan ago")

    def step(fb, dt):
        if fb.Q:
            fb.ET = min(fb.ET + dt, fb.PT)
            fb.Q = fb.ET < fb.PT
        elif fb.IN and not fb.was:
            fb.ET = 0
            fb.Q = fb.PT > 0
        if not fb.IN and not fb.Q:
            fb.ET = 0
        fb.was = fb.IN

    example = Example(
        PT="30ms",
        table="""
        IN | Q ET
        0  | 0 0ms
        1  | 1 0ms
        0  | 1 10ms
        1  | 1 20ms       # a second edge does not prolong it
        1  | 0 30ms
        0  | 0 0ms
    """,
    )
