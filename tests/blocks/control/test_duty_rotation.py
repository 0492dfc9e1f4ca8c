"""DUTY_ROTATION: who leads, who helps, who takes over."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.duty_rotation import DUTY_ROTATION
from blocks.declare import INPUT
from tests.aids.scan_table import Twin, scan

S = 1_000_000_000


def test_in_fixed_order_the_lowest_starts_first_and_stops_last():
    scan(
        DUTY_ROTATION,
        RULE=0,
        GAP="0s",
        AVAILABLE=[1, 1, 1],
        table="""
        DEMAND | ON      RUNNING NEXT
        0      | [0,0,0] 0       1
        2      | [1,0,0] 1       2       # one switching a scan
        2      | [1,1,0] 2       3
        3      | [1,1,1] 3       0
        3      | [1,1,1] 3       0
        1      | [1,1,0] 2       3
        1      | [1,0,0] 1       2
        0      | [0,0,0] 0       1
    """,
    )


def test_between_two_switchings_lies_the_gap():
    scan(
        DUTY_ROTATION,
        RULE=0,
        GAP="30ms",
        AVAILABLE=[1, 1],
        table="""
        x DEMAND | ON    MISSING
        1 2      | [1,0] 1
        2 2      | [1,0] 1
        1 2      | [1,1] 0
        2 0      | [1,1] 0
        1 0      | [1,0] 0
        3 0      | [0,0] 0
    """,
    )


def test_by_run_time_the_least_worn_starts_and_the_most_worn_stops():
    scan(
        DUTY_ROTATION,
        RULE=1,
        GAP="0s",
        dt="1s",
        AVAILABLE=[1, 1],
        table="""
        x DEMAND | ON    RUN_TIME
        1 1      | [1,0] [0,0]
        5 1      | [1,0] [5000000000,0]
        1 0      | [0,0] [6000000000,0]
        1 1      | [0,1] [6000000000,0]
        1 2      | [1,1] [6000000000,1000000000]
        1 1      | [0,1] [7000000000,2000000000]
    """,
    )


def test_in_turn_every_start_takes_the_next():
    scan(
        DUTY_ROTATION,
        RULE=2,
        GAP="0s",
        AVAILABLE=[1, 1, 1],
        table="""
        DEMAND | ON
        1      | [1,0,0]
        0      | [0,0,0]
        1      | [0,1,0]
        0      | [0,0,0]
        1      | [0,0,1]
        2      | [1,0,1]
        1      | [1,0,0]      # the one that started first stops first
    """,
    )


def test_a_unit_that_fails_stops_at_once_and_is_replaced():
    """It stops in the scan of the fault, gap or not; its replacement waits for the gap after the last switching only."""
    scan(
        DUTY_ROTATION,
        RULE=0,
        GAP="20ms",
        DEMAND=1,
        table="""
        AVAILABLE | ON      RUNNING MISSING
        [1,1,1]   | [1,0,0] 1       0
        [0,1,1]   | [0,0,0] 0       1        # 10 ms after the start: the gap
        [0,1,1]   | [0,1,0] 1       0
        [1,1,1]   | [0,1,0] 1       0        # the first one is back, and nothing switches
        [1,1,1]   | [0,1,0] 1       0
        [1,0,1]   | [1,0,0] 1       0        # replaced in the scan of the fault
    """,
    )


def test_all_stop_at_once_without_enable_and_what_is_not_there_is_missing():
    scan(
        DUTY_ROTATION,
        GAP="0s",
        DEMAND=3,
        table="""
        AVAILABLE EN | ON      MISSING
        [1,1,0]   1  | [1,0,0] 2
        [1,1,0]   1  | [1,1,0] 1
        [1,1,0]   1  | [1,1,0] 1
        [1,1,0]   0  | [0,0,0] 0
        [0,0,0]   1  | [0,0,0] 3
    """,
    )


def test_the_period_changes_a_unit_without_a_moment_of_too_few():
    """Two of three for a day, changed each hour: at least two always run, and the work is shared to within two periods."""
    twin = Twin(DUTY_ROTATION, length=3)
    for name, value in {"DEMAND": 2, "AVAILABLE": [1, 1, 1], "PERIOD": 3600 * S, "GAP": 30 * S}.items():
        twin.set(name, value)
    most = 0
    for i in range(24 * 360):
        twin.plain.scan(10 * S)
        running = int(twin.get("RUNNING"))
        assert running >= 2 or i < 4
        most = max(most, running)
    hours = np.array(twin.get("RUN_TIME"), dtype=float) / S / 3600.0
    assert most == 3
    assert hours.sum() == pytest.approx(48.0, abs=0.5)
    assert hours.max() - hours.min() <= 2.0


def test_a_rested_unit_that_is_more_worn_is_not_changed_for():
    """The second was running for a year elsewhere: the period passes, and the first runs on."""
    twin = Twin(DUTY_ROTATION, length=2)
    for name, value in {"DEMAND": 1, "AVAILABLE": [1, 1], "PERIOD": 60 * S, "GAP": 0, "RUN_TIME": [0, 8766 * 3600 * S]}.items():
        twin.set(name, value)
    for _ in range(1000):
        twin.plain.scan(S)
        assert twin.get("ON") == [True, False]


def test_after_power_returns_the_units_start_one_after_another():
    scan(
        DUTY_ROTATION,
        GAP="1s",
        AVAILABLE=[1, 1, 1],
        DEMAND=3,
        dt="500ms",
        table="x EN | RUNNING\n 1 1 | 1\n 1 1 | 1\n 1 1 | 2\n 2 1 | 3",
    )


def test_in_turn_the_period_goes_round_all_of_them_and_one_more_than_asked_for_is_the_most():
    """One of four, changed each minute, with the changes spread by the gap of 10 s."""
    twin = Twin(DUTY_ROTATION, length=4)
    for name, value in {"DEMAND": 1, "AVAILABLE": [1, 1, 1, 1], "RULE": 2, "PERIOD": 60 * S, "GAP": 10 * S}.items():
        twin.set(name, value)
    seen = []
    for _ in range(600):
        twin.plain.scan(S)
        on = [i + 1 for i, runs in enumerate(twin.get("ON")) if runs]
        assert len(on) in (1, 2)
        if not seen or seen[-1] != on:
            seen.append(on)
    assert seen[:9] == [[1], [1, 2], [2], [2, 3], [3], [3, 4], [4], [1, 4], [1]]


def test_in_fixed_order_the_period_changes_nothing():
    scan(DUTY_ROTATION, RULE=0, PERIOD="1s", GAP="0s", DEMAND=1, AVAILABLE=[1, 1], dt="1s", table="x | ON\n 1 | [1,0]\n 99 | [1,0]")


def test_in_fixed_order_a_unit_that_returns_waits_until_it_is_needed():
    scan(
        DUTY_ROTATION,
        RULE=0,
        PERIOD="2s",
        GAP="0s",
        dt="1s",
        table="""
        x  DEMAND AVAILABLE | ON
        1  1      [1,1]     | [1,0]
        1  1      [0,1]     | [0,1]
        50 1      [1,1]     | [0,1]
        1  2      [1,1]     | [1,1]
        1  1      [1,1]     | [1,0]
    """,
    )


def test_the_next_one_is_the_one_that_starts_next():
    """In every rule: what NEXT names in one scan starts, if one is asked for, in the next."""
    chance = np.random.default_rng(4)
    for rule in (0, 1, 2):
        twin = Twin(DUTY_ROTATION, length=4)
        for name, value in {"AVAILABLE": [1, 1, 1, 1], "RULE": rule, "GAP": 0}.items():
            twin.set(name, value)
        named, before, started = 0, [False] * 4, 0
        for _ in range(300):
            twin.set("DEMAND", int(chance.integers(0, 5)))
            twin.plain.scan(S)
            on = [bool(runs) for runs in twin.get("ON")]
            fresh = [i + 1 for i in range(4) if on[i] and not before[i]]
            if fresh and named:
                assert fresh == [named]
                started += 1
            named, before = int(twin.get("NEXT")), on
        assert started > 50


def test_after_a_restart_nothing_counts_as_running():
    kept = {pin.name for pin in DUTY_ROTATION.pins if pin.kind != INPUT and not pin.volatile}
    assert kept == {"MISSING", "NEXT", "RUN_TIME", "turn", "starts"}
