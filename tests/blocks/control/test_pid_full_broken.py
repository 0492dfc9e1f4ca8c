"""PID_FULL when something breaks: an input, a limit, and what somebody else did to OUT meanwhile."""

from __future__ import annotations

from blocks.control.pid_full import PID_FULL
from tests.aids.scan_table import scan

WIDE = {"OUT_MIN": -1000.0, "OUT_MAX": 1000.0}


def test_a_limit_that_is_not_a_number_lets_out_move_towards_0_only():
    scan(
        PID_FULL,
        KP=2.0,
        SP=10.0,
        table="""
        PV OUT_MIN OUT_MAX | OUT HELD
        9  -100    100     | 2   0
        5  -100    nan     | 2   1     # up is not known to be allowed
        12 -100    nan     | 0   1     # down is, but not beyond 0
        12 nan     100     | 0   1
        9  nan     1       | 0   1
        9  -100    1       | 1   0
        99 nan     0.5     | 0   1
    """,
    )


def test_the_limit_that_is_a_number_still_holds():
    scan(PID_FULL, KP=2.0, SP=10.0, PV=9.0, table="OUT_MIN OUT_MAX | OUT\n -100 100 | 2\n nan 1 | 1\n 5 nan | 5")


def test_manual_goes_through_a_limit_that_is_not_a_number():
    scan(
        PID_FULL,
        KP=2.0,
        SP=10.0,
        PV=9.0,
        OUT_MIN=0.0,
        table="AUTO MAN OUT_MAX | OUT HELD\n 1 0 100 | 2 0\n 0 0 nan | 0 1\n 0 7 nan | 7 1\n 0 -7 nan | 0 1",
    )


def test_what_was_put_by_hand_while_the_sensor_was_dead_is_where_it_carries_on():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        **WIDE,
        dt="100ms",
        table="""
        x   PV  AUTO MAN | OUT  HELD
        501 9   1    0   | 102  0
        1   nan 1    0   | 102  1
        9   nan 0    0   | 0    0
        9   nan 1    0   | 0    1
        1   9   1    0   | 0    0     # not 102
        1   9   1    0   | 0.2  0
    """,
    )


def test_a_limit_that_took_out_along_while_the_sensor_was_dead_is_where_it_carries_on():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        OUT_MIN=0.0,
        dt="100ms",
        table="""
        x   PV  OUT_MAX | OUT
        501 9   1000    | 102
        1   nan 1000    | 102
        1   nan 5       | 5
        1   nan 1000    | 5
        1   9   1000    | 5
    """,
    )


def test_what_was_tracked_while_the_sensor_was_dead_is_where_it_carries_on():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        TRACK_VALUE=30.0,
        **WIDE,
        dt="100ms",
        table="""
        x   PV  TRACK | OUT  HELD
        501 9   0     | 102  0
        9   nan 1     | 30   0
        1   nan 0     | 30   1
        1   9   0     | 30   0
        1   9   0     | 30.2 0
    """,
    )


def test_manual_with_a_rate_works_also_before_the_sensor_has_ever_lived():
    scan(
        PID_FULL,
        KP=2.0,
        SP=10.0,
        AUTO=False,
        MAN=25.0,
        RATE=100.0,
        **WIDE,
        dt="100ms",
        table="PV | OUT\n nan | 10\n nan | 20\n nan | 25",
    )


def test_limits_that_are_infinite_on_the_wrong_side_never_make_out_infinite():
    table = "OUT_MIN OUT_MAX | OUT HELD\n -9 9 | 2 0\n inf inf | 2 1\n -inf -inf | 2 1\n -inf inf | 2 0"
    scan(PID_FULL, KP=2.0, SP=10.0, PV=9.0, table=table)
