"""The limit of apparent power."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, sqrt
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, block

PRIORITIES = ("active", "reactive", "power factor")
HUGE = 1e150


@block(source="IEEE 1547-2018, 5.2 (reactive power capability), as in EPRI OpenDER 2.2, section 3.9")
class PQ_PRIORITY:
    """Holds active and reactive power inside the circle of the rated apparent power: P^2 + Q^2 <= S_RATED^2.

    Where both do not fit, PRIORITY says what gives way: with "active" Q does, except that Q_KEEP of S_RATED is always left for it
    (0.44 is the least that the standard asks of category B); with "reactive" P does; with "power factor" both shrink alike. A
    sign is never turned and nothing grows. A setpoint that is not a number counts as 0, a broken rating leaves nothing.
    """

    P_SET = Input(LREAL, "active power asked for, discharging is positive", unit="kW")
    Q_SET = Input(LREAL, "reactive power asked for, injecting is positive", unit="kvar")
    S_RATED = Input(LREAL, "rated apparent power", unit="kVA", min=0)
    PRIORITY = Input(DINT, "what is kept where both do not fit", default=1, min=0, max=2, names=PRIORITIES)
    Q_KEEP = Input(LREAL, "share of S_RATED that active priority leaves for Q", default=0.0, min=0, max=1)
    P = Output(LREAL, "active power inside the circle", unit="kW")
    Q = Output(LREAL, "reactive power inside the circle", unit="kvar")
    LIMITED = Output(BOOL, "the setpoints do not fit")
    BAD = Output(BOOL, "a setpoint or the rating is not a number")

    def step(fb, dt):
        rated = clamp(0.0, fb.S_RATED, HUGE)
        active = clamp(0.0 - HUGE, fb.P_SET, HUGE) if is_finite(fb.P_SET) else 0.0
        reactive = clamp(0.0 - HUGE, fb.Q_SET, HUGE) if is_finite(fb.Q_SET) else 0.0
        asked = sqrt(active * active + reactive * reactive)
        p = active
        q = reactive
        if asked > rated:
            if fb.PRIORITY == 2:
                p = active * (rated / asked)
                q = reactive * (rated / asked)
            elif fb.PRIORITY == 1:
                q = clamp(0.0 - rated, reactive, rated)
                most = sqrt(max(rated * rated - q * q, 0.0))
                p = clamp(0.0 - most, active, most)
            else:
                kept = min(clamp(0.0, fb.Q_KEEP, 1.0) * rated, max(reactive, 0.0 - reactive))
                most = sqrt(max(rated * rated - kept * kept, 0.0))
                p = clamp(0.0 - most, active, most)
                least = sqrt(max(rated * rated - p * p, 0.0))
                q = clamp(0.0 - least, reactive, least)
        fb.P = p
        fb.Q = q
        fb.LIMITED = p != active or q != reactive
        fb.BAD = not is_finite(fb.P_SET + fb.Q_SET + fb.S_RATED)

    example = Example(
        S_RATED=100.0,
        table="""
            P_SET Q_SET PRIORITY Q_KEEP | P   Q    LIMITED BAD
            60    60    0        0      | 60  60   0       0
            80    90    0        0      | 80  60   1       0     # active power first
            80    90    0        0.8    | 60  80   1       0     # ... but 80 % stay for the reactive power
            -80   -60   1        0      | -80 -60  0       0
            -90   -60   1        0      | -80 -60  1       0     # reactive power first
            150   200   2        0      | 60  80   1       0     # both shrink alike
            nan   60    1        0      | 0   60   0       1
        """,
    )
