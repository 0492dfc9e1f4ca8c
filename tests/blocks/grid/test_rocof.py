"""ROCOF: ramps whose slope is known, and what noise does to it."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.rocof import ROCOF
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import our_run


@pytest.mark.parametrize("dt", [0.001, 0.01, 0.02, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("slope", [2.0, -0.5])
def test_a_ramp_is_measured_exactly_whatever_the_scan(dt, slope):
    f = 50.0 + slope * dt * np.arange(round(3.0 / dt) + 3)
    seen = our_run(ROCOF, {}, dt, {"F": f}, ("RATE", "READY"))
    full = np.arange(len(f)) * dt >= 0.5 + 0.5 / 16 + dt
    assert np.all(seen["READY"][full])
    assert np.max(np.abs(seen["RATE"][full] - slope)) < 1e-9


@pytest.mark.parametrize("dt", [0.001, 0.01, 0.1])
def test_after_a_kink_the_new_slope_shows_within_the_window_and_a_sixteenth(dt):
    t = dt * np.arange(round(3.0 / dt))
    f = 50.0 - np.maximum(t - 1.5, 0.0)
    rate = our_run(ROCOF, {}, dt, {"F": f}, "RATE")
    assert np.all(rate[t <= 1.5] == pytest.approx(0.0))
    assert rate[t >= 1.5 + 0.5 * 17 / 16 + 2 * dt] == pytest.approx(-1.0, abs=1e-9)
    half = int(np.argmax(t >= 1.75))
    assert rate[half] == pytest.approx(-0.5, abs=0.04 + dt / 0.5)


def test_noise_of_one_measurement_shows_divided_by_the_window():
    """+-5 mHz at random over 500 ms: never more than 2 * 5 mHz / 500 ms = 20 mHz/s, and near it sooner or later."""
    noise = 0.005 * np.random.default_rng(4).choice([-1.0, 1.0], 2000)
    rate = our_run(ROCOF, {}, 0.01, {"F": 50.0 + noise}, "RATE")
    assert np.max(np.abs(rate)) <= 0.02 + 1e-12
    assert np.max(np.abs(rate)) > 0.018


def test_it_trips_after_the_delay_and_not_on_a_short_burst():
    scan(
        ROCOF,
        WINDOW="20ms",
        LIMIT=1.0,
        DELAY="30ms",
        table="""
        F     | RATE  TRIP
        50    | 0     0
        50    | 0     0
        50    | 0     0
        49.96 | ~-2.0 0
        49.96 | ~-2.0 0
        49.96 | 0     0
        49.92 | ~-2.0 0
        49.90 | ~-3.0 0
        49.88 | ~-2.0 1      # 30 ms above 1 Hz/s
        49.87 | ~-1.5 1
        49.87 | ~-0.5 0
    """,
    )


def test_a_dead_frequency_counts_as_too_fast_and_the_window_fills_anew():
    scan(
        ROCOF,
        WINDOW="20ms",
        DELAY="20ms",
        table="F | RATE READY TRIP\n 50 | 0 0 0\n nan | nan 0 0\n nan | nan 0 1\n 49 | 0 0 0\n 49 | 0 0 0\n 49 | 0 1 0",
    )


def test_short_losses_of_the_frequency_keep_the_window():
    """A NaN in each fifth scan of 20 ms: the slope of -1 Hz/s is measured all the same."""
    t = 0.02 * np.arange(200)
    f = np.where(np.arange(200) % 5 == 4, np.nan, 50.0 - t)
    seen = our_run(ROCOF, {}, 0.02, {"F": f}, ("RATE", "READY", "TRIP"))
    good = np.isfinite(f) & (t > 0.6)
    assert np.all(seen["READY"][good])
    assert seen["RATE"][good] == pytest.approx(-1.0, abs=1e-9)
    assert not np.any(seen["TRIP"])


def test_one_lost_sample_does_not_trip_but_a_running_timer_counts_on():
    scan(
        ROCOF,
        WINDOW="20ms",
        LIMIT=1.0,
        table="x F | READY TRIP\n 3 50 | 1 0\n 1 nan | 0 0\n 1 50 | 1 0\n 1 49.9 | 1 1\n 1 nan | 0 1",
    )
    scan(ROCOF, WINDOW="20ms", LIMIT=1.0, DELAY="30ms", table="F | TRIP\n 50 | 0\n 50 | 0\n 50 | 0\n 49.9 | 0\n nan | 0\n 49.7 | 1")


def test_a_pll_that_starts_has_no_rate():
    scan(
        ROCOF, WINDOW="20ms", table="x F | RATE READY TRIP\n 1 0 | 0 0 0\n 2 50 | 0 0 0\n 1 50 | 0 1 0\n 1 0 | 0 0 0\n 1 50 | 0 0 0"
    )


def test_a_block_stops_everything():
    scan(
        ROCOF,
        WINDOW="20ms",
        LIMIT=1.0,
        table="x F BLOCK | RATE READY TRIP\n 3 50 0 | 0 1 0\n 9 nan 1 | 0 0 0\n 2 48 0 | 0 0 0\n 1 48 0 | 0 1 0\n 1 40 1 | 0 0 0",
    )


def test_a_broken_limit_is_passed():
    scan(ROCOF, WINDOW="20ms", LIMIT=float("nan"), table="x F | TRIP\n 2 50 | 0\n 1 50 | 1")
