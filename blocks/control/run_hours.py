"""The hour meter of a drive."""

from __future__ import annotations

from blocks.arithmetic import to_lreal
from blocks.declare import BOOL, LINT, LREAL, TIME, Example, Input, Output, Var, block

NS_PER_H = 3.6e12


@block(source="OSCAT Basic library, ONTIME (run time and number of starts of a drive)")
class RUN_HOURS:
    """The hour meter of a pump, fan or contactor: how long it has run and how often it was started. Retain this block.

    Time is counted in whole nanoseconds, so nothing is lost in years. DUE tells that SERVICE has been reached; a rising edge of
    DONE starts the next interval. A rising edge of LOAD sets the meter to PRESET, after a motor was exchanged.
    """

    RUN = Input(BOOL, "the drive runs: its feedback rather than its command")
    SERVICE = Input(TIME, "run time between two services; 0: no service", default=0, min=0)
    DONE = Input(BOOL, "rising edge: the service is done", default=False)
    PRESET = Input(TIME, "what LOAD sets the meter to", default=0, min=0)
    LOAD = Input(BOOL, "rising edge: the meter is set to PRESET, the starts to 0", default=False)
    HOURS = Output(LREAL, "run time", unit="h", min=0)
    TOTAL = Output(TIME, "run time")
    STARTS = Output(LINT, "how often it was started")
    THIS_RUN = Output(TIME, "how long it has run since the last start")
    DUE = Output(BOOL, "the service is due")
    served = Var(TIME, "run time at the last service")
    ran = Var(BOOL, "RUN one scan ago")
    was_done = Var(BOOL, "DONE one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)
    was_load = Var(BOOL, "LOAD one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        if fb.ran:  # until now: what ran at the last scan has run since
            fb.TOTAL = fb.TOTAL + dt
            fb.THIS_RUN = fb.THIS_RUN + dt
        elif fb.RUN:
            fb.THIS_RUN = 0
            fb.STARTS = fb.STARTS + 1
        if fb.LOAD and not fb.was_load:
            fb.TOTAL = fb.PRESET if fb.PRESET > 0 else 0
            fb.STARTS = 0
            fb.served = fb.TOTAL
        if fb.DONE and not fb.was_done:
            fb.served = fb.TOTAL
        fb.HOURS = to_lreal(fb.TOTAL) / NS_PER_H
        fb.DUE = fb.SERVICE > 0 and fb.TOTAL - fb.served >= fb.SERVICE
        fb.ran = fb.RUN
        fb.was_done = fb.DONE
        fb.was_load = fb.LOAD

    example = Example(
        dt="1h",
        SERVICE="3h",
        table="""
        RUN DONE | HOURS STARTS THIS_RUN DUE
        0   0    | 0     0      0h       0
        1   0    | 0     1      0h       0
        1   0    | 1     1      1h       0
        0   0    | 2     1      2h       0     # it has run until now
        0   0    | 2     1      2h       0
        1   0    | 2     2      0h       0
        1   0    | 3     2      1h       1     # three hours: service
        1   1    | 4     2      2h       0
    """,
    )
