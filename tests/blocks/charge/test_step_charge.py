"""STEP_CHARGE: a knee at 70 % (NUMBERS.md), then a straight line to END_SHARE at 100 %."""

from __future__ import annotations

import pytest

from blocks.charge.step_charge import STEP_CHARGE
from tests.aids.scan_table import scan


@pytest.mark.parametrize(("soc", "rate"), {0: 1, 69.9: 1, 70: 1, 75: 0.85, 85: 0.55, 95: 0.25, 100: 0.1, 103: 0.1, -4: 1}.items())
def test_it_is_flat_up_to_the_knee_then_a_line_and_flat_beyond_100_percent(soc, rate):
    scan(STEP_CHARGE, C_MAX=1.0, table=f"SOC | RATE SHARE\n {soc} | {rate} {rate}")


def test_the_knee_and_the_end_can_be_moved():
    scan(STEP_CHARGE, C_MAX=0.4, KNEE=50.0, END_SHARE=0.0, table="SOC | RATE\n 50 | 0.4\n 75 | 0.2\n 100 | 0")


def test_a_knee_at_100_percent_switches_the_fall_off():
    scan(STEP_CHARGE, C_MAX=0.5, KNEE=100.0, table="SOC | RATE FALLING\n 20 | 0.5 0\n 99.9 | 0.5 0\n 100 | 0.5 0\n 100.5 | 0.5 0")


def test_an_aged_battery_is_charged_slower_and_no_health_at_all_is_no_charging():
    scan(STEP_CHARGE, C_MAX=0.5, SOC=85.0, table="SOH | RATE\n 100 | 0.275\n 120 | 0.275\n 80 | 0.22\n 0 | 0\n -5 | 0")


@pytest.mark.parametrize("pin", ["SOC", "C_MAX", "KNEE", "END_SHARE", "SOH"])
@pytest.mark.parametrize("broken", ["nan", "inf", "-inf"])
def test_a_broken_input_is_no_charging_and_is_not_remembered(pin, broken):
    good = {"SOC": 85.0, "C_MAX": 1.0, "KNEE": 70.0, "END_SHARE": 0.1, "SOH": 100.0}
    rest = {name: value for name, value in good.items() if name != pin}
    scan(STEP_CHARGE, **rest, table=f"{pin} | RATE SHARE\n {good[pin]} | 0.55 0.55\n {broken} | 0 0\n {good[pin]} | 0.55 0.55")


def test_an_end_share_outside_0_to_1_is_held_there_and_a_negative_rate_is_0():
    scan(STEP_CHARGE, SOC=100.0, C_MAX=1.0, table="END_SHARE | RATE\n 7 | 1\n -7 | 0")
    scan(STEP_CHARGE, SOC=50.0, table="C_MAX | RATE\n -0.5 | 0")
