"""The lead-lag element."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, seconds, settling
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(
    source="Astrom & Wittenmark, Computer-Controlled Systems (1997), 2.3 (held input); exp() by its Pade approximant 0/2, as in LAG"
)
class LEAD_LAG:
    """A filter that answers a jump by T_LEAD/T_LAG of it at once and settles with T_LAG: it hurries (lead) or calms (lag).

    OUT = GAIN (1 + T_LEAD s)/(1 + T_LAG s) IN, exact for an input that is held between scans but for (dt/T_LAG)^2/6 of the way, as
    LAG; it starts settled at its input. A jump is answered by at most 100 times itself: a shorter T_LAG counts as T_LEAD/100.
    With both times 0 it is a gain. A NaN, of a time too, is passed on; the filter starts anew at the first good value after it.
    """

    IN = Input(LREAL, "value to be filtered", unit="{IN}")
    T_LEAD = Input(LREAL, "lead time constant", unit="s", default=0.0, min=0, max=1e9)
    T_LAG = Input(LREAL, "lag time constant", unit="s", min=0, max=1e9)
    GAIN = Input(LREAL, "gain of a constant input", default=1.0)
    OUT = Output(LREAL, "IN, filtered", unit="{IN}")
    lagged = Var(LREAL, "IN behind the lag alone", unit="{IN}")
    was = Var(LREAL, "IN one scan ago", unit="{IN}")
    started = Var(BOOL, "lagged holds a good value")

    def step(fb, dt):
        lead = max(fb.T_LEAD, 0.0)
        lag = max(fb.T_LAG, lead * 0.01)
        lagged = fb.lagged + (fb.was - fb.lagged) * settling(seconds(dt), lag) if fb.started else fb.IN
        at_once = lead / lag if lag > 0.0 else 1.0
        out = fb.GAIN * (lagged + (fb.IN - lagged) * at_once) + (fb.T_LEAD + fb.T_LAG) * 0.0
        fb.started = is_finite(out + lagged + fb.IN)
        fb.lagged = lagged if fb.started else 0.0
        fb.was = fb.IN if fb.started else 0.0
        fb.OUT = out

    example = Example(
        T_LEAD=2.0,
        T_LAG=1.0,
        dt="100ms",
        table="""
        x  IN | OUT
        1  5  | 5         # starts settled
        1  6  | 7         # a jump counts twice at once
        10 6  | ~6.37     # 6 + exp(-1)
        60 6  | ~6.00
    """,
    )
