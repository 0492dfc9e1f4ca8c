"""CHARGE_WINDOW: hard stops at voltages and 45 °C (NUMBERS.md), with hysteresis."""

from __future__ import annotations

import pytest

from blocks.charge.charge_window import CHARGE_REASONS, CHARGE_WINDOW, DISCHARGE_REASONS
from tests.aids.scan_table import scan

CALM = {"V_HIGH": 3.3, "V_LOW": 3.2, "T_HIGH": 25.0, "T_LOW": 20.0}


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
        T_LOW=20.0,
        table="V_HIGH T_HIGH | CHARGE_OK\n 3.3 30 | 1\n 3.58 44 | 1\n 3.58 46 | 0\n 3.58 42 | 1\n 3.6 44 | 0\n 3.5 44 | 1",
    )


def test_above_the_electrochemical_ceiling_is_an_error_of_its_own():
    table = "V_HIGH | ERR_MAX_V_EXCEEDED CHARGE_OK\n 3.3 | 0 1\n 3.65 | 0 0\n 3.651 | 1 0\n 3.65 | 0 0\n 3.5 | 0 1"
    scan(CHARGE_WINDOW, **given("V_HIGH"), table=table)
    low = "V_HIGH V_CEILING | ERR_MAX_V_EXCEEDED CHARGE_OK CHARGE_WHY\n 3.5 3.65 | 0 1 0\n 3.5 3.4 | 1 0 1\n 3.5 3.65 | 0 1 0"
    scan(CHARGE_WINDOW, **given("V_HIGH"), table=low)


def test_at_the_start_it_must_be_inside_by_the_hysteresis():
    scan(CHARGE_WINDOW, V_LOW=2.82, T_HIGH=25.0, T_LOW=20.0, table="V_HIGH | CHARGE_OK DISCHARGE_OK\n 3.58 | 0 0\n 3.54 | 1 0")


GOOD = CALM | {"MAX_CHARGE_V": 3.6, "T_CHARGE_MAX": 45.0, "T_CHARGE_MIN": 0.0, "V_CEILING": 3.65, "V_LEAST": 1.5}
GOOD |= {"MIN_DISCHARGE_V": 2.8, "T_DISCHARGE_MAX": 55.0, "T_DISCHARGE_MIN": -20.0}
BOTH = ("V_LOW", "T_HIGH", "T_LOW")
CHARGE_PINS = ("V_HIGH", "MAX_CHARGE_V", "T_CHARGE_MAX", "T_CHARGE_MIN", "V_CEILING", "V_LEAST")


@pytest.mark.parametrize("pin", list(GOOD))
def test_a_nan_stops_what_it_is_for_says_bad_input_and_is_not_remembered(pin):
    rest = {name: value for name, value in GOOD.items() if name != pin}
    charge, discharge = int(pin not in CHARGE_PINS + BOTH), int(pin in CHARGE_PINS)
    reasons = f"{0 if charge else CHARGE_REASONS.index('bad input')} {0 if discharge else DISCHARGE_REASONS.index('bad input')}"
    scan(
        CHARGE_WINDOW,
        **rest,
        table=f"""
        {pin}       | CHARGE_OK DISCHARGE_OK CHARGE_WHY DISCHARGE_WHY
        {GOOD[pin]} | 1 1 0 0
        nan         | {charge} {discharge} {reasons}
        {GOOD[pin]} | 1 1 0 0
    """,
    )


@pytest.mark.parametrize("broken", ["inf", "-inf"])
@pytest.mark.parametrize(("pin", "discharge"), [("V_HIGH", 1), ("V_LOW", 0), ("T_HIGH", 0), ("T_LOW", 0)])
def test_an_infinite_value_is_no_value(pin, discharge, broken):
    scan(CHARGE_WINDOW, **given(pin), table=f"{pin} | CHARGE_OK DISCHARGE_OK CHARGE_WHY\n {broken} | 0 {discharge} 3")


def test_no_charging_at_0_degrees_and_below_until_it_is_2_k_warmer():
    table = (
        "T_LOW | CHARGE_OK CHARGE_WHY DISCHARGE_OK\n 5 | 1 0 1\n 0.1 | 1 0 1\n 0 | 0 2 1\n 1.9 | 0 2 1\n 2 | 1 0 1\n -15 | 0 2 1"
    )
    scan(CHARGE_WINDOW, **given("T_LOW"), table=table)


def test_no_discharging_from_55_degrees_on_nor_at_minus_20():
    hot = DISCHARGE_REASONS.index("cell temperature")
    table = f"T_HIGH | DISCHARGE_OK DISCHARGE_WHY\n 54 | 0 {hot}\n 53 | 1 0\n 54.9 | 1 0\n 55 | 0 {hot}\n 53.1 | 0 {hot}\n 53 | 1 0"
    scan(CHARGE_WINDOW, **given("T_HIGH"), table=table)
    table = f"T_LOW | DISCHARGE_OK DISCHARGE_WHY\n -18 | 1 0\n -20 | 0 {hot}\n -18.1 | 0 {hot}\n -18 | 1 0"
    scan(CHARGE_WINDOW, **given("T_LOW"), table=table)


def test_a_cell_that_reads_0_v_is_not_charged():
    dead = CHARGE_REASONS.index("dead cell")
    scan(CHARGE_WINDOW, **given("V_LOW"), table=f"V_LOW | CHARGE_OK CHARGE_WHY\n 0 | 0 {dead}\n 1.49 | 0 {dead}\n 1.5 | 1 0")
