"""The event counter of one diagnosis: CAN timing, interlock, contactor feedback, and whatever else may flicker."""

from __future__ import annotations

from blocks.arithmetic import max, min
from blocks.cells.laws import MANY, counted, events_in, spare_time
from blocks.declare import BOOL, DINT, TIME, Example, Input, Output, Var, block

SEVERITIES = ("info", "warning", "fatal error")


@block(source="foxBMS 2 v1.11, diagnosis module: event counter with a threshold, then the delay before the error state")
class DIAGNOSIS:
    """A fault is believed once it was seen EVENTS times; a fatal one trips DELAY later.

    The delay lets the power be taken away before the contactors open (PENDING). The counter goes up by one for each CYCLE in
    which BAD was true, in one scan at least, and down by one for each in which it was not: a fault that flickers is found, too,
    if it is there most of the time. It is ACTIVE from EVENTS on until the counter is back at 0. A scan longer than CYCLE counts
    for all the cycles that it spans, so the time until ACTIVE is EVENTS * CYCLE whatever the scan; CYCLE 0 counts scans. Only
    scans with CHECK count (wire it to "a new measurement has come", with CYCLE 0). TRIP stays until a rising edge of RESET after
    the fault has gone. foxBMS's defaults: CAN timing 100 events + 200 ms, interlock 10 + 100 ms, contactor feedback 20 + 100 ms.
    """

    BAD = Input(BOOL, "the fault is there now")
    EVENTS = Input(DINT, "so many events make the fault active", default=10, min=1)
    CYCLE = Input(TIME, "one event counts for this long; 0: each scan is one", default=10_000_000, min=0)
    DELAY = Input(TIME, "from active to the trip", default=100_000_000, min=0)
    SEVERITY = Input(DINT, "what an active fault is; only a fatal error trips", default=2, min=0, max=2, names=SEVERITIES)
    CHECK = Input(BOOL, "this scan has a new result", default=True)
    RESET = Input(BOOL, "clears TRIP on its rising edge, if the fault is no longer active", default=False)
    ACTIVE = Output(BOOL, "the fault is believed")
    WARNING = Output(BOOL, "active, and its severity is warning or worse")
    PENDING = Output(BOOL, "active and fatal: trips when DELAY is over, so take the power away")
    TRIP = Output(BOOL, "open the contactors; stays until RESET")
    COUNT = Output(DINT, "the event counter", min=0)
    TOTAL = Output(DINT, "how often the fault became active", min=0)
    seen = Var(BOOL, "BAD was true in this cycle")
    spare = Var(TIME, "time since the last event was counted")
    waited = Var(TIME, "time since the fault became active, held at DELAY")
    pressed = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck button is no edge", default=True)

    def step(fb, dt):
        checks = events_in(fb.spare, dt, fb.CYCLE) if fb.CHECK else 0
        fb.spare = spare_time(fb.spare, dt, fb.CYCLE) if fb.CHECK else fb.spare
        fb.seen = fb.seen or (fb.BAD and fb.CHECK)
        fb.COUNT = counted(fb.COUNT, fb.seen, checks, fb.EVENTS)
        fb.seen = fb.seen and checks == 0
        active = fb.COUNT >= max(fb.EVENTS, 1) or (fb.ACTIVE and fb.COUNT > 0)
        is_new = active and not fb.ACTIVE
        fb.TOTAL = min(fb.TOTAL + 1, MANY) if is_new else fb.TOTAL
        fb.waited = min(fb.waited + dt, fb.DELAY) if active and not is_new else 0
        is_fatal = active and fb.SEVERITY == 2
        trips = is_fatal and fb.waited >= fb.DELAY
        clears = fb.RESET and not fb.pressed and not active
        fb.TRIP = trips or (fb.TRIP and not clears)
        fb.PENDING = is_fatal and not fb.TRIP
        fb.WARNING = active and fb.SEVERITY >= 1
        fb.ACTIVE = active
        fb.pressed = fb.RESET

    example = Example(
        EVENTS=3,
        DELAY="20ms",
        table="""
        x BAD RESET | COUNT ACTIVE PENDING TRIP
        2 1   0     | 2     0      0       0
        1 0   0     | 1     0      0       0     # once good: one step back
        2 1   0     | 3     1      1       0
        1 0   0     | 2     1      1       0     # active until the counter is empty
        1 1   0     | 3     1      0       1     # 20 ms later
        3 0   0     | 0     0      0       1
        1 0   1     | 0     0      0       0
    """,
    )
