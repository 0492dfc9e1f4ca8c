"""MOVING_AVERAGE against numpy, and what a running sum would get wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.control.moving_average import MOVING_AVERAGE
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


def windows(values: np.ndarray, size: int) -> list[np.ndarray]:
    return [values[max(0, i - size + 1) : i + 1] for i in range(len(values))]


@pytest.mark.parametrize("size", [1, 2, 50, 128])
def test_it_is_the_mean_of_the_window(size, deviation):
    noise = np.random.default_rng(1).normal(0.0, 1.0, 1000)
    wanted = np.array([math.fsum(w) / len(w) for w in windows(noise, size)])
    error = np.max(np.abs(response(MOVING_AVERAGE, {"IN": noise}, MS, SIZE=size) - wanted))
    # plain summation of up to 128 numbers against fsum
    deviation("MOVING_AVERAGE", "math.fsum", f"noise, {size} samples", error, 1e-14)


def test_a_huge_value_leaves_no_trace():
    """A running sum would keep the rounding of 1e6 + 0.1 - 1e6 for ever."""
    scan(
        MOVING_AVERAGE,
        SIZE=3,
        table="x IN | OUT\n 3 1000000 | 1000000\n 3 0.1 | 0.1\n 1 3e300 | 1e300\n 3 0.1 | 0.1",
    )
    values = np.random.default_rng(2).normal(0.0, 1e-6, 20_000)
    values[:10_000:3] += 1e6
    seen = response(MOVING_AVERAGE, {"IN": values}, MS, SIZE=16)
    assert abs(seen[-1] - math.fsum(values[-16:]) / 16) < 1e-20


def test_a_ripple_of_the_windows_length_is_taken_out():
    ripple = 5.0 + np.sin(2.0 * np.pi * np.arange(500) / 20.0)
    assert np.max(np.abs(response(MOVING_AVERAGE, {"IN": ripple}, MS, SIZE=20)[20:] - 5.0)) < 1e-14


def test_a_sample_in_every_so_long_makes_the_window_a_time():
    scan(
        MOVING_AVERAGE,
        SIZE=2,
        EVERY="30ms",
        table="""
        IN | OUT COUNT
        1  | 1   1
        2  | 1   1       # between two samples
        3  | 1   1
        7  | 4   2
        9  | 4   2
        9  | 4   2
        9  | 8   2
    """,
    )


def test_the_size_may_change():
    scan(
        MOVING_AVERAGE,
        table="IN SIZE | OUT COUNT\n 1 4 | 1 1\n 2 4 | 1.5 2\n 6 4 | 3 3\n 7 2 | 6.5 2\n 4 4 | 4.75 4\n 3 0 | 3 1\n 3 999 | - 7",
    )


def test_a_broken_value_is_shown_and_not_kept():
    scan(MOVING_AVERAGE, SIZE=2, table="IN | OUT COUNT\n nan | nan 0\n 4 | 4 1\n nan | nan 1\n inf | inf 1\n 6 | 5 2")


def test_after_a_gap_longer_than_the_window_it_starts_anew():
    scan(
        MOVING_AVERAGE,
        SIZE=3,
        EVERY="1s",
        dt="1s",
        table="x IN | OUT COUNT\n 9 10 | 10 3\n 2 nan | nan 3\n 1 40 | 20 3\n 9 nan | nan 3\n 1 70 | 70 1",
    )
