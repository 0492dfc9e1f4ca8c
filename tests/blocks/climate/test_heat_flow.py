"""HEAT_FLOW: the heat balance of a coolant loop."""

from __future__ import annotations

import pytest

from blocks.climate.heat_flow import HEAT_FLOW
from tests.aids.scan_table import Twin, scan


def test_a_litre_of_water_a_minute_and_kelvin_is_70_watts():
    """997.05 kg/m3 and 4.181 kJ/(kg K): 0.99705/60 * 4.181 = 0.069478 kW."""
    scan(HEAT_FLOW, T_SUPPLY=20.0, T_RETURN=21.0, table="FLOW | POWER\n 1 | ~0.069478\n 10 | ~0.69478\n -1 | ~-0.069478")


def test_the_default_coolant_is_water_at_25_degrees(deviation):
    """The rule of thumb 1.163 kWh per m3 and K (water at 4 °C, 4.1868 kJ/kg K) is 0.4 % above it: the bar is 0.5 %."""
    twin = Twin(HEAT_FLOW)
    for name, value in {"FLOW": 1000.0 / 60.0, "T_SUPPLY": 20.0, "T_RETURN": 30.0}.items():
        twin.set(name, value)
    twin.scan(10_000_000)
    power = float(twin.get("POWER"))
    assert power < 11.63
    deviation("HEAT_FLOW", "1.163 kWh/(m3 K)", "1 m3/h at 10 K", abs(power / 11.63 - 1.0) * 100.0, 0.5, "%")


@pytest.mark.parametrize("row", ["nan 20 30", "10 nan 30", "10 20 nan"])
def test_a_dead_sensor_is_passed_on_and_not_remembered(row):
    scan(HEAT_FLOW, DENSITY=1000.0, CP=4.2, table=f"FLOW T_SUPPLY T_RETURN | POWER\n {row} | nan\n 60 20 30 | 42")
