"""The edge detectors of IEC 61131-3: R_TRIG and F_TRIG."""

from __future__ import annotations

from blocks.declare import BOOL, Example, Input, Output, Var, block


@block(source="IEC 61131-3:2013, table 44, row 1")
class R_TRIG:
    """Rising edge: Q is true for the one scan in which CLK has become true; a CLK true from the start counts as an edge."""

    CLK = Input(BOOL, "condition that is watched")
    Q = Output(BOOL, "true in the scan of the edge")
    M = Var(BOOL, "CLK one scan ago")

    def step(fb, dt):
        fb.Q = fb.CLK and not fb.M
        fb.M = fb.CLK

    example = Example(
        table="""
        CLK | Q
        0   | 0
        1   | 1
        1   | 0
        0   | 0
        1   | 1
    """
    )


@block(source="IEC 61131-3:2013, table 44, row 2")
class F_TRIG:
    """Falling edge: Q is true for the one scan in which CLK has become false; a CLK false from the start counts as an edge."""

    CLK = Input(BOOL, "condition that is watched")
    Q = Output(BOOL, "true in the scan of the edge")
    M = Var(BOOL, "the opposite of CLK one scan ago")

    def step(fb, dt):
        fb.Q = not fb.CLK and not fb.M
        fb.M = not fb.CLK

    example = Example(
        table="""
        CLK | Q
        1   | 0
        0   | 1
        0   | 0
        1   | 0
        0   | 1
    """
    )
