"""Faults of a plant of several racks, converters and zones: they hit the one that is named, and nobody else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runtime.simulation.faults import FAULTS, RefusedError, Site, change_fault, clear_faults
from runtime.simulation.modbusmaps import map_panel
from runtime.simulation.modbusserver import Line
from runtime.simulation.plant import build_plant
from runtime.simulation.process import load_dbc
from runtime.simulation.rackbus import build_rack_bus
from runtime.simulation.registers import DISCRETE, read_span
from runtime.simulation.settings import BusSettings, CanSettings, ClimateSettings, PlantSettings
from runtime.simulation.written import Written
from tests.aids.places import ROOT

SETTINGS = PlantSettings(
    racks=4,
    climate=ClimateSettings(zones=2, liquid_w_per_k=4.0),
    buses=BusSettings(can=CanSettings(racks_per_channel=2)),
)


@pytest.fixture
def site():
    plant, database = build_plant(SETTINGS), load_dbc(ROOT / "dbc/rack_shared.dbc")
    buses = [build_rack_bus(plant, database, None, Written(), at) for at in range(4)]
    devices = {name: SimpleNamespace(line=Line()) for name in ("pcs", "pcs2", "pcs3", "pcs4", "meter", "panel")}
    return Site(plant, buses, devices)


def put(site, name, on=True, **details):
    waiting = change_fault(site, name, details, on=on)
    with pytest.raises(StopIteration):
        waiting.send(None)


def test_a_converter_is_named_by_its_rack(site):
    put(site, "pcs_fault", rack=3)
    put(site, "pcs_deaf")
    assert [pcs.internal_fault for pcs in site.plant.converters] == [False, False, True, False]
    assert [pcs.deaf for pcs in site.plant.converters] == [True, False, False, False]


def test_a_converter_of_several_racks_is_that_of_any_of_them(site):
    site.plant = build_plant(PlantSettings(racks=4, converters=2))
    put(site, "pcs_fault", rack=3)
    assert [pcs.internal_fault for pcs in site.plant.converters] == [False, True]


def test_a_message_is_that_of_one_rack(site):
    put(site, "stop_message", message="Module_3", rack=2)
    put(site, "freeze_message", message="BMS_Status", rack=4)
    assert [bus.stopped for bus in site.rack_buses] == [set(), {"Module_3"}, set(), set()]
    assert [bus.frozen for bus in site.rack_buses] == [set(), set(), set(), {"BMS_Status"}]


@pytest.mark.parametrize("name", ["pump_failed", "fan_failed", "chiller_failed"])
def test_a_drive_is_that_of_one_zone(site, name):
    put(site, name, zone=2)
    assert [getattr(climate, name) for climate in site.plant.climates] == [False, True]


def test_a_leak_is_in_one_zone(site):
    put(site, "coolant_leak", zone=2, litres=30)
    assert [climate.leak_l for climate in site.plant.climates] == [0.0, 30.0]


def test_a_cut_channel_cuts_every_rack_on_it_and_a_cut_line_one_device(site):
    put(site, "drop_link", link="can1")
    put(site, "drop_link", link="pcs3")
    assert [bus.cut for bus in site.rack_buses] == [False, False, True, True]
    assert [name for name, device in site.devices.items() if device.line.silent] == ["pcs3"]


def test_the_first_converter_has_two_names(site):
    put(site, "slow_link", link="pcs1", ms=300)
    assert site.devices["pcs"].line.delay_s == 0.3


def test_doors_and_smoke(site):
    registers = map_panel(site.plant, Written())
    put(site, "tamper")
    put(site, "smoke")
    assert read_span(registers, DISCRETE, 5, 2) == [0, 0]
    put(site, "tamper", on=False)
    assert read_span(registers, DISCRETE, 5, 2) == [1, 0]


def test_two_faults_of_a_kind_in_two_racks_come_and_go_apart(site):
    for rack in (1, 4):
        put(site, "earth_fault", rack=rack)
    put(site, "earth_fault", rack=1, on=False)
    assert [rack.earth_fault_kohm for rack in site.plant.racks.racks] == [None, None, None, 20.0]
    with pytest.raises(StopIteration):
        clear_faults(site).send(None)
    assert all(rack.earth_fault_kohm is None for rack in site.plant.racks.racks)


@pytest.mark.parametrize(
    ("name", "details"), [("pcs_fault", {"rack": 5}), ("pump_failed", {"zone": 3}), ("bms_fault", {"rack": 0})]
)
def test_what_is_not_there_is_refused_with_what_there_is(site, name, details):
    with pytest.raises(RefusedError, match="must be a number from 1 to"):
        change_fault(site, name, details, on=True).send(None)


def test_every_fault_says_of_what_there_are_several():
    assert {fault.of for fault in FAULTS.values()} == {"", "rack", "zone"}
