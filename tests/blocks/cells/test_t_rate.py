"""T_RATE: the slope of a temperature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from blocks.cells.t_rate import T_RATE
from tests.aids.scan_table import Twin, scan

MS = 1_000_000


@pytest.mark.parametrize("dt", [10, 100, 1000])
def test_a_steady_rise_is_shown_exactly_whatever_the_scan(dt):
    """3 K/min for ten time constants."""
    twin = Twin(T_RATE)
    twin.set("TAU", 10.0)
    for i in range(150_000 // dt + 1):
        twin.set("IN", 25.0 + 3.0 / 60.0 * i * dt / 1000.0)
        twin.scan(dt * MS)
    assert twin.get("RATE") == pytest.approx(3.0, rel=1e-4)


def test_its_step_response_is_that_of_the_filtered_derivative(deviation):
    """s/(1 + s T) on a step of 1 K: 60/T exp(-t/T) K/min, scipy."""
    twin = Twin(T_RATE)
    twin.set("TAU", 10.0)
    twin.set("IN", 25.0)
    twin.scan(10 * MS)
    times = np.arange(0, 60.0, 0.01)
    _, expected = signal.step(signal.lti([60.0, 0.0], [10.0, 1.0]), T=times)
    worst = 0.0
    twin.set("IN", 26.0)
    for i in range(1, len(times)):
        twin.scan(10 * MS)
        worst = max(worst, abs(twin.get("RATE") - expected[i]))
    # a scan of 10 ms is 1/1000 of T: half of it times 6 K/min is the error of a slope over the scan
    deviation("T_RATE", "scipy 1.17", "step response", worst, 0.004, "K/min")


def test_the_first_scan_and_the_way_back_from_a_dead_sensor_show_no_slope():
    scan(T_RATE, dt="1s", TAU=0, table="IN | RATE\n 40 | 0\n 41 | 60\n nan | nan\n inf | nan\n 20 | 0\n 19 | -60")


def test_a_sensor_in_steps_of_a_tenth_makes_little_noise():
    """0.1 K in 10 s of filter: 0.6 K/min at most, and it dies away."""
    scan(T_RATE, TAU=10, dt="10ms", table="x IN | RATE\n 1 25.0 | 0\n 1 25.1 | ~0.6\n 5000 25.1 | ~0.00")
