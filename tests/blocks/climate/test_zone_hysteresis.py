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
        table="x T | HEAT\n 2 14 | 0\n 1 14 | 1\n 1 20 | 1\n 1 20 | 1\n 1 20 | 0\n 1 14 | 0\n 1 14 | 1",
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
        dt   T   | HEAT COOL STATE
        1s   10  | 0    0    0         # after power-up it rests
        1h   10  | 1    0    1
        10ms nan | 0    1    3
        10ms inf | 0    1    3
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


def test_a_sensor_that_flickers_keeps_the_shortest_rest_and_the_shortest_run():
    """Every second scan without a temperature, for an hour: the compressor runs 1 min and rests 3 min at least."""
    twin = Twin(ZONE_HYSTERESIS)
    twin.set("MIN_ON", 60_000_000_000)
    twin.set("MIN_OFF", 180_000_000_000)
    runs = []
    for i in range(3600):
        twin.set("T", np.nan if i % 2 else 20.0)
        twin.plain.scan(1_000_000_000)
        runs.append(bool(twin.get("COOL")))
    edges = np.flatnonzero(np.diff(runs)) + 1
    assert len(edges) > 10
    assert min(np.diff(edges)[0::2]) >= 60
    assert min(np.diff(edges)[1::2]) >= 180


@pytest.mark.parametrize("temperature", ["30", "10", "nan"])
def test_after_power_up_it_rests_first(temperature):
    scan(ZONE_HYSTERESIS, **ZONE, T=float(temperature), MIN_OFF="3s", dt="1s", table="x EN | HEAT COOL\n 3 1 | 0 0")


def test_without_blind_cooling_a_flicker_does_not_cut_a_run_short():
    scan(ZONE_HYSTERESIS, **ZONE, COOL_BLIND=0, MIN_ON="20ms", table="T | COOL STATE\n 26 | 1 2\n nan | 1 3\n nan | 0 3\n 26 | 1 2")


def test_setpoints_nearer_than_the_hysteresis_cross():
    """Heating from 20 to 22 would pass 21 and be cooled to 19, for ever."""
    scan(
        ZONE_HYSTERESIS,
        T=19.0,
        HYSTERESIS=2.0,
        table="""
            T_HEAT T_COOL | HEAT STATE
            20 21 | 0 4
            20 21.9 | 0 4
            20 22 | 0 0
            20 22 | 1 1
        """,
    )
