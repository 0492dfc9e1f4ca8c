"""The bistables of IEC 61131-3: SR keeps set over reset, RS keeps reset over set."""

from __future__ import annotations

from blocks.declare import BOOL, Example, Input, Output, block


@block(source="IEC 61131-3:2013, table 43, row 1")
class SR:
    """A memory that S1 sets and R resets; S1 wins."""

    S1 = Input(BOOL, "sets Q1, and wins")
    R = Input(BOOL, "resets Q1")
    Q1 = Output(BOOL, "the memory")

    def step(fb, dt):
        fb.Q1 = fb.S1 or (fb.Q1 and not fb.R)

    example = Example(
        table="""
        S1 R | Q1
        0  0 | 0
        1  0 | 1
        0  0 | 1        # kept
        0  1 | 0
        1  1 | 1        # set wins
        0  0 | 1
    """
    )


@block(source="IEC 61131-3:2013, table 43, row 2")
class RS:
    """A memory that S sets and R1 resets; R1 wins. The one for trips and permits."""

    S = Input(BOOL, "sets Q1")
    R1 = Input(BOOL, "resets Q1, and wins")
    Q1 = Output(BOOL, "the memory")

    def step(fb, dt):
        fb.Q1 = not fb.R1 and (fb.S or fb.Q1)

    example = Example(
        table="""
        S R1 | Q1
        0 0  | 0
        1 0  | 1
        0 0  | 1        # kept
        0 1  | 0
        1 1  | 0        # reset wins
        1 0  | 1
    """
    )
