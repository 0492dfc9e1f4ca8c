"""RAMP: a rate for each direction, in true time."""

from __future__ import annotations

from blocks.control.ramp import RAMP
from tests.aids.scan_table import scan


def test_it_rises_and_falls_at_its_own_rates_and_stops_at_the_input():
    scan(
        RAMP,
        UP=50.0,
        DOWN=100.0,
        dt="100ms",
        table="""
        IN  | OUT
        12  | 5
        12  | 10
        12  | 12
        -20 | 2
        -20 | -8
        -20 | -18
        -20 | -20
    """,
    )


def test_a_late_scan_moves_by_the_true_time():
    scan(RAMP, UP=50.0, DOWN=100.0, IN=1000.0, table="dt | OUT\n 10ms | 0.5\n 1s | 50.5")


def test_a_broken_value_is_shown_and_the_ramp_goes_on_from_where_it_was():
    scan(RAMP, UP=50.0, DOWN=50.0, dt="1s", table="IN | OUT\n 200 | 50\n 200 | 100\n nan | nan\n nan | nan\n 200 | 150")


def test_a_rate_that_is_negative_or_broken_is_zero_away_from_0():
    scan(RAMP, IN=100.0, dt="1s", table="UP DOWN | OUT\n 10 10 | 10\n -5 10 | 10\n nan nan | 10\n 10 nan | 20")


def test_a_broken_rate_does_not_keep_out_from_going_to_0():
    scan(
        RAMP,
        dt="1s",
        table="IN UP DOWN | OUT\n 40 90 90 | 40\n 0 90 nan | 0\n -5 90 nan | 0\n -40 90 90 | -40\n 9 nan 90 | 0\n 9 nan 90 | 0",
    )
