"""Signal blocks of IEC 61131-3, 2nd edition, annex F: INTEGRAL, DERIVATIVE, DIFFEQ, TRANSFER.

LAG1, HYSTERESIS, RAMP and PID of that annex are in the control family. The annex asks for the sampling period on a pin CYCLE; here
the true time since the last scan takes its place.
"""

from __future__ import annotations

from blocks.arithmetic import is_finite, seconds
from blocks.declare import BOOL, LREAL, TIME, Array, Example, Input, Output, Var, block

ANNEX = "IEC 61131-3:2003 (2nd edition), annex F, "
ORDER = 8


@block(source=ANNEX + "INTEGRAL")
class INTEGRAL:
    """The integral of XIN over time: kW become kJ; divide by 3600 for kWh.

    Each scan adds XIN times the time since the last one. Small steps are not lost in a large sum: what rounding cuts off is carried
    over (Kahan summation). A value that is not finite is not added, and HELD says so.
    """

    RUN = Input(BOOL, "true: integrate; false: hold", default=True)
    R1 = Input(BOOL, "sets XOUT to X0, and wins", default=False)
    XIN = Input(LREAL, "what is integrated", unit="{XIN}")
    X0 = Input(LREAL, "value that R1 sets", unit="{XIN}*s", default=0.0)
    Q = Output(BOOL, "not reset")
    XOUT = Output(LREAL, "integral of XIN", unit="{XIN}*s")
    HELD = Output(BOOL, "there is no finite value to add or to set: XOUT is held")
    rest = Var(LREAL, "what rounding cut off so far", unit="{XIN}*s")

    def step(fb, dt):
        part = fb.XIN * seconds(dt) - fb.rest
        total = fb.X0 if fb.R1 else fb.XOUT + part
        wanted = fb.R1 or fb.RUN
        good = is_finite(total)
        if wanted and good:
            fb.rest = 0.0 if fb.R1 else (total - fb.XOUT) - part
            fb.XOUT = total
        fb.Q = not fb.R1
        fb.HELD = wanted and not good

    example = Example(
        dt="100ms",
        X0=5.0,
        table="""
        RUN R1 XIN | XOUT Q HELD
        1   0  10  | 1    1 0
        1   0  10  | 2    1 0
        1   0  -20 | 0    1 0
        0   0  10  | 0    1 0
        1   0  nan | 0    1 1
        1   1  10  | 5    0 0
        1   0  10  | 6    1 0
    """,
    )


@block(
    source=ANNEX
    + "DERIVATIVE: XOUT = (3 (XIN - X3) + X1 - X2) / (10 CYCLE), the slope of the least-squares line through four scans"
)
class DERIVATIVE:
    """How fast XIN changes, per second, as the slope of the straight line that fits the last four scans best.

    With even scans this is the annex's formula; with uneven ones the line is drawn through the true times. At the start, after RUN
    was false and after a gap the line is flat: XOUT begins at 0 and has no spike. A value that is not finite gives 0 and BAD.
    """

    RUN = Input(BOOL, "false resets XOUT to 0", default=True)
    XIN = Input(LREAL, "value whose slope is wanted", unit="{XIN}")
    XOUT = Output(LREAL, "slope of XIN", unit="{XIN}/s")
    BAD = Output(BOOL, "XIN is not finite: XOUT is 0")
    x1 = Var(LREAL, "XIN one scan ago", unit="{XIN}")
    x2 = Var(LREAL, "XIN two scans ago", unit="{XIN}")
    x3 = Var(LREAL, "XIN three scans ago", unit="{XIN}")
    h1 = Var(TIME, "time between x2 and x1")
    h2 = Var(TIME, "time between x3 and x2")
    known = Var(BOOL, "there is a history")

    def step(fb, dt):
        good = is_finite(fb.XIN)
        run = fb.RUN and good
        t1 = seconds(dt)
        t2 = t1 + (seconds(fb.h1) if fb.known else t1)
        t3 = t2 + (seconds(fb.h2) if fb.known else t1)
        # the earlier values as seen from now: a constant has no slope whatever it is
        d1 = fb.XIN - fb.x1 if run and fb.known else 0.0
        d2 = fb.XIN - fb.x2 if run and fb.known else 0.0
        d3 = fb.XIN - fb.x3 if run and fb.known else 0.0
        mean = (t1 + t2 + t3) * 0.25
        spread = mean * mean + (t1 - mean) * (t1 - mean) + (t2 - mean) * (t2 - mean) + (t3 - mean) * (t3 - mean)
        slope = (d1 * (t1 - mean) + d2 * (t2 - mean) + d3 * (t3 - mean)) / spread
        fb.XOUT = slope if is_finite(slope) else 0.0
        fb.BAD = not good or not is_finite(slope)
        fb.h2 = fb.h1 if run and fb.known else dt
        fb.h1 = dt
        fb.x3 = fb.x2 if run and fb.known else fb.XIN
        fb.x2 = fb.x1 if run and fb.known else fb.XIN
        fb.x1 = fb.XIN
        fb.known = good

    example = Example(
        dt="100ms",
        table="""
        XIN | XOUT BAD
        7   | 0    0
        8   | 3    0       # (3 (8 - 7) + 7 - 7) / 1 s
        9   | 7    0
        10  | 10   0       # 1 in 100 ms
        11  | 10   0
        nan | 0    1
        20  | 0    0       # starts anew
        21  | 3    0
    """,
    )


@block(source=ANNEX + "DIFFEQ")
class DIFFEQ:
    """A difference equation, of the eighth order at most: any digital filter with a fixed sampling period.

    XOUT = B0 XIN + B1 XIN(1 scan ago) + ... + B8 XIN(8 ago) + A1 XOUT(1 ago) + ... + A8 XOUT(8 ago). Textbooks and SciPy write the
    A on the other side: give them here with the opposite sign. The coefficients hold for one scan time; where scans are late it is
    off. It starts from rest. A value that is not finite is skipped: XOUT is held and BAD true. An equation that runs away beyond
    the largest number starts from rest again, BAD for that scan.
    """

    RUN = Input(BOOL, "false resets to rest: XOUT 0 and no history", default=True)
    XIN = Input(LREAL, "what is filtered", unit="{XIN}")
    B = Input(
        Array(LREAL, ORDER + 1), "factors of XIN: now, one scan ago ... eight scans ago", default=(1.0, 0, 0, 0, 0, 0, 0, 0, 0)
    )
    A = Input(Array(LREAL, ORDER), "factors of XOUT: one scan ago ... eight scans ago", default=(0.0,) * ORDER)
    XOUT = Output(LREAL, "the result", unit="{XIN}")
    BAD = Output(BOOL, "there is no finite result: XOUT is held, or back at rest")
    xs = Var(Array(LREAL, ORDER), "XIN of the last scans, the newest first", unit="{XIN}")
    ys = Var(Array(LREAL, ORDER), "XOUT of the last scans, the newest first", unit="{XIN}")

    def step(fb, dt):
        total = fb.B[0] * fb.XIN
        given = fb.B[0] + fb.XIN
        for i in range(ORDER):
            total = total + fb.B[i + 1] * fb.xs[i]
            given = given + fb.B[i + 1] + fb.A[i]
        for i in range(ORDER):
            total = total + fb.A[i] * fb.ys[i]
        good = is_finite(given)
        rest = not fb.RUN or (good and not is_finite(total))
        if good or rest:
            for i in range(ORDER - 1):
                fb.xs[ORDER - 1 - i] = 0.0 if rest else fb.xs[ORDER - 2 - i]
                fb.ys[ORDER - 1 - i] = 0.0 if rest else fb.ys[ORDER - 2 - i]
            fb.XOUT = 0.0 if rest else total
            fb.xs[0] = 0.0 if rest else fb.XIN
            fb.ys[0] = fb.XOUT
        fb.BAD = fb.RUN and not (good and is_finite(total))

    example = Example(
        B=[0.5, 0, 0, 0, 0, 0, 0, 0, 0],
        A=[0.5, 0, 0, 0, 0, 0, 0, 0],
        table="""
        RUN XIN | XOUT BAD
        1   8   | 4    0       # a lag: half of the way in each scan
        1   8   | 6    0
        1   8   | 7    0
        1   nan | 7    1
        1   8   | 7.5  0
        0   8   | 0    0
        1   8   | 4    0
    """,
    )


@block(source=ANNEX + "TRANSFER")
class TRANSFER:
    """A hand station: in automatic XOUT follows XIN, in manual it stays where it was and buttons move it.

    The change to manual has no bump. The change back has one unless the controller follows XOUT meanwhile: wire XOUT to its MAN and
    AUTO to its AUTO, as PID has them. FAST buttons win over SLOW ones; up and down together move nothing.
    A value that is not finite is not taken, and HELD says so.
    """

    AUTO = Input(BOOL, "true: XOUT follows XIN; false: the buttons move it")
    XIN = Input(LREAL, "value from the controller", unit="{XIN}")
    FAST_RATE = Input(LREAL, "speed of the fast buttons", unit="{XIN}/s", min=0)
    SLOW_RATE = Input(LREAL, "speed of the slow buttons", unit="{XIN}/s", min=0)
    FAST_UP = Input(BOOL, "raises XOUT fast", default=False)
    SLOW_UP = Input(BOOL, "raises XOUT slowly", default=False)
    FAST_DOWN = Input(BOOL, "lowers XOUT fast", default=False)
    SLOW_DOWN = Input(BOOL, "lowers XOUT slowly", default=False)
    XOUT = Output(LREAL, "value for the process", unit="{XIN}")
    HELD = Output(BOOL, "XIN or a rate is not finite: XOUT is held")

    def step(fb, dt):
        up = fb.FAST_UP or fb.SLOW_UP
        down = fb.FAST_DOWN or fb.SLOW_DOWN
        rate = fb.FAST_RATE if fb.FAST_UP or fb.FAST_DOWN else fb.SLOW_RATE
        moved = fb.XOUT + (rate if up else 0.0 - rate) * seconds(dt) if up != down else fb.XOUT
        wanted = fb.XIN if fb.AUTO else moved
        fb.HELD = not is_finite(wanted)
        fb.XOUT = fb.XOUT if fb.HELD else wanted

    example = Example(
        dt="100ms",
        FAST_RATE=10.0,
        SLOW_RATE=1.0,
        table="""
        AUTO XIN FAST_UP SLOW_UP SLOW_DOWN | XOUT HELD
        1    40  0       0       0         | 40   0
        0    55  0       0       0         | 40   0      # no bump
        0    55  1       0       0         | 41   0
        0    55  0       1       0         | 41.1 0
        0    55  0       1       1         | 41.1 0
        0    55  0       0       1         | 41   0
        1    55  0       0       0         | 55   0
        1    nan 0       0       0         | 55   1
    """,
    )
