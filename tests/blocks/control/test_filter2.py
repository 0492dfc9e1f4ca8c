"""FILTER2 against Butterworth and other second-order filters of scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import signal

from blocks.control.filter2 import FILTER2
from blocks.control.laws import prewarped
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize("f0", [0.1, 5.0, 20.0, 39.0])
def test_with_the_default_damping_it_is_butterworths(f0, deviation):
    noise = np.random.default_rng(1).normal(0.0, 1.0, 3000)
    noise[0] = 0.0
    error = np.max(
        np.abs(response(FILTER2, {"IN": noise}, 10 * MS, F0=f0) - signal.lfilter(*signal.butter(2, f0, fs=100.0), noise))
    )
    # the same difference equation; the own tangent is right to 4e-10
    deviation("FILTER2", "scipy.signal.butter", f"noise, {f0:g} Hz at 100 scans/s", error, 1e-8)


@pytest.mark.parametrize("damping", [0.1, 0.5, 1.0])
def test_other_dampings_are_the_bilinear_transform(damping, deviation):
    f0, fs = 3.0, 50.0
    w = 2.0 * fs * math.tan(math.pi * f0 / fs)
    noise = np.random.default_rng(2).normal(0.0, 1.0, 3000)
    noise[0] = 0.0
    wanted = signal.lfilter(*signal.bilinear([w * w], [1.0, 2.0 * damping * w, w * w], fs), noise)
    error = np.max(np.abs(response(FILTER2, {"IN": noise}, 20 * MS, F0=f0, D=damping) - wanted))
    deviation("FILTER2", "scipy.signal.bilinear", f"noise, D = {damping:g}", error, 1e-8)


@pytest.mark.parametrize(("damping", "overshoot"), [(0.7071067811865476, 0.0432), (0.5, 0.163), (1.0, 0.0)])
def test_a_step_overshoots_as_the_damping_says(damping, overshoot):
    """exp(-pi D/sqrt(1 - D^2))."""
    step = np.ones(2000)
    step[0] = 0.0
    assert np.max(response(FILTER2, {"IN": step}, MS, F0=2.0, D=damping)) - 1.0 == pytest.approx(overshoot, abs=1e-3)


def test_the_response_does_not_depend_on_how_time_is_cut(deviation):
    """A sine of 1 Hz through 2 Hz, in scans of 1 to 20 ms, against the continuous filter."""
    cuts = np.random.default_rng(3).integers(1, 21, 600).cumsum() * 1e-3
    cuts = np.concatenate([[0.0], cuts])
    wave = np.sin(2.0 * np.pi * cuts)
    seen = response(FILTER2, {"IN": wave}, np.round(np.diff(cuts, prepend=-0.001) * 1e9).astype(int), F0=2.0)
    w = 4.0 * np.pi
    fine = np.arange(0.0, cuts[-1] + 1e-4, 1e-4)
    _, exact, _ = signal.lsim(([w * w], [1.0, math.sqrt(2.0) * w, w * w]), np.sin(2.0 * np.pi * fine), fine)
    error = np.max(np.abs(seen - np.interp(cuts, fine, exact)))
    # the trapezoidal rule: (w h)^2/12 = 5e-3 for the longest scans of 20 ms
    deviation("FILTER2", "scipy.signal.lsim", "sine, scans of 1 to 20 ms", error, 5e-3)


def test_scans_that_alternate_wildly_do_not_blow_it_up():
    noise = np.random.default_rng(4).uniform(-1.0, 1.0, 20_000)
    dts = np.where(np.arange(20_000) % 2 == 0, 1, 75) * MS
    assert np.max(np.abs(response(FILTER2, {"IN": noise}, dts, F0=5.0, D=0.05))) < 25.0


def test_it_starts_at_its_input():
    scan(FILTER2, F0=1.0, table="x IN | OUT\n 1 25 | 25\n 100 25 | 25")


def test_a_late_scan_or_a_corner_too_high_is_a_wire():
    scan(FILTER2, F0=1.0, table="dt IN | OUT\n 10ms 0 | 0\n 500ms 1 | 1\n 10ms 1 | 1\n 10ms 1 | 1")
    scan(FILTER2, F0=45.0, table="IN | OUT\n 0 | 0\n 5 | 5\n 7 | 7")


def test_a_corner_of_0_holds():
    scan(FILTER2, table="IN F0 | OUT\n 5 0 | 5\n 7 0 | 5\n 5 0 | 5")


def test_a_broken_input_is_shown_and_the_filter_starts_anew():
    scan(FILTER2, F0=1.0, table="IN | OUT\n 5 | 5\n nan | nan\n 8 | 8\n 8 | 8")
    scan(FILTER2, IN=5.0, table="F0 D | OUT\n 1 1 | 5\n nan 1 | nan\n 1 nan | nan\n 1 1 | 5")


def test_the_tangent_of_the_prewarping(deviation):
    turns = np.linspace(1e-6, 1.26, 2000)
    error = max(abs(float(prewarped(turn)) / math.tan(turn) - 1.0) for turn in turns)
    # the continued fraction cut after its seventh term
    deviation("FILTER2", "math.tan", "tangent up to 72 degrees", error, 1e-9)
    assert float(prewarped(2.0)) == float(prewarped(1.26))
    assert float(prewarped(-1.0)) == 0.0
