"""ALARM_STAND: off-delay, latch and suppression by design of ISA-18.2 and IEC 62682."""

from __future__ import annotations

from blocks.control.alarm_stand import ALARM_STAND
from tests.aids.scan_table import scan


def test_with_nothing_asked_of_it_it_is_its_condition():
    scan(ALARM_STAND, table="IN | ACTIVE\n 0 | 0\n 1 | 1\n 1 | 1\n 0 | 0\n 1 | 1")


def test_a_chattering_condition_is_one_alarm():
    """The off-delay bridges gaps that are shorter than it; a gap of its length ends the alarm."""
    scan(
        ALARM_STAND,
        OFF_DELAY="30ms",
        table="""
        x IN | ACTIVE
        1 1  | 1
        3 0  | 1         # 0, 10 and 20 ms
        1 1  | 1
        3 0  | 1
        1 0  | 0         # 30 ms
        5 0  | 0
        1 1  | 1
    """,
    )


def test_a_latched_alarm_stays_when_its_condition_is_gone_until_it_is_reset():
    scan(
        ALARM_STAND,
        LATCH=1,
        table="""
        x IN RESET | ACTIVE
        1 1  0     | 1
        9 0  0     | 1
        1 0  1     | 0
        1 0  0     | 0
        1 1  0     | 1        # it may come again
    """,
    )


def test_a_reset_while_it_stands_does_nothing_then_or_later():
    scan(
        ALARM_STAND,
        LATCH=1,
        OFF_DELAY="20ms",
        table="""
        x IN RESET | ACTIVE
        1 1  0     | 1
        1 1  1     | 1
        5 0  1     | 1        # held down: no edge
        1 0  0     | 1
        1 1  0     | 1
        1 0  1     | 1        # it still stands, for its off-delay
        5 0  1     | 1
        1 0  0     | 1
        1 0  1     | 0
    """,
    )


def test_a_reset_that_is_stuck_from_the_start_resets_nothing():
    scan(ALARM_STAND, LATCH=1, table="x IN RESET | ACTIVE\n 1 0 1 | 0\n 1 1 1 | 1\n 9 0 1 | 1")


def test_without_a_latch_a_reset_says_nothing_and_a_latch_taken_away_lets_go():
    scan(
        ALARM_STAND,
        table="""
        LATCH IN RESET | ACTIVE
        0     1  0     | 1
        0     1  1     | 1
        0     0  0     | 0
        1     1  0     | 1
        1     0  0     | 1
        0     0  0     | 0
        1     0  0     | 0
    """,
    )


def test_suppressed_by_design_there_is_no_alarm_and_one_that_still_holds_comes_back():
    scan(ALARM_STAND, table="IN INHIBIT | ACTIVE\n 1 0 | 1\n 1 1 | 0\n 1 1 | 0\n 1 0 | 1\n 0 1 | 0\n 0 0 | 0")


def test_what_came_and_went_while_suppressed_was_no_alarm_and_is_not_latched():
    scan(ALARM_STAND, LATCH=1, table="IN INHIBIT | ACTIVE\n 0 1 | 0\n 1 1 | 0\n 0 1 | 0\n 0 0 | 0")


def test_suppression_hides_a_latched_alarm_and_does_not_reset_it():
    scan(
        ALARM_STAND,
        LATCH=1,
        table="""
        IN RESET INHIBIT | ACTIVE
        1  0     0       | 1
        0  0     0       | 1
        0  0     1       | 0
        0  0     0       | 1
        0  0     1       | 0
        0  1     1       | 0        # a reset counts all the same
        0  0     0       | 0
    """,
    )


def test_the_delay_counts_anew_from_the_end_of_the_suppression():
    """A pump that starts has no flow yet: its alarm waits as if the condition had just come."""
    scan(
        ALARM_STAND,
        SETTLE="20ms",
        table="""
        x IN INHIBIT | ACTIVE
        1 1  0       | 1         # no suppression: SETTLE is not in the way
        5 1  1       | 0
        2 1  0       | 0
        1 1  0       | 1
        1 1  1       | 0
        1 1  0       | 0
        1 1  1       | 0         # suppressed again mid-delay
        2 1  0       | 0
        1 1  0       | 1
    """,
    )


def test_an_off_delay_does_not_outlast_a_suppression():
    scan(ALARM_STAND, OFF_DELAY="1s", table="x IN INHIBIT | ACTIVE\n 1 1 0 | 1\n 3 0 0 | 1\n 1 0 1 | 0\n 3 0 0 | 0")
