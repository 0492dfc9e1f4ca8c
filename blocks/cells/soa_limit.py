"""Three limits of one quantity, with an event counter each."""

from __future__ import annotations

from blocks.arithmetic import min
from blocks.cells.laws import events_in, spare_time, watch
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

LEVELS = ("inside", "beyond maximum operating", "beyond recommended safety", "beyond maximum safety")


@block(source="foxBMS 2 v1.11, safe operating area (three limits) and diagnosis module (event counter, then a delay)")
class SOA_LIMIT:
    """Watches one quantity against three limits; beyond the last one it trips.

    At a limit or beyond it counts as an event, each CYCLE one; a level is reached after EVENTS of them and left when the counter
    is back at 0 (it goes down by one for each good cycle). From the maximum safety level the trip follows DELAY later; meanwhile
    PENDING asks for the power to be taken away. TRIP stays until a rising edge of RESET with IN back inside that limit. A NaN on
    IN or on a limit counts as beyond it: after EVENTS a dead sensor trips, a single lost sample does not.
    """

    IN = Input(LREAL, "measured value", unit="{IN}")
    LIMITS = Input(Array(LREAL, 3), "maximum operating, recommended safety and maximum safety limit", unit="{IN}")
    LOW = Input(BOOL, "true: these are lower limits", default=False)
    HYST = Input(
        LREAL, "an active level counts as left this far inside its limit", unit="{IN}", default=0.0, min=0, difference=True
    )
    EVENTS = Input(DINT, "so many events make a level active", default=50, min=1)
    CYCLE = Input(TIME, "one event counts for this long; 0: each scan is one", default=10_000_000, min=0)
    DELAY = Input(TIME, "from the maximum safety level to the trip", default=200_000_000, min=0)
    RESET = Input(BOOL, "clears TRIP on its rising edge, if IN is back inside", default=False)
    LEVEL = Output(DINT, "the highest active level", min=0, max=3, names=LEVELS)
    PENDING = Output(BOOL, "the maximum safety limit is violated, the trip follows")
    TRIP = Output(BOOL, "open the contactors; stays until RESET")
    COUNT = Output(Array(DINT, 3), "event counter of each level")
    active = Var(Array(BOOL, 3), "level is active")
    seen = Var(Array(BOOL, 3), "at its limit or beyond in this cycle")
    spare = Var(TIME, "time since the last event was counted")
    waited = Var(TIME, "time at the maximum safety level, held at DELAY")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        checks = events_in(fb.spare, dt, fb.CYCLE)
        fb.spare = spare_time(fb.spare, dt, fb.CYCLE)
        level = watch(fb.COUNT, fb.active, fb.seen, 0, fb.IN, fb.LIMITS, fb.LOW, fb.HYST, checks, fb.EVENTS)
        fb.waited = min(fb.waited + dt, fb.DELAY) if level == 3 and fb.LEVEL == 3 else 0
        trips = level == 3 and fb.waited >= fb.DELAY
        clears = fb.RESET and not fb.pressed and level < 3
        fb.TRIP = trips or (fb.TRIP and not clears)
        fb.PENDING = level == 3 and not fb.TRIP
        fb.LEVEL = level
        fb.pressed = fb.RESET

    example = Example(
        LIMITS=[3.50, 3.55, 3.60],
        EVENTS=3,
        DELAY="20ms",
        table="""
        x IN   RESET | LEVEL COUNT   PENDING TRIP
        1 3.49 0     | 0     [0,0,0] 0       0
        2 3.56 0     | 0     [2,2,0] 0       0
        1 3.52 0     | 1     [3,1,0] 0       0    # operating limit violated three times
        3 3.61 0     | 3     [3,3,3] 1       0
        2 3.61 0     | 3     [3,3,3] 0       1    # 20 ms later
        3 3.40 0     | 0     [0,0,0] 0       1
        1 3.40 1     | 0     [0,0,0] 0       0
    """,
    )
