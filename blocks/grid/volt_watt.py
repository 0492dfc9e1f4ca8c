"""A limit of active power over voltage."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, lerp, min
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block
from blocks.grid.laws import response

UNKNOWN = math.nan
SETTLED = 1e-3


@block(source="IEEE 1547-2018, 5.4.2, table 10, as in EPRI OpenDER 2.2 (volt-watt)")
class VOLT_WATT:
    """The highest active power that a high voltage leaves: P_MAX falls in a line from V1 to V2.

    P_MAX is SHARE1 of P_RATED up to V1, SHARE2 from V2 on (both relative to V_NOM), and follows with the open-loop response time
    OLRT, to 90 % of a step. SHARE2 is 0 for a battery that can also charge; a negative one asks for charging at V2, and only then
    is P_MAX ever negative. The first scan is at the curve at once, and P_MAX is never above SHARE1 of P_RATED. A NaN on V or
    a setting, and a voltage below V_LEAST, as a dead sensor has it, close the limit to 0 at once; afterwards it opens from there
    with OLRT. Where V2 is not above V1 the limit is SHARE2 from V1 on.
    """

    V = Input(LREAL, "voltage, the mean of the phases or the positive sequence", unit="V")
    V_NOM = Input(LREAL, "nominal voltage", unit="V", min=1)
    P_RATED = Input(LREAL, "rated power", unit="kW", min=0)
    V1 = Input(LREAL, "voltage at which the limit begins to fall, relative to V_NOM", default=1.06)
    V2 = Input(LREAL, "voltage at which it has fallen, relative to V_NOM", default=1.10)
    SHARE1 = Input(LREAL, "limit up to V1 over P_RATED", default=1.0, min=0, max=1)
    SHARE2 = Input(LREAL, "limit from V2 on over P_RATED", default=0.0, min=-1, max=1)
    OLRT = Input(LREAL, "open-loop response time, to 90 %; 0 answers at once", unit="s", default=10.0, min=0, max=1e9)
    V_LEAST = Input(LREAL, "lowest voltage that is believed, relative to V_NOM", default=0.2, min=0, max=1)
    P_MAX = Output(LREAL, "highest power allowed", unit="kW")
    LIMITING = Output(BOOL, "the voltage is above V1, or P_MAX still more than 0.1 % of P_RATED below SHARE1 of it")
    BAD = Output(BOOL, "the voltage or a setting is not a number, or V too low: the limit is closed")
    limit = Var(LREAL, "the limit one scan ago; NaN before the first", unit="kW", default=UNKNOWN)

    def step(fb, dt):
        v = fb.V / fb.V_NOM
        share = lerp(v, fb.V1, fb.SHARE1, fb.V2, fb.SHARE2) if v > fb.V1 else fb.SHARE1
        asked = share * fb.P_RATED
        before = fb.limit if is_finite(fb.limit) else asked
        most = fb.SHARE1 * fb.P_RATED
        limit = min(before + (asked - before) * response(dt, fb.OLRT), most)
        alive = is_finite(v + fb.V1 + fb.V2 + most) and is_finite(limit) and v >= fb.V_LEAST
        fb.limit = limit if alive else 0.0
        fb.P_MAX = fb.limit
        fb.LIMITING = v > fb.V1 or fb.limit < most - SETTLED * fb.P_RATED
        fb.BAD = not alive

    example = Example(
        V_NOM=400.0,
        P_RATED=500.0,
        OLRT=10.0,
        table="""
            x    V   | P_MAX   LIMITING BAD
            1    400 | 500     0        0
            1000 432 | ~275.0  1        0     # 1.08: half of the way, 90 % of it after 10 s
            9000 432 | ~250.00 1        0
            9000 445 | ~0.00   1        0
            1    nan | 0       1        1
            1000 400 | ~450.0  1        0
            9000 400 | ~500.0  0        0
        """,
    )
