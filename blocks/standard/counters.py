"""The counters of IEC 61131-3 on DINT: up, down, and both ways. They count rising edges and stop at the ends of DINT."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, Example, Input, Output, Var, block

TABLE = "IEC 61131-3:2013, table 45"
LOWEST = -2147483648
HIGHEST = 2147483647


@block(source=TABLE)
class CTU:
    """Up counter: Q is true once CV has reached PV."""

    CU = Input(BOOL, "counts up by one when it rises")
    R = Input(BOOL, "sets CV to 0", default=False)
    PV = Input(DINT, "count at which Q turns true")
    Q = Output(BOOL, "CV has reached PV")
    CV = Output(DINT, "count", min=0)
    was = Var(BOOL, "CU one scan ago")

    def step(fb, dt):
        if fb.R:
            fb.CV = 0
        elif fb.CU and not fb.was and fb.CV < HIGHEST:
            fb.CV = fb.CV + 1
        fb.Q = fb.CV >= fb.PV
        fb.was = fb.CU

    example = Example(
        PV=2,
        table="""
        CU R | Q CV
        0  0 | 0 0
        1  0 | 0 1
        1  0 | 0 1       # no edge
        0  0 | 0 1
        1  0 | 1 2
        0  0 | 1 2
        1  0 | 1 3
        0  1 | 0 0
    """,
    )


@block(source=TABLE)
class CTD:
    """Down counter: Q is true once CV has fallen to 0."""

    CD = Input(BOOL, "counts down by one when it rises")
    LD = Input(BOOL, "loads CV with PV", default=False)
    PV = Input(DINT, "count that LD loads")
    Q = Output(BOOL, "CV has fallen to 0 or below")
    CV = Output(DINT, "count")
    was = Var(BOOL, "CD one scan ago")

    def step(fb, dt):
        if fb.LD:
            fb.CV = fb.PV
        elif fb.CD and not fb.was and fb.CV > LOWEST:
            fb.CV = fb.CV - 1
        fb.Q = fb.CV <= 0
        fb.was = fb.CD

    example = Example(
        PV=2,
        table="""
        CD LD | Q CV
        0  1  | 0 2
        1  0  | 0 1
        1  0  | 0 1       # no edge
        0  0  | 0 1
        1  0  | 1 0
    """,
    )


@block(source=TABLE)
class CTUD:
    """Up and down counter: QU is true at PV and above, QD at 0 and below. Edges on both sides in one scan cancel out."""

    CU = Input(BOOL, "counts up by one when it rises")
    CD = Input(BOOL, "counts down by one when it rises")
    R = Input(BOOL, "sets CV to 0, before LD", default=False)
    LD = Input(BOOL, "loads CV with PV", default=False)
    PV = Input(DINT, "count at which QU turns true, and that LD loads")
    QU = Output(BOOL, "CV has reached PV")
    QD = Output(BOOL, "CV has fallen to 0 or below")
    CV = Output(DINT, "count")
    up_was = Var(BOOL, "CU one scan ago")
    down_was = Var(BOOL, "CD one scan ago")

    def step(fb, dt):
        up = fb.CU and not fb.up_was
        down = fb.CD and not fb.down_was
        if fb.R:
            fb.CV = 0
        elif fb.LD:
            fb.CV = fb.PV
        elif up and not down and fb.CV < HIGHEST:
            fb.CV = fb.CV + 1
        elif down and not up and fb.CV > LOWEST:
            fb.CV = fb.CV - 1
        fb.QU = fb.CV >= fb.PV
        fb.QD = fb.CV <= 0
        fb.up_was = fb.CU
        fb.down_was = fb.CD

    example = Example(
        PV=2,
        table="""
        CU CD R LD | QU QD CV
        0  0  0 0  | 0  1  0
        1  0  0 0  | 0  0  1
        0  0  0 0  | 0  0  1
        1  0  0 0  | 1  0  2
        0  1  0 0  | 0  0  1
        0  0  0 0  | 0  0  1
        1  1  0 0  | 0  0  1      # both edges cancel out
        0  0  0 1  | 1  0  2
        0  0  1 1  | 0  1  0
    """,
    )
