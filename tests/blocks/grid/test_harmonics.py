"""HARMONICS against numpy's FFT and waves whose series is known."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.harmonics import HARMONICS
from tests.aids.scan_table import Twin, scan

RATE = 10_000.0


def measured(x: np.ndarray, frequency: float = 50.0, rate: float = RATE) -> Twin:
    """The compiled block alone: plain Python takes a while for 40 orders of 2,000 samples, and the scan tables compare the two."""
    twin = Twin(HARMONICS, None, len(x))
    for name, value in {"X": x, "FS": rate, "F": frequency}.items():
        twin.columns[name][:] = np.tile(value, len(twin.columns[name]) // np.size(value))
    twin._call(twin._addresses.ctypes.data, 1, len(x), 100_000_000)
    return twin


def test_the_orders_are_bins_of_the_fft(deviation):
    chance = np.random.default_rng(11)
    x = chance.normal(0.0, 1.0, 2000)
    truth = np.abs(np.fft.rfft(x))[10:401:10] / 2000.0 * np.sqrt(2.0)
    found = measured(x).columns["H"][:40]
    deviation("HARMONICS", "numpy.fft 2.4", "40 orders of noise", np.max(np.abs(found - truth)), 1e-11, "of 1")


def test_the_distortion_is_the_root_of_the_squares_over_the_fundamental():
    """230 V with 5 % fifth and 3 % seventh: sqrt(25 + 9) = 5.831 %."""
    t = np.arange(2000) / RATE
    wave = np.cos(2 * np.pi * 50 * t) + 0.05 * np.cos(2 * np.pi * 250 * t + 1.0) + 0.03 * np.cos(2 * np.pi * 350 * t + 2.0)
    twin = measured(230.0 * np.sqrt(2.0) * wave + 4.0)
    assert twin.columns["H"][0] == pytest.approx(230.0, abs=1e-9)
    assert twin.columns["H"][4] == pytest.approx(11.5, abs=1e-9)
    assert twin.columns["THD"][0] == pytest.approx(np.sqrt(34.0), abs=1e-9)
    assert twin.columns["WORST"][0] == 5
    assert not twin.columns["HIGH"][0]
    assert twin.columns["OK"][0]


def test_a_square_wave_has_its_odd_orders_falling_with_the_order():
    """4/(pi n) in amplitude; sampled 2,000 times a period the orders to 40 are right to 1e-3."""
    x = np.where(np.arange(2000) < 1000, 1.0, -1.0)
    h = measured(x, 5.0).columns["H"][:40] * np.sqrt(2.0)
    orders = np.arange(1, 41)
    assert h[::2] == pytest.approx(4.0 / (np.pi * orders[::2]), rel=1e-3)
    assert np.max(h[1::2]) < 1e-9


def test_orders_beyond_half_of_the_sample_rate_are_nothing():
    """1 kHz: the orders up to 9 of 50 Hz."""
    h = measured(np.random.default_rng(12).normal(0.0, 1.0, 200), 50.0, 1000.0).columns["H"][:40]
    assert np.all(h[:9] > 0.0)
    assert np.all(h[9:] == 0.0)


def test_a_wrong_fundamental_leaks_as_the_docstring_says():
    """0.1 % off over ten periods: about 0.1 % times the order, at most 4 % at order 40."""
    t = np.arange(2000) / RATE
    h = measured(100.0 * np.sqrt(2.0) * np.cos(2 * np.pi * 50.05 * t)).columns["H"][:40]
    assert h[0] == pytest.approx(100.0, abs=0.1)
    assert np.all(h[1:] < 0.1 * np.arange(2, 41) + 0.05)


def test_a_dead_sample_or_no_period_or_harmonics_alone_are_an_alarm():
    scan(
        HARMONICS,
        FS=400.0,
        table="X | THD HIGH OK\n [1,0,-1,0,1,0,-1,nan] | 0 1 0\n [0,0,0,0,0,0,0,0] | 0 0 1\n [10,0,-10,0,10,0,-10,0] | 0 1 1",
    )
    scan(HARMONICS, FS=400.0, table="X | THD WORST HIGH OK\n [1,0,-1,0] | 0 0 1 0")
