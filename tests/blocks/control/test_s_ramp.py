"""S_RAMP: bounded slope, bounded change of the slope, shortest time, no overshoot."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.control.s_ramp import S_RAMP
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled

MS = 1_000_000


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_targets_and_scans_it_keeps_its_bounds_and_never_overshoots(seed):
    """Targets jump at any time. OUT stays between where it was, where it can stop, and the target; it arrives in the end."""
    chance = np.random.default_rng(seed)
    up, down, acc = chance.uniform(1.0, 20.0, 3)
    ramp = Compiled(S_RAMP, UP=up, DOWN=down, ACC=acc)
    for _ in range(60):
        target = chance.choice([0.0, chance.uniform(-100.0, 100.0), ramp.get("OUT") + chance.uniform(-0.5, 0.5)])
        out, slope = ramp.get("OUT"), ramp.get("SLOPE")
        stop = out + slope * abs(slope) / (2.0 * acc)
        low, high = min(out, stop, target), max(out, stop, target)
        ramp.set(IN=target)
        for _ in range(chance.integers(1, 300)):
            dt = int(chance.choice([1, 3, 10, 50, 200])) * MS
            was = ramp.get("SLOPE")
            ramp.scan(dt)
            assert low - 1e-6 <= ramp.get("OUT") <= high + 1e-6
            assert -down - 1e-9 <= ramp.get("SLOPE") <= up + 1e-9
            assert abs(ramp.get("SLOPE") - was) <= acc * dt * 1e-9 * (1.0 + 1e-6) + 1e-9
    for _ in range(20_000):
        ramp.scan(10 * MS)
    assert ramp.get("OUT") == ramp.get("IN")
    assert ramp.get("ARRIVED")


@pytest.mark.parametrize(("way", "top", "acc"), [(100.0, 10.0, 5.0), (-100.0, 10.0, 5.0), (3.0, 10.0, 5.0), (0.01, 10.0, 5.0)])
def test_from_rest_to_rest_it_takes_the_shortest_time(way, top, acc, deviation):
    """way/top + top/acc where the top slope is reached, 2 sqrt(way/acc) where it is not."""
    length = abs(way)
    shortest = length / top + top / acc if length >= top * top / acc else 2.0 * math.sqrt(length / acc)
    ramp = Compiled(S_RAMP, IN=way, UP=top, DOWN=top, ACC=acc)
    scans = 0
    while not ramp.get("ARRIVED") and scans < 100_000:
        ramp.scan(MS)
        scans += 1
    # whole scans, and a corner that falls between two of them
    deviation("S_RAMP", "theory", f"time from rest to rest over {way:g}", abs(scans * 1e-3 - shortest), 0.01, "s")


def test_the_way_does_not_depend_on_how_time_is_cut():
    ends = {}
    for dt in (1, 10, 100):
        ramp = Compiled(S_RAMP, IN=50.0, UP=10.0, DOWN=10.0, ACC=5.0)
        for _ in range(3000 // dt):
            ramp.scan(dt * MS)
        ends[dt] = ramp.get("OUT")
    assert ends[1] == pytest.approx(10.0 * 3.0 - 10.0, abs=1e-6)  # 2 s to full slope over 10, then 1 s of 10
    assert ends[10] == pytest.approx(ends[1], abs=1e-6)
    assert ends[100] == pytest.approx(ends[1], abs=1e-6)


def test_a_target_behind_it_is_reached_by_turning_round():
    scan(
        S_RAMP,
        UP=10.0,
        DOWN=10.0,
        ACC=10.0,
        dt="1s",
        table="""
        IN  | OUT SLOPE
        100 | 5   10
        100 | 15  10
        15  | 20  0       # it cannot stop in less than 5
        15  | -   -
        15  | -   -
        15  | -   -
        15  | 15  0
    """,
    )


def test_each_direction_has_its_slope():
    scan(
        S_RAMP,
        UP=1.0,
        DOWN=2.0,
        ACC=0.0,
        dt="1s",
        table="IN | OUT ARRIVED\n 2 | 1 0\n 2 | 2 0\n 2 | 2 1\n -3 | 0 0\n -3 | -2 0\n -3 | -3 0",
    )


def test_without_acc_it_is_a_plain_ramp():
    scan(
        S_RAMP,
        UP=50.0,
        DOWN=100.0,
        ACC=0.0,
        dt="100ms",
        table="IN | OUT\n 12 | 5\n 12 | 10\n 12 | 12\n -20 | 2\n -20 | -8\n -20 | -18\n -20 | -20",
    )


def test_set_puts_it_somewhere_at_rest():
    scan(
        S_RAMP,
        UP=10.0,
        DOWN=10.0,
        ACC=10.0,
        dt="1s",
        table="""
        IN  SET SET_TO | OUT SLOPE ARRIVED
        100 1   40     | 40  0     0
        100 0   40     | 45  10    0
        100 1   nan    | 45  0     0      # a broken value is not taken
        100 1   100    | 100 0     1
    """,
    )


def test_a_broken_target_brings_it_gently_to_a_stop():
    scan(
        S_RAMP,
        UP=10.0,
        DOWN=10.0,
        ACC=10.0,
        dt="500ms",
        table="""
        IN  | OUT   SLOPE HELD
        100 | 1.25  5     0
        100 | 5     10    0
        nan | 8.75  5     1
        nan | 10    0     1
        nan | 10    0     1
        100 | 11.25 5     0
    """,
    )


def test_a_broken_rate_is_0_and_a_broken_acc_a_plain_ramp():
    scan(
        S_RAMP,
        IN=100.0,
        DOWN=1.0,
        dt="1s",
        table="UP ACC | OUT\n 10 10 | 5\n nan 10 | 10\n nan 10 | 10\n 10 nan | 20\n 10 nan | 30",
    )


def test_a_broken_value_to_set_is_told_and_brings_it_to_rest():
    scan(
        S_RAMP,
        IN=100.0,
        UP=10.0,
        DOWN=10.0,
        ACC=0.0,
        dt="1s",
        table="SET SET_TO | OUT SLOPE HELD\n 0 0 | 10 10 0\n 1 nan | 10 0 1\n 0 nan | 20 10 0",
    )
