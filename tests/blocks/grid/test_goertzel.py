"""GOERTZEL against numpy's FFT."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.goertzel import GOERTZEL
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import our_run

RATE = 10_000.0


def measured(x: np.ndarray, frequency: float, rate: float = RATE, base: float = 0.0) -> dict[str, np.ndarray]:
    return our_run(
        GOERTZEL, {"FS": rate, "F": frequency, "BASE": base}, 0.1, {"X": x[None, :]}, ("RMS", "PHASE", "USED", "OK"), length=len(x)
    )


@pytest.mark.parametrize(("periods", "frequency"), [(1, 50.0), (10, 50.0), (10, 400.0), (40, 2000.0), (3, 4950.0)])
def test_it_is_one_bin_of_the_fft(periods, frequency, deviation):
    """Noise of 1 has something at each frequency; Goertzel's recursion loses a few digits at low frequencies."""
    samples = round(periods * RATE / frequency) if frequency < 4000 else 200
    x = np.random.default_rng(10).normal(0.0, 1.0, samples)
    bins = frequency * samples / RATE
    assert bins == pytest.approx(round(bins))
    truth = np.fft.rfft(x)[round(bins)] / samples * np.sqrt(2.0)
    seen = measured(x, frequency)
    found = seen["RMS"][0] * np.exp(1j * np.radians(seen["PHASE"][0]))
    assert seen["USED"][0] == samples
    deviation("GOERTZEL", "numpy.fft 2.4", f"{frequency:g} Hz in {samples} samples", abs(found - truth), 1e-11, "of 1")


def test_the_burst_is_cut_to_whole_periods():
    """2,150 samples hold ten periods of 50 Hz and three quarters; without the cut the fundamental would leak."""
    t = np.arange(2150) / RATE
    seen = measured(230.0 * np.sqrt(2.0) * np.cos(2 * np.pi * 50.0 * t - 1.0) + 7.0, 50.0)
    assert seen["USED"][0] == 2000
    assert seen["RMS"][0] == pytest.approx(230.0, abs=1e-9)
    assert seen["PHASE"][0] == pytest.approx(np.degrees(-1.0), abs=1e-9)


def test_a_harmonic_is_looked_for_in_whole_periods_of_the_fundamental():
    """2,150 samples hold 32 periods of 150 Hz, but no whole number of 50 Hz: without BASE the 230 V leak."""
    t = np.arange(2150) / RATE
    x = 230.0 * np.sqrt(2.0) * np.cos(2 * np.pi * 50.0 * t) + 5.0 * np.sqrt(2.0) * np.cos(2 * np.pi * 150.0 * t + 1.0)
    with_base = measured(x, 150.0, base=50.0)
    assert with_base["USED"][0] == 2000
    assert with_base["RMS"][0] == pytest.approx(5.0, abs=1e-9)
    assert with_base["PHASE"][0] == pytest.approx(np.degrees(1.0), abs=1e-7)
    assert abs(measured(x, 150.0)["RMS"][0] - 5.0) > 1.0


@pytest.mark.parametrize(("rate", "frequency"), [(100.0, 50.0), (100.0, 60.0), (0.0, 50.0), (400.0, 0.0), (400.0, 20.0)])
def test_what_cannot_be_measured_is_not(rate, frequency):
    scan(GOERTZEL, FS=rate, F=frequency, table="X | RMS PHASE USED OK\n [1,2,1,-1,1,3] | 0 0 0 0")


def test_a_dead_sample_is_shown_and_forgotten():
    scan(GOERTZEL, FS=200.0, table="X | RMS OK\n [1,0,-1,0] | ~0.7071 1\n [1,nan,-1,0] | nan 0\n [1,0,-1,0] | ~0.7071 1")
