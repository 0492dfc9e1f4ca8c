"""The scan table itself: it must fail where a block does not follow it, and show where."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.gate import GATE
from blocks.declare import LREAL
from blocks.scan_table import TableError
from blocks.standard.selection import FIRST_TRUE
from blocks.standard.timers import TON
from tests.aids.scan_table import Twin, same_bits, scan


def test_a_wrong_cell_is_shown_in_the_whole_table():
    with pytest.raises(AssertionError) as caught:
        scan(TON, PT="20ms", table="IN | Q ET\n 1 | 0 0ms\n 1 | 1 10ms\n 1 | 1 20ms")
    lines = str(caught.value).splitlines()
    assert lines[0] == "TON does not follow its table:"
    assert lines[3].startswith("> 1")
    assert "1 <-- got False" in lines[3]
    assert all("<--" not in line for line in (lines[1], lines[2], lines[4]))


@pytest.mark.parametrize("cell", ["2.5000001", "~2.4", "2.5kV", "nan", "3"])
def test_a_number_must_be_right(cell):
    with pytest.raises((AssertionError, KeyError)):
        scan(GATE, IN=2.5, EN=True, table=f"IN | OUT\n 2.5 | {'9' + cell if cell == '2.5kV' else cell}")


@pytest.mark.parametrize("cell", ["2.5", "~2.5", "~3", "~2", "-", "2.5kW"])
def test_a_number_that_is_right_passes(cell):
    scan(GATE, EN=True, table=f"IN | OUT\n 2.5 | {cell}")


def test_a_wrong_array_or_integer_fails():
    with pytest.raises(AssertionError):
        scan(FIRST_TRUE, table="IN | INDEX\n [0,1] | 0")


def test_a_pin_that_is_not_there_is_named():
    with pytest.raises(TableError, match="TON has no input DELAY"):
        scan(TON, table="IN DELAY | Q\n 1 5ms | 0")
    with pytest.raises(TableError, match="does not fit the header"):
        scan(TON, table="IN | Q ET\n 1 | 0")


def test_a_compiled_block_that_differs_is_caught():
    twin = Twin(TON)
    twin.set("PT", 10)
    twin.set("IN", True)
    twin.columns["PT"][3] = 0
    with pytest.raises(AssertionError, match=r"TON\.Q: plain \[0\], compiled \[1\] \(row 3\)"):
        twin.scan(1)


def test_bits_are_compared_and_not_values():
    def one(x: float) -> np.ndarray:
        return np.array([x], dtype=LREAL.code)

    assert same_bits(one(0.1), one(0.1))
    assert same_bits(one(np.nan), one(-np.nan))
    assert not same_bits(one(0.0), one(-0.0))
    assert not same_bits(one(1.0), one(np.nextafter(1.0, 2.0)))
    assert same_bits(one(1.0), one(np.nextafter(1.0, 2.0)), ulps=1)
    assert not same_bits(one(1.0), one(1.0 + 1e-15), ulps=1)
