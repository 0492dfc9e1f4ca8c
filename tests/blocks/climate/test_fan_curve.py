"""FAN_CURVE: speed over temperature, and what happens without one."""

from __future__ import annotations

import pytest

from blocks.climate.fan_curve import FAN_CURVE
from tests.aids.scan_table import scan

PLAIN = {"T_START": 20.0, "T_FULL": 40.0, "SPEED_MIN": 20.0, "KICK": 0.0, "KICK_TIME": "0s"}


def test_it_is_linear_from_the_lowest_speed_to_full():
    scan(FAN_CURVE, **PLAIN, table="T | SPEED ON\n 19.9 | 0 0\n 20 | 20 1\n 30 | 60 1\n 40 | 100 1\n 99 | 100 1")


def test_it_stops_a_hysteresis_below_its_start():
    scan(FAN_CURVE, **PLAIN, HYSTERESIS=3.0, table="T | SPEED ON\n 20 | 20 1\n 17 | 20 1\n 16.9 | 0 0\n 19 | 0 0\n 20 | 20 1")


def test_it_runs_on_and_a_warm_moment_starts_that_anew():
    scan(
        FAN_CURVE,
        **PLAIN,
        RUN_ON="20ms",
        table="T | ON STATE\n 25 | 1 2\n 10 | 1 3\n 10 | 1 3\n 25 | 1 2\n 10 | 1 3\n 10 | 1 3\n 10 | 0 0",
    )


def test_it_starts_with_a_kick_and_never_below_its_curve():
    kick = PLAIN | {"KICK": 60.0, "KICK_TIME": "20ms"}
    scan(FAN_CURVE, **kick, table="T | SPEED STATE\n 20 | 60 1\n 20 | 60 1\n 20 | 20 2\n 0 | 0 0\n 40 | 100 1")


def test_it_moves_no_faster_than_its_rate():
    scan(
        FAN_CURVE,
        **PLAIN,
        RATE=10.0,
        dt="1s",
        table="x T | SPEED\n 1 20 | 20\n 1 40 | 30\n 3 40 | 60\n 1 30 | 60\n 1 20 | 50\n 9 20 | 20",
    )


@pytest.mark.parametrize("pin", ["T", "T_START", "T_FULL", "HYSTERESIS", "SPEED_MIN", "RATE"])
def test_without_a_temperature_or_a_curve_it_runs_at_full_speed(pin):
    good = {"T": "10", "T_START": "20", "T_FULL": "40", "HYSTERESIS": "2", "SPEED_MIN": "20", "RATE": "5"}
    dead = good | {pin: "nan"}
    scan(
        FAN_CURVE,
        KICK_TIME="0s",
        table=f"""
        {" ".join(good)}          | SPEED ON STATE
        {" ".join(good.values())} | 0     0  0
        {" ".join(dead.values())} | 100   1  4
        {" ".join(good.values())} | 0     0  0
    """,
    )


def test_a_curve_without_width_runs_at_full_speed():
    scan(FAN_CURVE, T=10.0, T_START=30.0, table="T_FULL | SPEED STATE\n 40 | 0 0\n 30 | 100 4\n 20 | 100 4")


def test_without_permission_it_stands_still_whatever_happens():
    scan(FAN_CURVE, RUN_ON="1h", table="EN T | SPEED ON STATE\n 1 90 | 100 1 1\n 0 90 | 0 0 5\n 0 nan | 0 0 5\n 1 90 | 100 1 1")


def test_a_speed_without_sense_is_none():
    scan(FAN_CURVE, **(PLAIN | {"T": 20.0}), table="RATE | SPEED\n -5 | 20")
    scan(FAN_CURVE, T=float("nan"), KICK_TIME="0s", table="SPEED_FAIL | SPEED\n 40 | 40\n 250 | 100")


def test_speeds_outside_their_range_count_as_its_ends():
    scan(FAN_CURVE, T=20.0, T_START=20.0, T_FULL=40.0, KICK_TIME="0s", table="SPEED_MIN | SPEED\n 150 | 100\n -5 | 0\n 20 | 20")
    scan(FAN_CURVE, T=20.0, T_START=20.0, T_FULL=40.0, KICK_TIME="1h", table="KICK | SPEED\n 150 | 100\n -5 | 20\n 60 | 60")
    scan(FAN_CURVE, T=float("nan"), KICK_TIME="0s", table="SPEED_FAIL | SPEED\n -5 | 0\n 101 | 100")


def test_a_speed_that_nobody_knows_is_full_speed():
    scan(FAN_CURVE, T=float("nan"), KICK_TIME="0s", table="SPEED_FAIL | SPEED STATE\n nan | 100 4\n 40 | 40 4")
    scan(FAN_CURVE, T=20.0, T_START=20.0, T_FULL=40.0, KICK_TIME="1h", table="KICK | SPEED\n nan | 100")
