"""Lead and lag: which of several equal pumps or fans run."""

from __future__ import annotations

from blocks.arithmetic import clamp, min
from blocks.declare import BOOL, DINT, LINT, TIME, Array, Example, Input, Output, Var, block

RULES = ("fixed order", "run time", "in turn")
LONG_AGO = -1
MOST = 9_223_372_036_854_775_807


@block(source="ASHRAE Guideline 36, equipment staging and rotation (lead/lag by run time, replacement of a failed unit)")
class DUTY_ROTATION:
    """Keeps as many of N pumps, fans or heaters running as DEMAND asks for, and shares the work among them.

    RULE says who starts next and who stops first: fixed order (lowest number leads), run time (the least worn starts, the most
    worn stops), or in turn (the one that started longest ago). With PERIOD a running unit is changed for a rested one so often:
    the new one starts first, the old one stops after GAP. Between two switchings lies GAP at least. A unit that is not available
    stops in the same scan, and all do without EN: that waits for no GAP and is no switching, so a lost unit is replaced at once
    where the last switching was GAP ago, and else then. Retain RUN_TIME; no unit counts as running after a restart.
    """

    DEMAND = Input(DINT, "how many shall run", min=0)
    AVAILABLE = Input(Array(BOOL, "N"), "the unit is ready and has no fault")
    EN = Input(BOOL, "false stops all at once", default=True)
    RULE = Input(DINT, "who is next", default=1, min=0, max=2, names=RULES)
    PERIOD = Input(TIME, "a unit is changed so often; 0: only when the demand changes", default=0, min=0)
    GAP = Input(TIME, "shortest time between two switchings", default=5_000_000_000, min=0)
    ON = Output(Array(BOOL, "N"), "the unit shall run", volatile=True)
    RUNNING = Output(DINT, "how many run", min=0, volatile=True)
    MISSING = Output(DINT, "how many are asked for and do not run", min=0)
    NEXT = Output(DINT, "number of the unit that starts next; 0: none is left", min=0)
    RUN_TIME = Output(Array(TIME, "N"), "how long the unit has run")
    turn = Var(Array(LINT, "N"), "the count of starts when the unit was last started")
    starts = Var(LINT, "starts so far")
    since = Var(TIME, "time since the last switching, held at GAP; -1: long ago", default=LONG_AGO, volatile=True)
    steady = Var(TIME, "time since a unit was started, while one is rested, held at PERIOD", volatile=True)
    changing = Var(BOOL, "one more runs, until the old one stops", volatile=True)

    def step(fb, dt):
        fb.since = min(fb.since + dt, fb.GAP) if fb.since >= 0 else LONG_AGO
        ready = fb.since < 0 or fb.since >= fb.GAP
        running = 0
        ready_units = 0
        first = 0  # of those that rest: the number of the next one
        last = 0  # of those that run: the number of the one to stop
        least = MOST
        most = -MOST
        for i in range(len(fb.ON)):
            fb.RUN_TIME[i] = fb.RUN_TIME[i] + dt if fb.ON[i] else fb.RUN_TIME[i]
            fb.ON[i] = fb.ON[i] and fb.AVAILABLE[i] and fb.EN
            worn = fb.RUN_TIME[i] if fb.RULE == 1 else (fb.turn[i] if fb.RULE == 2 else i)
            stays = 0 - fb.turn[i] if fb.RULE == 2 else worn
            if fb.AVAILABLE[i]:
                ready_units = ready_units + 1
            if fb.ON[i]:
                running = running + 1
                if stays >= most:
                    most = stays
                    last = i + 1
            elif fb.AVAILABLE[i] and worn < least:
                least = worn
                first = i + 1
        asked = clamp(0, fb.DEMAND, ready_units) if fb.EN else 0
        rested = fb.PERIOD > 0 and fb.RULE > 0 and 0 < asked and asked == running and first > 0
        worthwhile = rested and (fb.RULE == 2 or least < most)
        fb.steady = min(fb.steady + dt, fb.PERIOD) if rested else (fb.steady if fb.changing else 0)
        if worthwhile and fb.steady >= fb.PERIOD:
            fb.changing = True
        if fb.changing and (running > asked or not worthwhile):
            fb.changing = False
            fb.steady = 0
        wanted = asked + 1 if fb.changing else asked
        if ready and running < wanted and first > 0:
            fb.ON[first - 1] = True
            fb.starts = fb.starts + 1
            fb.turn[first - 1] = fb.starts
            running = running + 1
            fb.since = 0
        elif ready and running > wanted:
            fb.ON[last - 1] = False
            running = running - 1
            fb.since = 0
        fb.RUNNING = running
        fb.MISSING = fb.DEMAND - running if fb.DEMAND > running and fb.EN else 0
        fb.NEXT = 0
        least = MOST
        for i in range(len(fb.ON)):
            worn = fb.RUN_TIME[i] if fb.RULE == 1 else (fb.turn[i] if fb.RULE == 2 else i)
            if fb.AVAILABLE[i] and not fb.ON[i] and worn < least:
                least = worn
                fb.NEXT = i + 1

    example = Example(
        dt="10s",
        GAP="10s",
        PERIOD="30s",
        table="""
        DEMAND AVAILABLE | ON      RUNNING MISSING
        0      [1,1,1]   | [0,0,0] 0       0
        1      [1,1,1]   | [1,0,0] 1       0
        1      [1,1,1]   | [1,0,0] 1       0
        1      [1,1,1]   | [1,0,0] 1       0
        1      [1,1,1]   | [1,1,0] 2       0      # PERIOD: the rested one starts first,
        1      [1,1,1]   | [0,1,0] 1       0      # then the worn one stops
        1      [1,0,1]   | [0,0,1] 1       0      # a fault: replaced at once
        3      [1,0,1]   | [1,0,1] 2       1      # two are all there are
    """,
    )
