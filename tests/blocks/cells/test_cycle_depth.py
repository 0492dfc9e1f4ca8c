"""CYCLE_DEPTH: the example of ASTM E1049, figure 6, and random histories against the standard's rule written on a list."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.cycle_depth import CYCLE_DEPTH
from tests.aids.scan_table import Twin, scan

NS = 10_000_000


def closed_ranges(history: list[float]) -> list[tuple[float, float]]:
    """(range, count) of what ASTM E1049, 5.4.4 counts before the data end, from a whole history."""
    turns = [history[0]]
    for before, here, after in zip(history, history[1:], history[2:], strict=False):
        if (here - before) * (after - here) < 0:
            turns.append(here)
    counted, points = [], []
    for turn in turns:
        points.append(turn)
        while len(points) >= 3:
            x, y = abs(points[-1] - points[-2]), abs(points[-2] - points[-3])
            if x < y:
                break
            if len(points) == 3:
                counted.append((y, 0.5))
                points.pop(0)
            else:
                counted.append((y, 1.0))
                last = points.pop()
                points.pop()
                points.pop()
                points.append(last)
    return counted


def test_the_example_of_the_standard():
    """-2 1 -3 5 -1 3 -4 4 -2, ten percent a unit about 50 %: closed are 3 (half), 4 (half), 4 (whole) and 8 (half)."""
    scan(
        CYCLE_DEPTH,
        table="""
        SOC | CYCLES LAST HALVES
        30  | 0      0    [0,0,0,0,0,0,0,0,0,0]
        60  | 0      0    [0,0,0,0,0,0,0,0,0,0]
        20  | 0      0    [0,0,0,0,0,0,0,0,0,0]
        100 | 0.5    30   [0,0,0,1,0,0,0,0,0,0]
        40  | 1      40   [0,0,0,1,1,0,0,0,0,0]
        80  | 1      40   [0,0,0,1,1,0,0,0,0,0]
        10  | 1      40   [0,0,0,1,1,0,0,0,0,0]
        90  | 2.5    80   [0,0,0,1,3,0,0,0,1,0]
        30  | 2.5    80   [0,0,0,1,3,0,0,0,1,0]
    """,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_histories_are_counted_as_by_the_rule_on_a_list(seed, deviation):
    history = [round(float(x), 3) for x in np.random.default_rng(seed).uniform(0.0, 100.0, 400)]
    twin = Twin(CYCLE_DEPTH)
    twin.set("DEADBAND", 0.0)
    for soc in history:
        twin.set("SOC", soc)
        twin.scan(NS)
    counted = closed_ranges(history)
    bins = [0] * 10
    for size, count in counted:
        bins[min(int(size / 10.0), 9)] += round(2 * count)
    assert list(twin.get("HALVES")) == bins
    found, expected = float(twin.get("EQUIVALENT")), sum(size * count for size, count in counted) / 100.0
    # a sum of 200 depths, each rounded
    deviation("CYCLE_DEPTH", "ASTM E1049 on a list", "sum of depths", abs(found - expected), 1e-12, "cycles")


def test_noise_inside_the_deadband_is_no_cycle():
    scan(
        CYCLE_DEPTH,
        DEADBAND=1,
        table="""
            SOC | OPEN CYCLES
            50 | 1 0
            50.9 | 1 0
            49.5 | 1 0
            60 | 1 0
            59.1 | 1 0
            70 | 1 0
            68 | 2 0
            69 | 2 0
            68.5 | 2 0
        """,
    )


def test_a_slow_ramp_is_one_movement_however_many_scans_it_takes():
    twin = Twin(CYCLE_DEPTH)
    for i in range(2001):
        twin.set("SOC", 100.0 - 80.0 * abs(i % 1000 - 500) / 500.0)  # 20 to 100 and back, twice
        twin.scan(NS)
    assert twin.get("CYCLES") == 1.0  # 20-100-20: two halves; the second is still open
    assert twin.get("LAST") == pytest.approx(80.0)
    assert list(twin.get("HALVES"))[8] + list(twin.get("HALVES"))[7] == 2


def test_ranges_that_only_shrink_fill_the_stack_and_the_oldest_is_counted():
    twin = Twin(CYCLE_DEPTH)
    twin.set("DEADBAND", 0.0)
    for i in range(60):
        twin.set("SOC", 50.0 + (49.0 - 0.7 * i) * (-1) ** i)
        twin.scan(NS)
    assert twin.get("OPEN") == 32
    assert sum(twin.get("HALVES")) == 60 - 1 - 32


def test_a_dead_estimate_is_left_out_and_counting_goes_on():
    scan(CYCLE_DEPTH, table="SOC | OPEN CYCLES\n nan | 0 0\n 50 | 1 0\n nan | 1 0\n 80 | 1 0\n nan | 1 0\n 20 | 2 0\n 90 | 2 0.5")


def test_a_reset_clears_the_counts_and_keeps_what_is_open():
    scan(
        CYCLE_DEPTH,
        table="SOC RESET | OPEN CYCLES\n 50 0 | 1 0\n 80 0 | 1 0\n 20 0 | 2 0\n 90 0 | 2 0.5\n 90 1 | 2 0\n 10 0 | 2 0.5",
    )
