"""RACK_MATCH: foxBMS's numbers for the next string (NUMBERS.md): dV < 3 V and I < 20 A."""

from __future__ import annotations

import pytest

from blocks.charge.rack_match import RACK_MATCH, REASONS
from tests.aids.scan_table import scan


@pytest.mark.parametrize(
    ("v_rack", "current", "why"),
    [
        (802.99, 0, 0),
        (797.01, 0, 0),
        (803, 0, 2),
        (797, 0, 2),
        (800, 19.9, 0),
        (800, -19.9, 0),
        (800, 20, 3),
        (800, -20, 3),
        (0, 99, 2),
    ],
)
def test_below_3_v_and_below_20_a_of_either_sign(v_rack, current, why):
    scan(RACK_MATCH, V_BUS=800.0, table=f"V_RACK I | OK WHY\n {v_rack} {current} | {int(why == 0)} {why}")


@pytest.mark.parametrize("pin", ["V_RACK", "V_BUS", "I", "DV_MAX", "I_MAX"])
@pytest.mark.parametrize("broken", ["nan", "inf", "-inf"])
def test_what_is_not_a_number_is_no_permission_and_is_not_remembered(pin, broken):
    good = {"V_RACK": 800.0, "V_BUS": 800.0, "I": 0.0, "DV_MAX": 3.0, "I_MAX": 20.0}
    rest = {name: value for name, value in good.items() if name != pin}
    bad = REASONS.index("bad input")
    scan(RACK_MATCH, **rest, table=f"{pin} | OK WHY\n {good[pin]} | 1 0\n {broken} | 0 {bad}\n {good[pin]} | 1 0")


def test_the_match_must_hold_without_a_gap_and_is_lost_at_once():
    late = REASONS.index("not long enough")
    scan(
        RACK_MATCH,
        V_BUS=800.0,
        HOLD="1s",
        dt="100ms",
        table=f"""
        x  V_RACK I  | OK WHY
        10 800    0  | 0  {late}
        1  800    0  | 1  0
        1  800    30 | 0  3
        10 800    0  | 0  {late}
        1  800    0  | 1  0
        1  805    0  | 0  2
    """,
    )


def test_a_limit_of_zero_permits_nothing():
    scan(RACK_MATCH, V_RACK=800.0, V_BUS=800.0, I=0.0, table="DV_MAX I_MAX | OK\n 0 20 | 0\n 3 0 | 0\n 3 20 | 1")


@pytest.mark.parametrize(("volts", "why"), [(0.0, 5), (49.9, 5), (-800.0, 5), (50.0, 0)])
def test_two_voltages_near_0_are_a_dead_sensor_and_no_match(volts, why):
    scan(RACK_MATCH, V_RACK=volts, V_BUS=volts, I=0.0, table=f"DV_MAX | OK WHY\n 3 | {int(why == 0)} {why}")
    assert REASONS[5] == "no voltage"
