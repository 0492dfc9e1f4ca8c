"""ZONE_GUARD: the last word on a heater and a fan."""

from __future__ import annotations

from blocks.climate.zone_guard import ZONE_GUARD
from tests.aids.scan_table import scan


def test_what_is_asked_passes_inside_its_range():
    scan(
        ZONE_GUARD,
        T=20.0,
        table="HEAT COOL | HEATER FAN REASON\n 60 0 | 60 0 0\n 0 40 | 0 40 0\n 150 0 | 100 0 0\n -5 250 | 0 100 0",
    )


def test_a_dead_sensor_stops_the_heater_and_runs_the_fan():
    scan(
        ZONE_GUARD,
        COOL_BLIND=70.0,
        table="""
        T    HEAT COOL | HEATER FAN REASON
        20   60   0    | 60     0   0
        nan  60   0    | 0      70  1
        nan  0    90   | 0      90  1        # what is asked, where that is more
        -inf 60   0    | 0      70  1
        20   60   0    | 60     0   0
    """,
    )


def test_it_does_not_heat_what_is_hot_until_it_is_back_by_the_hysteresis():
    scan(ZONE_GUARD, HEAT=50.0, COOL=0.0, table="T | HEATER CUT\n 29.9 | 50 0\n 30 | 0 1\n 28 | 0 1\n 27.9 | 50 0\n 29.9 | 50 0")


def test_a_cut_that_is_no_number_cuts():
    scan(ZONE_GUARD, T=20.0, HEAT=50.0, COOL=0.0, table="T_CUT | HEATER CUT REASON\n 30 | 50 0 0\n nan | 0 1 2\n 30 | 50 0 0")


def test_never_both_and_a_broken_demand_is_no_heat_and_full_cooling():
    scan(
        ZONE_GUARD,
        T=20.0,
        table="HEAT COOL | HEATER FAN REASON\n 60 1 | 0 1 3\n nan 10 | 0 10 4\n 60 nan | 0 100 4\n 60 0 | 60 0 0",
    )


def test_off_is_off():
    scan(ZONE_GUARD, HEAT=60.0, COOL=40.0, table="T EN | HEATER FAN REASON\n 20 0 | 0 0 5\n nan 0 | 0 0 5")
