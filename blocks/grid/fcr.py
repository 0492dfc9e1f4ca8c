"""The Nordic frequency containment reserves: normal operation, and disturbance upwards and downwards."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max
from blocks.declare import BOOL, LREAL, Example, Input, Output, block
from blocks.grid.laws import is_grid

NORDIC = "Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), 3"


@block(source=NORDIC + ", table 1, and 3.5 for a reference that moves")
class FCR_N:
    """Nordic FCR-N: power against every deviation from 50 Hz, all of CAPACITY at 49.9 and at 50.1 Hz, and no more beyond.

    P = CAPACITY / 0.1 Hz * (F_REF - F), F and F_REF held within 49.9 .. 50.1 Hz and P within -CAPACITY .. CAPACITY. There is no
    delay of its own, as the requirements ask. F_REF is 50 Hz, or AEM.F_REF of a limited reservoir; the NEM block's P is added to
    this one: `fcr.P + nem.P`. A dead F activates nothing: outside 40 .. 60 Hz it is BAD and P is 0, and so with an input that is
    no finite number, since nobody knows the direction.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    CAPACITY = Input(LREAL, "capacity sold, the same in both directions", unit="kW", min=0)
    F_REF = Input(LREAL, "frequency without activation", unit="Hz", default=50.0, min=49.9, max=50.1)
    P = Output(LREAL, "activated power, discharging is positive", unit="kW")
    SHARE = Output(LREAL, "activated share of CAPACITY, discharging is positive", min=-1, max=1)
    BAD = Output(BOOL, "F is no frequency of a grid, or an input no finite number: nothing is activated")

    def step(fb, dt):
        off = clamp(49.9, fb.F_REF, 50.1) - clamp(49.9, fb.F, 50.1)
        fb.BAD = not (is_grid(fb.F) and is_finite(fb.F_REF + fb.CAPACITY))
        fb.SHARE = 0.0 if fb.BAD else clamp(-1.0, off / 0.1, 1.0)
        fb.P = 0.0 if fb.BAD else fb.SHARE * max(fb.CAPACITY, 0.0)

    example = Example(
        CAPACITY="1MW",
        table="""
        F     | P     SHARE BAD
        50    | 0     0     0
        49.95 | 500   0.5   0
        49.9  | 1000  1     0      # all of it
        49.5  | 1000  1     0      # and no more
        50.02 | -200  -0.2  0      # charging against a high frequency
        50.1  | -1000 -1    0
        nan   | 0     0     1
        50    | 0     0     0
    """,
    )


@block(source=NORDIC + ", table 1 (dynamic FCR-D), and 3.5 for a reference that moves")
class FCR_D_UP:
    """Nordic FCR-D upwards: discharging power from 49.9 Hz down, all of CAPACITY at 49.5 Hz.

    P = CAPACITY / 0.4 Hz * (F_REF - F), F and F_REF held within 49.5 .. 49.9 Hz. Without any delay of its own, and it follows the
    frequency back at once (dynamic FCR-D). F_REF is 49.9 Hz, or AEM.F_REF of a limited reservoir: only then P may turn negative,
    when the frequency returns above its mean. A dead F activates nothing: outside 40 .. 60 Hz it is BAD and P is 0, and so with
    an input that is no finite number.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    CAPACITY = Input(LREAL, "capacity sold", unit="kW", min=0)
    F_REF = Input(LREAL, "frequency without activation", unit="Hz", default=49.9, min=49.5, max=49.9)
    P = Output(LREAL, "activated power, discharging is positive", unit="kW")
    SHARE = Output(LREAL, "activated share of CAPACITY; negative in AEM only", min=-1, max=1)
    BAD = Output(BOOL, "F is no frequency of a grid, or an input no finite number: nothing is activated")

    def step(fb, dt):
        off = clamp(49.5, fb.F_REF, 49.9) - clamp(49.5, fb.F, 49.9)
        fb.BAD = not (is_grid(fb.F) and is_finite(fb.F_REF + fb.CAPACITY))
        fb.SHARE = 0.0 if fb.BAD else clamp(-1.0, off / 0.4, 1.0)
        fb.P = 0.0 if fb.BAD else fb.SHARE * max(fb.CAPACITY, 0.0)

    example = Example(
        CAPACITY="1MW",
        table="""
        F     | P    SHARE BAD
        50    | 0    0     0
        49.9  | 0    0     0
        49.7  | 500  0.5   0
        49.5  | 1000 1     0
        49    | 1000 1     0
        49.8  | 250  0.25  0      # back with the frequency
        50.5  | 0    0     0      # downwards is another product
        nan   | 0    0     1
    """,
    )


@block(source=NORDIC + ", table 1 (dynamic FCR-D), and 3.5 for a reference that moves")
class FCR_D_DOWN:
    """Nordic FCR-D downwards: charging power from 50.1 Hz up, all of CAPACITY at 50.5 Hz.

    P = CAPACITY / 0.4 Hz * (F_REF - F), F and F_REF held within 50.1 .. 50.5 Hz, so P is negative. Without any delay of its own,
    and it follows the frequency back at once. F_REF is 50.1 Hz, or AEM.F_REF of a limited reservoir: only then P may turn
    positive, when the frequency returns below its mean. A dead F activates nothing: outside 40 .. 60 Hz it is BAD and P is 0, and
    so with an input that is no finite number.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    CAPACITY = Input(LREAL, "capacity sold, as a positive number", unit="kW", min=0)
    F_REF = Input(LREAL, "frequency without activation", unit="Hz", default=50.1, min=50.1, max=50.5)
    P = Output(LREAL, "activated power, charging is negative", unit="kW")
    SHARE = Output(LREAL, "activated share of CAPACITY, charging negative; positive in AEM only", min=-1, max=1)
    BAD = Output(BOOL, "F is no frequency of a grid, or an input no finite number: nothing is activated")

    def step(fb, dt):
        off = clamp(50.1, fb.F_REF, 50.5) - clamp(50.1, fb.F, 50.5)
        fb.BAD = not (is_grid(fb.F) and is_finite(fb.F_REF + fb.CAPACITY))
        fb.SHARE = 0.0 if fb.BAD else clamp(-1.0, off / 0.4, 1.0)
        fb.P = 0.0 if fb.BAD else fb.SHARE * max(fb.CAPACITY, 0.0)

    example = Example(
        CAPACITY="1MW",
        table="""
        F     | P     SHARE BAD
        50    | 0     0     0
        50.1  | 0     0     0
        50.3  | -500  -0.5  0
        50.5  | -1000 -1    0
        51    | -1000 -1    0
        50.2  | -250  -0.25 0
        49    | 0     0     0
        nan   | 0     0     1
    """,
    )
