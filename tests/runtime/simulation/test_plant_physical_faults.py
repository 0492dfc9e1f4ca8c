"""The faults of cells, fuses, cooling and grid, by their names in the table: what starts, what it does, and how it ends."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from runtime.simulation.faults import RefusedError, Site, change_fault, clear_faults
from runtime.simulation.plant import build_plant, tell_truth
from runtime.simulation.settings import GridSettings, PlantSettings
from tests.aids.plant import drive, even_plant, switch_on


def test_the_same_fault_in_two_racks_is_two_faults():
    site = Site(build_plant(PlantSettings(racks=2)), None, {})
    for rack in (1, 2):
        asyncio.run(change_fault(site, "blow_fuse", {"rack": rack}, True))
    asyncio.run(clear_faults(site))
    assert not any(rack.circuit.fuse_blown for rack in site.plant.racks.racks)
    assert site.active == {}


def change(plant, name, on=True, **details):
    site = Site(plant, None, {})
    asyncio.run(change_fault(site, name, details, on))


def test_a_shorted_cell_falls_behind_the_others_until_the_short_ends():
    plant = even_plant()
    change(plant, "cell_short", cell=17, ohm=0.05)
    drive(plant, 60.0, 0.1)
    soc = plant.rack.cells.soc
    assert soc[15] - soc[16] == pytest.approx(65.4 / 60 / 280, rel=0.02)
    change(plant, "cell_short", on=False, cell=17)
    held = soc[16]
    drive(plant, 60.0, 0.1)
    assert soc[16] == held


def test_an_open_cell_ends_the_current_of_its_rack():
    plant = even_plant()
    switch_on(plant)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
    drive(plant, 2.0, close=True)
    change(plant, "open_cell", cell=100)
    drive(plant, 0.5, close=True)
    assert abs(plant.rack.circuit.current_a) < 0.01
    assert plant.pcs.fault.name == "DC_UNDER_VOLTAGE"
    assert plant.rack.bms.measured.v_min < 0.0


def test_a_loose_connection_shows_under_load():
    plant = even_plant()
    switch_on(plant)
    change(plant, "loose_cell", cell=3, mohm=1.0)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 200.0
    drive(plant, 3.0, close=True)
    volts = plant.rack.bms.measured.cell_v
    assert volts[3] - volts[2] == pytest.approx(0.001 * plant.rack.circuit.current_a, rel=0.01)


def test_a_cell_that_runs_away_trips_the_rack_and_stays_burnt():
    plant = even_plant()
    switch_on(plant)
    change(plant, "runaway_cell", cell=8)
    drive(plant, 60.0, 0.05, close=True)
    change(plant, "runaway_cell", on=False, cell=8)
    assert plant.rack.bms.fault.name == "OVER_TEMPERATURE"
    assert not plant.rack.circuit.main.closed
    assert tell_truth(plant)["racks"][0]["burnt"] == 1


def test_stuck_sensors_show_what_was():
    plant = build_plant(PlantSettings())
    drive(plant, 0.2)
    change(plant, "stuck_cell_sensor", cell=5), change(plant, "stuck_thermistor", cell=6)
    seen = plant.rack.bms.measured
    volts, celsius = seen.cell_v[4], seen.cell_t[5]
    plant.rack.cells.soc[4], plant.rack.cells.celsius[5] = 0.0, 70.0
    drive(plant, 1.0)
    assert (seen.cell_v[4], seen.cell_t[5]) == (volts, celsius)
    change(plant, "stuck_cell_sensor", on=False, cell=5), change(plant, "stuck_thermistor", on=False, cell=6)
    drive(plant, 0.2)
    assert seen.cell_v[4] < 2.6
    assert seen.cell_t[5] > 60.0


def test_a_blown_fuse_is_an_internal_fault():
    plant = even_plant()
    switch_on(plant)
    change(plant, "blow_fuse")
    drive(plant, 0.1, close=True)
    assert plant.rack.bms.fault.name == "INTERNAL"
    assert plant.rack.circuit.current_a == 0.0


def test_grid_faults_come_and_go():
    plant = even_plant()
    for name in ("grid_outage", "open_breaker"):
        change(plant, name)
        drive(plant, 0.1)
        assert plant.grid.voltage_v == 0.0
        change(plant, name, on=False)
        drive(plant, 0.1)
        assert plant.grid.voltage_v > 200.0


def test_a_breaker_that_fell_open_is_not_closed_onto_an_island_when_the_fault_ends():
    plant = even_plant()
    switch_on(plant)
    plant.grid.load_set, plant.grid.pv_set = 20.0, 0.0
    plant.pcs.enable = plant.pcs.forming = True
    drive(plant, 2.0, close=True)
    change(plant, "open_breaker")
    drive(plant, 1.0, close=True)
    assert plant.pcs.p_ac_kw == pytest.approx(20.0)
    change(plant, "open_breaker", on=False)
    assert not plant.grid.breaker_closed
    assert plant.grid.closed_out_of_step == 0


def test_a_lost_unit_pulls_the_frequency_down_until_it_is_back():
    plant = build_plant(PlantSettings(grid=GridSettings(system_mva=23_000.0, frequency_sigma_hz=0.0)))
    site = Site(plant, None, {})
    asyncio.run(change_fault(site, "lost_unit", {"mw": 1000.0}, True))
    drive(plant, 120.0, 0.1)
    assert plant.grid.frequency_hz == pytest.approx(50.0 * (1 - 1000 / 23_000 / 10.5), abs=1e-3)
    asyncio.run(change_fault(site, "lost_unit", {}, False))
    drive(plant, 240.0, 0.1)
    assert plant.grid.frequency_hz == pytest.approx(50.0, abs=1e-3)
    with pytest.raises(RefusedError, match="system_mva"):
        change(even_plant(), "lost_unit")


def test_a_brown_out_lowers_the_voltage():
    plant = even_plant()
    change(plant, "brown_out", percent=40.0)
    assert plant.grid.voltage_v == pytest.approx(0.4 * 230.9)
    change(plant, "brown_out", on=False)
    assert plant.grid.voltage_v > 220.0


def test_a_deaf_converter_goes_on_as_it_was_told_before():
    plant = even_plant()
    switch_on(plant)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
    drive(plant, 2.0, close=True)
    change(plant, "pcs_deaf")
    plant.pcs.p_cmd_kw = 0.0
    drive(plant, 2.0, close=True)
    assert plant.pcs.p_ac_kw == 100.0
    change(plant, "pcs_deaf", on=False)
    drive(plant, 2.0, close=True)
    assert plant.pcs.p_ac_kw == 0.0


@pytest.mark.parametrize("name", ["pump_failed", "fan_failed", "chiller_failed"])
def test_a_part_of_the_cooling_that_has_failed_stands_still(name):
    plant = even_plant()
    change(plant, name)
    assert getattr(plant.climates[0], name)
    change(plant, name, on=False)
    assert not getattr(plant.climates[0], name)


def test_a_coolant_leak_empties_the_loop():
    plant = even_plant()
    change(plant, "coolant_leak", litres=20.0)
    assert plant.climates[0].leak_l == 20.0


def test_faults_reach_the_rack_that_they_name():
    plant = build_plant(PlantSettings(racks=3))
    change(plant, "open_cell", cell=2, rack=3)
    change(plant, "stuck_cell_sensor", cell=4, rack=2)
    assert np.argwhere(plant.racks.cells.added_ohm > 0).tolist() == [[2, 1]]
    assert np.argwhere(~np.isnan(plant.racks.sensors.stuck_v)).tolist() == [[1, 3]]
    change(plant, "weld_main", rack=2)
    assert [rack.circuit.main.welded for rack in plant.racks.racks] == [False, True, False]
    with pytest.raises(RefusedError, match="from 1 to 3"):
        change(plant, "blow_fuse", rack=4)
