"""The gate in front of a power command."""

from __future__ import annotations

from blocks.arithmetic import is_finite
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="IEC 61511-1:2016: a safe state that is reached by itself; here power 0")
class GATE:
    """The last word on power: IN while EN is true, else exactly 0. A value that is no finite number is 0, too."""

    IN = Input(LREAL, "what is commanded", unit="{IN}")
    EN = Input(BOOL, "true lets IN through")
    OUT = Output(LREAL, "IN or 0", unit="{IN}")

    def step(fb, dt):
        fb.OUT = fb.IN if fb.EN and is_finite(fb.IN) else 0.0

    example = Example(
        table="""
        IN   EN | OUT
        250  0  | 0
        250  1  | 250
        -250 1  | -250      # charging
        nan  1  | 0         # nobody knows what is commanded
        250  1  | 250
        250  0  | 0
    """,
    )
