"""The conversions between the types and units of a wire. An LREAL that does not fit is held at the range's end; NaN becomes 0."""

from __future__ import annotations

from blocks.arithmetic import clamp, seconds, time, to_lreal, truncate, whole
from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, AnyType, Example, Input, Output, block

TABLE = "IEC 61131-3:2013, table 22"
UNTIMED = AnyType("a number or BOOL", (LREAL, DINT, LINT, BOOL))  # a TIME has its own two, which say seconds
LOWEST_DINT = -2147483648
HIGHEST_DINT = 2147483647


@block(source=TABLE)
class TO_LREAL:
    """A number or BOOL as LREAL; a LINT beyond 53 bits is rounded."""

    IN = Input(UNTIMED, "any number", unit="{IN}")
    OUT = Output(LREAL, "IN as LREAL", unit="{IN}")

    def step(fb, dt):
        fb.OUT = to_lreal(fb.IN)

    example = Example(
        chosen=DINT,
        table="""
        IN          | OUT
        -5          | -5
        2147483647  | 2147483647
        0           | 0
    """,
    )


@block(source=TABLE)
class TO_DINT:
    """A number or BOOL as DINT: rounded half to even, held inside 32 bits; NaN becomes 0."""

    IN = Input(UNTIMED, "any number", unit="{IN}")
    OUT = Output(DINT, "IN as DINT", unit="{IN}")

    def step(fb, dt):
        fb.OUT = clamp(LOWEST_DINT, whole(fb.IN), HIGHEST_DINT)

    example = Example(
        table="""
        IN   | OUT
        1.4  | 1
        2.5  | 2              # a half goes to the even number
        3.5  | 4
        1e10 | 2147483647     # held, not wrapped
        nan  | 0
    """
    )


@block(source=TABLE)
class TO_LINT:
    """A number or BOOL as LINT: rounded half to even, held inside 64 bits; NaN becomes 0."""

    IN = Input(UNTIMED, "any number", unit="{IN}")
    OUT = Output(LINT, "IN as LINT", unit="{IN}")

    def step(fb, dt):
        fb.OUT = whole(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        1e10 | 10000000000
        -2.5 | -2             # a half goes to the even number
        1e30 | 9223372036854774784
        nan  | 0
    """
    )


@block(source=TABLE)
class TO_BOOL:
    """True for every number but 0; a NaN is false, since it is no proof of anything."""

    IN = Input(UNTIMED, "any number", unit="{IN}")
    OUT = Output(BOOL, "whether IN is above or below 0")

    def step(fb, dt):
        fb.OUT = fb.IN > 0 or fb.IN < 0

    example = Example(
        table="""
        IN   | OUT
        0    | 0
        0.5  | 1
        -3   | 1
        nan  | 0
    """
    )


@block(source=TABLE)
class TO_TIME:
    """Seconds as TIME, to the nearest nanosecond; NaN becomes 0."""

    IN = Input(LREAL, "seconds", unit="s")
    OUT = Output(TIME, "IN as TIME")

    def step(fb, dt):
        fb.OUT = time(fb.IN)

    example = Example(
        table="""
        IN    | OUT
        1.5s  | 1500ms
        -0.25 | -250ms
        nan   | 0ms
    """
    )


@block(source=TABLE)
class TO_SECONDS:
    """A TIME as LREAL seconds."""

    IN = Input(TIME, "any time")
    OUT = Output(LREAL, "IN in seconds", unit="s")

    def step(fb, dt):
        fb.OUT = seconds(fb.IN)

    example = Example(
        table="""
        IN     | OUT
        1500ms | 1.5
        1min   | 60
        -1ms   | -0.001
    """
    )


@block(source=TABLE)
class TRUNC:
    """An LREAL cut towards zero as DINT, held inside 32 bits; NaN becomes 0."""

    IN = Input(LREAL, "any number", unit="{IN}")
    OUT = Output(DINT, "IN without its fraction", unit="{IN}")

    def step(fb, dt):
        fb.OUT = clamp(LOWEST_DINT, truncate(fb.IN), HIGHEST_DINT)

    example = Example(
        table="""
        IN   | OUT
        2.9  | 2
        -2.9 | -2
        1e10 | 2147483647
        nan  | 0
    """
    )


@block(source="NIST SP 811 (2008), appendix B: a unit is a factor and an offset")
class UNIT:
    """A wire from one unit into another: kW into W, °C into K. The checker puts it in; nobody has to write it."""

    IN = Input(LREAL, "value in the unit of the wire", unit="{IN}")
    K = Input(LREAL, "factor", default=1.0)
    OFFSET = Input(LREAL, "what is added after the factor", unit="{OUT}", default=0.0, difference=True)
    OUT = Output(LREAL, "IN * K + OFFSET", unit="{OUT}")

    def step(fb, dt):
        fb.OUT = fb.IN * fb.K + fb.OFFSET

    example = Example(
        K=1000.0,
        table="""
        IN   | OUT
        2.5  | 2500       # kW into W
        -1   | -1000
        nan  | nan
    """,
    )
