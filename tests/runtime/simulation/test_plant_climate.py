"""The climate of a container: heat that goes where its pump sends it, a dew point, and what a failed pump does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.simulation.climate import Climate, build_climates, condition, draws_kw, sink_of
from runtime.simulation.climatemap import map_climate
from runtime.simulation.plant import build_plant
from runtime.simulation.registers import DISCRETE, HOLDING, INPUT, read_span, write_span
from runtime.simulation.settings import ClimateSettings, PlantSettings
from runtime.simulation.written import Written
from tests.aids.plant import EXACT, drive, switch_on

LIQUID = ClimateSettings(liquid_w_per_k=4.0, outside_c=25.0)


def zone(**settings):
    plant = PlantSettings(rack=replace(EXACT, ambient_c=25.0), climate=replace(LIQUID, **settings))
    return build_climates(plant)[0]


def settle(climate: Climate, watts: float, seconds: float = 40_000.0, hot: float = 30.0, dt: float = 10.0):
    for _ in range(round(seconds / dt)):
        condition(climate, watts, 1.5, hot, hot, dt)


@pytest.mark.parametrize(
    ("celsius", "humidity", "dew"), [(25.0, 0.5, 13.9), (30.0, 0.8, 26.2), (20.0, 0.6, 12.0), (10.0, 1.0, 10.0)]
)
def test_the_dew_point_is_that_of_the_psychrometric_chart(celsius, humidity, dew):
    assert zone(outside_c=celsius, humidity=humidity).dew_point_c == pytest.approx(dew, abs=0.1)


def test_the_exchanger_settles_where_it_rejects_what_the_coolant_takes():
    # pump and fans full: m cp = 0.25 l/s x 3700 = 925 W/K, NTU 1500/925, effectiveness 0.802: 742 W/K
    climate = zone()
    climate.pump_cmd = climate.fan_cmd = 1.0
    climate.chiller_cmd = climate.heater_cmd = 0.0
    settle(climate, 3000.0, seconds=80_000.0)
    to_coolant = 3000.0 * 4.0 / 5.5
    assert climate.coolant_c - 25.0 == pytest.approx(to_coolant / (925 * 0.8024), rel=1e-3)
    assert climate.air_c - 25.0 == pytest.approx((3000.0 - to_coolant) / 20.0, rel=1e-3)


def test_coolant_warms_by_its_heat_capacity():
    # 12 l x 3700 J/(l K): 44.4 kJ/K; the standing coolant takes 0.05 x 4 W/K of 1.7 W/K
    climate = zone()
    climate.pump_cmd = climate.fan_cmd = climate.heater_cmd = climate.chiller_cmd = 0.0
    settle(climate, 1700.0, seconds=100.0)
    assert climate.coolant_c - 25.0 == pytest.approx(200.0 * 100 / 44_400, rel=1e-6)


def test_flow_cools_by_its_power_of_eight_tenths():
    climate = zone()
    climate.pump = 1.0
    full = sink_of(climate, 1.5)[1]
    climate.pump = 0.5
    assert (sink_of(climate, 1.5)[1] - 1) / (full - 1) == pytest.approx(0.5**0.8)


def test_a_chiller_goes_below_the_outside_and_wets_the_plates_where_nobody_minds():
    climate = zone(outside_c=30.0, humidity=0.8)
    climate.pump_cmd = climate.chiller_cmd = 1.0
    settle(climate, 500.0)
    assert climate.coolant_c < climate.dew_point_c
    assert climate.condenses
    own = zone(outside_c=30.0, humidity=0.8)
    settle(own, 500.0, hot=40.0)
    assert not own.condenses, "its own thermostat keeps two kelvins away"


def test_a_cold_battery_is_heated():
    climate = zone(outside_c=-10.0)
    climate.coolant_c = climate.air_c = -10.0
    settle(climate, 0.0, seconds=600.0, hot=-5.0)
    assert climate.heater == 1.0 and climate.pump > 0
    assert climate.coolant_c > 0.0
    assert draws_kw(climate) > 1.0


def _hour_of_work(pump_failed=False, **climate):
    plant = build_plant(PlantSettings(rack=replace(EXACT, ambient_c=25.0, comms_timeout_s=1e9), climate=replace(LIQUID, **climate)))
    switch_on(plant)
    plant.pcs.comms_timeout_s = 0.0
    plant.climates[0].pump_failed = pump_failed
    plant.pcs.enable = True
    for turn in range(7200):
        plant.pcs.p_cmd_kw = 220.0 if turn // 900 % 2 else -220.0
        plant.step(1.0)
    return plant


def test_liquid_cooling_keeps_the_cells_cooler_than_a_failed_pump():
    cooled, failed = _hour_of_work(), _hour_of_work(pump_failed=True)
    assert cooled.racks.cells.celsius.max() + 2.0 < failed.racks.cells.celsius.max()
    assert failed.climates[0].flow_l_per_s == 0.0
    assert failed.climates[0].pressure_bar < cooled.climates[0].pressure_bar


def test_cooling_costs_power_at_the_meter():
    plant = _hour_of_work()
    plant.climates[0].pump_cmd = 1.0
    plant.grid.load_set = plant.grid.pv_set = 0.0
    drive(plant, 1.0, close=True)
    assert plant.grid.p_kw == pytest.approx(draws_kw(plant.climates[0]) - plant.pcs.p_ac_kw, abs=1e-6)
    assert draws_kw(plant.climates[0]) >= 0.15


def test_a_leak_ends_pressure_and_flow():
    climate = zone()
    climate.pump_cmd = 1.0
    settle(climate, 100.0, seconds=10.0)
    assert climate.pressure_bar == pytest.approx(2.5)
    climate.leak_l = 1000.0
    assert (climate.pressure_bar, climate.flow_l_per_s) == (0.0, 0.0)


def test_without_a_loop_the_racks_stand_in_air_that_stays_as_it_is():
    plant = build_plant(PlantSettings())
    assert sink_of(plant.climates[0], 1.5) == (22.0, 1.0)
    condition(plant.climates[0], 1e6, 1.5, 50.0, 50.0, 100.0)
    assert plant.climates[0].air_c == 22.0


def test_its_registers_command_the_drives_until_the_master_is_silent():
    plant = build_plant(PlantSettings(rack=replace(EXACT, ambient_c=25.0), climate=LIQUID))
    registers = map_climate(plant, Written())
    write_span(registers, HOLDING, 0, [800, 500])
    drive(plant, 1.0)
    assert read_span(registers, INPUT, 7, 4) == [800, 500, 0, 0]
    assert read_span(registers, INPUT, 5, 2) == [20, 196]  # 0.8 x 0.25 l/s; 1 + 1.5 x 0.64 bar
    assert read_span(registers, DISCRETE, 0, 1) == [0]
    drive(plant, 4.5)
    assert read_span(registers, INPUT, 7, 2) == [0, 0], "the thermostat of a cool rack wants nothing"
    assert read_span(registers, DISCRETE, 0, 1) == [1]
