"""The latching interlock."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, Array, Example, Input, Output, Var, block

UNKNOWN = 1  # before the first scan no permit is known to hold


@block(source="ISO 13850:2015, 4.1.4, and IEC 60204-1:2016, 9.2.3.4.2: a reset must not restart by itself and is a deliberate act")
class INTERLOCK:
    """A chain of permits that trips at once and stays tripped until somebody resets it.

    OK falls in the scan in which a permit falls. It returns only on a rising edge of RESET while every permit holds, and held one
    scan ago: also after a restart, where OK is never kept. A RESET that is stuck at true never arms it, nor one that turns true
    together with the last permit, as both do when their device answers. FIRST keeps the permit that fell first (the lowest number
    where several fell in one scan) until the next reset; MISSING shows what stands in the way now. Wire RESET from a PUSHBUTTON.
    """

    PERMIT = Input(Array(BOOL, "N"), "the permits; wired so that a cut wire is false")
    RESET = Input(BOOL, "arms on its rising edge, if every permit holds")
    OK = Output(BOOL, "armed, and every permit holds", volatile=True)
    FIRST = Output(DINT, "number of the permit that tripped it, from 1; 0 where none did", min=0)
    MISSING = Output(
        DINT, "number of the first permit that is missing now, from 1; 0 where none is", min=0, default=UNKNOWN, volatile=True
    )
    was = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck button is no edge", default=True, volatile=True)

    def step(fb, dt):
        missing = 0
        for i in range(len(fb.PERMIT)):
            if not fb.PERMIT[len(fb.PERMIT) - 1 - i]:
                missing = len(fb.PERMIT) - i
        if missing > 0:
            if fb.OK:
                fb.FIRST = missing
            fb.OK = False
        elif fb.RESET and not fb.was and fb.MISSING == 0:
            fb.OK = True
            fb.FIRST = 0
        fb.MISSING = missing
        fb.was = fb.RESET

    example = Example(
        table="""
        PERMIT  RESET | OK FIRST MISSING
        [1,1,1] 0     | 0  0     0       # a cold start needs a reset
        [1,1,1] 1     | 1  0     0
        [1,1,1] 0     | 1  0     0
        [1,0,1] 0     | 0  2     2
        [0,0,1] 0     | 0  2     1       # FIRST keeps what tripped it
        [1,1,1] 0     | 0  2     0       # the return of a permit arms nothing
        [1,1,1] 1     | 1  0     0
    """,
    )
