"""CHARGE_TO: a level reached at a ramp, a target, and a stop that stays."""

from __future__ import annotations

import pytest

from blocks.charge.charge_to import CHARGE_TO
from tests.aids.scan_table import scan

IDLE, RAMPING, CHARGING, LIMITED, DONE, BAD = range(6)
JOB = {"ENERGY": 200.0, "TARGET": 80.0, "RATE": 0.5, "RAMP": 0.1}


def test_half_c_is_a_level_and_the_ramp_is_another_number():
    """0.5 C of 200 kWh is 100 kW; at 0.1 C a second it takes 5 s, whatever the scans are."""
    scan(
        CHARGE_TO,
        **JOB,
        EN=True,
        SOC=50.0,
        table=f"""
        dt    x | P_SET RATE_NOW PHASE
        100ms 1 | -2    0.01     {RAMPING}
        1s    1 | -22   0.11     {RAMPING}
        10ms 90 | -40   0.2      {RAMPING}
        1s    2 | -80   0.4      {RAMPING}
        1s    1 | -100  0.5      {CHARGING}
        1s    9 | -100  0.5      {CHARGING}
    """,
    )


def test_it_stops_at_the_target_and_stays_stopped_while_the_charge_sinks_back():
    scan(
        CHARGE_TO,
        **(JOB | {"RAMP": 9.0}),
        dt="1s",
        table=f"""
        EN SOC  | P_SET DONE PHASE
        1  79.9 | -100  0    {CHARGING}
        1  80   | 0     1    {DONE}
        1  79   | 0     1    {DONE}
        1  20   | 0     1    {DONE}
        0  20   | 0     0    {IDLE}
        1  20   | -100  0    {CHARGING}
        0  20   | 0     0    {IDLE}
    """,
    )


def test_a_battery_that_is_above_the_target_is_done_at_once():
    scan(CHARGE_TO, **JOB, EN=True, dt="1s", table="SOC | P_SET DONE\n 90 | 0 1\n 70 | 0 1")


def test_a_target_that_is_raised_goes_on_and_one_that_is_written_again_or_lowered_does_not():
    scan(
        CHARGE_TO,
        **{name: value for name, value in JOB.items() if name != "TARGET"},
        EN=True,
        dt="10s",
        table="""
        SOC TARGET | P_SET DONE
        80  80     | 0     1
        79  80     | 0     1
        79  70     | 0     1
        79  80     | 0     1      # back to where it was: still done
        79  85     | -100  0
        79  90     | -100  0
        90  90     | 0     1
    """,
    )


def test_a_limit_acts_at_once_and_the_ramp_goes_on_from_it():
    scan(
        CHARGE_TO,
        **JOB,
        EN=True,
        SOC=50.0,
        dt="1s",
        table=f"""
        x  P_MIN | P_SET RATE_NOW PHASE
        10 -inf  | -100  0.5      {CHARGING}
        10 -30   | -30   0.15     {LIMITED}
        1  -inf  | -50   0.25     {RAMPING}
        1  0     | 0     0        {LIMITED}
        1  50    | 0     0        {LIMITED}    # a limit of the wrong sign
        1  -inf  | -20   0.1      {RAMPING}
    """,
    )


def test_every_start_begins_at_zero():
    scan(CHARGE_TO, **JOB, SOC=50.0, dt="1s", table="x EN | P_SET\n 9 1 | -100\n 1 0 | 0\n 1 1 | -20\n 1 1 | -40")


def test_a_rate_that_is_lowered_acts_at_once_and_one_that_is_negative_is_none():
    rest = {"ENERGY": 200.0, "RAMP": 9.0, "EN": True, "SOC": 50.0, "dt": "1s"}
    scan(CHARGE_TO, **rest, table="RATE | P_SET\n 0.5 | -100\n 0.1 | -20\n -0.5 | 0\n 0.5 | -100")


@pytest.mark.parametrize("pin", ["SOC", "ENERGY", "TARGET", "RATE", "RAMP", "P_MIN"])
def test_a_nan_is_no_power_and_is_not_remembered(pin):
    good = {"SOC": 50.0, "ENERGY": 200.0, "TARGET": 80.0, "RATE": 0.5, "RAMP": 0.1, "P_MIN": -500.0}
    rest = {name: value for name, value in good.items() if name != pin}
    scan(
        CHARGE_TO,
        **rest,
        EN=True,
        dt="1s",
        table=f"{pin} | P_SET PHASE\n {good[pin]} | -20 1\n nan | 0 {BAD}\n {good[pin]} | -20 1\n {good[pin]} | -40 1",
    )


def test_done_outlives_a_dead_state_of_charge_but_not_the_end_of_the_command():
    scan(
        CHARGE_TO, **JOB, dt="1s", table="EN SOC | DONE P_SET\n 1 80 | 1 0\n 1 nan | 1 0\n 1 75 | 1 0\n 0 nan | 0 0\n 1 75 | 0 -20"
    )


@pytest.mark.parametrize("energy", [0.0, -200.0])
def test_without_an_energy_there_is_no_power(energy):
    scan(CHARGE_TO, **(JOB | {"ENERGY": energy}), EN=True, dt="1s", table="SOC | P_SET RATE_NOW\n 50 | 0 0\n 50 | 0 0")
