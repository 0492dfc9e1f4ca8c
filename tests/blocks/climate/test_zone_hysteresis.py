"""ZONE_HYSTERESIS: heat, cool, or rest."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.climate.zone_hysteresis import ZONE_HYSTERESIS
from tests.aids.scan_table import Twin, scan

ZONE = {"T_HEAT": 15.0, "T_COOL": 25.0, "HYSTERESIS": 2.0}


def test_it_rests_in_the_dead_band_and_works_until_its_hysteresis():
    scan(
        ZONE_HYSTERESIS,
        **ZONE,
        table="""
        T    | HEAT COOL STATE
        15   | 0    0    0
        14.9 | 1    0    1
        16.9 | 1    0    1
        17   | 0    0    0
        25   | 0    0    0
        25.1 | 0    1    2
        23.1 | 0    1    2
        23   | 0    0    0
    """,
    )


def test_a_run_and_a_rest_last_their_shortest_time():
    scan(
        ZONE_HYSTERESIS,
        **ZONE,
        dt="1s",
        MIN_ON="3s",
        MIN_OFF="2s",
        table="T | HEAT\n 14 | 1\n 20 | 1\n 20 | 1\n 20 | 0\n 14 | 0\n 14 | 1",
    )


def test_a_run_ends_before_its_time_where_the_zone_passes_the_other_setpoint():
    scan(
        ZONE_HYSTERESIS,
        **ZONE,
        MIN_ON="1h",
        table="T | HEAT COOL\n 14 | 1 0\n 20 | 1 0\n 25.1 | 0 0\n 25.1 | 0 1\n 20 | 0 1\n 14.9 | 0 0",
    )


def test_a_dead_sensor_stops_the_heater_at_once_and_runs_the_fan():
    scan(
        ZONE_HYSTERESIS,
        **ZONE,
        MIN_ON="1h",
        MIN_OFF="1h",
        table="""
        T   | HEAT COOL STATE
        10  | 1    0    1
        nan | 0    1    3
        inf | 0    1    3
    """,
    )
    scan(ZONE_HYSTERESIS, **ZONE, COOL_BLIND=0, table="T | HEAT COOL STATE\n 10 | 1 0 1\n nan | 0 0 3\n 10 | 1 0 1")


@pytest.mark.parametrize("row", ["30 25 2", "nan 25 2", "15 nan 2", "15 25 nan"])
def test_setpoints_without_sense_stop_the_heater_and_cool(row):
    scan(ZONE_HYSTERESIS, T=10.0, table=f"T_HEAT T_COOL HYSTERESIS | HEAT COOL STATE\n 15 25 2 | 1 0 1\n {row} | 0 1 4")


def test_off_is_off_whatever_the_shortest_run():
    scan(
        ZONE_HYSTERESIS,
        **ZONE,
        MIN_ON="1h",
        table="T EN | HEAT COOL STATE\n 10 1 | 1 0 1\n 10 0 | 0 0 5\n nan 0 | 0 0 5\n 30 0 | 0 0 5",
    )


def test_it_never_heats_and_cools_at_once():
    chance = np.random.default_rng(2)
    twin = Twin(ZONE_HYSTERESIS)
    for _ in range(3000):
        for name in ("T", "T_HEAT", "T_COOL"):
            twin.set(name, float(chance.choice([np.nan, *chance.normal(20.0, 8.0, 6)])))
        twin.set("HYSTERESIS", float(chance.choice([0.0, 2.0, 30.0])))
        twin.set("MIN_ON", int(chance.choice([0, 50_000_000])))
        twin.set("EN", bool(chance.random() < 0.9))
        twin.plain.scan(10_000_000)
        assert not (twin.get("HEAT") and twin.get("COOL"))
        if twin.get("HEAT"):
            assert twin.get("T") <= twin.get("T_COOL")


def test_equal_setpoints_are_allowed_and_a_shortest_run_goes_on_at_the_other_setpoint():
    scan(
        ZONE_HYSTERESIS,
        T_HEAT=20.0,
        T_COOL=20.0,
        HYSTERESIS=0.0,
        table="T | HEAT COOL STATE\n 20 | 0 0 0\n 19 | 1 0 1\n 20 | 0 0 0",
    )
    scan(ZONE_HYSTERESIS, **ZONE, MIN_ON="1h", table="T | HEAT COOL\n 14 | 1 0\n 25 | 1 0\n 25.1 | 0 0\n 26 | 0 1\n 15 | 0 1")
