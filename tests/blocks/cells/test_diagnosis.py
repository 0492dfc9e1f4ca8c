"""DIAGNOSIS: foxBMS's event counter (up on an event, down on a good check, active from the threshold until empty), then its
delay.
"""

from __future__ import annotations

import pytest

from blocks.cells.diagnosis import DIAGNOSIS
from tests.aids.scan_table import Twin, scan

MS = 1_000_000


@pytest.mark.parametrize(
    ("what", "events", "delay"), [("CAN timing", 100, 200), ("interlock", 10, 100), ("contactor feedback", 20, 100)]
)
@pytest.mark.parametrize("dt", [1, 5, 10, 20, 50])
def test_a_lasting_fault_trips_after_its_events_and_its_delay_whatever_the_scan(what, events, delay, dt):
    """NUMBERS.md, foxBMS 2 v1.11: an event each 10 ms."""
    twin = Twin(DIAGNOSIS)
    for name, value in {"BAD": True, "EVENTS": events, "DELAY": delay * MS}.items():
        twin.set(name, value)
    active = trip = 0
    for i in range(1, (events * 10 + delay) // dt + 3):
        twin.scan(dt * MS)
        active = active or i * dt * twin.get("ACTIVE")
        trip = trip or i * dt * twin.get("TRIP")
    assert events * 10 <= active < events * 10 + dt, what
    assert delay <= trip - active < delay + dt


def test_a_fault_that_flickers_is_found_if_it_is_there_most_of_the_time():
    """Two bad, one good: the counter gains one in three scans."""
    scan(
        DIAGNOSIS,
        EVENTS=3,
        table="""
        x BAD | COUNT ACTIVE
        2 1   | 2     0
        1 0   | 1     0
        1 1   | 2     0
        1 1   | 3     1
        1 0   | 2     1
    """,
    )


def test_a_fault_that_is_there_half_of_the_time_is_not():
    scan(DIAGNOSIS, EVENTS=3, table="BAD | COUNT\n" + "1 | 1\n 0 | 0\n" * 20)


def test_an_active_fault_is_over_when_its_counter_is_empty_and_never_counts_beyond_its_threshold():
    scan(
        DIAGNOSIS,
        EVENTS=3,
        DELAY="10s",
        table="x BAD | COUNT ACTIVE TOTAL\n 50 1 | 3 1 1\n 2 0 | 1 1 1\n 1 0 | 0 0 1\n 3 1 | 3 1 2",
    )


def test_a_trip_stays_until_a_reset_after_the_fault_and_a_stuck_button_is_no_reset():
    scan(
        DIAGNOSIS,
        EVENTS=1,
        DELAY="0s",
        table="""
        BAD RESET | ACTIVE TRIP
        0   1     | 0      0
        1   1     | 1      1
        0   1     | 0      1     # stuck
        0   0     | 0      1
        1   1     | 1      1     # the fault is back
        1   0     | 1      1
        0   0     | 0      1
        0   1     | 0      0
    """,
    )


def test_a_reset_does_not_clear_a_trip_while_the_fault_is_back_and_waits_for_its_delay():
    scan(
        DIAGNOSIS,
        EVENTS=1,
        DELAY="30ms",
        table="x BAD RESET | ACTIVE TRIP\n 4 1 0 | 1 1\n 1 0 0 | 0 1\n 1 1 0 | 1 1\n 1 1 1 | 1 1\n 1 0 0 | 0 1\n 1 0 1 | 0 0",
    )


def test_the_delay_starts_anew_with_each_fault():
    scan(
        DIAGNOSIS,
        EVENTS=1,
        DELAY="30ms",
        table="x BAD | PENDING TRIP\n 3 1 | 1 0\n 1 0 | 0 0\n 3 1 | 1 0\n 1 1 | 0 1",
    )


@pytest.mark.parametrize(("severity", "warning", "trip"), [(0, 0, 0), (1, 1, 0), (2, 1, 1)])
def test_only_a_fatal_error_trips(severity, warning, trip):
    scan(DIAGNOSIS, EVENTS=1, DELAY="0s", SEVERITY=severity, table=f"BAD | ACTIVE WARNING TRIP\n 1 | 1 {warning} {trip}")


def test_only_new_results_count():
    scan(
        DIAGNOSIS,
        EVENTS=2,
        CYCLE="0s",
        table="""
        x  BAD CHECK | COUNT ACTIVE
        1  1   1     | 1     0
        50 1   0     | 1     0
        50 0   0     | 1     0
        1  1   1     | 2     1
    """,
    )


def test_a_late_scan_counts_for_the_time_that_it_spans():
    scan(DIAGNOSIS, EVENTS=10, table="dt BAD | COUNT\n 10ms 1 | 1\n 45ms 1 | 5\n 5ms 1 | 6\n 1s 1 | 10\n 55ms 0 | 5")


def test_a_fault_counts_in_each_cycle_in_which_it_was_seen_whatever_scan_that_was():
    """Nine of ten scans bad; the cycle is counted in the tenth."""
    lines = "9 1 | -\n 1 0 | -\n" * 9
    scan(DIAGNOSIS, CYCLE="100ms", EVENTS=10, table=f"x BAD | COUNT\n {lines} 9 1 | 9\n 1 0 | 10\n 9 0 | 10\n 1 0 | 9")


def test_a_scan_without_a_new_result_remembers_nothing():
    scan(DIAGNOSIS, CYCLE="20ms", table="BAD CHECK | COUNT\n 1 0 | 0\n 0 1 | 0\n 0 1 | 0\n 1 1 | 0\n 0 1 | 1")
