"""The limits of a site from those of its racks."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, max, to_lreal
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, block

NONE = math.inf


@block(source="Kirchhoff's laws: powers of separate racks add up; racks in parallel on one converter share its current")
class RACK_LIMITS:
    """What a site can give and take from the limits of its racks.

    Where each rack has its own converter the limits add up. Racks in PARALLEL on one converter share the current nearly equally,
    so the weakest one decides for all: number of racks times the smallest limit. A rack that is not AVAILABLE (contactors open)
    counts in neither. A limit that is no number, or of the wrong sign, is 0: in parallel that closes the site.
    """

    P_MIN = Input(Array(LREAL, "N"), "lowest power of each rack, charging being negative", unit="kW")
    P_MAX = Input(Array(LREAL, "N"), "highest power of each rack", unit="kW")
    AVAILABLE = Input(Array(BOOL, "N"), "true where the rack is connected", default=True)
    PARALLEL = Input(BOOL, "true: the racks share one converter", default=False)
    P_MIN_SITE = Output(LREAL, "lowest power of the site, charging being negative", unit="kW", max=0)
    P_MAX_SITE = Output(LREAL, "highest power of the site", unit="kW", min=0)
    COUNT = Output(DINT, "racks that take part", min=0)
    WEAKEST_IN = Output(DINT, "number of the rack with the smallest charging limit, from 1; 0 without racks", min=0)
    WEAKEST_OUT = Output(DINT, "number of the rack with the smallest discharging limit, from 1; 0 without racks", min=0)

    def step(fb, dt):
        taken = 0.0
        given = 0.0
        least_in = NONE
        least_out = NONE
        count = 0
        weakest_in = 0
        weakest_out = 0
        for i in range(len(fb.P_MIN)):
            if fb.AVAILABLE[i]:
                charge = max(0.0 - fb.P_MIN[i], 0.0) if is_finite(fb.P_MIN[i]) else 0.0
                discharge = max(fb.P_MAX[i], 0.0) if is_finite(fb.P_MAX[i]) else 0.0
                count = count + 1
                taken = taken + charge
                given = given + discharge
                if charge < least_in:
                    least_in = charge
                    weakest_in = i + 1
                if discharge < least_out:
                    least_out = discharge
                    weakest_out = i + 1
        if fb.PARALLEL and count > 0:
            taken = least_in * to_lreal(count)
            given = least_out * to_lreal(count)
        fb.P_MIN_SITE = 0.0 - taken
        fb.P_MAX_SITE = given
        fb.COUNT = count
        fb.WEAKEST_IN = weakest_in
        fb.WEAKEST_OUT = weakest_out

    example = Example(
        P_MIN=[-100.0, -80.0, -100.0],
        table="""
        P_MAX          AVAILABLE PARALLEL | P_MIN_SITE P_MAX_SITE COUNT WEAKEST_IN WEAKEST_OUT
        [100,100,50]   [1,1,1]   0        | -280       250        3     2          3
        [100,100,50]   [1,1,1]   1        | -240       150        3     2          3   # three times the weakest
        [100,100,50]   [1,1,0]   1        | -160       200        2     2          1
        [100,nan,50]   [1,1,1]   0        | -280       150        3     2          2
        [100,100,50]   [0,0,0]   1        | 0          0          0     0          0
    """,
    )
