"""Override control: of several controllers the lowest or the highest drives, the others follow it."""

from __future__ import annotations

import math

from blocks.arithmetic import is_nan
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, block

ENDLESS = math.inf
UNKNOWN = math.nan


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006): selector control, with tracking of the controllers not selected")
class OVERRIDE_MIN:
    """The lowest of N controllers' outputs drives; ACTIVE says which, the lowest number of equals.

    A controller that is not selected must not wind up: wire `last` OUT to its tracking input (its external reset), and TRACKS
    where it wants a switch. An enabled input that is NaN counts as FAIL; where that is NaN, too, OUT is NaN, which a GATE turns
    into 0. An input of plus infinity limits nothing. With none enabled OUT is NONE.
    """

    IN = Input(Array(LREAL, "N"), "outputs of the controllers", unit="{IN}")
    EN = Input(Array(BOOL, "N"), "this controller takes part", default=True)
    FAIL = Input(LREAL, "what a NaN counts as", unit="{IN}", default=UNKNOWN)
    NONE = Input(LREAL, "OUT while no controller is enabled", unit="{IN}", default=0.0)
    OUT = Output(LREAL, "the lowest", unit="{IN}")
    ACTIVE = Output(DINT, "number of the controller that drives; 0: none", min=0)
    TRACKS = Output(Array(BOOL, "N"), "this controller does not drive and must follow OUT")

    def step(fb, dt):
        active = 0
        out = ENDLESS
        for i in range(len(fb.IN)):
            value = fb.FAIL if is_nan(fb.IN[i]) else fb.IN[i]
            if fb.EN[i] and (active == 0 or not value >= out) and not is_nan(out):
                active = i + 1
                out = value
        for i in range(len(fb.IN)):
            fb.TRACKS[i] = i + 1 != active
        fb.OUT = out if active > 0 else fb.NONE
        fb.ACTIVE = active

    example = Example(
        table="""
        IN          EN      | OUT ACTIVE TRACKS
        [80,100,90] [1,1,1] | 80  1      [0,1,1]
        [80,70,90]  [1,1,1] | 70  2      [1,0,1]     # the second takes over
        [70,70,90]  [1,1,1] | 70  1      [0,1,1]
        [70,60,90]  [1,0,1] | 70  1      [0,1,1]
        [70,nan,90] [1,1,1] | nan 2      [1,0,1]     # a dead controller is seen
        [70,60,90]  [0,0,0] | 0   0      [1,1,1]
    """,
    )


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006): selector control, with tracking of the controllers not selected")
class OVERRIDE_MAX:
    """The highest of N controllers' outputs drives; ACTIVE says which, the lowest number of equals.

    A controller that is not selected must not wind up: wire `last` OUT to its tracking input (its external reset), and TRACKS
    where it wants a switch. An enabled input that is NaN counts as FAIL; where that is NaN, too, OUT is NaN, which a GATE turns
    into 0. An input of minus infinity asks for nothing. With none enabled OUT is NONE.
    """

    IN = Input(Array(LREAL, "N"), "outputs of the controllers", unit="{IN}")
    EN = Input(Array(BOOL, "N"), "this controller takes part", default=True)
    FAIL = Input(LREAL, "what a NaN counts as", unit="{IN}", default=UNKNOWN)
    NONE = Input(LREAL, "OUT while no controller is enabled", unit="{IN}", default=0.0)
    OUT = Output(LREAL, "the highest", unit="{IN}")
    ACTIVE = Output(DINT, "number of the controller that drives; 0: none", min=0)
    TRACKS = Output(Array(BOOL, "N"), "this controller does not drive and must follow OUT")

    def step(fb, dt):
        active = 0
        out = -ENDLESS
        for i in range(len(fb.IN)):
            value = fb.FAIL if is_nan(fb.IN[i]) else fb.IN[i]
            if fb.EN[i] and (active == 0 or not value <= out) and not is_nan(out):
                active = i + 1
                out = value
        for i in range(len(fb.IN)):
            fb.TRACKS[i] = i + 1 != active
        fb.OUT = out if active > 0 else fb.NONE
        fb.ACTIVE = active

    example = Example(
        FAIL=100.0,
        table="""
        IN         EN      | OUT ACTIVE TRACKS
        [30,10,20] [1,1,1] | 30  1      [0,1,1]
        [30,40,20] [1,1,1] | 40  2      [1,0,1]      # the second takes over
        [30,40,20] [1,0,1] | 30  1      [0,1,1]
        [30,40,nan] [1,1,1] | 100 3     [1,1,0]      # a fan whose controller is dead runs at full speed
        [30,40,20] [0,0,0] | 0   0      [1,1,1]
    """,
    )
