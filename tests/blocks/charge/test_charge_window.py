"""CHARGE_WINDOW: hard stops at voltages and 45 °C (NUMBERS.md), with hysteresis."""

from __future__ import annotations

import pytest

from blocks.charge.charge_window import CHARGE_WINDOW
from tests.aids.scan_table import scan

CALM = {"V_HIGH": 3.3, "V_LOW": 3.2, "T_HIGH": 25.0}


def given(*without: str) -> dict[str, float]:
    return {name: value for name, value in CALM.items() if name not in without}


def test_charging_stops_at_the_highest_voltage_and_comes_back_50_mv_below():
    scan(
        CHARGE_WINDOW,
        **given("V_HIGH"),
        table="""
        V_HIGH | CHARGE_OK CHARGE_WHY DISCHARGE_OK
        3.30   | 1         0          1
        3.599  | 1         0          1
        3.6    | 0         1          1       # discharging is what helps
        3.599  | 0         1          1
        3.551  | 0         1          1
        3.549  | 1         0          1
        3.58   | 1         0          1
    """,
    )


def test_discharging_stops_at_the_lowest_voltage_and_comes_back_50_mv_above():
    scan(
        CHARGE_WINDOW,
        **given("V_LOW"),
        table="""
        V_LOW  | DISCHARGE_OK DISCHARGE_WHY CHARGE_OK
        3.20   | 1            0             1
        2.801  | 1            0             1
        2.8    | 0            1             1
        2.84   | 0            1             1
        2.86   | 1            0             1
        2.81   | 1            0             1
    """,
    )


def test_no_charging_from_45_degrees_on_until_it_is_2_k_cooler():
    table = "T_HIGH | CHARGE_OK CHARGE_WHY\n 44.9 | 0 2\n 43 | 1 0\n 44.9 | 1 0\n 45 | 0 2\n 43.1 | 0 2\n 43 | 1 0"
    scan(CHARGE_WINDOW, **given("T_HIGH"), table=table + "\n 61 | 0 2")


def test_each_stop_keeps_its_own_hysteresis():
    """A hot cell does not ask the voltage to fall, nor the other way round."""
    scan(
        CHARGE_WINDOW,
        V_LOW=3.2,
        table="V_HIGH T_HIGH | CHARGE_OK\n 3.3 30 | 1\n 3.58 44 | 1\n 3.58 46 | 0\n 3.58 42 | 1\n 3.6 44 | 0\n 3.5 44 | 1",
    )


def test_above_the_electrochemical_ceiling_is_an_error_of_its_own():
    table = "V_HIGH | ERR_MAX_V_EXCEEDED CHARGE_OK\n 3.3 | 0 1\n 3.65 | 0 0\n 3.651 | 1 0\n 3.65 | 0 0\n 3.5 | 0 1"
    scan(CHARGE_WINDOW, **given("V_HIGH"), table=table)
    low = "V_HIGH V_CEILING | ERR_MAX_V_EXCEEDED CHARGE_OK CHARGE_WHY\n 3.5 3.65 | 0 1 0\n 3.5 3.4 | 1 0 1\n 3.5 3.65 | 0 1 0"
    scan(CHARGE_WINDOW, **given("V_HIGH"), table=low)


def test_at_the_start_it_must_be_inside_by_the_hysteresis():
    scan(CHARGE_WINDOW, V_LOW=2.82, T_HIGH=25.0, table="V_HIGH | CHARGE_OK DISCHARGE_OK\n 3.58 | 0 0\n 3.54 | 1 0")


@pytest.mark.parametrize("pin", ["V_HIGH", "T_HIGH", "MAX_CHARGE_V", "T_CHARGE_MAX", "V_CEILING"])
def test_a_nan_stops_charging_and_is_not_remembered(pin):
    good = CALM | {"MAX_CHARGE_V": 3.6, "T_CHARGE_MAX": 45.0, "V_CEILING": 3.65}
    rest = {name: value for name, value in good.items() if name != pin}
    scan(CHARGE_WINDOW, **rest, table=f"{pin} | CHARGE_OK DISCHARGE_OK\n {good[pin]} | 1 1\n nan | 0 1\n {good[pin]} | 1 1")


@pytest.mark.parametrize("pin", ["V_LOW", "MIN_DISCHARGE_V"])
def test_a_nan_stops_discharging_and_is_not_remembered(pin):
    good = CALM | {"MIN_DISCHARGE_V": 2.8}
    rest = {name: value for name, value in good.items() if name != pin}
    scan(CHARGE_WINDOW, **rest, table=f"{pin} | CHARGE_OK DISCHARGE_OK\n {good[pin]} | 1 1\n nan | 1 0\n {good[pin]} | 1 1")


def test_what_nobody_knows_is_named():
    scan(CHARGE_WINDOW, **given("V_HIGH", "V_LOW"), table="V_HIGH V_LOW | CHARGE_WHY DISCHARGE_WHY\n nan 3.2 | 3 0\n 3.3 nan | 0 2")
