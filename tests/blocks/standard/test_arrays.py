"""SUM_OF, MEAN_OF, MIN_OF, MAX_OF, COUNT_TRUE, ANY_OF, ALL_OF."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.declare import DINT, LINT, TIME
from blocks.plain import Instance
from blocks.standard.arrays import ALL_OF, ANY_OF, COUNT_TRUE, MAX_OF, MEAN_OF, MIN_OF, SUM_OF
from tests.aids.scan_table import scan


def test_a_sum_is_of_all_and_wraps_where_integers_do():
    scan(SUM_OF, table="IN | OUT\n [1.5,2.5,-1] | 3\n [1,nan,1] | nan\n [1,inf,1] | inf")
    scan(SUM_OF, table="IN | OUT\n [7] | 7")
    scan(SUM_OF, chosen=DINT, table="IN | OUT\n [2147483647,1] | -2147483648")
    scan(SUM_OF, chosen=TIME, table="IN | OUT\n [1s,20ms,3ns] | 1020000003ns")


def test_a_sum_of_lints_keeps_all_their_bits():
    scan(SUM_OF, chosen=LINT, table="IN | OUT\n [9007199254740993,1] | 9007199254740994")


def test_a_mean_shows_a_broken_value():
    scan(MEAN_OF, table="IN | OUT\n [1,2,6] | 3\n [1,nan,6] | nan\n [inf,1,1] | inf\n [inf,-inf,1] | nan")
    scan(MEAN_OF, table="IN | OUT\n [7] | 7")


def test_mean_is_numpys(deviation):
    values = np.random.default_rng(2).normal(3.3, 0.05, 256)
    one = Instance(MEAN_OF, None, 256)
    one.IN = values
    one.scan(1)
    # Summing one after another is off by at most 256 half units in the last place (Higham), NumPy's pairs by fewer.
    deviation("MEAN_OF", "numpy 2.4", "mean of 256 cells", abs(one.OUT - values.mean()), 256 * 2.3e-16 * 3.5, "V")


@pytest.mark.parametrize(("block", "want", "place"), [(MIN_OF, -2, 2), (MAX_OF, 5, 3)], ids=["MIN_OF", "MAX_OF"])
def test_the_extreme_and_where_it_stands(block, want, place):
    scan(block, table=f"IN | OUT INDEX\n [1,-2,5,0] | {want} {place}\n [3,3,3,3] | 3 1")
    scan(block, table="IN | OUT INDEX\n [4] | 4 1\n [nan] | nan 1\n [-inf] | -inf 1")
    scan(block, chosen=DINT, table=f"IN | OUT INDEX\n [1,-2,5,0] | {want} {place}")


@pytest.mark.parametrize("block", [MIN_OF, MAX_OF], ids=lambda b: b.name)
def test_a_nan_comes_out_wherever_it_stands_and_the_first_one_counts(block):
    scan(
        block,
        table="IN | OUT INDEX\n [nan,1,2] | nan 1\n [1,nan,2] | nan 2\n [1,2,nan] | nan 3\n [1,nan,nan] | nan 2\n [2,2,2] | 2 1",
    )


def test_an_extreme_of_lints_keeps_all_its_bits():
    scan(MAX_OF, chosen=LINT, table="IN | OUT INDEX\n [9007199254740992,9007199254740993] | 9007199254740993 2")


def test_conditions_are_counted():
    scan(COUNT_TRUE, table="IN | OUT\n [0,0,0,0] | 0\n [1,0,1,1] | 3\n [1,1,1,1] | 4")
    scan(ANY_OF, table="IN | OUT\n [0,0,0] | 0\n [0,0,1] | 1\n [1,0,0] | 1")
    scan(ALL_OF, table="IN | OUT\n [1,1,1] | 1\n [1,1,0] | 0\n [0,1,1] | 0")
    scan(ANY_OF, table="IN | OUT\n [0] | 0\n [1] | 1")
    scan(ALL_OF, table="IN | OUT\n [0] | 0\n [1] | 1")
