"""The first-out annunciator."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, Array, Example, Input, Output, Var, block


@block(source="ANSI/ISA-18.1-1979 (R2004), annunciator sequences with first out (F)")
class FIRST_OUT:
    """Which of N alarms came first, and in which order the others followed.

    ORDER is 1 for the first, 2 for the next; alarms of the same scan share a number, since nobody knows which was earlier, and
    FIRST then names the lowest. Everything stays until a rising edge of RESET; a RESET while an alarm still stands does nothing,
    so the cause cannot be lost by impatience.
    """

    IN = Input(Array(BOOL, "N"), "the alarms")
    RESET = Input(BOOL, "rising edge: forgets, once every alarm is gone")
    FIRST = Output(DINT, "number of the alarm that came first; 0: none came", min=0)
    COUNT = Output(DINT, "alarms that have come since the reset", min=0)
    ORDER = Output(Array(DINT, "N"), "in which place each alarm came; 0: it did not")
    place = Var(DINT, "the last place that was given")
    was = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        standing = False
        fresh = 0
        for i in range(len(fb.IN)):
            standing = standing or fb.IN[i]
        if fb.RESET and not fb.was and not standing:
            fb.FIRST = 0
            fb.COUNT = 0
            fb.place = 0
            for i in range(len(fb.IN)):
                fb.ORDER[i] = 0
        for i in range(len(fb.IN)):
            if fb.IN[i] and fb.ORDER[i] == 0:
                fb.ORDER[i] = fb.place + 1
                fresh = fresh + 1
                if fb.FIRST == 0:
                    fb.FIRST = i + 1
        if fresh > 0:
            fb.place = fb.place + 1
        fb.COUNT = fb.COUNT + fresh
        fb.was = fb.RESET

    example = Example(
        table="""
        IN      RESET | FIRST COUNT ORDER
        [0,0,0] 0     | 0     0     [0,0,0]
        [0,1,0] 0     | 2     1     [0,1,0]     # the cause
        [1,1,1] 0     | 2     3     [2,1,2]     # two in one scan share a place
        [1,0,0] 1     | 2     3     [2,1,2]     # one still stands: no reset
        [0,0,0] 0     | 2     3     [2,1,2]
        [0,0,0] 1     | 0     0     [0,0,0]
    """,
    )
