"""The blocks of IEC 61131-3, 2nd edition, annex F, that remember scans or numbers: DELAY, AVERAGE, STACK_INT."""

from __future__ import annotations

from blocks.arithmetic import clamp, max
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block

ANNEX = "IEC 61131-3:2003 (2nd edition), annex F, "
SLOTS = 128


@block(source=ANNEX + "DELAY")
class DELAY:
    """What XIN was N scans ago. DEAD_TIME delays by a time instead.

    While RUN is false, and in the first scan, the line is filled with XIN, so that nothing old and no 0 comes out. A changed N
    takes effect at once. A NaN comes out N scans later, as a sample like any other.
    """

    RUN = Input(BOOL, "true: delay; false: XOUT is XIN", default=True)
    XIN = Input(LREAL, "value to be delayed", unit="{XIN}")
    N = Input(DINT, "number of scans", min=0, max=SLOTS - 1)
    XOUT = Output(LREAL, "XIN, N scans late", unit="{XIN}")
    samples = Var(Array(LREAL, SLOTS), "the last values, in a ring", unit="{XIN}")
    place = Var(DINT, "where the newest value stands")
    held = Var(DINT, "how many values there are")

    def step(fb, dt):
        fb.held = clamp(1, fb.held + 1, SLOTS) if fb.RUN else 1
        fb.place = fb.place + 1 if fb.place < SLOTS - 1 else 0
        fb.samples[fb.place] = fb.XIN
        back = clamp(0, fb.N, fb.held - 1)
        oldest = fb.place - back
        fb.XOUT = fb.samples[oldest if oldest >= 0 else oldest + SLOTS]

    example = Example(
        N=2,
        table="""
        RUN XIN | XOUT
        1   5   | 5       # filled with the first value
        1   6   | 5
        1   7   | 5
        1   8   | 6
        1   9   | 7
        0   20  | 20
        1   21  | 20
        1   22  | 20
        1   23  | 21
    """,
    )


@block(source=ANNEX + "AVERAGE")
class AVERAGE:
    """The mean of XIN over the last N scans. MOVING_AVERAGE averages over a time instead.

    Until N scans have passed, and after RUN was false, it is the mean of those that there are. The sum is formed
    anew in each scan: a running sum would gather roundings over months, and keep a NaN for ever.
    """

    RUN = Input(BOOL, "true: average; false: XOUT is XIN", default=True)
    XIN = Input(LREAL, "value to be averaged", unit="{XIN}")
    N = Input(DINT, "number of scans", min=1, max=SLOTS)
    XOUT = Output(LREAL, "mean of the last N; NaN while a NaN is among them", unit="{XIN}")
    samples = Var(Array(LREAL, SLOTS), "the last values, in a ring", unit="{XIN}")
    place = Var(DINT, "where the newest value stands")
    held = Var(DINT, "how many values there are")

    def step(fb, dt):
        fb.held = clamp(1, fb.held + 1, SLOTS) if fb.RUN else 1
        fb.place = fb.place + 1 if fb.place < SLOTS - 1 else 0
        fb.samples[fb.place] = fb.XIN
        count = clamp(1, fb.N, fb.held)
        total = 0.0
        for i in range(count):
            back = fb.place - i
            total = total + fb.samples[back if back >= 0 else back + SLOTS]
        fb.XOUT = total / count

    example = Example(
        N=3,
        table="""
        RUN XIN | XOUT
        1   6   | 6
        1   8   | 7        # two values so far
        1   10  | 8
        1   12  | 10
        0   30  | 30
        1   40  | 35
    """,
    )


@block(source=ANNEX + "STACK_INT, here of DINT")
class STACK_INT:
    """A stack of numbers: PUSH puts IN on top, POP takes the top away, each on its rising edge. R1 empties it and wins.

    A PUSH onto a full stack is refused, and OFLO says so until a POP or R1. With both edges in one scan the POP
    counts.
    """

    PUSH = Input(BOOL, "puts IN on top when it rises", default=False)
    POP = Input(BOOL, "takes the top away when it rises", default=False)
    R1 = Input(BOOL, "empties the stack, and wins", default=False)
    IN = Input(DINT, "number that PUSH puts on top")
    N = Input(DINT, "largest number of elements", default=SLOTS, min=1, max=SLOTS)
    EMPTY = Output(BOOL, "there is no element", default=True)
    OFLO = Output(BOOL, "a PUSH was refused")
    OUT = Output(DINT, "the top, 0 where there is none")
    DEPTH = Output(DINT, "number of elements", min=0, max=SLOTS)
    elements = Var(Array(DINT, SLOTS), "the elements, the lowest first")
    push_was = Var(BOOL, "PUSH one scan ago")
    pop_was = Var(BOOL, "POP one scan ago")

    def step(fb, dt):
        pop = fb.POP and not fb.pop_was
        push = fb.PUSH and not fb.push_was and not pop and not fb.R1
        if fb.R1 or pop:
            fb.OFLO = False
            fb.DEPTH = 0 if fb.R1 else max(fb.DEPTH - 1, 0)
        if push and fb.DEPTH >= clamp(1, fb.N, SLOTS):
            fb.OFLO = True
        elif push:
            fb.elements[fb.DEPTH] = fb.IN
            fb.DEPTH = fb.DEPTH + 1
        fb.EMPTY = fb.DEPTH == 0
        fb.OUT = 0 if fb.EMPTY else fb.elements[fb.DEPTH - 1]
        fb.push_was = fb.PUSH
        fb.pop_was = fb.POP

    example = Example(
        N=2,
        table="""
        PUSH POP R1 IN | EMPTY OFLO OUT DEPTH
        0    0   0  0  | 1     0    0   0
        1    0   0  7  | 0     0    7   1
        1    0   0  8  | 0     0    7   1       # no edge
        0    0   0  8  | 0     0    7   1
        1    0   0  8  | 0     0    8   2
        0    0   0  9  | 0     0    8   2
        1    0   0  9  | 0     1    8   2       # full
        0    1   0  9  | 0     0    7   1
        0    0   1  9  | 1     0    0   0
    """,
    )
