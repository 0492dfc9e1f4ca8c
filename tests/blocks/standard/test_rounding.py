"""ROUND, CEIL, SIGN."""

from __future__ import annotations

import numpy as np

from blocks.declare import DINT, TIME
from blocks.plain import Instance
from blocks.standard.rounding import CEIL, ROUND, SIGN
from tests.aids.scan_table import scan


def test_a_half_goes_to_the_even_number():
    scan(ROUND, table="IN | OUT\n 0.5 | 0\n 1.5 | 2\n 2.5 | 2\n 3.5 | 4\n -0.5 | 0\n -1.5 | -2\n -2.5 | -2")


def test_rounding_meets_ieee_754_where_adding_a_half_would_not():
    """0.49999999999999994 + 0.5 is 1.0, and numbers from 2^52 on have no fraction to add to."""
    scan(
        ROUND,
        table="""
        IN                  | OUT
        0.49999999999999994 | 0
        4503599627370495.5  | 4503599627370496
        4503599627370497    | 4503599627370497
        -1e300              | -1e300
        inf                 | inf
        -inf                | -inf
        nan                 | nan
    """,
    )


def test_rounding_is_numpys_rint(deviation):
    chance = np.random.default_rng(5)
    one, worst = Instance(ROUND), 0.0
    for x in np.concatenate([chance.normal(0, 1e3, 1000), chance.integers(-1000, 1000, 1000) / 2.0]).tolist():
        one.IN = x
        one.scan(1)
        worst = max(worst, abs(one.OUT - np.rint(x)))
    deviation("ROUND", "numpy 2.4", "rint", worst, 0.0)  # a rounding is right or wrong


def test_ceil_goes_up():
    scan(CEIL, table="IN | OUT\n 2.1 | 3\n 2 | 2\n -2.9 | -2\n -0.5 | 0\n 1e300 | 1e300\n inf | inf\n -inf | -inf\n nan | nan")


def test_sign_of_every_kind_of_number():
    scan(SIGN, table="IN | OUT\n 3.5 | 1\n -0.0 | 0\n -1e-300 | -1\n inf | 1\n -inf | -1\n nan | 0")
    scan(SIGN, chosen=DINT, table="IN | OUT\n 7 | 1\n 0 | 0\n -2147483648 | -1")
    scan(SIGN, chosen=TIME, table="IN | OUT\n 1ns | 1\n 0s | 0\n -5s | -1")
