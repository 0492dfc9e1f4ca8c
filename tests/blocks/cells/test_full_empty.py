"""FULL_EMPTY: the end of CC/CV charging at 0.05C, the end of a discharge, and how long ago they were."""

from __future__ import annotations

from blocks.cells.full_empty import FULL_EMPTY
from tests.aids.scan_table import scan


def test_full_is_a_high_voltage_with_a_small_charging_current():
    scan(
        FULL_EMPTY,
        V_MIN=3.3,
        HOLD=0,
        table="""
        V_MAX I   | FULL
        3.65  -15 | 0       # 0.05C of 280 Ah are 14 A
        3.59  -10 | 0
        3.65  5   | 0       # discharging
        3.65  -14 | 1
    """,
    )


def test_full_lasts_until_enough_was_taken_however_slowly():
    """2 Ah: 12 A for ten minutes. What comes back in between counts back, but there is no more than full."""
    scan(
        FULL_EMPTY,
        V_MIN=3.3,
        HOLD=0,
        BACK=2.0,
        dt="5min",
        table="""
        V_MAX I   | FULL SINCE_FULL
        3.65  -10 | 1    0s
        3.35  -10 | 1    0s      # float charge
        3.35  12  | 1    0s      # 1 Ah
        3.35  -6  | 1    0s      # 0.5
        3.35  12  | 1    0s      # 1.5
        3.35  0   | 1    0s
        3.35  6   | 0    5min    # 2.0
        3.35  0   | 0    10min
        3.65  0   | 1    0s
        3.35  12  | 1    0s
    """,
    )


def test_empty_is_a_low_voltage_and_falls_when_something_was_charged():
    """50 A for 144 s are 2 Ah."""
    scan(
        FULL_EMPTY,
        V_MAX=3.0,
        HOLD="72s",
        BACK=2.0,
        dt="72s",
        table="""
        V_MIN I   | EMPTY SINCE_EMPTY HAD_EMPTY
        2.7   -5  | 0     72s         0      # charging: on its way up
        2.7   100 | 0     144s        0
        2.7   100 | 1     0s          1
        2.9   0   | 1     0s          1      # relaxes
        3.0   -50 | 1     0s          1
        3.0   nan | 1     0s          1
        3.0   -50 | 0     72s         1
    """,
    )


def test_a_voltage_that_sags_under_a_heavy_load_is_not_empty_where_i_empty_says_so():
    scan(FULL_EMPTY, V_MAX=3.2, V_MIN=2.7, HOLD=0, I_EMPTY=20.0, table="I | EMPTY\n 200 | 0\n 21 | 0\n 20 | 1")


def test_an_interruption_starts_the_waiting_anew_and_a_nan_changes_nothing():
    scan(
        FULL_EMPTY,
        V_MIN=3.3,
        HOLD="20s",
        dt="10s",
        table="""
        V_MAX I   | FULL
        3.65  -10 | 0
        3.65  -10 | 0
        nan   -10 | 0
        3.65  -10 | 0
        3.65  -10 | 0
        3.65  nan | 0
        3.65  -10 | 0
        3.65  -10 | 0
        3.65  -10 | 1
        nan   nan | 1
    """,
    )


def test_both_at_once_are_possible_in_a_pack_out_of_balance():
    scan(FULL_EMPTY, V_MAX=3.65, V_MIN=2.5, I=0.0, table="HOLD | FULL EMPTY\n 0ms | 1 1\n 0ms | 1 1")
