"""The laws that blocks of the grid family share."""

from __future__ import annotations

import math

import pytest

from blocks.grid.laws import fill, held_integral, reservoir_soc


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
