"""VOLTAGE_MATCH: more than 2.0 V between battery and converter is an emergency stop (NUMBERS.md)."""

from __future__ import annotations

import pytest

from blocks.charge.voltage_match import VOLTAGE_MATCH
from tests.aids.scan_table import scan

CALM = {"V_PCS": 800.0, "DELAY": "0ms"}


@pytest.mark.parametrize(("v", "trip"), [(802.0, 0), (798.0, 0), (802.01, 1), (797.99, 1), (800.0, 0), (0.0, 1)])
def test_more_than_2_v_trips_whatever_the_sign(v, trip):
    scan(VOLTAGE_MATCH, **CALM, V_BMS=v, table=f"CLOSED | TRIP MISMATCH\n 1 | {trip} {trip}")


def test_the_difference_must_last_and_a_gap_takes_its_time_off():
    scan(
        VOLTAGE_MATCH,
        V_PCS=800.0,
        CLOSED=True,
        table="""
        x  V_BMS | MISMATCH TRIP
        1  803   | 1        0
        19 803   | 1        0     # 190 ms
        9  801   | 0        0     # 100 ms left
        10 803   | 1        0
        1  803   | 1        1     # 200 ms
    """,
    )


def test_only_while_the_contactors_are_closed():
    scan(VOLTAGE_MATCH, **CALM, V_BMS=20.0, table="CLOSED | MISMATCH TRIP\n 0 | 0 0\n 0 | 0 0\n 1 | 1 1")


@pytest.mark.parametrize("pin", ["V_BMS", "V_PCS", "DV_MAX"])
def test_a_voltage_that_nobody_knows_does_not_match(pin):
    good = {"V_BMS": 800.0, "V_PCS": 800.0, "DV_MAX": 2.0}
    rest = {name: value for name, value in good.items() if name != pin}
    table = f"CLOSED {pin} | TRIP\n 0 nan | 0\n 1 {good[pin]} | 0\n 1 nan | 1\n 1 {good[pin]} | 1"
    scan(VOLTAGE_MATCH, **rest, DELAY="0ms", table=table)


def test_the_trip_opens_the_contactors_and_stays_until_a_deliberate_reset():
    scan(
        VOLTAGE_MATCH,
        **CALM,
        table="""
        CLOSED V_BMS RESET | TRIP
        1      810   0     | 1
        0      810   0     | 1
        0      800   0     | 1
        0      800   1     | 0
        1      800   1     | 0
        1      810   1     | 1
        1      810   0     | 1
        1      810   1     | 1     # it still differs
        1      800   1     | 1     # no edge
        1      800   0     | 1
        1      800   1     | 0
    """,
    )


def test_a_reset_button_that_is_stuck_from_the_start_resets_nothing():
    scan(VOLTAGE_MATCH, **CALM, RESET=True, table="CLOSED V_BMS | TRIP\n 1 810 | 1\n 0 800 | 1\n 0 800 | 1")


def test_a_loose_contact_that_mostly_differs_trips():
    lines = "\n".join("19 815 | -\n 1 800 | -" for _ in range(2))
    scan(VOLTAGE_MATCH, V_PCS=800.0, CLOSED=True, table=f"x V_BMS | TRIP\n {lines}\n 1 815 | 1")


def test_ten_times_the_difference_trips_at_once():
    scan(VOLTAGE_MATCH, V_PCS=800.0, CLOSED=True, table="V_BMS | TRIP\n 800 | 0\n 820 | 0\n 820.1 | 1")
    scan(VOLTAGE_MATCH, V_PCS=800.0, CLOSED=False, table="V_BMS | TRIP\n 0 | 0")


def test_open_contactors_forget_what_was_counted():
    scan(VOLTAGE_MATCH, V_PCS=800.0, table="x CLOSED V_BMS | TRIP\n 20 1 803 | 0\n 1 0 803 | 0\n 20 1 803 | 0\n 1 1 803 | 1")
