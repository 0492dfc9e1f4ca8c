"""Heartbeats: a counter that proves to a partner that this program still runs, and the watch on the partner's."""

from __future__ import annotations

from blocks.arithmetic import max, min, mod
from blocks.declare import BOOL, DINT, LINT, TIME, Example, Input, Output, Var, block

STATES = ("starting", "alive", "lost", "lost, was never alive")


@block(source="CiA 301, heartbeat producer; the counter as AUTOSAR E2E's alive counter (modulo)")
class HEARTBEAT_SEND:
    """A counter that goes up by one each PERIOD and begins at 0 again at MODULO; TOGGLE is its lowest bit, for a one-bit heartbeat.

    It must depend on what it shall prove: wire EN to the program's health, and the heartbeat stops with it. A late scan counts
    once, so the partner never sees a jump.
    """

    EN = Input(BOOL, "false stops the counter", default=True)
    PERIOD = Input(TIME, "time between two counts; 0: every scan", default=100_000_000, min=0)
    MODULO = Input(DINT, "the counter begins at 0 again here", default=256, min=2)
    COUNT = Output(DINT, "the counter", min=0)
    TOGGLE = Output(BOOL, "the counter is odd")
    elapsed = Var(TIME, "time since the last count was due")

    def step(fb, dt):
        if fb.EN:
            elapsed = fb.elapsed + dt
            if elapsed >= fb.PERIOD:
                fb.COUNT = fb.COUNT + 1 if fb.COUNT + 1 < fb.MODULO else 0
                elapsed = elapsed - fb.PERIOD if elapsed - fb.PERIOD < fb.PERIOD else 0
            fb.elapsed = max(elapsed, 0)
        fb.TOGGLE = (fb.COUNT & 1) == 1

    example = Example(
        PERIOD="20ms",
        MODULO=3,
        table="""
        EN | COUNT TOGGLE
        1  | 0     0
        1  | 1     1
        1  | 1     1
        1  | 2     0
        0  | 2     0        # stopped: the partner will notice
        1  | 2     0
        1  | 0     0        # modulo 3
    """,
    )


@block(source="CiA 301, heartbeat consumer (time-out); AUTOSAR E2E (repetition and loss told from the counter's step)")
class HEARTBEAT_WATCH:
    """Watches a partner's counter: OK while it has changed within TIMEOUT. Any change counts, so a toggling bit will do.

    OK is false until the counter has changed for the first time; LOST, the alarm, waits for GRACE after the start, so a partner
    may boot. A step of the counter beyond MAX_STEP (counted modulo MODULO) is a JUMP: lost messages or a partner that restarted.
    It is a sign of life all the same.
    """

    COUNT = Input(DINT, "the partner's counter, or its toggling bit")
    TIMEOUT = Input(TIME, "the counter must change within it", default=500_000_000, min=0)
    GRACE = Input(TIME, "no alarm for so long after the start", default=5_000_000_000, min=0)
    MODULO = Input(DINT, "where the partner's counter begins at 0 again", default=256, min=2)
    MAX_STEP = Input(DINT, "largest step that is no jump; 0: steps are not looked at", default=0, min=0)
    OK = Output(BOOL, "the partner is alive")
    LOST = Output(BOOL, "alarm: not alive, and the time of grace is over")
    STATE = Output(DINT, "how it stands", min=0, max=3, names=STATES)
    SILENT = Output(TIME, "time since the last change, held at TIMEOUT", min=0)
    JUMP = Output(BOOL, "the counter jumped in this scan")
    JUMPS = Output(LINT, "jumps since the start", min=0)
    before = Var(DINT, "the counter one scan ago")
    started = Var(BOOL, "`before` holds a counter")
    ever = Var(BOOL, "the counter has changed since the start")
    awake = Var(TIME, "time since the start, held at GRACE")

    def step(fb, dt):
        changed = fb.started and fb.COUNT != fb.before
        width = max(fb.MODULO, 2)
        way = mod(mod(fb.COUNT - fb.before, width) + width, width)
        fb.JUMP = changed and fb.ever and fb.MAX_STEP > 0 and (way > fb.MAX_STEP or way == 0)
        fb.JUMPS = fb.JUMPS + 1 if fb.JUMP else fb.JUMPS
        fb.SILENT = 0 if changed else max(min(fb.SILENT + dt, fb.TIMEOUT), 0)
        fb.awake = min(fb.awake + dt, fb.GRACE) if fb.started else 0
        fb.ever = fb.ever or changed
        fb.before = fb.COUNT
        fb.started = True
        fb.OK = changed or (fb.ever and fb.SILENT < fb.TIMEOUT)
        fb.LOST = not fb.OK and (fb.ever or fb.awake >= fb.GRACE)
        fb.STATE = 1 if fb.OK else (2 if fb.ever else (3 if fb.LOST else 0))

    example = Example(
        TIMEOUT="30ms",
        GRACE="50ms",
        MAX_STEP=1,
        table="""
        COUNT | OK LOST STATE SILENT JUMP
        254   | 0  0    0     10ms   0       # nobody knows yet
        254   | 0  0    0     20ms   0
        255   | 1  0    1     0ms    0
        255   | 1  0    1     10ms   0
        0     | 1  0    1     0ms    0       # 255 goes to 0: no jump
        7     | 1  0    1     0ms    1
        7     | 1  0    1     10ms   0
        7     | 1  0    1     20ms   0
        7     | 0  1    2     30ms   0       # stuck
        8     | 1  0    1     0ms    0
    """,
    )
