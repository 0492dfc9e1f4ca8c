"""MOVING_RMS against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.moving_rms import MOVING_RMS
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize("size", [1, 20, 128])
def test_it_is_the_root_of_the_mean_square(size, deviation):
    noise = np.random.default_rng(1).normal(0.0, 1.0, 1000)
    wanted = np.array([np.sqrt(np.mean(noise[max(0, i - size + 1) : i + 1] ** 2)) for i in range(1000)])
    error = np.max(np.abs(response(MOVING_RMS, {"IN": noise}, MS, SIZE=size) - wanted))
    # numpy sums in another order
    deviation("MOVING_RMS", "numpy 2.4", f"noise, {size} samples", error, 1e-13)


def test_a_sine_over_whole_periods_is_its_amplitude_by_root_2(deviation):
    wave = 325.0 * np.sin(2.0 * np.pi * np.arange(400) / 40.0)
    error = np.max(np.abs(response(MOVING_RMS, {"IN": wave}, MS, SIZE=40)[40:] - 325.0 / np.sqrt(2.0)))
    deviation("MOVING_RMS", "theory", "sine of 325 V", error, 1e-10, "V")


def test_a_huge_value_leaves_no_trace():
    scan(MOVING_RMS, SIZE=3, table="x IN | OUT\n 3 1000000 | 1000000\n 3 0.001 | 0.001")


def test_a_broken_or_enormous_value_is_shown_and_not_kept():
    scan(MOVING_RMS, SIZE=2, table="IN | OUT COUNT\n nan | nan 0\n 4 | 4 1\n nan | nan 1\n 1e200 | inf 1\n -4 | 4 2")


def test_a_sample_in_every_so_long():
    scan(MOVING_RMS, SIZE=2, EVERY="20ms", table="IN | OUT COUNT\n 1 | 1 1\n 9 | 1 1\n 7 | 5 2\n 9 | 5 2")
