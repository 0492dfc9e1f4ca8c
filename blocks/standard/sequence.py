"""What a sequential function chart becomes: the chart itself, the time in its step, and each step's flag and time."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, TIME, Array, Example, Input, Output, Var, block

SFC = "IEC 61131-3:2013, 6.7"


@block(source=SFC + ".3: transitions; the first row has priority, as in table 58, row 2")
class SEQUENCE:
    """A chain of steps with one active step: the first row whose FROM is that step and whose GO is true moves it, once a scan."""

    GO = Input(Array(BOOL, "N"), "a row's condition to move")
    FROM = Input(Array(DINT, "N"), "step that the row leaves, from 0")
    TO = Input(Array(DINT, "N"), "step that the row enters, from 0")
    STEP = Output(DINT, "active step; the first is 0")
    T = Output(TIME, "time in the step: 0 in the scan that enters it")
    started = Var(BOOL, "the first scan is over")

    def step(fb, dt):
        moved = False
        target = fb.STEP
        for i in range(len(fb.GO)):
            row_before = len(fb.GO) - 1 - i
            if fb.GO[row_before] and fb.FROM[row_before] == fb.STEP:
                moved = True
                target = fb.TO[row_before]
        if moved:
            fb.T = 0
        elif fb.started:
            fb.T = fb.T + dt
        fb.STEP = target
        fb.started = True

    example = Example(
        FROM=[0, 1, 2],
        TO=[1, 2, 0],
        table="""
        GO      | STEP T
        [0,0,0] | 0    0ms
        [0,1,1] | 0    10ms
        [1,1,1] | 1    0ms      # one move a scan
        [1,0,1] | 1    10ms
        [0,1,0] | 2    0ms
        [0,0,1] | 0    0ms
    """,
    )


@block(source=SFC + ".2: the elapsed time of a step")
class ELAPSED:
    """The time in a step as of this scan, from the time as of the last one: what `after 2 s` compares."""

    T = Input(TIME, "time in the step one scan ago")
    OUT = Output(TIME, "T plus the time since then")

    def step(fb, dt):
        fb.OUT = fb.T + dt

    example = Example(
        table="""
        T    | OUT
        0ms  | 10ms
        1s   | 1010ms
    """
    )


@block(source=SFC + ".2, table 54: step flag and step time")
class STEP_ACTIVE:
    """The flag and the time of one step of a sequence."""

    STEP = Input(DINT, "active step of the sequence")
    K = Input(DINT, "number of this step, from 0")
    TIME_IN = Input(TIME, "time in the active step")
    X = Output(BOOL, "this step is active")
    T = Output(TIME, "time in this step, 0 while it is not active")

    def step(fb, dt):
        fb.X = fb.STEP == fb.K
        fb.T = fb.TIME_IN if fb.STEP == fb.K else 0

    example = Example(
        K=2,
        table="""
        STEP TIME_IN | X T
        0    5s      | 0 0ms
        2    0ms     | 1 0ms
        2    10ms    | 1 10ms
        1    0ms     | 0 0ms
    """,
    )
