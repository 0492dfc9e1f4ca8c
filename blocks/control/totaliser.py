"""The totaliser of a flow or a power."""

from __future__ import annotations

from blocks.arithmetic import abs, floor, is_finite, is_nan, mod, to_int, to_lreal
from blocks.declare import BOOL, LINT, LREAL, Example, Input, Output, Var, block

NS_PER_H = 3.6e12
MOST = 1e15


@block(source="Kahan, Further remarks on reducing truncation errors, Comm. ACM 8 (1965) 40: compensated summation")
class TOTALISER:
    """Adds up a flow or a power over time: kW to kWh, l/h to l. Small increments are never lost, however large the total is.

    The total is kept as whole units and a compensated rest below 1, so it is exact for centuries. A negative IN counts backwards.
    ROLLOVER lets it begin at 0 again, like a meter's register. A NaN, on CUTOFF too, or an IN that would add more than 1e15 in a
    scan, counts nothing and sets HELD.
    """

    IN = Input(LREAL, "flow or power", unit="{IN}")
    CUTOFF = Input(LREAL, "nothing is counted below this, either sign: a zero that drifts", unit="{IN}", default=0.0, min=0)
    ROLLOVER = Input(LINT, "here the total begins at 0 again; 0: never", default=0, min=0)
    RESET = Input(BOOL, "its rising edge empties the total", default=False)
    TOTAL = Output(LREAL, "the sum", unit="{IN}*h")
    WHOLE = Output(LINT, "whole units of the sum")
    REST = Output(LREAL, "what TOTAL is above WHOLE", unit="{IN}*h", min=0, max=1)
    BEFORE = Output(LREAL, "the sum at the last reset", unit="{IN}*h")
    HELD = Output(BOOL, "IN cannot be counted")
    lost = Var(LREAL, "what rounding took from REST, to be given back", unit="{IN}*h")
    was = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        if fb.RESET and not fb.was:
            fb.BEFORE = fb.TOTAL
            fb.WHOLE = 0
            fb.REST = 0.0
            fb.lost = 0.0
        fb.was = fb.RESET
        more = fb.IN * (to_lreal(dt) / NS_PER_H) if abs(fb.IN) >= fb.CUTOFF else 0.0
        fb.HELD = not is_finite(fb.IN + more) or is_nan(fb.CUTOFF) or abs(more) > MOST
        if not fb.HELD:
            added = more - fb.lost
            rest = fb.REST + added
            fb.lost = (rest - fb.REST) - added
            carry = floor(rest)
            fb.REST = rest - carry
            fb.WHOLE = fb.WHOLE + to_int(carry)
            if fb.ROLLOVER > 0 and (fb.WHOLE >= fb.ROLLOVER or fb.WHOLE < 0):
                fb.WHOLE = mod(mod(fb.WHOLE, fb.ROLLOVER) + fb.ROLLOVER, fb.ROLLOVER)
        fb.TOTAL = to_lreal(fb.WHOLE) + fb.REST

    example = Example(
        dt="30min",
        ROLLOVER=1000,
        table="""
        IN   RESET | TOTAL WHOLE REST BEFORE HELD
        500  0     | 250   250   0    0      0
        501  0     | 500.5 500   0.5  0      0
        nan  0     | 500.5 500   0.5  0      1      # nothing is counted
        -100 0     | 450.5 450   0.5  0      0      # backwards
        1200 0     | 50.5  50    0.5  0      0      # rolled over at 1000
        10   1     | 5     5     0    50.5   0
    """,
    )
