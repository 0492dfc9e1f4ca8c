"""CYCLE_COUNTER: throughput by twice the capacity."""

from __future__ import annotations

import pytest

from blocks.cells.cycle_counter import CYCLE_COUNTER
from tests.aids.scan_table import SIGNATURE, Twin, scan

MS = 1_000_000


def test_emptied_and_filled_is_one_cycle_however_it_is_done():
    scan(CYCLE_COUNTER, CAPACITY=100, dt="1h", table="I | FULL\n 100 | 0.5\n -50 | 0.75\n -50 | 1\n 25 | 1.125\n -25 | 1.25")


def test_a_corrected_capacity_acts_on_all_cycles():
    scan(CYCLE_COUNTER, dt="1h", table="CAPACITY I | FULL THROUGHPUT\n 100 100 | 0.5 100\n 200 100 | 0.5 200\n 100 0 | 1 200")


def test_without_a_capacity_nothing_is_divided():
    scan(
        CYCLE_COUNTER,
        dt="1h",
        table="""
        CAPACITY I   | FULL THROUGHPUT HELD
        0        100 | 0    100        1
        100      0   | 0.5  100        0
        0        100 | 0.5  200        1
        nan      0   | 0.5  200        1
        inf      0   | 0.5  200        1
        100      0   | 1    200        0
    """,
    )


def test_the_offset_and_a_dead_current_are_not_counted():
    scan(CYCLE_COUNTER, CAPACITY=100, I_ZERO=1, dt="1h", table="I | FULL HELD\n 0.9 | 0 0\n nan | 0 1\n inf | 0 1\n -100 | 0.5 0")


def test_it_starts_where_the_battery_is_and_a_reset_goes_back_there():
    scan(CYCLE_COUNTER, CAPACITY=100, START=700, dt="1h", table="I RESET | FULL\n 100 0 | 700.5\n 100 1 | 700.5\n 100 1 | 701")


def test_small_scans_are_not_lost_after_years(deviation):
    """1e9 Ah behind it, then a million scans of 10 ms at 1 A."""
    twin = Twin(CYCLE_COUNTER)
    for name, value in {"I": 1.0, "CAPACITY": 0.5, "total": 1e9}.items():
        twin.set(name, value)
    for _ in range(1_000_000):
        SIGNATURE(twin.kernel.address)(twin._addresses.ctypes.data, 1, 0, 10 * MS)
    found = twin.columns["FULL"][0] - 1e9
    # the unit in the last place of 1e9 is 1.2e-7
    deviation("CYCLE_COUNTER", "exact product", "1e6 scans on 1e9 Ah", abs(found - 1e6 * 0.01 / 3600.0), 1.2e-7, "cycles")
    assert found == pytest.approx(2.7777777, rel=1e-6)
