"""MEDIAN_SELECT: the middle of N."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.median_select import MEDIAN_SELECT
from tests.aids.scan_table import Twin, scan


@pytest.mark.parametrize("count", [1, 2, 3, 8, 15])
def test_it_is_the_median_of_the_good_ones(count, deviation):
    """The mean of two is rounded once more than numpy's, so the bar is a few units in the last place of values near 10."""
    chance = np.random.default_rng(count)
    twin = Twin(MEDIAN_SELECT, length=count)
    worst = 0.0
    for _ in range(60):
        values = np.round(chance.normal(0.0, 10.0, count), chance.integers(0, 3))  # rounded: equal values come often
        values[chance.random(count) < 0.2] = np.nan
        if not np.all(np.isnan(values)):
            twin.set("IN", list(values))
            twin.scan(10_000_000)
            worst = max(worst, abs(float(twin.get("OUT")) - float(np.nanmedian(values))))
            assert twin.get("GOOD") == np.sum(~np.isnan(values))
    deviation("MEDIAN_SELECT", "numpy 2 nanmedian", f"{count} values", worst, 1e-14)


def test_infinities_are_left_out_and_nothing_good_is_nan():
    scan(MEDIAN_SELECT, table="IN | OUT GOOD\n [inf,-inf,5] | 5 1\n [nan,inf,-inf] | nan 0\n [1,2,3] | 2 3")
