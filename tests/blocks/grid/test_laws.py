"""The laws that blocks of the grid family share."""

from __future__ import annotations

import math
import statistics

import pytest

from blocks.grid.laws import fill, grid_frequency, held_integral, is_curve, is_grid, median, reservoir_soc, response


def test_minutes_of_a_capacity_as_a_state_of_charge():
    """1 MW for 30 minutes is half a MWh: a quarter of 2 MWh."""
    assert reservoir_soc(1000.0, 2000.0, 30.0) == 25.0
    assert math.isnan(reservoir_soc(1000.0, 0.0, 30.0))


@pytest.mark.parametrize(
    ("amount", "weights", "rooms", "parts", "left"),
    [
        (6.0, [1.0, 2.0], [9.0, 9.0], [2.0, 4.0], 0.0),
        (6.0, [1.0, 2.0], [9.0, 3.0], [3.0, 3.0], 0.0),
        (6.0, [1.0, 1.0, 1.0], [1.0, 2.5, 9.0], [1.0, 2.5, 2.5], 0.0),
        (6.0, [0.0, 1.0, 0.0], [1.0, 3.0, 5.0], [0.5, 3.0, 2.5], 0.0),
        (6.0, [1.0, 1.0], [1.0, 2.0], [1.0, 2.0], 3.0),
        (6.0, [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 6.0),
        (0.0, [1.0, 1.0], [1.0, 2.0], [0.0, 0.0], 0.0),
        (364.0, [1.0, 2e-313], [363.0, 2.0], [363.0, 1.0], 0.0),
    ],
)
def test_water_filling(amount, weights, rooms, parts, left):
    filled = [7.0] * len(weights)
    assert fill(amount, weights, rooms, filled) == pytest.approx(left)
    assert filled == pytest.approx(parts)


def test_an_integral_grows_by_its_gain_in_its_reset_time_and_stays_in_its_limits():
    assert held_integral(1.0, 10.0, 0.5, 2.0, 1.0, -100.0, 100.0) == 3.5
    assert held_integral(99.0, 10.0, 0.5, 2.0, 1.0, -100.0, 100.0) == 100.0
    assert held_integral(-99.0, -10.0, 0.5, 2.0, 1.0, -100.0, 100.0) == -100.0
    assert held_integral(0.0, 10.0, 0.5, 2.0, 600.0, -100.0, 100.0) == 5.0, "a scan longer than the reset time counts as that"
    assert held_integral(5.0, 10.0, 0.5, 0.0, 1.0, -100.0, 100.0) == 0.0, "no reset time, no integral"
    assert held_integral(5.0, math.nan, 0.5, 2.0, 1.0, -100.0, 100.0) == 0.0


@pytest.mark.parametrize(
    ("f", "good"), [(50.0, True), (40.0, True), (60.0, True), (39.9, False), (60.1, False), (0.0, False), (math.inf, False)]
)
def test_a_frequency_that_no_grid_has_is_none(f, good):
    assert grid_frequency(f, 50.0) == f if good else math.isnan(grid_frequency(f, 50.0))


def test_a_curve_has_numbers_and_rises_or_stays():
    assert is_curve([0.9, 1.0, 1.0], [1.0, 0.0, -1.0])
    assert not is_curve([0.9, 1.0, 0.99], [1.0, 0.0, -1.0])
    assert not is_curve([0.9, math.nan, 1.0], [1.0, 0.0, -1.0])
    assert not is_curve([0.9, 1.0, 1.1], [math.inf, 0.0, -1.0])


@pytest.mark.parametrize(("part", "share", "exact"), [(0.1, 0.2043, 0.2057), (0.5, 0.645, 0.684), (1.0, 0.832, 0.9)])
def test_a_response_in_long_scans_is_as_slow_as_its_docstring_says(part, share, exact):
    assert response(int(part * 5e9), 5.0) == pytest.approx(share, abs=5e-4)
    assert 1.0 - 10.0**-part == pytest.approx(exact, abs=5e-4)


@pytest.mark.parametrize(
    "values", [[3.0], [1.0, 4.0], [5.0, 1.0, 3.0], [2.0, 2.0, 9.0], [4.0, 1.0, 4.0, 2.0], [7.0, 7.0, 7.0, 7.0, 1.0]]
)
def test_the_median_is_that_of_pythons_statistics(values):
    assert median(values, [True] * len(values), len(values)) == statistics.median(values)


def test_the_median_is_of_what_counts_and_is_a_number():
    assert median([1.0, 900.0, 3.0, math.nan, 8.0], [True, False, True, True, True], 3) == 3.0
    assert math.isnan(median([1.0, math.nan], [False, True], 0))


@pytest.mark.parametrize(
    ("frequency", "could_be"),
    [(50.0, True), (40.0, True), (60.0, True), (0.0, False), (39.9, False), (60.1, False), (math.nan, False)],
)
def test_a_grid_of_50_hz_is_between_40_and_60(frequency, could_be):
    assert is_grid(frequency) == could_be
