"""Heartbeats: a counter that proves to a partner that this program still runs, and the watch on the partner's."""

from __future__ import annotations

from blocks.arithmetic import max, min, mod
from blocks.control.laws import lasted
from blocks.declare import BOOL, DINT, LINT, TIME, Example, Input, Output, Var, block

STATES = ("starting", "alive", "lost", "lost, was never alive")


@block(source="CiA 301, heartbeat producer; the counter as AUTOSAR E2E's alive counter (modulo)")
class HEARTBEAT_SEND:
    """A counter that goes up by one each PERIOD and begins at 0 again at MODULO; TOGGLE changes with each count, for one bit.

    It must depend on what it shall prove: wire EN to the program's health, and the heartbeat stops with it. A late scan counts
    once, so the partner never sees a jump.
    """

    EN = Input(BOOL, "false stops the counter", default=True)
    PERIOD = Input(TIME, "time between two counts; 0: every scan", default=100_000_000, min=0)
    MODULO = Input(DINT, "the counter begins at 0 again here", default=256, min=2)
    COUNT = Output(DINT, "the counter", min=0)
    TOGGLE = Output(BOOL, "changes with each count; whether the counter is odd, where MODULO is even")
    elapsed = Var(TIME, "time since the last count was due")

    def step(fb, dt):
        if fb.EN:
            elapsed = fb.elapsed + dt
            if elapsed >= fb.PERIOD:
                fb.COUNT = fb.COUNT + 1 if fb.COUNT + 1 < fb.MODULO else 0
                fb.TOGGLE = not fb.TOGGLE
                elapsed = elapsed - fb.PERIOD if elapsed - fb.PERIOD < fb.PERIOD else 0
            fb.elapsed = max(elapsed, 0)

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
        1  | 0     1        # modulo 3; the bit still changes
    """,
    )


@block(source="CiA 301, heartbeat consumer (time-out); AUTOSAR E2E (repetition and loss told from the counter's step)")
class HEARTBEAT_WATCH:
    """Watches a partner's counter: OK while it has changed within TIMEOUT. Any change counts, so a toggling bit will do.

    OK is false until the counter has changed twice, since the first change may be the first value that was ever read; LOST, the
    alarm, waits for GRACE after the start, so a partner may boot. A partner that was lost is alive again with the next change, and
    with nothing else. While GOOD is false the counter is neither counted nor remembered: the return of a cable is no sign of life.
    A step of the counter beyond MAX_STEP (counted modulo MODULO) is a JUMP: lost messages or a partner that restarted. It is a
    sign of life all the same. After a restart all but JUMPS begins anew.
    """

    COUNT = Input(DINT, "the partner's counter, or its toggling bit")
    TIMEOUT = Input(TIME, "the counter must change within it", default=500_000_000, min=0)
    GRACE = Input(TIME, "no alarm for so long after the start", default=5_000_000_000, min=0)
    MODULO = Input(DINT, "where the partner's counter begins at 0 again", default=256, min=2)
    MAX_STEP = Input(DINT, "largest step that is no jump; 0: steps are not looked at", default=0, min=0)
    GOOD = Input(BOOL, "COUNT is known: wire the good of its tag", default=True)
    OK = Output(BOOL, "the partner is alive", volatile=True)
    LOST = Output(BOOL, "alarm: not alive, and the time of grace is over", volatile=True)
    STATE = Output(DINT, "how it stands", min=0, max=3, names=STATES, volatile=True)
    SILENT = Output(TIME, "time since the last change, held at TIMEOUT", min=0, volatile=True)
    JUMP = Output(BOOL, "the counter jumped in this scan", volatile=True)
    JUMPS = Output(LINT, "jumps since the start", min=0)
    before = Var(DINT, "the counter one scan ago", volatile=True)
    started = Var(BOOL, "`before` holds a counter that was good", volatile=True)
    moved = Var(BOOL, "the counter has changed once since the start", volatile=True)
    ever = Var(BOOL, "the partner has been alive since the start", volatile=True)
    awake = Var(TIME, "time since the start, held at GRACE, -1 before it", default=-1, volatile=True)

    def step(fb, dt):
        changed = fb.GOOD and fb.started and fb.COUNT != fb.before
        width = max(fb.MODULO, 2)
        way = mod(mod(fb.COUNT - fb.before, width) + width, width)
        fb.JUMP = changed and fb.moved and fb.MAX_STEP > 0 and (way > fb.MAX_STEP or way == 0)
        fb.JUMPS = fb.JUMPS + 1 if fb.JUMP else fb.JUMPS
        fb.SILENT = 0 if changed else max(min(fb.SILENT + dt, fb.TIMEOUT), 0)
        fb.awake = lasted(True, fb.awake, dt, fb.GRACE)
        fb.ever = fb.ever or (fb.moved and changed)
        fb.moved = fb.moved or changed
        fb.before = fb.COUNT if fb.GOOD else fb.before
        fb.started = fb.GOOD
        fb.OK = fb.ever and (changed or (fb.OK and fb.SILENT < fb.TIMEOUT))
        fb.LOST = not fb.OK and (fb.LOST or fb.ever or fb.awake >= fb.GRACE)
        fb.STATE = 1 if fb.OK else (2 if fb.ever else (3 if fb.LOST else 0))

    example = Example(
        TIMEOUT="30ms",
        GRACE="50ms",
        MAX_STEP=1,
        table="""
        COUNT | OK LOST STATE SILENT JUMP
        254   | 0  0    0     10ms   0       # nobody knows yet
        254   | 0  0    0     20ms   0
        255   | 0  0    0     0ms    0       # perhaps only the first value that was read
        255   | 0  0    0     10ms   0
        0     | 1  0    1     0ms    0       # 255 goes to 0: no jump
        7     | 1  0    1     0ms    1
        7     | 1  0    1     10ms   0
        7     | 1  0    1     20ms   0
        7     | 0  1    2     30ms   0       # stuck
        8     | 1  0    1     0ms    0
    """,
    )
