"""PLATING_LIMIT: the stair of NUMBERS.md, its edges, and what nobody knows."""

from __future__ import annotations

import pytest

from blocks.charge.plating_limit import PLATING_LIMIT
from tests.aids.scan_table import scan

INSIDE = {-30: 0, -0.01: 0, 0.01: 0.1, 4.99: 0.1, 5.01: 0.1, 9.99: 0.1, 10.01: 0.2, 24.99: 0.2, 25.01: 0.5, 49.99: 0.5, 50.01: 0}
EDGES = {0: 0, 5: 0.1, 10: 0.1, 25: 0.2, 50: 0}


@pytest.mark.parametrize(("celsius", "rate"), (INSIDE | EDGES).items())
def test_it_is_a_stair_and_at_an_edge_the_slower_side_counts(celsius, rate):
    scan(PLATING_LIMIT, HYST=0.0, table=f"T_MIN T_MAX | RATE ALLOWED\n {celsius} {celsius} | {rate} {int(rate > 0)}")


def test_between_50_and_60_degrees_where_the_manuals_are_silent_and_above_there_is_none():
    scan(PLATING_LIMIT, HYST=0.0, table="T_MIN T_MAX | RATE\n 30 55 | 0\n 30 61 | 0\n 61 61 | 0")


def test_the_slowest_band_between_the_coldest_and_the_hottest_cell_counts():
    scan(
        PLATING_LIMIT,
        HYST=0.0,
        table="""
        T_MIN T_MAX | RATE
        3     30    | 0.1
        12    30    | 0.2
        -1    30    | 0
        30    3     | 0.1     # swapped inputs change nothing
    """,
    )
    dip = [0.5, 0.5, 0.05, 0.5, 0.5, 0.5]
    scan(PLATING_LIMIT, HYST=0.0, RATES=dip, table="T_MIN T_MAX | RATE\n 2 30 | 0.05\n 12 30 | 0.5")


def test_a_temperature_that_trembles_at_an_edge_does_not_make_the_rate_chatter():
    scan(
        PLATING_LIMIT,
        HYST=1.0,
        table="""
        T_MIN T_MAX | RATE
        24.9  24.9  | 0.2
        25.1  25.1  | 0.2
        24.9  24.9  | 0.2
        26    26    | 0.2     # exactly 1 K inside: not beyond it
        26.01 26.01 | 0.5
        25.01 25.01 | 0.5
        24.99 24.99 | 0.2     # a fall acts at once
        26.01 26.01 | 0.5
    """,
    )


def test_the_first_scan_starts_on_the_safe_side():
    scan(PLATING_LIMIT, HYST=1.0, table="T_MIN T_MAX | RATE\n 25.5 25.5 | 0.2\n 25.5 25.5 | 0.2")


@pytest.mark.parametrize("pin", ["T_MIN", "T_MAX", "HYST"])
def test_a_nan_is_no_charging_and_is_not_remembered(pin):
    good = {"T_MIN": "30", "T_MAX": "30", "HYST": "1"}
    bad = good | {pin: "nan"}
    lines = [" ".join(good.values()) + " | 0.5", " ".join(bad.values()) + " | 0", " ".join(good.values()) + " | 0.5"]
    scan(PLATING_LIMIT, table="T_MIN T_MAX HYST | RATE\n" + "\n".join(lines))


@pytest.mark.parametrize("celsius", ["inf", "-inf"])
def test_a_broken_sensor_that_reads_infinite_is_no_charging(celsius):
    scan(PLATING_LIMIT, table=f"T_MIN T_MAX | RATE\n {celsius} 30 | 0\n 30 {celsius} | 0")


def test_a_broken_table_is_no_charging_where_it_is_touched():
    nan = float("nan")
    scan(PLATING_LIMIT, HYST=0.0, RATES=[0, 0.1, 0.1, 0.2, nan, 0], table="T_MIN T_MAX | RATE\n 30 30 | 0\n 20 20 | 0.2")
    scan(PLATING_LIMIT, HYST=0.0, EDGES=[nan] * 5, table="T_MIN T_MAX | RATE\n 30 30 | 0")
    scan(PLATING_LIMIT, HYST=0.0, RATES=[-1, -1, -1, -1, -1, -1], table="T_MIN T_MAX | RATE\n 30 30 | 0")
