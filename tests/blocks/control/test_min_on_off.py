"""MIN_ON_OFF: no short cycles."""

from __future__ import annotations

import numpy as np

from blocks.control.min_on_off import MIN_ON_OFF
from blocks.declare import INPUT
from tests.aids.scan_table import Twin, scan

S = 1_000_000_000


def test_it_rests_first_then_runs_and_rests_its_shortest_times():
    scan(
        MIN_ON_OFF,
        dt="1s",
        MIN_ON="3s",
        MIN_OFF="2s",
        MAX_STARTS=0,
        table="""
        IN | OUT HELD REMAINING
        1  | 0   2    1s
        1  | 1   0    0s
        0  | 1   1    2s
        0  | 1   1    1s
        0  | 0   0    0s
        1  | 0   2    1s
        1  | 1   0    0s
    """,
    )


def test_a_demand_that_comes_back_meanwhile_goes_on():
    scan(MIN_ON_OFF, dt="1s", MIN_ON="3s", MIN_OFF="0s", table="IN | OUT HELD\n 1 | 1 0\n 0 | 1 1\n 1 | 1 0\n 1 | 1 0\n 0 | 0 0")


def test_a_trip_waits_for_nothing_and_the_rest_follows_it():
    scan(
        MIN_ON_OFF,
        dt="1s",
        MIN_ON="1h",
        MIN_OFF="2s",
        table="x IN TRIP | OUT HELD\n 1 1 0 | 0 2\n 1 1 0 | 1 0\n 1 1 1 | 0 4\n 1 1 0 | 0 2\n 1 1 0 | 1 0\n 1 0 1 | 0 0",
    )


def test_the_limit_of_starts_looks_at_the_true_last_hour():
    """Three starts at 1, 3 and 5 min; the fourth may come at 61 min, not before, and the fifth at 63."""
    scan(
        MIN_ON_OFF,
        dt="1min",
        MIN_ON="0s",
        MIN_OFF="0s",
        MAX_STARTS=3,
        table="""
        x  IN | OUT HELD STARTS REMAINING
        1  1  | 1   0    1      0s
        1  0  | 0   0    1      0s
        1  1  | 1   0    2      0s
        1  0  | 0   0    2      0s
        1  1  | 1   0    3      0s
        1  0  | 0   0    3      0s
        1  1  | 0   3    3      54min
        53 1  | 0   3    3      1min
        1  1  | 1   0    4      0s
        1  0  | 0   0    4      0s
        1  1  | 1   0    5      0s
    """,
    )


def test_whatever_is_asked_no_hour_has_more_starts_and_no_run_or_rest_is_too_short():
    chance = np.random.default_rng(5)
    twin = Twin(MIN_ON_OFF)
    for name, value in {"MIN_ON": 60 * S, "MIN_OFF": 90 * S, "MAX_STARTS": 6}.items():
        twin.set(name, value)
    states = []
    for i in range(20_000):
        if i % 3 == 0:
            twin.set("IN", bool(chance.random() < 0.5))
        twin.plain.scan(10 * S)
        states.append(bool(twin.get("OUT")))
    edges = np.flatnonzero(np.diff(np.array(states, dtype=int))) + 1
    starts = np.array([i for i in edges if states[i]]) * 10
    stops = np.array([i for i in edges if not states[i]]) * 10
    assert len(starts) > 200
    assert min(np.searchsorted(starts, start + 3600, side="left") - i for i, start in enumerate(starts)) >= 1
    assert max(np.searchsorted(starts, start + 3600, side="left") - i for i, start in enumerate(starts)) == 6
    assert np.min(np.diff(np.sort(np.concatenate([starts, stops])))) >= 60
    assert min(start - stops[stops < start][-1] for start in starts[1:]) >= 90


def test_after_a_restart_it_is_not_running_and_rests_first():
    assert {pin.name for pin in MIN_ON_OFF.pins if pin.kind != INPUT and not pin.volatile} == {
        "HELD",
        "REMAINING",
        "STARTS",
        "clock",
        "started_at",
    }
