"""VECTOR_SHIFT: steps of an angle."""

from __future__ import annotations

import pytest

from blocks.grid.vector_shift import VECTOR_SHIFT
from tests.aids.scan_table import Twin, scan


def test_a_step_beyond_the_limit_gives_a_pulse():
    scan(
        VECTOR_SHIFT,
        HOLD="40ms",
        dt="20ms",
        table="PHASE | SHIFT TRIP\n 0 | 0 0\n 8 | 8 0\n 17 | 9 1\n 17 | 0 1\n 17 | 0 0\n 5 | -12 1",
    )


def test_the_seam_of_the_angle_is_no_step():
    scan(VECTOR_SHIFT, dt="20ms", table="PHASE | SHIFT TRIP\n 179 | 0 0\n -179 | 2 0\n 179 | -2 0\n 539 | 0 0")


@pytest.mark.parametrize("hertz", [47.5, 49.9, 50.0, 51.5])
@pytest.mark.parametrize("dt", [10_000_000, 100_000_000, 1_000_000_000])
def test_a_frequency_that_is_off_lets_the_angle_drift_without_a_trip(hertz, dt):
    """Drift is 360 (F - F0) t; folded it jumps, the shift does not."""
    twin = Twin(VECTOR_SHIFT)
    twin.set("F", hertz)
    for i in range(60):
        twin.set("PHASE", (360.0 * (hertz - 50.0) * i * dt / 1e9 + 180.0) % 360.0 - 180.0)
        twin.scan(dt)
        assert abs(float(twin.get("SHIFT"))) < 1e-6
        assert not twin.get("TRIP")


def test_nothing_is_compared_across_a_gap():
    scan(
        VECTOR_SHIFT,
        table="""
        PHASE BLOCK | SHIFT TRIP BAD
        0     0     | 0     0    0
        nan   0     | 0     0    1
        90    0     | 0     0    0
        180   1     | 0     0    0
        0     0     | 0     0    0
        20    0     | 20    1    0
    """,
    )


@pytest.mark.parametrize("refresh", [1, 2, 5, 10, 20])
@pytest.mark.parametrize("hertz", [49.5, 50.0, 50.3])
def test_an_angle_that_is_refreshed_more_slowly_than_the_scan_does_not_trip(refresh, hertz):
    twin = Twin(VECTOR_SHIFT)
    twin.set("F", hertz)
    for i in range(300):
        taken = i - i % refresh
        twin.set("PHASE", (360.0 * (hertz - 50.0) * taken * 0.01 + 180.0) % 360.0 - 180.0)
        twin.scan(10_000_000)
        assert not twin.get("TRIP")
    twin.set("PHASE", twin.get("PHASE") + 20.0 + 360.0 * (hertz - 50.0) * (300 - 299 + 299 % refresh) * 0.01)
    twin.scan(10_000_000)
    assert twin.get("SHIFT") == pytest.approx(20.0)
    assert twin.get("TRIP")


@pytest.mark.parametrize("dt", [1_000_000, 5_000_000, 10_000_000])
def test_a_step_that_a_pll_spreads_over_its_time_constant_is_seen(dt):
    """20 degrees with 20 ms: the window of one period holds 1 - 1/e of them, 12.6."""
    twin = Twin(VECTOR_SHIFT)
    shifts = []
    for i in range(400):
        t = max(i * dt / 1e9 - 0.1, 0.0)
        twin.set("PHASE", 20.0 * (1.0 - 2.718281828459045 ** (-t / 0.02)))
        twin.scan(dt)
        shifts.append(float(twin.get("SHIFT")))
        if dt == 10_000_000 and i == 13:
            assert twin.get("TRIP")
    assert max(shifts) == pytest.approx(12.64, abs=0.5)


def test_a_scan_too_long_for_the_window_supervises_nothing_and_says_so():
    """30 mHz of error are 11 degrees in a second."""
    scan(VECTOR_SHIFT, table="dt PHASE | SHIFT TRIP BAD\n 1s 0 | 0 0 1\n 1s 30 | 0 0 1\n 20ms 30 | 0 0 0\n 20ms 31 | 1 0 0")


def test_a_block_ends_the_pulse():
    scan(VECTOR_SHIFT, dt="20ms", table="PHASE BLOCK | TRIP\n 0 0 | 0\n 20 0 | 1\n 20 1 | 0\n 20 0 | 0\n 25 0 | 0")


def test_a_broken_limit_is_passed():
    scan(VECTOR_SHIFT, dt="20ms", LIMIT=float("nan"), table="PHASE | TRIP\n 0 | 0\n 1 | 1")
