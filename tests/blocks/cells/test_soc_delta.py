"""SOC_DELTA: no jumps, never against the current, and both ends together with the estimate."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.soc_delta import SOC_DELTA
from tests.aids.scan_table import Twin, scan

MINUTE = 60_000_000_000


def run(first: float, then: float, amps: float, minutes: int, **params: float) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and display each minute, of 100 Ah: a start at `first`, then the estimate jumps to `then` and is counted."""
    twin = Twin(SOC_DELTA)
    for name, value in {"CAPACITY": 100.0, "I": 0.0, "IN": first, **params}.items():
        twin.set(name, value)
    twin.scan(MINUTE)
    twin.set("I", amps)
    estimate, shown = [], []
    for i in range(minutes):
        estimate.append(min(max(then - amps * i / 60.0, 0.0), 100.0))
        twin.set("IN", estimate[-1])
        twin.scan(MINUTE)
        shown.append(twin.get("SOC"))
    return np.array(estimate), np.array(shown)


@pytest.mark.parametrize(("first", "then"), [(50.0, 40.0), (40.0, 50.0), (60.0, 55.0), (30.0, 45.0)])
@pytest.mark.parametrize("amps", [50.0, -50.0, 5.0])
def test_it_moves_with_the_current_and_never_jumps(first, then, amps):
    _, shown = run(first, then, amps, 240)
    moved = np.diff(np.concatenate([[first], shown]))
    assert np.all(moved * -amps >= 0.0)
    assert np.max(np.abs(moved)) <= 3.0 * abs(amps) / 60.0 + 1e-9


@pytest.mark.parametrize(("first", "then"), [(50.0, 40.0), (40.0, 50.0)])
@pytest.mark.parametrize("amps", [20.0, -20.0])
def test_estimate_and_display_end_together(first, then, amps):
    """The law in closed form: the ratio of what is left on the display and in the cell stays, so both are 0 at once."""
    estimate, shown = run(first, then, amps, 60)
    left = (lambda soc: soc) if amps > 0 else (lambda soc: 100.0 - soc)
    factor = left(first) / left(then)
    assert left(shown) == pytest.approx(factor * (left(estimate) - abs(amps) / 60.0), abs=0.3)
    estimate, shown = run(first, then, amps, 400)
    assert abs(estimate[-1] - shown[-1]) < 1e-9


def test_at_rest_it_stands_still_and_tells_the_difference():
    scan(
        SOC_DELTA,
        CAPACITY=100.0,
        I=0.0,
        dt="1h",
        table="IN | SOC DELTA LARGE\n 50 | 50 0 0\n 46 | 50 -4 0\n 60 | 50 10 1\n 50 | 50 0 0",
    )


def test_the_factor_is_limited_both_ways():
    """Of 1 % counted: at most 3 % where the estimate is nearly empty, at least 1/3 % where the display is."""
    scan(SOC_DELTA, CAPACITY=100.0, dt="36s", table="IN I | SOC\n 50 0 | 50\n 2 100 | 47\n 0 100 | 44")
    scan(SOC_DELTA, CAPACITY=100.0, dt="36s", table="IN I | SOC\n 10 0 | 10\n 90 100 | ~9.666667")


@pytest.mark.parametrize("capacity", ["0", "-1", "nan"])
def test_without_a_capacity_it_is_held(capacity):
    scan(
        SOC_DELTA,
        I=100.0,
        dt="36s",
        table=f"IN CAPACITY | SOC HELD\n 50 100 | 50 0\n 49 {capacity} | 50 1\n 50 100 | 49 0",
    )


def test_a_dead_estimate_is_counted_on_and_a_dead_current_holds():
    scan(
        SOC_DELTA,
        CAPACITY=100.0,
        dt="36s",
        table="""
        IN  I    | SOC HELD
        nan 100  | 0   1       # nothing known yet
        50  0    | 50  0       # starts at the estimate
        nan 100  | 49  1
        nan -100 | 50  1
        50  nan  | 50  1
        50  100  | 49  0
    """,
    )
