"""Why the power is what it is."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, block

NONE = math.inf
UNLIMITED = 1e9


@block(source="OpenEMS: a constraint that was set cannot be widened by a later one; the tightest limit decides")
class POWER_REASON:
    """A power request through a row of limits, and the one that decides: the answer to `why 143 kW?`.

    P = the request, held within the highest of P_MIN and the lowest of P_MAX. ACTIVE is the number of the limit that holds it,
    the first one where several are equal, 0 where the request passes. Where limits cross (a floor above a ceiling), P is the one
    of the two that is nearer to 0, or 0 between them: CROSSED. A limit that is no number, or infinite to the wrong side, closes
    to 0; a request that is none asks for 0; both are BAD. Where nothing limits, LOW and HIGH show -1e9 and 1e9 kW: wired on as
    limits they must not close the plant.
    """

    REQUEST = Input(LREAL, "power that is asked for, discharging is positive", unit="kW")
    P_MIN = Input(Array(LREAL, "N"), "lowest power of each limit, charging being negative", unit="kW")
    P_MAX = Input(Array(LREAL, "N"), "highest power of each limit", unit="kW")
    P = Output(LREAL, "power that is allowed", unit="kW")
    ACTIVE = Output(DINT, "number of the limit that decides, from 1; 0 where none does", min=0)
    LOW = Output(LREAL, "highest of P_MIN", unit="kW")
    HIGH = Output(LREAL, "lowest of P_MAX", unit="kW")
    LOW_BY = Output(DINT, "number of the limit that sets LOW, from 1; 0 without any", min=0)
    HIGH_BY = Output(DINT, "number of the limit that sets HIGH, from 1; 0 without any", min=0)
    CROSSED = Output(BOOL, "LOW is above HIGH")
    BAD = Output(BOOL, "the request is no finite number, or a limit is closed for being none")

    def step(fb, dt):
        low = 0.0 - NONE
        high = NONE
        low_by = 0
        high_by = 0
        bad = not is_finite(fb.REQUEST)
        for i in range(len(fb.P_MIN)):
            bad = bad or not (fb.P_MIN[i] < NONE and fb.P_MAX[i] > 0.0 - NONE)
            floor = fb.P_MIN[i] if fb.P_MIN[i] < NONE else 0.0
            ceiling = fb.P_MAX[i] if fb.P_MAX[i] > 0.0 - NONE else 0.0
            if floor > low:
                low = floor
                low_by = i + 1
            if ceiling < high:
                high = ceiling
                high_by = i + 1
        request = fb.REQUEST if is_finite(fb.REQUEST) else 0.0
        fb.CROSSED = low > high
        held = min(max(request, low), high)
        fb.P = max(min(0.0, low), high) if fb.CROSSED else held
        fb.ACTIVE = low_by if fb.P > request else (high_by if fb.P < request else 0)
        fb.LOW = low if is_finite(low) else 0.0 - UNLIMITED
        fb.HIGH = high if is_finite(high) else UNLIMITED
        fb.LOW_BY = low_by
        fb.HIGH_BY = high_by
        fb.BAD = bad

    example = Example(
        P_MIN=[-500.0, -200.0, -1000.0],
        table="""
        REQUEST P_MAX         | P    ACTIVE BAD
        100     [500,143,400] | 100  0      0
        300     [500,143,400] | 143  2      0     # the second limit: that is why
        300     [500,143,90]  | 90   3      0
        -300    [500,143,90]  | -200 2      0
        300     [500,nan,90]  | 0    2      1
        nan     [500,143,90]  | 0    0      1
    """,
    )
