"""SOA: foxBMS 2 v1.11's table for one rack (NUMBERS.md): temperatures, events and delays."""

from __future__ import annotations

import pytest

from blocks.cells.soa import SOA
from tests.aids.scan_table import Twin, scan

MS = 1_000_000
GOOD = {
    "V_MAX": 3.3,
    "V_MIN": 3.3,
    "T_MAX": 25.0,
    "T_MIN": 25.0,
    "I": 0.0,
    "V_HIGH": [3.5, 3.55, 3.6],
    "V_LOW": [2.9, 2.8, 2.7],
    "I_CHARGE": [140.0, 160.0, 180.0],
    "I_DISCHARGE": [200.0, 220.0, 240.0],
}
QUICK = GOOD | {"EVENTS": [1, 1, 1]}


def run_until_trip(**changed: float) -> tuple[int, Twin]:
    twin = Twin(SOA)
    for name, value in (GOOD | changed).items():
        twin.set(name, value)
    elapsed = 0
    while not twin.get("TRIP") and elapsed < 10_000:
        twin.scan(10 * MS)
        elapsed += 10
    return elapsed, twin


@pytest.mark.parametrize(
    ("pin", "value", "current", "time", "first"),
    [
        ("V_MAX", 3.60, 0.0, 700, 1),
        ("V_MIN", 2.70, 0.0, 700, 2),
        ("T_MAX", 45.0, -50.0, 6000, 3),
        ("T_MAX", 55.0, 50.0, 6000, 3),
        ("T_MIN", -20.0, -50.0, 6000, 4),
        ("T_MIN", -20.0, 50.0, 6000, 4),
        ("I", -180.0, -180.0, 200, 5),
        ("I", 240.0, 240.0, 200, 6),
    ],
)
def test_each_quantity_trips_after_its_events_and_its_delay(pin, value, current, time, first):
    """Voltage 50 events + 200 ms, temperature 500 + 1000 ms, current 10 + 100 ms, an event each 10 ms."""
    elapsed, twin = run_until_trip(**({"I": current} | {pin: value}))
    assert elapsed == pytest.approx(time, abs=10)
    assert twin.get("FIRST") == twin.get("REASON") == first
    assert twin.get("LEVEL") == 3


def test_temperature_has_its_own_limits_for_each_direction_and_rest_counts_as_charging():
    scan(
        SOA,
        **(QUICK | {"T_MAX": 25.0}),
        table="""
        I    T_MAX | LEVEL REASON
        -50  34.9  | 0     0
        -50  35    | 1     3
        -50  40    | 2     3
        50   44.9  | 0     0
        50   45    | 1     3
        50   50    | 2     3
        0    45    | 3     3
        0.1  45    | 3     3
        0.3  40    | 0     0
        nan  40    | 3     5       # the direction is not known: the lower limits, and the current counts as beyond
    """,
    )


def test_low_temperatures():
    scan(SOA, **QUICK, table="T_MIN I | LEVEL REASON\n -9.9 -50 | 0 0\n -10 -50 | 1 4\n -15 50 | 2 4\n -20 0 | 3 4\n 25 0 | 0 0")


def test_the_direction_of_the_current_has_its_own_limits():
    scan(SOA, **QUICK, table="I | LEVEL REASON\n 150 | 0 0\n -150 | 1 5\n -165 | 2 5\n 190 | 0 0\n 230 | 2 6\n 0 | 0 0")


def test_the_worst_of_several_is_the_reason_and_each_shows_its_own_level():
    scan(
        SOA,
        **QUICK,
        table="""
        V_MAX V_MIN I   | LEVEL REASON LEVELS
        3.51  2.79  0   | 2     2      [1,2,0,0,0,0]
        3.51  2.79  230 | 2     2      [1,2,0,0,0,2]
        3.56  3.3   145 | 2     1      [2,0,0,0,0,0]
    """,
    )


def test_what_tripped_first_stays_until_the_reset():
    scan(
        SOA,
        **(QUICK | {"DELAYS": [0, 20 * MS, 20 * MS]}),
        table="""
        V_MAX I    RESET | TRIP FIRST
        3.3   -200 0     | 0    0
        3.7   -200 0     | 1    1
        3.7   -200 0     | 1    1     # the current's delay is over, too
        3.3   -200 1     | 1    1
        3.3   0    0     | 1    1
        3.3   0    1     | 0    0
    """,
    )


@pytest.mark.parametrize(
    ("pin", "time", "first"), [("V_MAX", 700, 1), ("V_MIN", 700, 2), ("T_MAX", 6000, 3), ("T_MIN", 6000, 4), ("I", 200, 5)]
)
def test_a_dead_sensor_trips(pin, time, first):
    elapsed, twin = run_until_trip(**{pin: float("nan")})
    assert elapsed == pytest.approx(time, abs=10)
    assert twin.get("FIRST") == first


def test_nothing_trips_in_the_middle_of_everything():
    elapsed, twin = run_until_trip()
    assert elapsed == 10_000
    assert twin.get("LEVEL") == 0


def test_a_limit_that_was_touched_counts_in_its_cycle_whatever_scan_that_was():
    lines = "4 3.61 | 0\n 1 3.4 | 0\n" * 2
    scan(
        SOA,
        **{k: v for k, v in GOOD.items() if k != "V_MAX"} | {"CYCLE": "50ms", "EVENTS": [3, 9, 9]},
        table=f"x V_MAX | LEVEL\n {lines} 4 3.61 | 0\n 1 3.4 | 3",
    )
