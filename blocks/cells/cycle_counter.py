"""Full-cycle equivalents from the charge throughput."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, seconds
from blocks.cells.laws import add, carry
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

S_PER_H = 3600.0


@block(source="full-cycle equivalents as in warranties, throughput by twice the capacity; sum after Neumaier (ZAMM 54, 1974)")
class CYCLE_COUNTER:
    """Full-cycle equivalents: the charge that went through, in and out, by twice the capacity.

    FULL = integral of |I| / (2 CAPACITY). The charge is summed, not the cycles, so a capacity that is corrected later acts on all
    of them. A current below I_ZERO is the sensor's offset: an offset of 0.5 A alone would make 8 cycles a year on 280 Ah. Without
    a capacity above 0 FULL is held; a current that is not finite is not counted; both show as HELD. Retain this block.
    """

    I = Input(LREAL, "current, either sign", unit="A")  # noqa: E741 - the letter of the trade
    CAPACITY = Input(LREAL, "nominal capacity", unit="Ah", min=0)
    I_ZERO = Input(LREAL, "a current below this is not counted", unit="A", default=0.0, min=0)
    START = Input(LREAL, "cycles that the battery had before", default=0.0, min=0)
    RESET = Input(BOOL, "a rising edge starts again at START", default=False)
    FULL = Output(LREAL, "full-cycle equivalents", min=0)
    THROUGHPUT = Output(LREAL, "charge in and out", unit="Ah", min=0)
    HELD = Output(BOOL, "current or capacity is dead")
    total = Var(LREAL, "sum of THROUGHPUT", unit="Ah")
    lost = Var(LREAL, "what rounding took from it", unit="Ah")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        cleared = fb.RESET and not fb.pressed
        fb.pressed = fb.RESET
        total = 0.0 if cleared else fb.total
        lost = 0.0 if cleared else fb.lost
        flows = is_finite(fb.I) and abs(fb.I) >= fb.I_ZERO
        charge = abs(fb.I) * (seconds(dt) / S_PER_H) if flows else 0.0
        fb.lost = carry(total, lost, charge)
        fb.total = add(total, charge)
        fb.THROUGHPUT = max(fb.total + fb.lost, 0.0)
        cycles = max(fb.START, 0.0) + fb.THROUGHPUT / fb.CAPACITY * 0.5
        known = fb.CAPACITY > 0.0 and is_finite(cycles) and is_finite(fb.CAPACITY)
        fb.FULL = cycles if known else fb.FULL
        fb.HELD = not known or not is_finite(fb.I)

    example = Example(
        CAPACITY=280,
        I_ZERO=0.5,
        dt="1min",
        table="""
        x    I    | FULL THROUGHPUT HELD
        60   280  | 0.5  280        0      # emptied in an hour: half a cycle
        120  -140 | 1    560        0      # filled again in two
        600  0.4  | 1    560        0      # the sensor's offset
        60   nan  | 1    560        1
        60   -28  | 1.05 588        0
    """,
    )
