"""SOA_LIMIT: three levels, foxBMS's event counters and delays (NUMBERS.md)."""

from __future__ import annotations

import pytest

from blocks.cells.soa_limit import SOA_LIMIT
from tests.aids.scan_table import Twin, scan

MS = 1_000_000


@pytest.mark.parametrize(("what", "events", "delay"), [("voltage", 50, 200), ("temperature", 500, 1000), ("current", 10, 100)])
@pytest.mark.parametrize("dt", [10, 100])
def test_it_trips_after_the_events_and_the_delay_of_foxbms(what, events, delay, dt):
    twin = Twin(SOA_LIMIT)
    for name, value in {"IN": 60.0, "LIMITS": [45.0, 50.0, 55.0], "EVENTS": events, "DELAY": delay * MS}.items():
        twin.set(name, value)
    elapsed = 0
    while not twin.get("TRIP"):
        twin.scan(dt * MS)
        elapsed += dt
        assert elapsed <= 20_000
    assert elapsed == pytest.approx(events * 10 + delay, abs=dt), what


def test_at_a_limit_is_beyond_it_upwards_and_downwards():
    scan(SOA_LIMIT, LIMITS=[45, 50, 55], EVENTS=1, table="IN | LEVEL\n 44.9 | 0\n 45 | 1\n 50 | 2\n 55 | 3\n 54.9 | 2\n 44 | 0")
    scan(
        SOA_LIMIT,
        LIMITS=[-10, -15, -20],
        LOW=True,
        EVENTS=1,
        table="IN | LEVEL\n -9.9 | 0\n -10 | 1\n -15 | 2\n -20 | 3\n -19.9 | 2\n 0 | 0",
    )


def test_levels_count_on_their_own():
    scan(
        SOA_LIMIT, LIMITS=[1, 2, 3], EVENTS=4, table="x IN | LEVEL COUNT\n 2 2.5 | 0 [2,2,0]\n 2 1.5 | 1 [4,0,0]\n 4 3 | 3 [4,4,4]"
    )


def test_an_active_level_stays_until_its_counter_is_empty():
    scan(
        SOA_LIMIT,
        LIMITS=[1, 2, 3],
        EVENTS=3,
        table="x IN | LEVEL COUNT\n 3 1.5 | 1 [3,0,0]\n 2 0 | 1 [1,0,0]\n 1 0 | 0 [0,0,0]\n 2 1.5 | 0 [2,0,0]",
    )


def test_a_level_is_left_only_beyond_the_hysteresis():
    scan(SOA_LIMIT, LIMITS=[1, 2, 3], EVENTS=1, HYST=0.1, table="IN | LEVEL\n 0.95 | 0\n 1 | 1\n 0.95 | 1\n 0.89 | 0\n 0.95 | 0")
    scan(SOA_LIMIT, LIMITS=[3, 2, 1], LOW=True, EVENTS=1, HYST=0.1, table="IN | LEVEL\n 3 | 1\n 3.05 | 1\n 3.11 | 0")


def test_a_lost_sample_does_nothing_and_a_dead_sensor_trips():
    scan(
        SOA_LIMIT,
        LIMITS=[1, 2, 3],
        EVENTS=3,
        DELAY="10ms",
        table="""
        x IN  | LEVEL TRIP COUNT
        1 nan | 0     0    [1,1,1]
        1 0   | 0     0    [0,0,0]
        3 nan | 3     0    [3,3,3]
        1 nan | 3     1    [3,3,3]
    """,
    )
    scan(SOA_LIMIT, LIMITS=[1, 2, float("nan")], IN=0.0, EVENTS=3, table="x RESET | LEVEL TRIP\n 3 0 | 3 0\n 20 0 | 3 1")


def test_a_reset_works_only_inside_the_maximum_safety_limit():
    scan(
        SOA_LIMIT,
        LIMITS=[1, 2, 3],
        EVENTS=1,
        DELAY="0s",
        table="IN RESET | TRIP\n 3 0 | 1\n 3 1 | 1\n 2.9 1 | 1\n 2.9 0 | 1\n 2.9 1 | 0\n 2.9 1 | 0\n 3 1 | 1",
    )


def test_a_limit_that_was_touched_counts_in_its_cycle_whatever_scan_that_was():
    scan(
        SOA_LIMIT,
        LIMITS=[1, 2, 3],
        CYCLE="30ms",
        table="x IN | COUNT\n 1 2.5 | [0,0,0]\n 2 0 | [1,1,0]\n 3 0 | [0,0,0]\n 2 0 | [0,0,0]\n 1 3 | [1,1,1]",
    )
