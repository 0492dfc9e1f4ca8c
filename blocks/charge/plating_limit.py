"""The charging rate that keeps lithium from plating."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min
from blocks.charge.laws import slowest_band
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, Var, block


@block(source="LFP manufacturers' charging tables: 0, 0.1, 0.1, 0.2, 0.5 C below 0, 5, 10, 25, 50 °C")
class PLATING_LIMIT:
    """How fast cells of this temperature may be charged without plating lithium: RATE in C (1/h).

    The table is a stair: band 1 lies below the first edge, the last one above the last edge; at an edge the smaller rate of its
    two neighbours counts. The slowest band that the span from T_MIN to T_MAX touches counts. The manuals say 0.5 C up to 50 °C
    and none above 60 °C; between the two this table says none. RATE falls at once; it rises only where the span, wider by HYST on
    both sides, allows it, so that a temperature at an edge does not make it chatter. A NaN anywhere is a rate of 0.
    """

    T_MIN = Input(LREAL, "temperature of the coldest cell", unit="°C")
    T_MAX = Input(LREAL, "temperature of the hottest cell", unit="°C")
    HYST = Input(LREAL, "how far the cells must be inside a band before the rate rises to it", unit="K", default=1.0, min=0)
    EDGES = Input(Array(LREAL, 5), "edges of the bands, rising", unit="°C", default=(0.0, 5.0, 10.0, 25.0, 50.0))
    RATES = Input(Array(LREAL, 6), "rates of the bands", unit="1/h", min=0, default=(0.0, 0.1, 0.1, 0.2, 0.5, 0.0))
    RATE = Output(LREAL, "highest charging rate", unit="1/h", min=0)
    ALLOWED = Output(BOOL, "cells of this temperature may be charged at all")
    known = Var(BOOL, "the temperatures were known one scan ago")

    def step(fb, dt):
        coldest = min(fb.T_MIN, fb.T_MAX)
        hottest = max(fb.T_MIN, fb.T_MAX)
        margin = max(fb.HYST, 0.0)
        here = slowest_band(coldest, hottest, fb.EDGES, fb.RATES)
        inside = slowest_band(coldest - margin, hottest + margin, fb.EDGES, fb.RATES)
        before = fb.RATE if fb.known else 0.0
        fb.known = is_finite(fb.T_MIN + fb.T_MAX + fb.HYST)
        fb.RATE = min(here, max(before, inside)) if fb.known else 0.0
        fb.ALLOWED = fb.RATE > 0.0

    example = Example(
        table="""
        T_MIN T_MAX | RATE ALLOWED
        -5    -2    | 0    0        # frozen: no charging
        0.5   2     | 0    0        # not yet 1 K inside
        1.5   3     | 0.1  1
        12    14    | 0.2  1
        26.5  28    | 0.5  1
        25.5  27    | 0.5  1        # back towards the edge: stays
        25    27    | 0.2  1        # at the edge the slower band counts
        25.5  27    | 0.2  1
        45    50    | 0    0        # too hot
    """,
    )
