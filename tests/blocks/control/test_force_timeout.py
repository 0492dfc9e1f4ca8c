"""FORCE_TIMEOUT: a person's force ends by itself."""

from __future__ import annotations

from blocks.control.force_timeout import FORCE_TIMEOUT
from blocks.declare import INPUT
from tests.aids.scan_table import scan


def test_it_returns_by_itself_and_needs_a_new_edge():
    scan(
        FORCE_TIMEOUT,
        T_MAX="20ms",
        VALUE=80.0,
        table="""
        IN   FORCE | OUT FORCED REMAINING EXPIRED
        10   0     | 10  0      0ms       0
        10   1     | 80  1      20ms      0
        10   1     | 80  1      10ms      0
        11   1     | 11  0      0ms       1
        12   1     | 12  0      0ms       1
        12   0     | 12  0      0ms       0
        12   1     | 80  1      20ms      0
    """,
    )


def test_a_force_that_was_on_at_the_start_forces_nothing():
    scan(FORCE_TIMEOUT, IN=10.0, VALUE=80.0, table="FORCE | OUT FORCED EXPIRED\n 1 | 10 0 0\n 1 | 10 0 0\n 0 | 10 0 0\n 1 | 80 1 0")


def test_giving_it_back_early_is_no_expiry():
    scan(FORCE_TIMEOUT, IN=10.0, VALUE=80.0, table="FORCE | OUT EXPIRED\n 0 | 10 0\n 1 | 80 0\n 0 | 10 0")


def test_a_value_that_is_no_number_ends_it_and_does_not_begin_it():
    scan(
        FORCE_TIMEOUT,
        IN=10.0,
        table="""
        FORCE VALUE | OUT FORCED
        0     80    | 10  0
        1     80    | 80  1
        1     nan   | 10  0
        1     80    | 10  0       # a new force needs a new edge
        0     inf   | 10  0
        1     inf   | 10  0
    """,
    )


def test_the_value_stays_inside_its_range_and_limits_that_cross_force_nothing():
    scan(FORCE_TIMEOUT, IN=10.0, MAX=50.0, table="FORCE VALUE | OUT\n 0 0 | 10\n 1 80 | 50\n 1 -5 | 0")
    scan(FORCE_TIMEOUT, IN=10.0, VALUE=5.0, table="FORCE MIN | OUT FORCED\n 0 0 | 10 0\n 1 0 | 5 1\n 1 200 | 10 0\n 1 nan | 10 0")


def test_without_a_time_there_is_no_force_and_a_late_scan_ends_it():
    scan(FORCE_TIMEOUT, IN=10.0, VALUE=5.0, T_MAX="0s", table="FORCE | OUT\n 0 | 10\n 1 | 10\n 1 | 10")
    scan(FORCE_TIMEOUT, IN=10.0, VALUE=5.0, T_MAX="1s", table="dt FORCE | OUT\n 10ms 0 | 10\n 10ms 1 | 5\n 5s 1 | 10")


def test_a_broken_automatic_value_is_passed_on():
    scan(FORCE_TIMEOUT, VALUE=5.0, table="FORCE IN | OUT\n 0 nan | nan\n 1 nan | 5\n 0 7 | 7")


def test_a_range_of_one_value_is_a_range():
    scan(FORCE_TIMEOUT, IN=10.0, VALUE=80.0, MIN=50.0, MAX=50.0, table="FORCE | OUT FORCED\n 0 | 10 0\n 1 | 50 1")


def test_after_a_restart_it_is_not_forced():
    assert {pin.name for pin in FORCE_TIMEOUT.pins if pin.kind != INPUT and not pin.volatile} == {"OUT"}
