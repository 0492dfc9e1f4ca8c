"""The bit string functions of IEC 61131-3 on the integers of a wire: shifts, rotations, AND, OR, XOR, NOT, and single bits.

A DINT has 32 bits and a LINT 64, the highest of them being the sign; bits are numbered from 0, the lowest. One declaration serves
both types: a step counts in 64 bits, so `top` holds 2^32 in the type of the use, which a DINT drops and a LINT keeps.
"""

from __future__ import annotations

from blocks.arithmetic import mod
from blocks.declare import ANY_INT, BOOL, DINT, Example, Input, Output, Var, block
from blocks.standard.laws import bits_set, rotated_left, shifted_left, shifted_right, width_of

SHIFTS = "IEC 61131-3:2013, table 30 (bit shift functions)"
BITWISE = "IEC 61131-3:2013, table 31 (bitwise Boolean functions)"
TOP = 4294967296
TOP_DOC = "2^32 as the type of IN holds it: 0 in a DINT"


@block(source=SHIFTS)
class SHL:
    """IN moved up by N bits, with 0 from below. N from the type's width on gives 0; a negative N moves nothing."""

    IN = Input(ANY_INT, "bits")
    N = Input(DINT, "how far", min=0, max=64)
    OUT = Output(ANY_INT, "IN moved up by N")
    top = Var(ANY_INT, TOP_DOC)

    def step(fb, dt):
        fb.top = TOP
        fb.OUT = shifted_left(fb.IN, fb.N, width_of(fb.top))

    example = Example(
        chosen=DINT,
        table="""
        IN         N  | OUT
        5          0  | 5
        5          2  | 20
        1          31 | -2147483648
        1073741825 1  | -2147483646
        5          32 | 0
        5          -1 | 5
    """,
    )


@block(source=SHIFTS)
class SHR:
    """IN moved down by N bits, with 0 from above, not the sign. N from the width on gives 0; a negative N moves nothing."""

    IN = Input(ANY_INT, "bits")
    N = Input(DINT, "how far", min=0, max=64)
    OUT = Output(ANY_INT, "IN moved down by N")
    top = Var(ANY_INT, TOP_DOC)

    def step(fb, dt):
        fb.top = TOP
        fb.OUT = shifted_right(fb.IN, fb.N, width_of(fb.top))

    example = Example(
        chosen=DINT,
        table="""
        IN N  | OUT
        20 2  | 5
        21 2  | 5
        -1 1  | 2147483647      # not an arithmetic shift
        -1 31 | 1
        -1 32 | 0
        -1 -1 | -1
    """,
    )


@block(source=SHIFTS)
class ROL:
    """IN with its bits moved up by N, those that leave above coming in below. A negative N moves nothing."""

    IN = Input(ANY_INT, "bits")
    N = Input(DINT, "how far", min=0, max=64)
    OUT = Output(ANY_INT, "IN turned up by N")
    top = Var(ANY_INT, TOP_DOC)

    def step(fb, dt):
        fb.top = TOP
        fb.OUT = rotated_left(fb.IN, fb.N, width_of(fb.top))

    example = Example(
        chosen=DINT,
        table="""
        IN          N  | OUT
        5           1  | 10
        -2147483647 1  | 3
        5           32 | 5
        5           33 | 10
        5           -1 | 5
    """,
    )


@block(source=SHIFTS)
class ROR:
    """IN with its bits moved down by N, those that leave below coming in above. A negative N moves nothing."""

    IN = Input(ANY_INT, "bits")
    N = Input(DINT, "how far", min=0, max=64)
    OUT = Output(ANY_INT, "IN turned down by N")
    top = Var(ANY_INT, TOP_DOC)

    def step(fb, dt):
        fb.top = TOP
        width = width_of(fb.top)
        fb.OUT = rotated_left(fb.IN, width - mod(fb.N, width), width) if fb.N > 0 else fb.IN

    example = Example(
        chosen=DINT,
        table="""
        IN N  | OUT
        10 1  | 5
        3  1  | -2147483647
        5  32 | 5
        10 33 | 5
        5  -1 | 5
    """,
    )


@block(source=BITWISE, fold=("IN1", "IN2", "OUT"))
class BIT_AND:
    """The bits that are 1 in every input; AND for conditions is a block of its own."""

    IN1 = Input(ANY_INT, "first bits")
    IN2 = Input(ANY_INT, "second bits")
    OUT = Output(ANY_INT, "bits that are 1 in both")

    def step(fb, dt):
        fb.OUT = fb.IN1 & fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        12  10  | 8
        -1  255 | 255
        12  0   | 0
    """
    )


@block(source=BITWISE, fold=("IN1", "IN2", "OUT"))
class BIT_OR:
    """The bits that are 1 in at least one input; OR for conditions is a block of its own."""

    IN1 = Input(ANY_INT, "first bits")
    IN2 = Input(ANY_INT, "second bits")
    OUT = Output(ANY_INT, "bits that are 1 in one or both")

    def step(fb, dt):
        fb.OUT = fb.IN1 | fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        12  10  | 14
        -1  255 | -1
        12  0   | 12
    """
    )


@block(source=BITWISE, fold=("IN1", "IN2", "OUT"))
class BIT_XOR:
    """The bits that are 1 in an odd number of inputs."""

    IN1 = Input(ANY_INT, "first bits")
    IN2 = Input(ANY_INT, "second bits")
    OUT = Output(ANY_INT, "bits that differ")

    def step(fb, dt):
        fb.OUT = fb.IN1 ^ fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        12  10  | 6
        -1  255 | -256
        12  12  | 0
    """
    )


@block(source=BITWISE)
class BIT_NOT:
    """Every bit turned over: -1 is all ones."""

    IN = Input(ANY_INT, "bits")
    OUT = Output(ANY_INT, "the opposite bits")

    def step(fb, dt):
        fb.OUT = ~fb.IN

    example = Example(
        table="""
        IN  | OUT
        0   | -1
        5   | -6
        -1  | 0
    """
    )


@block(source="IEC 61131-3:2013, partial access to bit strings (%X); CODESYS Util library, EXTRACT")
class BIT_GET:
    """Whether bit N is 1; false for a bit that the type does not have."""

    IN = Input(ANY_INT, "bits")
    N = Input(DINT, "which one, the lowest being 0", min=0, max=63)
    OUT = Output(BOOL, "bit N of IN")
    top = Var(ANY_INT, TOP_DOC)

    def step(fb, dt):
        fb.top = TOP
        width = width_of(fb.top)
        fb.OUT = fb.N >= 0 and (shifted_right(fb.IN, fb.N, width) & 1) == 1

    example = Example(
        chosen=DINT,
        table="""
        IN N  | OUT
        5  0  | 1
        5  1  | 0
        5  2  | 1
        -1 31 | 1
        -1 32 | 0
    """,
    )


@block(source="IEC 61131-3:2013, partial access to bit strings (%X); CODESYS Util library, PUTBIT")
class BIT_PUT:
    """IN with bit N set to B; unchanged for a bit that the type does not have."""

    IN = Input(ANY_INT, "bits")
    N = Input(DINT, "which one, the lowest being 0", min=0, max=63)
    B = Input(BOOL, "the bit that is put there")
    OUT = Output(ANY_INT, "IN with bit N as B")

    def step(fb, dt):
        place = shifted_left(1, fb.N, 64) if fb.N >= 0 else 0
        fb.OUT = fb.IN | place if fb.B else fb.IN & ~place

    example = Example(
        chosen=DINT,
        table="""
        IN N  B | OUT
        0  3  1 | 8
        15 0  0 | 14
        15 0  1 | 15
        0  31 1 | -2147483648
        7  32 1 | 7
        7  -1 1 | 7
    """,
    )


@block(source="the population count, as in OSCAT BASIC, BIT_COUNT")
class BIT_COUNT:
    """How many bits of an integer are 1: alarms in a status word, say."""

    IN = Input(ANY_INT, "bits")
    OUT = Output(DINT, "how many are 1", min=0, max=64)
    top = Var(ANY_INT, TOP_DOC)

    def step(fb, dt):
        fb.top = TOP
        fb.OUT = bits_set(fb.IN, width_of(fb.top))

    example = Example(
        chosen=DINT,
        table="""
        IN          | OUT
        0           | 0
        7           | 3
        -1          | 32
        -2147483648 | 1
    """,
    )
