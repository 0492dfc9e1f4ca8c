"""SETPOINT_SELECT: local and remote without a bump."""

from __future__ import annotations

from blocks.control.setpoint_select import SETPOINT_SELECT
from tests.aids.scan_table import scan


def test_the_first_scan_starts_at_once_wherever_it_comes_from():
    scan(SETPOINT_SELECT, LOCAL=50.0, REMOTE=80.0, RATE=1.0, table="USE_REMOTE | OUT SOURCE\n 0 | 50 0")
    scan(SETPOINT_SELECT, LOCAL=50.0, REMOTE=80.0, RATE=1.0, table="USE_REMOTE | OUT SOURCE\n 1 | 80 1")


def test_to_local_there_is_no_bump_until_the_operator_enters_another():
    scan(
        SETPOINT_SELECT,
        table="""
        LOCAL REMOTE USE_REMOTE | OUT SOURCE
        50    80     1          | 80  1
        50    81     1          | 81  1
        50    82     0          | 81  0
        50    90     0          | 81  0
        51    90     0          | 51  0
        51    90     1          | 90  1      # to remote at once, since RATE is 0
    """,
    )


def test_to_remote_it_goes_no_faster_than_its_rate():
    scan(
        SETPOINT_SELECT,
        LOCAL=50.0,
        REMOTE=20.0,
        RATE=10.0,
        table="dt USE_REMOTE | OUT\n 1s 0 | 50\n 1s 1 | 40\n 500ms 1 | 35\n 10s 1 | 20",
    )


def test_to_local_while_it_is_on_its_way_it_stops_there():
    scan(
        SETPOINT_SELECT,
        LOCAL=50.0,
        REMOTE=100.0,
        RATE=10.0,
        dt="1s",
        table="USE_REMOTE | OUT\n 0 | 50\n 1 | 60\n 1 | 70\n 0 | 70\n 0 | 70",
    )


def test_a_bad_remote_setpoint_is_held_and_the_way_back_has_no_bump():
    scan(
        SETPOINT_SELECT,
        LOCAL=50.0,
        RATE=10.0,
        dt="1s",
        table="""
        REMOTE USE_REMOTE GOOD | OUT SOURCE
        80     1          1    | 80  1
        80     1          0    | 80  2
        nan    1          1    | 80  2
        inf    1          1    | 80  2
        100    1          1    | 90  1
        nan    0          1    | 90  0
    """,
    )


def test_with_a_bad_remote_setpoint_at_the_start_local_is_taken():
    scan(SETPOINT_SELECT, LOCAL=50.0, table="REMOTE USE_REMOTE | OUT SOURCE\n nan 1 | 50 2\n nan 1 | 50 2\n 60 1 | 60 1")


def test_a_local_setpoint_that_is_no_number_is_not_believed():
    scan(SETPOINT_SELECT, REMOTE=0.0, table="LOCAL USE_REMOTE | OUT\n 50 0 | 50\n nan 0 | 50\n 50 0 | 50\n 60 0 | 60")


def test_it_stays_inside_its_limits_and_limits_without_sense_hold_it():
    scan(
        SETPOINT_SELECT,
        REMOTE=0.0,
        USE_REMOTE=0,
        table="""
        LOCAL MIN MAX  | OUT SOURCE
        50    10  90   | 50  0
        95    10  90   | 90  0
        95    10  70   | 70  0
        95    nan 90   | 70  2
        95    90  10   | 70  2
        95    10  90   | 90  0
    """,
    )


def test_without_a_good_setpoint_at_the_start_it_waits_and_then_starts_at_once():
    scan(SETPOINT_SELECT, REMOTE=80.0, RATE=0.5, dt="1s", table="LOCAL USE_REMOTE | OUT\n nan 0 | 0\n 50 0 | 50\n 60 0 | 50.5")


def test_limits_that_meet_allow_one_setpoint():
    scan(SETPOINT_SELECT, REMOTE=0.0, USE_REMOTE=0, MIN=30.0, MAX=30.0, table="LOCAL | OUT SOURCE\n 50 | 30 0\n 10 | 30 0")


def test_it_stays_inside_its_limits_also_while_it_is_on_its_way():
    scan(
        SETPOINT_SELECT,
        LOCAL=100.0,
        REMOTE=0.0,
        USE_REMOTE=0,
        RATE=10.0,
        dt="1s",
        table="MIN MAX | OUT\n 0 100 | 100\n 0 50 | 50\n 0 100 | 60\n 90 100 | 90",
    )


def test_the_same_local_setpoint_can_be_entered_again():
    """After remote at 500 the operator sees LOCAL 0 and wants 0."""
    scan(
        SETPOINT_SELECT,
        LOCAL=0.0,
        REMOTE=500.0,
        table="""
        USE_REMOTE ENTER | OUT SOURCE
        1          1     | 500 1       # on since the start: no edge
        1          0     | 500 1
        1          1     | 500 1       # without meaning in remote
        0          1     | 500 0       # held down is not entered
        0          0     | 500 0
        0          1     | 0   0
        0          0     | 0   0
        0          1     | 0   0       # twice is once
    """,
    )


def test_a_rate_that_nobody_knows_holds_the_setpoint():
    scan(
        SETPOINT_SELECT,
        LOCAL=0.0,
        REMOTE=500.0,
        dt="1s",
        table="""
            USE_REMOTE RATE MAX | OUT SOURCE
            0 nan 900 | 0 2
            1 nan 900 | 0 2
            1 5 900 | 5 1
            1 nan 3 | 3 2
            1 0 900 | 500 1
        """,
    )


def test_until_a_setpoint_is_known_it_is_nobodys():
    scan(
        SETPOINT_SELECT, REMOTE=80.0, table="LOCAL USE_REMOTE | OUT SOURCE\n nan 0 | 0 2\n nan 0 | 0 2\n 50 0 | 50 0\n nan 0 | 50 0"
    )
