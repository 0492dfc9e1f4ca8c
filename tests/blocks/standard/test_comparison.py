"""GT, GE, EQ, LE, LT, NE, on all types; NaN as IEEE 754 says."""

from __future__ import annotations

import pytest

from blocks.declare import BOOL, DINT, LINT, LREAL, TIME
from blocks.standard.comparison import EQ, GE, GT, LE, LT, NE
from tests.aids.scan_table import scan

BELOW_EQUAL_ABOVE = {GT: "001", GE: "011", EQ: "010", LE: "110", LT: "100", NE: "101"}
PAIRS = {
    LREAL: ("-1.5 2.5", "2.5 2.5", "2.5 -1.5"),
    DINT: ("-7 3", "3 3", "3 -7"),
    LINT: ("4611686018427387904 4611686018427387905", "5 5", "4611686018427387905 4611686018427387904"),
    TIME: ("1ms 2ms", "2ms 2ms", "2s 2ms"),
    BOOL: ("0 1", "1 1", "1 0"),
}


@pytest.mark.parametrize("type", PAIRS, ids=repr)
@pytest.mark.parametrize("block", BELOW_EQUAL_ABOVE, ids=lambda b: b.name)
def test_below_equal_and_above(block, type):
    lines = [f"{pair} | {want}" for pair, want in zip(PAIRS[type], BELOW_EQUAL_ABOVE[block], strict=True)]
    scan(block, chosen=type, table="IN1 IN2 | OUT\n" + "\n".join(lines))


@pytest.mark.parametrize("block", BELOW_EQUAL_ABOVE, ids=lambda b: b.name)
def test_nan_is_neither_below_nor_equal_nor_above(block):
    want = "1" if block is NE else "0"
    scan(
        block,
        table=f"""
        IN1 IN2 | OUT
        nan 1   | {want}
        1   nan | {want}
        nan nan | {want}
    """,
    )


def test_the_two_zeros_are_equal():
    scan(
        EQ,
        table="""
        IN1 IN2  | OUT
        0.0 -0.0 | 1
    """,
    )
