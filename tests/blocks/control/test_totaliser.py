"""TOTALISER: power over time, without loss."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numba
import pytest

from blocks.control.totaliser import TOTALISER
from tests.aids.scan_table import SIGNATURE, Twin, scan


def many_scans(twin: Twin, count: int, dt: int) -> None:
    """The compiled kernel again and again on its first row, in a compiled loop."""
    kernel = SIGNATURE(twin.kernel.address)

    @numba.njit
    def run(addresses: Any, count: int, dt: int) -> None:
        for _ in range(count):
            kernel(addresses.ctypes, 1, 0, dt)

    run(twin._addresses, count, dt)


def test_it_counts_power_over_true_time():
    scan(
        TOTALISER,
        table="""
        dt    IN    | TOTAL WHOLE REST HELD
        1h    2     | 2     2     0    0
        15min 2     | 2.5   2     0.5  0
        30min -4    | 0.5   0     0.5  0
        30min -4    | -1.5  -2    0.5  0       # the rest is what is above the whole units
        1ms   3600  | -1.499 -2   0.501 0
    """,
    )


def test_a_value_that_cannot_be_counted_counts_nothing_and_is_told():
    scan(TOTALISER, dt="1h", table="IN | TOTAL HELD\n 5 | 5 0\n nan | 5 1\n inf | 5 1\n 1e300 | 5 1\n 5 | 10 0")


def test_a_zero_that_drifts_is_cut_off():
    scan(TOTALISER, dt="1h", CUTOFF=0.5, table="IN | TOTAL\n 0.49 | 0\n -0.49 | 0\n 0.5 | 0.5\n -0.5 | 0")


def test_it_rolls_over_like_a_meter_in_both_directions():
    scan(
        TOTALISER,
        dt="1h",
        ROLLOVER=100,
        table="IN | TOTAL WHOLE\n 99.5 | 99.5 99\n 1 | 0.5 0\n -1 | 99.5 99\n 1000.75 | 0.25 0\n -350 | 50.25 50",
    )


def test_a_reset_keeps_the_batch_and_a_stuck_reset_does_nothing():
    scan(
        TOTALISER,
        dt="1h",
        IN=2.5,
        table="""
        RESET | TOTAL BEFORE
        1     | 2.5   0          # stuck from the start
        0     | 5     0
        1     | 2.5   5
        1     | 5     5
    """,
    )


def test_small_increments_are_not_lost_on_a_large_total():
    """Ten years of 500 kW are 43.8 GWh; 1 W for an hour in 1 ms scans is a watt-hour more. A plain sum of doubles would
    add 0: a millisecond of it is 2.8e-10 kWh, and the last place of 4.38e7 is 7e-9."""
    assert 4.38e7 + 0.001 / 3.6e6 == 4.38e7
    twin = Twin(TOTALISER)
    for name, value in {"WHOLE": 43_800_000, "IN": 0.001}.items():
        twin.set(name, value)
    many_scans(twin, 3_600_000, 1_000_000)
    assert twin.columns["WHOLE"][0] == 43_800_000
    assert twin.columns["REST"][0] == pytest.approx(0.001, rel=1e-12)


@pytest.mark.slow
def test_a_hundred_million_increments_are_summed_exactly(deviation):
    """Twelve days of 10 ms scans at 0.1 kW, against exact fractions: a compensated sum in [0, 1) has an error of some 1e-16 in all,
    where a plain sum drifts by the square root of their number at best. The bar leaves room for one rounding of TOTAL near 28."""
    twin = Twin(TOTALISER)
    twin.set("IN", 0.1)
    many_scans(twin, 100_000_000, 10_000_000)
    exact = Fraction(0.1 * (1e7 / 3.6e12)) * 100_000_000
    counted = Fraction(int(twin.columns["WHOLE"][0])) + Fraction(float(twin.columns["REST"][0]))
    deviation("TOTALISER", "exact fractions", "1e8 increments of 0.1 kW in 10 ms", abs(float(counted - exact)), 1e-14, "kWh")
    assert twin.columns["TOTAL"][0] == pytest.approx(0.1 * 1e6 / 3600.0, rel=1e-15)


def test_a_cutoff_that_nobody_knows_is_held_and_said_so():
    scan(TOTALISER, IN=500.0, dt="1h", table="CUTOFF | TOTAL HELD\n 0 | 500 0\n nan | 500 1\n 0 | 1000 0")
