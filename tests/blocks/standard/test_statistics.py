"""STATISTICS_REAL and VARIANCE, weighted with time."""

from __future__ import annotations

import numpy as np

from blocks.declare import BlockType
from blocks.plain import Instance
from blocks.standard.statistics import STATISTICS_REAL, VARIANCE
from tests.aids.scan_table import scan

MS = 1_000_000


def feed(block: BlockType, values: np.ndarray, dts: np.ndarray) -> Instance:
    one = Instance(block)
    for value, dt in zip(values.tolist(), dts.tolist(), strict=True):
        one.IN = value
        one.scan(int(dt))
    return one


def test_the_extremes_are_those_since_the_reset():
    scan(STATISTICS_REAL, table="IN RESET | MN MX\n -5 0 | -5 -5\n 3 0 | -5 3\n 0 0 | -5 3\n 1 1 | 1 1\n 2 0 | 1 2")


def test_a_broken_value_leaves_no_trace():
    for block, out in ((STATISTICS_REAL, "AVG"), (VARIANCE, "OUT")):
        clean, dirty = Instance(block), Instance(block)
        for value in (1.0, 2.0, 6.0):
            for one in (clean, dirty):
                one.IN = value
                one.scan(10 * MS)
            for broken in (np.nan, np.inf, -np.inf):
                dirty.IN = broken
                dirty.scan(10 * MS)
                assert dirty.HELD
        assert getattr(clean, out) == getattr(dirty, out)


def test_a_broken_first_value_and_a_broken_reset_wait_for_a_good_one():
    scan(STATISTICS_REAL, table="IN RESET | MN MX AVG HELD\n nan 0 | 0 0 0 1\n 7 0 | 7 7 7 0\n nan 1 | 7 7 7 1\n 9 0 | 9 9 9 0")
    scan(VARIANCE, table="IN RESET | OUT HELD\n nan 0 | 0 1\n 7 0 | 0 0\n 9 0 | 1 0\n nan 1 | 1 1\n 9 0 | 0 0")


def test_mean_and_variance_are_numpys_with_even_and_uneven_scans(deviation):
    chance = np.random.default_rng(7)
    values = chance.normal(50.0, 0.02, 2000)
    for name, dts in (("even scans", np.full(2000, 10 * MS)), ("uneven scans", chance.integers(MS, 100 * MS, 2000))):
        mean = np.average(values, weights=dts)
        variance = np.average((values - mean) ** 2, weights=dts)
        # 2000 updates of one rounding each, of a mean of 50 and a variance of 4e-4
        deviation("STATISTICS_REAL", "numpy 2.4", name, abs(feed(STATISTICS_REAL, values, dts).AVG - mean), 2000 * 7e-15, "Hz")
        deviation("VARIANCE", "numpy 2.4", name, abs(feed(VARIANCE, values, dts).OUT / variance - 1) * 100, 1e-8, "%")


def test_a_large_mean_does_not_drown_a_small_variance():
    """Squares of 1e9 have no digits left for 22.5: the sum of squares would answer -170 or so (Welford's classic)."""
    values = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
    assert abs(feed(VARIANCE, values, np.full(4, 10 * MS)).OUT - 22.5) < 1e-6
