"""CELL_DEVIATION: the cell that has left the others, at rest and under load."""

from __future__ import annotations

from blocks.cells.cell_deviation import CELL_DEVIATION
from tests.aids.scan_table import scan


def test_under_load_300_mv_from_the_mean_as_foxbms():
    scan(
        CELL_DEVIATION,
        I=100,
        DELAY="0s",
        table="""
        V                 | DEVIATION AT VERDICT ALARM
        [3.2,3.2,3.2,2.9] | -0.225    4  0       0
        [3.2,3.2,3.2,2.7] | -0.375    4  3       1
        [3.2,3.7,3.2,3.2] | 0.375     2  3       1
    """,
    )


def test_at_rest_the_limit_is_narrow():
    scan(
        CELL_DEVIATION,
        V=[3.40, 3.34, 3.40],
        REST="2s",
        DELAY="0s",
        dt="1s",
        table="""
        x I   | AT_REST VERDICT
        1 100 | 0       0
        2 0   | 0       0
        1 0   | 1       2        # 40 mV of 50: drifting
        1 0.3 | 0       0
        3 0   | 1       2
    """,
    )


def test_the_limits_themselves():
    scan(
        CELL_DEVIATION,
        I=0,
        REST="0s",
        DELAY="0s",
        table="""
        V                       | DEVIATION VERDICT
        [3.5,3.5,3.47,3.5]      | -0.0225   1
        [3.5,3.5,3.46,3.5]      | -0.03     2
        [3.5,3.5,3.43,3.5]      | -0.0525   3
        [3.5,3.5,3.57,3.5]      | 0.0525    3
    """,
    )


def test_cold_cells_are_not_judged_at_rest():
    scan(CELL_DEVIATION, V=[3.5, 3.3], I=0, REST="0s", table="T | AT_REST VERDICT\n 4.9 | 0 0\n 5 | 1 3\n nan | 0 0\n 25 | 1 3")


def test_the_alarm_waits_for_the_delay_and_goes_with_the_imbalance():
    scan(
        CELL_DEVIATION,
        I=0,
        REST="0s",
        DELAY="2s",
        dt="1s",
        table="x V | ALARM\n 2 [3.5,3.3] | 0\n 1 [3.5,3.5] | 0\n 2 [3.5,3.3] | 0\n 1 [3.5,3.3] | 1\n 1 [3.5,3.5] | 0",
    )


def test_a_cell_without_a_value_is_left_out_of_the_mean_and_alarms():
    scan(
        CELL_DEVIATION,
        I=0,
        REST="0s",
        DELAY="0s",
        table="""
            V | DEVIATION VERDICT ALARM
            [3.5,nan,3.5] | 0 4 1
            [nan,nan,nan] | 0 4 1
            [inf,3.5,3.5] | 0 4 1
            [3.5,3.5,3.5] | 0 1 0
        """,
    )


def test_an_unknown_current_leaves_the_wide_limit():
    scan(CELL_DEVIATION, V=[3.5, 3.3], REST="0s", table="I | AT_REST VERDICT\n 0 | 1 3\n nan | 0 0\n 0 | 1 3")
