"""The frequency droop."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, max, min
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block
from blocks.grid.laws import grid_frequency, response

UNKNOWN = math.nan


@block(source="IEEE 1547-2018, 6.5.2.7.1, table 23 and 24, as in EPRI OpenDER 2.2, eq. 3.7.1-13 to 17")
class FREQ_DROOP:
    """Power that supports the grid's frequency: P = P_SET - (F - F0 beyond the deadband) / (F0 * DROOP) * P_RATED.

    Discharging is positive, so a low frequency raises P. OLRT is the open-loop response time: 90 % of a step's answer is there
    after it; 0 answers at once. P stays within -P_RATED .. P_RATED, and so does what the answer heads for, lest a wild sample
    stands in it for long. A NaN or infinity on an input and a frequency outside 0.8 .. 1.2 F0 come out as NaN, so that they are
    seen; the answer waits as it is. The deadband default is that of the standard, 36 mHz, the droop 0.05 (5 %).
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    P_SET = Input(LREAL, "power at the nominal frequency", unit="kW", default=0.0)
    P_RATED = Input(LREAL, "rated power", unit="kW", min=0)
    DEADBAND = Input(LREAL, "deviation without an answer, to either side", unit="Hz", default=0.036, min=0)
    DROOP = Input(LREAL, "relative deviation that asks for all of P_RATED: a fraction, 0.05 is 5 %", default=0.05, min=0.001, max=1)
    F0 = Input(LREAL, "nominal frequency", unit="Hz", default=50.0, min=1, max=1000)
    OLRT = Input(LREAL, "open-loop response time, to 90 %", unit="s", default=0.0, min=0, max=1e9)
    P = Output(LREAL, "power with the droop's answer", unit="kW")
    ANSWERING = Output(BOOL, "the frequency is beyond the deadband")
    answer = Var(LREAL, "the droop's part of P", unit="kW")

    def step(fb, dt):
        off = grid_frequency(fb.F, fb.F0) - fb.F0
        beyond = max(0.0, off - fb.DEADBAND) if off > 0.0 else min(0.0, off + fb.DEADBAND)  # in this order a NaN stays
        usual = min(fb.P_RATED, max(0.0 - fb.P_RATED, fb.P_SET))
        asked = 0.0 - beyond / (fb.F0 * fb.DROOP) * fb.P_RATED
        wanted = min(fb.P_RATED - usual, max(0.0 - fb.P_RATED - usual, asked))
        before = fb.answer if is_finite(fb.answer) else 0.0
        moved = before + (wanted - before) * response(dt, fb.OLRT)
        alive = is_finite(moved) and is_finite(off + fb.P_SET + fb.P_RATED + fb.DEADBAND + fb.DROOP)
        fb.answer = moved if alive else before
        fb.P = min(fb.P_RATED, max(0.0 - fb.P_RATED, usual + moved)) if alive else UNKNOWN
        fb.ANSWERING = abs(off) > fb.DEADBAND

    example = Example(
        F0=60.0,
        P_RATED=100.0,
        P_SET=20.0,
        OLRT=5.0,
        dt="10ms",
        table="""
            x   F     | P       ANSWERING
            1   60    | 20      0
            1   59.97 | 20      0         # inside the deadband of 36 mHz
            500 59.5  | ~33.92  1         # 90 % of 15.467 kW after 5 s
            500 59.5  | ~35.31  1
            500 60    | ~21.53  0         # 10 % are left 5 s after the frequency is back
            1   nan   | nan     0
            1   60    | ~21.52  0         # the answer goes on from where it was
        """,
    )
