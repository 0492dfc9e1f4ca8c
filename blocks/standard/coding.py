"""Codes of integers: bits as an array and back, BCD, Gray, and whether a value is one at all (IS_VALID)."""

from __future__ import annotations

from blocks.arithmetic import div, is_finite, min
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, block
from blocks.standard.laws import own_bits

LARGEST_BCD = 99_999_999
BCD = "IEC 61131-3:2013, BCD conversions: four bits a decimal digit, eight digits in a DINT"
GRAY = "F. Gray, US patent 2632058 (1953): the reflected binary code"


@block(source="CODESYS Util library, UNPACK and DWORD_AS_BIT")
class UNPACK:
    """The 32 bits of a DINT as an array of BOOL: element 1 is the lowest bit, element 32 the sign."""

    IN = Input(DINT, "a status word")
    OUT = Output(Array(BOOL, 32), "its bits, the lowest first")

    def step(fb, dt):
        for i in range(32):
            fb.OUT[i] = (fb.IN >> i & 1) == 1

    example = Example(
        table="""
        IN  | OUT
        5   | [1,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
        -2  | [0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]
        0   | [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
    """
    )


@block(source="CODESYS Util library, PACK and BIT_AS_DWORD")
class PACK:
    """Up to 32 conditions as the bits of a DINT: element 1 is the lowest bit; what stands behind the 32nd is left out."""

    IN = Input(Array(BOOL, "N"), "the bits, the lowest first")
    OUT = Output(DINT, "a status word")

    def step(fb, dt):
        word = 0
        for i in range(min(len(fb.IN), 32)):
            word = word | ((1 << i) if fb.IN[i] else 0)
        fb.OUT = word

    example = Example(
        table="""
        IN        | OUT
        [0,0,0,0] | 0
        [1,0,0,0] | 1
        [1,0,1,0] | 5
        [1,1,1,1] | 15
    """
    )


@block(source=BCD)
class BCD_TO_DINT:
    """A number that stands in a DINT as eight decimal digits, four bits each; a digit above 9 is INVALID, and OUT is then 0."""

    IN = Input(DINT, "decimal digits, four bits each")
    OUT = Output(DINT, "the number", min=0, max=LARGEST_BCD)
    INVALID = Output(BOOL, "a digit of IN is above 9")

    def step(fb, dt):
        number = 0
        invalid = False
        for i in range(8):
            digit = fb.IN >> (28 - 4 * i) & 15
            invalid = invalid or digit > 9
            number = number * 10 + digit
        fb.OUT = 0 if invalid else number
        fb.INVALID = invalid

    example = Example(
        table="""
        IN          | OUT      INVALID
        4660        | 1234     0        # 16#1234
        -1719109785 | 99887767 0        # 16#99887767
        26          | 0        1        # 16#1A
        9           | 9        0
    """
    )


@block(source=BCD)
class DINT_TO_BCD:
    """A number as eight decimal digits of four bits each; one below 0 or above 99,999,999 is INVALID, and OUT is then 0."""

    IN = Input(DINT, "the number", min=0, max=LARGEST_BCD)
    OUT = Output(DINT, "its decimal digits, four bits each")
    INVALID = Output(BOOL, "IN has no eight digits")

    def step(fb, dt):
        digits = 0
        rest = fb.IN
        for i in range(8):
            tens = div(rest, 10)
            digits = digits | (rest - tens * 10) << 4 * i
            rest = tens
        fb.INVALID = fb.IN < 0 or fb.IN > LARGEST_BCD
        fb.OUT = 0 if fb.INVALID else digits

    example = Example(
        table="""
        IN        | OUT         INVALID
        1234      | 4660        0        # 16#1234
        99887767  | -1719109785 0        # 16#99887767
        100000000 | 0           1
        -1        | 0           1
    """
    )


@block(source="IEC 61131-3:2013, validation functions")
class IS_VALID_BCD:
    """Whether every four bits of a DINT are a decimal digit."""

    IN = Input(DINT, "decimal digits, four bits each")
    OUT = Output(BOOL, "no digit is above 9")

    def step(fb, dt):
        valid = True
        for i in range(8):
            valid = valid and (fb.IN >> 4 * i & 15) <= 9
        fb.OUT = valid

    example = Example(
        table="""
        IN          | OUT
        4660        | 1      # 16#1234
        -1717986919 | 1      # 16#99999999
        26          | 0      # 16#1A
        -1          | 0
    """
    )


@block(source="IEC 61131-3:2013, validation functions; IEC 60559 says what a finite number is")
class IS_VALID:
    """Whether an LREAL is a number: neither NaN nor infinite."""

    IN = Input(LREAL, "any LREAL", unit="{IN}")
    OUT = Output(BOOL, "IN is finite")

    def step(fb, dt):
        fb.OUT = is_finite(fb.IN)

    example = Example(
        table="""
        IN   | OUT
        2.5  | 1
        nan  | 0
        inf  | 0
        -inf | 0
        0    | 1
    """
    )


@block(source=GRAY)
class GRAY_TO_DINT:
    """The number that a Gray code of 32 bits stands for: an absolute encoder's word, of which one bit changes at a time."""

    IN = Input(DINT, "Gray code")
    OUT = Output(DINT, "the number")

    def step(fb, dt):
        bits = own_bits(fb.IN, 32)
        bits = bits ^ bits >> 16
        bits = bits ^ bits >> 8
        bits = bits ^ bits >> 4
        bits = bits ^ bits >> 2
        fb.OUT = bits ^ bits >> 1

    example = Example(
        table="""
        IN | OUT
        0  | 0
        1  | 1
        3  | 2
        2  | 3
        6  | 4
        -2147483648 | -1
    """
    )


@block(source=GRAY)
class DINT_TO_GRAY:
    """A number as Gray code of 32 bits: two neighbouring numbers differ in one bit."""

    IN = Input(DINT, "the number")
    OUT = Output(DINT, "Gray code")

    def step(fb, dt):
        bits = own_bits(fb.IN, 32)
        fb.OUT = bits ^ bits >> 1

    example = Example(
        table="""
        IN | OUT
        0  | 0
        1  | 1
        2  | 3
        3  | 2
        4  | 6
        -1 | -2147483648
    """
    )
