"""RIPPLE against numpy and waves that are known."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.ripple import RIPPLE
from tests.aids.scan_table import Twin, scan


def burst(x: np.ndarray, **params: float) -> Twin:
    twin = Twin(RIPPLE, None, len(x))
    for name, value in ({"FS": 10_000.0, "RATED": 800.0, "X": list(x)} | params).items():
        twin.set(name, value)
    twin.scan(10_000_000)
    return twin


def test_it_is_numpys_standard_deviation_and_range(deviation):
    x = np.random.default_rng(16).normal(750.0, 5.0, 1000)
    twin = burst(x)
    truth = {"MEAN": np.mean(x), "RMS": np.std(x), "PP": np.ptp(x), "FACTOR": 100.0 * np.std(x) / np.mean(x)}
    truth["TWICE"] = abs(np.fft.rfft(x)[10]) / 1000.0 * np.sqrt(2.0)
    worst = max(abs(float(twin.get(name)) - value) for name, value in truth.items())
    deviation("RIPPLE", "numpy 2.4", "mean, rms, range, factor, 100 Hz bin", worst, 1e-9, "of 750")


@pytest.mark.parametrize("grid", [50.0, 60.0])
def test_unbalanced_phases_show_at_twice_the_grids_frequency(grid):
    """10 V at twice the frequency, 3 V at the switching frequency's alias: one of them is TWICE."""
    t = np.arange(2000) / 10_000.0
    x = 700.0 + 10.0 * np.sqrt(2.0) * np.cos(4 * np.pi * grid * t) + 3.0 * np.sqrt(2.0) * np.cos(2 * np.pi * 3000.0 * t)
    twin = burst(x, F=grid)
    assert twin.get("TWICE") == pytest.approx(10.0, abs=1e-9)
    assert twin.get("RMS") == pytest.approx(np.sqrt(109.0), abs=1e-9)


def test_high_relates_to_the_rated_value_and_waits():
    scan(
        RIPPLE,
        FS=400.0,
        RATED=100.0,
        LIMIT=5.0,
        DELAY="20ms",
        table="X | RMS HIGH\n [1,-1,1,-1] | 1 0\n [56,44,56,44] | 6 0\n [56,44,56,44] | 6 1\n [55,45,55,45] | 5 0",
    )


def test_an_idle_line_has_no_factor_and_a_dead_sample_is_high():
    scan(RIPPLE, FS=400.0, RATED=100.0, DELAY="0s", table="X | FACTOR RMS HIGH\n [0,0] | 0 0 0\n [1,nan] | 0 nan 1\n [1,1] | 0 0 0")
