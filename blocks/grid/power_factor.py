"""A constant power factor."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, sqrt
from blocks.declare import BOOL, LREAL, Example, Input, Output, block
from blocks.grid.laws import response


@block(source="IEEE 1547-2018, 5.3.2 (constant power factor mode), as in EPRI OpenDER 2.2, eq. 3.8.1-1 and 2")
class POWER_FACTOR:
    """Reactive power for a constant power factor: |Q| = |P| sqrt(1 - PF^2)/PF.

    INJECT chooses the side: true is over-excited, Q positive; false is under-excited, Q negative, the default of the standard.
    The side holds for charging too (OpenDER turns it over with the sign of P, so there an "injecting" battery absorbs while it
    charges). OLRT is the response time, to 90 % of a step. At the start Q is 0. A NaN on P or PF takes Q to 0 in the same time
    and is not remembered.
    """

    P = Input(LREAL, "active power, discharging is positive", unit="kW")
    PF = Input(LREAL, "power factor", default=1.0, min=0.1, max=1)
    INJECT = Input(BOOL, "true: over-excited, injects; false: under-excited, absorbs", default=False)
    OLRT = Input(LREAL, "response time, to 90 %; 0 answers at once", unit="s", default=10.0, min=0, max=1e9)
    Q = Output(LREAL, "reactive power, injecting is positive", unit="kvar")
    BAD = Output(BOOL, "the power or the factor is not a number or makes no sense: Q goes to 0")

    def step(fb, dt):
        share = response(dt, fb.OLRT)
        amount = abs(fb.P) * (sqrt(1.0 - fb.PF * fb.PF) / fb.PF)
        asked = amount if fb.INJECT else 0.0 - amount
        moved = fb.Q + (asked - fb.Q) * share
        faded = fb.Q - fb.Q * share
        alive = fb.PF > 0.0 and is_finite(moved)
        fb.Q = moved if alive else (faded if is_finite(faded) else 0.0)
        fb.BAD = not alive

    example = Example(
        PF=0.8,
        OLRT=0.0,
        table="""
            P    INJECT | Q   BAD
            0    0      | 0   0
            100  0      | -75 0      # sqrt(1 - 0.64)/0.8 = 0.75
            100  1      | 75  0
            -40  1      | 30  0      # charging: the side stays
            nan  1      | 0   1
            40   1      | 30  0
        """,
    )
