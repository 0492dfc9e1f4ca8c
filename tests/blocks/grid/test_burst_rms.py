"""BURST_RMS against numpy."""

from __future__ import annotations

import math

import numpy as np

from blocks.grid.burst_rms import BURST_RMS
from tests.aids.scan_table import Twin, scan


def test_it_is_numpys(deviation):
    x = np.random.default_rng(13).normal(50.0, 100.0, 1000)
    twin = Twin(BURST_RMS, None, len(x))
    twin.set("X", list(x))
    twin.scan(1)
    truth = {"RMS": np.sqrt(np.mean(x**2)), "MEAN": np.mean(x), "RMS_AC": np.std(x), "PEAK": np.max(np.abs(x))}
    worst = max(abs(float(twin.get(name)) - value) for name, value in truth.items())
    deviation("BURST_RMS", "numpy 2.4", "1,000 samples", worst, 1e-11, "of 100")  # a sum of 1,000 rounds a thousand times


def test_a_sine_has_a_crest_of_the_root_of_two_and_an_offset_counts_in():
    x = [10.0 * math.sin(2 * math.pi * i / 80) for i in range(80)]
    twin = Twin(BURST_RMS, None, 80)
    twin.set("X", x)
    twin.scan(1)
    assert abs(twin.get("CREST") - math.sqrt(2.0)) < 1e-12
    twin.set("X", [v + 10.0 for v in x])
    twin.scan(1)
    assert abs(twin.get("RMS") - math.sqrt(150.0)) < 1e-12
    assert abs(twin.get("RMS_AC") - math.sqrt(50.0)) < 1e-12


def test_a_large_mean_does_not_swallow_a_small_ripple():
    """1 million with +-0.001: the difference of squares would leave nothing of it."""
    twin = Twin(BURST_RMS, None, 4)
    twin.set("X", [1e6 + 0.001, 1e6 - 0.001] * 2)
    twin.scan(1)
    assert abs(twin.get("RMS_AC") - 0.001) < 1e-9


def test_a_dead_sample_anywhere_is_shown_and_forgotten():
    scan(
        BURST_RMS,
        table="X | RMS PEAK CREST OK\n [1,nan] | nan nan 0 0\n [nan,1] | nan nan 0 0\n [1,inf] | nan nan 0 0\n [1,1] | 1 1 1 1",
    )
