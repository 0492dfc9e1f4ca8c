"""Shifts, rotations and single bits, on 32 and on 64 bits, against Python's unbounded integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from blocks.declare import DINT, LINT, BlockType, Type
from blocks.plain import Instance
from blocks.standard.bit_strings import BIT_AND, BIT_COUNT, BIT_GET, BIT_NOT, BIT_OR, BIT_PUT, BIT_XOR, ROL, ROR, SHL, SHR
from tests.aids.scan_table import scan

WIDTHS = {DINT: 32, LINT: 64}
LAWS: dict[BlockType, Callable[[int, int, int], int]] = {  # on an unsigned integer of w bits
    SHL: lambda x, n, w: x << n,
    SHR: lambda x, n, w: x >> n,
    ROL: lambda x, n, w: x << n % w | x >> (w - n % w),
    ROR: lambda x, n, w: x >> n % w | x << (w - n % w),
}


def signed(bits: int, width: int) -> int:
    bits %= 1 << width
    return bits - (1 << width) if bits >> (width - 1) else bits


def answer(block: BlockType, chosen: Type, value: int, n: int) -> int:
    instance = Instance(block, chosen)
    instance.IN, instance.N = value, n
    instance.scan(1)
    return int(instance.OUT)


@pytest.mark.parametrize("chosen", WIDTHS, ids=repr)
@pytest.mark.parametrize("block", LAWS, ids=lambda b: b.name)
def test_every_count_moves_the_bits_as_on_paper(block: BlockType, chosen: Type):
    width, chance = WIDTHS[chosen], np.random.default_rng(8)
    for n in [*range(2 * width + 2), 1000, 2**31 - 1]:
        bits = int.from_bytes(chance.bytes(width // 8), "little")
        far = block in (SHL, SHR) and n >= width
        want = 0 if far else LAWS[block](bits, n, width)
        assert answer(block, chosen, signed(bits, width), n) == signed(want, width), n


@pytest.mark.parametrize("chosen", WIDTHS, ids=repr)
@pytest.mark.parametrize("block", LAWS, ids=lambda b: b.name)
def test_a_negative_count_moves_nothing(block: BlockType, chosen: Type):
    for n in (-1, -32, -64, -(2**31)):
        assert answer(block, chosen, -77, n) == -77


@pytest.mark.parametrize("chosen", WIDTHS, ids=repr)
def test_turning_up_and_down_again_is_no_turn(chosen: Type):
    for n in range(70):
        assert answer(ROR, chosen, answer(ROL, chosen, -123456789, n), n) == -123456789


def test_the_sign_is_a_bit_like_any_other_when_compiled_too():
    scan(
        SHR,
        chosen=DINT,
        table="IN N | OUT\n -1 1 | 2147483647\n -1 31 | 1\n -2147483648 31 | 1\n -1 32 | 0\n -1 63 | 0\n -1 64 | 0",
    )
    scan(SHR, chosen=LINT, table="IN N | OUT\n -1 1 | 9223372036854775807\n -1 32 | 4294967295\n -1 63 | 1\n -1 64 | 0")
    scan(SHL, chosen=DINT, table="IN N | OUT\n 1 31 | -2147483648\n 1 32 | 0\n 1 40 | 0\n 3 31 | -2147483648")
    scan(SHL, chosen=LINT, table="IN N | OUT\n 1 32 | 4294967296\n 1 63 | -9223372036854775808\n 1 64 | 0")
    scan(ROL, chosen=DINT, table="IN N | OUT\n -2147483648 1 | 1\n 1 31 | -2147483648\n 6 64 | 6")
    scan(ROL, chosen=LINT, table="IN N | OUT\n -9223372036854775808 1 | 1\n 1 63 | -9223372036854775808\n 6 32 | 25769803776")
    scan(ROR, chosen=DINT, table="IN N | OUT\n 1 1 | -2147483648\n 6 32 | 6")
    scan(ROR, chosen=LINT, table="IN N | OUT\n 1 1 | -9223372036854775808\n 6 64 | 6")


def test_and_or_xor_not_work_on_each_bit():
    scan(BIT_AND, chosen=DINT, table="IN1 IN2 | OUT\n 12 10 | 8\n -1 -2147483648 | -2147483648\n -8 12 | 8")
    scan(BIT_OR, chosen=DINT, table="IN1 IN2 | OUT\n 12 10 | 14\n 1 -2147483648 | -2147483647")
    scan(BIT_XOR, chosen=DINT, table="IN1 IN2 | OUT\n 12 10 | 6\n -1 1 | -2")
    scan(BIT_NOT, chosen=DINT, table="IN | OUT\n 0 | -1\n -2147483648 | 2147483647")
    scan(BIT_AND, chosen=LINT, table="IN1 IN2 | OUT\n -1 4294967296 | 4294967296")
    scan(BIT_NOT, chosen=LINT, table="IN | OUT\n 4294967295 | -4294967296")


def test_the_ones_that_take_any_number_of_operands_say_so():
    assert BIT_AND.fold == BIT_OR.fold == BIT_XOR.fold == ("IN1", "IN2", "OUT")


def test_a_bit_is_taken_out_by_its_number():
    scan(BIT_GET, chosen=DINT, table="IN N | OUT\n 6 0 | 0\n 6 1 | 1\n -1 31 | 1\n -1 32 | 0\n -1 63 | 0\n -1 -1 | 0")
    scan(BIT_GET, chosen=LINT, table="IN N | OUT\n -1 32 | 1\n -1 63 | 1\n 9223372036854775807 63 | 0\n -1 64 | 0")


def test_a_bit_is_put_in_by_its_number_and_no_other_moves():
    scan(
        BIT_PUT,
        chosen=DINT,
        table="IN N B | OUT\n 6 0 1 | 7\n 6 1 0 | 4\n -1 31 0 | 2147483647\n 6 32 1 | 6\n 6 -1 1 | 6\n 6 64 1 | 6",
    )
    scan(BIT_PUT, chosen=LINT, table="IN N B | OUT\n 0 32 1 | 4294967296\n -1 63 0 | 9223372036854775807\n 6 64 1 | 6")


@pytest.mark.parametrize("chosen", WIDTHS, ids=repr)
def test_the_bits_of_an_integer_are_counted(chosen: Type):
    width, chance = WIDTHS[chosen], np.random.default_rng(9)
    one = Instance(BIT_COUNT, chosen)
    for bits in [0, 1, 2**width - 1, 2 ** (width - 1), *(int.from_bytes(chance.bytes(width // 8), "little") for _ in range(200))]:
        one.IN = signed(bits, width)
        one.scan(1)
        assert one.OUT == bits.bit_count()
