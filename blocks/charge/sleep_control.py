"""The sleep of a BMS that nobody needs."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, LINT, TIME, Example, Input, Output, block

REASONS = (
    "asleep",
    "not idle",
    "woken",
    "contactors are closed",
    "sleep is not allowed",
    "idle time is not over",
    "woke to look around",
)
MINUTES_10 = 600_000_000_000


@block(source="EMS practice (BMS sleep controller): automatic sleep on idle, wake on demand, sleep time logged")
class SLEEP_CONTROL:
    """Puts a BMS to sleep that has been idle for T_IDLE, and wakes it as soon as anybody needs it.

    It sleeps only while IDLE and ALLOWED are true, the contactors are open and nobody wakes it; each of these ends the sleep in the
    same scan, and the idle time starts anew. T_MAX (0: none) wakes it now and then to be looked at. The first idle scan is time 0.
    """

    IDLE = Input(BOOL, "nobody needs the battery")
    WAKE = Input(BOOL, "somebody needs it: wakes while true", default=False)
    CLOSED = Input(BOOL, "its contactors are closed (feedback)")
    ALLOWED = Input(BOOL, "this node may sleep", default=True)
    T_IDLE = Input(TIME, "idle time before it sleeps", default=MINUTES_10, min=0)
    T_MAX = Input(TIME, "longest sleep; 0 is no limit", default=0, min=0)
    SLEEP = Output(BOOL, "the sleep command")
    WHY = Output(DINT, "why it is awake", min=0, max=6, names=REASONS, default=1)
    IDLE_FOR = Output(TIME, "how long it has been idle and awake", min=0)
    SLEPT = Output(TIME, "length of this sleep, or of the last one", min=0)
    TOTAL = Output(TIME, "all its sleep", min=0)
    SLEEPS = Output(LINT, "how often it fell asleep", min=0)

    def step(fb, dt):
        needed = 2 if fb.WAKE else (3 if fb.CLOSED else (4 if not fb.ALLOWED else (0 if fb.IDLE else 1)))
        counted = fb.WHY == 5 and not fb.SLEEP
        why = needed
        if fb.SLEEP:
            fb.SLEPT = fb.SLEPT + dt
            fb.TOTAL = fb.TOTAL + dt
            if needed == 0 and fb.T_MAX > 0 and fb.SLEPT >= fb.T_MAX:
                why = 6
            fb.SLEEP = why == 0
            fb.IDLE_FOR = 0
        else:
            fb.IDLE_FOR = fb.IDLE_FOR + dt if needed == 0 and counted else 0
            fb.SLEEP = needed == 0 and fb.IDLE_FOR >= fb.T_IDLE
            if fb.SLEEP:
                fb.SLEPT = 0
                fb.SLEEPS = fb.SLEEPS + 1
                fb.IDLE_FOR = 0
            elif needed == 0:
                why = 5
        fb.WHY = why

    example = Example(
        CLOSED=False,
        T_IDLE="2min",
        dt="1min",
        table="""
        IDLE WAKE | SLEEP WHY IDLE_FOR SLEPT TOTAL SLEEPS
        0    0    | 0     1   0s       0s    0s    0
        1    0    | 0     5   0s       0s    0s    0
        1    0    | 0     5   1min     0s    0s    0
        1    0    | 1     0   0s       0s    0s    1       # idle for 2 min
        1    0    | 1     0   0s       1min  1min  1
        1    1    | 0     2   0s       2min  2min  1       # woken
        1    0    | 0     5   0s       2min  2min  1
        1    0    | 0     5   1min     2min  2min  1
        1    0    | 1     0   0s       0s    2min  2
    """,
    )
