"""RATE_OF_CHANGE: the slope of a ramp, in true time, without a false alarm at the start."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.rate_of_change import RATE_OF_CHANGE
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize("window", [0, 10, 500, 5_000, 60_000])
def test_a_ramp_has_its_slope_however_time_is_cut(window, deviation):
    cuts = np.random.default_rng(1).integers(1, 30, 9000).cumsum() * 1e-3
    dts = np.round(np.diff(cuts, prepend=0.0) * 1e9).astype(int)
    seen = response(RATE_OF_CHANGE, {"IN": 20.0 + 2.5 * cuts}, dts, WINDOW=window * MS)
    error = np.max(np.abs(seen - 2.5)[cuts > cuts[0] + window * 1e-3])
    # rounding of 20 + 2.5 t (3e-14) over the window, 1 ms at least
    deviation("RATE_OF_CHANGE", "theory", f"ramp, window of {window} ms", error, 1e-9)


def test_it_forgets_within_its_window_and_a_60th():
    values = np.where(np.arange(1000) < 300, 0.0, 1.0)
    seen = response(RATE_OF_CHANGE, {"IN": values}, 10 * MS, WINDOW=2_000 * MS)
    # from the step on 1 over the window, or up to 1/60 and a scan less
    assert np.all((seen[300:500] <= 0.5) & (seen[300:500] > 0.5 / (1.0 + 1.0 / 60 + 0.02)))
    assert np.all(seen[505:] == 0.0)


def test_noise_is_as_small_as_promised():
    noise = np.random.default_rng(2).normal(0.0, 0.1, 5000)
    seen = response(RATE_OF_CHANGE, {"IN": noise}, 10 * MS, WINDOW=2_000 * MS)
    assert np.std(seen[500:]) == pytest.approx(np.sqrt(2.0) * 0.1 / 2.0, rel=0.05)


def test_it_starts_at_0_and_never_shows_too_much():
    noise = np.random.default_rng(3).uniform(-1.0, 1.0, 150)
    assert np.max(np.abs(response(RATE_OF_CHANGE, {"IN": 50.0 + noise}, 10 * MS, WINDOW=1_000 * MS))) <= 2.0
    scan(RATE_OF_CHANGE, WINDOW="1s", table="IN | OUT FULL\n 50 | 0 0\n 51 | 1 0")


def test_a_window_of_0_looks_at_the_scan_before():
    scan(RATE_OF_CHANGE, WINDOW="0s", dt="100ms", table="IN | OUT FULL\n 5 | 0 0\n 6 | 10 1\n 4 | -20 1")


def test_a_broken_value_is_shown_and_the_slope_is_right_after_it():
    scan(
        RATE_OF_CHANGE,
        WINDOW="300ms",
        dt="100ms",
        table="""
        IN  | OUT FULL
        nan | nan 0
        0   | 0   0
        1   | -   0
        2   | -   0
        nan | nan 1
        4   | 10  1
        inf | inf 1
        6   | 10  1
    """,
    )
