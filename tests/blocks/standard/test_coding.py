"""UNPACK and PACK, BCD, Gray, and the validations."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blocks.declare import BlockType
from blocks.plain import Instance
from blocks.standard.coding import BCD_TO_DINT, DINT_TO_BCD, DINT_TO_GRAY, GRAY_TO_DINT, IS_VALID, IS_VALID_BCD, PACK, UNPACK
from tests.aids.scan_table import scan

DINTS = st.integers(-(2**31), 2**31 - 1)


def read(block: BlockType, value: int) -> Instance:
    one = Instance(block)
    one.IN = value
    one.scan(1)
    return one


@given(DINTS)
def test_a_word_comes_apart_into_its_bits_and_together_again(word: int):
    bits = read(UNPACK, word).OUT.values
    assert bits == [bool(word >> i & 1) for i in range(32)]
    back = Instance(PACK, None, 32)
    back.IN = bits
    back.scan(1)
    assert back.OUT == word


def test_pack_takes_up_to_32_bits():
    scan(PACK, table="IN | OUT\n [1] | 1\n [0] | 0")
    scan(PACK, table=f"IN | OUT\n [{','.join('1' * 32)}] | -1\n [{','.join('0' * 31 + '1')}] | -2147483648")
    scan(PACK, table=f"IN | OUT\n [{','.join('0' * 32 + '11')}] | 0")  # the 33rd and 34th have no place


def test_bcd_is_what_its_hexadecimal_digits_say():
    for number in (0, 9, 10, 1234, 79999999, 80000000, 99999999):
        word = int(np.uint32(int(str(number), 16)).astype(np.int32))
        assert (read(BCD_TO_DINT, word).OUT, read(BCD_TO_DINT, word).INVALID) == (number, False)
        assert (read(DINT_TO_BCD, number).OUT, read(DINT_TO_BCD, number).INVALID) == (word, False)
        assert read(IS_VALID_BCD, word).OUT


def test_a_digit_above_nine_in_any_place_is_invalid():
    for place in range(8):
        for digit in range(10, 16):
            word = int(np.uint32(digit << 4 * place).astype(np.int32))
            assert (read(BCD_TO_DINT, word).OUT, read(BCD_TO_DINT, word).INVALID) == (0, True)
            assert not read(IS_VALID_BCD, word).OUT


def test_what_has_no_eight_digits_is_no_bcd():
    scan(DINT_TO_BCD, table="IN | OUT INVALID\n 100000000 | 0 1\n -1 | 0 1\n -2147483648 | 0 1\n 2147483647 | 0 1\n 5 | 5 0")


def test_gray_counts_as_the_table_of_the_reflected_code():
    for number, code in enumerate((0b0000, 0b0001, 0b0011, 0b0010, 0b0110, 0b0111, 0b0101, 0b0100, 0b1100)):
        assert read(DINT_TO_GRAY, number).OUT == code
        assert read(GRAY_TO_DINT, code).OUT == number


@given(DINTS)
def test_gray_comes_back_and_neighbours_differ_in_one_bit(number: int):
    code = int(read(DINT_TO_GRAY, number).OUT)
    assert read(GRAY_TO_DINT, code).OUT == number
    after = int(read(DINT_TO_GRAY, number + 1).OUT)
    assert ((code ^ after) & 0xFFFFFFFF).bit_count() == 1


def test_only_a_finite_number_is_valid():
    scan(IS_VALID, table="IN | OUT\n 0 | 1\n -1e308 | 1\n 5e-324 | 1\n nan | 0\n inf | 0\n -inf | 0")
