"""DEAD_TIME: a shift in true time."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.dead_time import DEAD_TIME
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled, response

MS = 1_000_000


@pytest.mark.parametrize("scans", [1, 7, 200, 253])
def test_a_dead_time_of_whole_scans_is_an_exact_shift(scans, deviation):
    noise = np.random.default_rng(1).normal(0.0, 1.0, 2000)
    seen = response(DEAD_TIME, {"IN": noise}, 10 * MS, T=scans * 10 * MS)
    wanted = np.concatenate([np.full(scans, noise[0]), noise[:-scans]])
    deviation("DEAD_TIME", "numpy shift", f"noise, {scans} scans", np.max(np.abs(seen - wanted)), 0.0)


@pytest.mark.parametrize("seconds", [5.0, 30.0, 600.0])
def test_a_long_one_is_late_by_less_than_its_254th_and_a_scan_and_never_early(seconds):
    """IN is the time itself, so what is missing on OUT is the delay."""
    scans = int(seconds * 100 * 2.5)
    times = np.arange(scans) * 0.01
    delay = (times - response(DEAD_TIME, {"IN": times}, 10 * MS, T=int(seconds * 1e9)))[int(seconds * 110) :]
    assert np.min(delay) >= seconds - 1e-9
    assert np.max(delay) <= seconds + 2 * (seconds / 254.0 + 0.01)


def test_it_is_a_shift_in_true_time_however_time_is_cut():
    cuts = np.random.default_rng(2).integers(1, 30, 3000).cumsum() * 1e-3
    seen = response(DEAD_TIME, {"IN": cuts}, np.round(np.diff(cuts, prepend=0.0) * 1e9).astype(int), T=500 * MS)
    late = cuts > 0.6
    delay = (cuts - seen)[late]
    assert np.min(delay) >= 0.5 - 1e-9
    assert np.max(delay) < 0.5 + 0.03 + 0.5 / 254 + 1e-9  # what came between two scans is seen with the later one


def test_a_shorter_time_skips_and_a_longer_one_repeats():
    scan(
        DEAD_TIME,
        table="""
        IN T    | OUT
        1  30ms | 1
        2  30ms | 1
        3  30ms | 1
        4  30ms | 1
        5  30ms | 2
        6  10ms | 5
        7  10ms | 6
        8  30ms | 5
        9  30ms | 6
        9  0ms  | 9
    """,
    )


def test_a_time_longer_than_what_was_kept_shows_the_oldest():
    pipe = Compiled(DEAD_TIME, T=0)
    for i in range(1000):
        pipe.set(IN=float(i))
        pipe.scan(10 * MS)
    pipe.set(T=3_600_000 * MS)
    pipe.scan(10 * MS)
    assert pipe.get("OUT") == 999.0 - 255.0


def test_a_broken_value_comes_out_once_and_is_gone():
    scan(DEAD_TIME, T="20ms", table="IN | OUT\n 1 | 1\n nan | 1\n 3 | 1\n 4 | nan\n 5 | 3\n 6 | 4")


def test_at_the_start_it_waits_for_a_good_value():
    scan(DEAD_TIME, T="20ms", table="IN | OUT\n nan | nan\n nan | nan\n 3 | 3\n 4 | 3\n 5 | 3\n 6 | 4")


def test_a_late_scan_does_not_lose_the_place():
    scan(DEAD_TIME, T="50ms", table="dt IN | OUT\n 10ms 1 | 1\n 10ms 2 | 1\n 1s 3 | 2\n 10ms 4 | 2\n 40ms 5 | 3")
