"""NOTCH against the bilinear transform of its analogue, and the frequency that must vanish."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import signal

from blocks.control.notch import NOTCH
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize(("f0", "q"), [(5.0, 2.0), (0.5, 10.0), (30.0, 1.0)])
def test_it_is_the_bilinear_transform_of_the_analogue_notch(f0, q, deviation):
    fs = 100.0
    w = 2.0 * fs * math.tan(math.pi * f0 / fs)
    noise = np.random.default_rng(1).normal(0.0, 1.0, 3000)
    noise[0] = 0.0
    wanted = signal.lfilter(*signal.bilinear([1.0, 0.0, w * w], [1.0, w / q, w * w], fs), noise)
    # the same difference equation; the own tangent is right to 4e-10
    error = np.max(np.abs(response(NOTCH, {"IN": noise}, 10 * MS, F0=f0, Q=q) - wanted))
    deviation("NOTCH", "scipy.signal.bilinear", f"noise, {f0:g} Hz, Q = {q:g}", error, 1e-8)


def test_nothing_is_left_of_its_frequency_and_the_edges_lose_3_db():
    times = np.arange(20_000) * 0.01
    for f, left in ((5.0, 0.0), (5.0 - 5.0 / 4.0, math.sqrt(0.5)), (0.05, 1.0)):
        seen = response(NOTCH, {"IN": np.sin(2.0 * np.pi * f * times)}, 10 * MS, F0=5.0, Q=2.0)
        amplitude = np.sqrt(2.0 * np.mean(seen[10_000:] ** 2))
        assert amplitude == pytest.approx(left, abs=0.06 if 0.0 < left < 1.0 else 1e-3)


def test_a_constant_passes_from_the_first_scan():
    scan(NOTCH, F0=5.0, table="x IN | OUT\n 1 25 | 25\n 100 25 | 25")


def test_scans_that_alternate_wildly_do_not_blow_it_up():
    noise = np.random.default_rng(4).uniform(-1.0, 1.0, 20_000)
    dts = np.where(np.arange(20_000) % 2 == 0, 1, 75) * MS
    assert np.max(np.abs(response(NOTCH, {"IN": noise}, dts, F0=5.0, Q=50.0))) < 5.0


def test_a_late_scan_or_a_frequency_too_high_is_a_wire():
    scan(NOTCH, F0=1.0, table="dt IN | OUT\n 10ms 0 | 0\n 500ms 1 | 1\n 10ms 1 | 1")
    scan(NOTCH, F0=45.0, table="IN | OUT\n 0 | 0\n 5 | 5\n 7 | 7")


def test_a_broken_input_is_shown_and_the_filter_starts_anew():
    scan(NOTCH, F0=1.0, table="IN | OUT\n 5 | 5\n nan | nan\n 8 | 8\n 8 | 8")
    scan(NOTCH, IN=5.0, table="F0 Q | OUT\n 1 1 | 5\n nan 1 | nan\n 1 nan | nan\n 1 1 | 5")


def test_switched_off_while_it_rings_it_is_a_wire_at_once():
    scan(NOTCH, table="x F0 IN | OUT\n 1 5 0 | 0\n 9 5 10 | -\n 1 0 10 | 10\n 9 0 10 | 10\n 1 5 10 | 10\n 9 5 10 | 10")
