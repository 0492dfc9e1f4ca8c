"""The debounced contact."""

from __future__ import annotations

from blocks.control.laws import lasted
from blocks.declare import BOOL, TIME, Example, Input, Output, Var, block


@block(source="IEC 61131-3, DEBOUNCE, the standard's own example of a function block (a TON each way and a bistable)")
class DEBOUNCE:
    """A contact without its bouncing: OUT follows IN once IN has stayed there for T_ON, or for T_OFF on its way to false.

    At the start OUT is false. A permit that is wired so that a cut wire is false wants T_ON long and T_OFF short.
    """

    IN = Input(BOOL, "the contact")
    T_ON = Input(TIME, "how long IN must be true", default=10_000_000, min=0)
    T_OFF = Input(TIME, "how long IN must be false", default=10_000_000, min=0)
    OUT = Output(BOOL, "the contact, at rest")
    apart = Var(TIME, "how long IN has been other than OUT, -1 while it is not", default=-1)

    def step(fb, dt):
        limit = fb.T_OFF if fb.OUT else fb.T_ON
        fb.apart = lasted(fb.IN != fb.OUT, fb.apart, dt, limit)
        if fb.IN != fb.OUT and fb.apart >= limit:
            fb.OUT = fb.IN
            fb.apart = -1

    example = Example(
        T_ON="20ms",
        T_OFF="10ms",
        table="""
        IN | OUT
        1  | 0
        0  | 0          # it bounces
        1  | 0
        1  | 0
        1  | 1
        0  | 1
        1  | 1          # too short
        0  | 1
        0  | 0
    """,
    )
