"""What the panel's relays take away: the supply of the battery management, and thirds of the site's load."""

from __future__ import annotations

import pytest

from runtime.simulation.bms import Fault, State
from runtime.simulation.grid import open_breaker
from runtime.simulation.modbusmaps import map_meter, map_panel
from runtime.simulation.panel import FEEDERS, OUTPUTS, write_output
from runtime.simulation.registers import COIL, DISCRETE, INPUT, read_span, value_of, write_span
from runtime.simulation.settings import GridSettings, PanelSettings, PlantSettings
from runtime.simulation.written import Written
from tests.aids.plant import build_plant, drive, even_plant, switch_on


def relay(plant, name, on):
    """Work one relay as its coil in the register map does; the plant's own watchdog is kept quiet."""
    write_span(map_panel(plant, Written()), COIL, OUTPUTS.index(name), [int(on)])


def wait(plant, seconds, **asked):
    """Let time pass with a master that goes on writing the panel."""
    for _ in range(round(seconds * 10)):
        for name, value in plant.panel.outputs.items():
            write_output(plant.panel, name, value)
        drive(plant, 0.1, **asked)


def test_without_supply_the_management_sleeps_and_its_contactors_fall_open():
    plant = even_plant()
    switch_on(plant)
    assert plant.rack.circuit.main.closed
    relay(plant, "bms_sleep", True)
    wait(plant, 0.2, close=True)
    assert plant.rack.bms.asleep
    assert not plant.rack.circuit.main.closed
    assert plant.rack.bms.state is State.INIT


def test_it_is_awake_two_seconds_after_the_relay_has_fallen():
    plant = even_plant()
    relay(plant, "bms_sleep", True)
    wait(plant, 5.0)
    relay(plant, "bms_sleep", False)
    wait(plant, 1.9)
    assert plant.rack.bms.asleep
    wait(plant, 0.2)
    assert not plant.rack.bms.asleep
    assert plant.rack.bms.state is State.STANDBY


def test_a_relay_whose_module_hears_nothing_falls_and_the_management_wakes():
    plant = even_plant()
    relay(plant, "bms_sleep", True)
    drive(plant, PanelSettings().comms_timeout_s + 2.2)
    assert not plant.rack.bms.asleep


def test_sleep_is_no_reset():
    plant = even_plant()
    plant.rack.bms.internal_fault = True
    wait(plant, 1.0)
    plant.rack.bms.internal_fault = False
    relay(plant, "bms_sleep", True)
    wait(plant, 1.0)
    relay(plant, "bms_sleep", False)
    wait(plant, 3.0)
    assert plant.rack.bms.fault is Fault.INTERNAL
    assert not plant.rack.bms.ok


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_feeder_drops_a_third_of_the_load(count):
    plant = build_plant(PlantSettings(grid=GridSettings(load_base_kw=90, load_swing_kw=0, pv_peak_kw=0)))
    plant.step(0.01)
    assert plant.grid.p_kw == pytest.approx(90.0)
    for name in FEEDERS[:count]:
        relay(plant, name, True)
    plant.step(0.01)
    plant.step(0.01)
    assert plant.grid.p_kw == pytest.approx(90.0 - 30.0 * count)


def test_what_feeders_drop_is_counted_as_not_served():
    plant = build_plant(PlantSettings(grid=GridSettings(load_base_kw=90, load_swing_kw=0, pv_peak_kw=0)))
    relay(plant, "feeder_1", True)
    wait(plant, 60.0)
    assert plant.grid.unserved_kwh == pytest.approx(30.0 / 60, rel=0.01)


def test_a_forming_converter_is_relieved_by_the_feeders():
    """An island of 300 kW is more than 230 kW can carry; with two feeders off it is 100 kW."""
    plant = even_plant()
    switch_on(plant)
    plant.grid.load_set, plant.grid.pv_set = 300.0, 0.0
    for name in FEEDERS[:2]:
        relay(plant, name, True)
    plant.pcs.enable = plant.pcs.forming = True
    wait(plant, 1.0, close=True)
    open_breaker(plant.grid)
    wait(plant, 0.5, close=True)
    assert plant.pcs.p_ac_kw == pytest.approx(100.0)


@pytest.mark.parametrize(("attribute", "address"), [("tampered", 5), ("smoke", 6)])
def test_tamper_and_smoke_are_closed_contacts_that_open(attribute, address):
    plant = even_plant()
    registers = map_panel(plant, Written())
    assert read_span(registers, DISCRETE, address, 1) == [1]
    setattr(plant.panel, attribute, True)
    assert read_span(registers, DISCRETE, address, 1) == [0]


def test_the_meters_phases_differ_and_their_mean_does_not():
    plant = build_plant(PlantSettings(grid=GridSettings(unbalance=0.01, voltage_sigma_v=0)))
    registers = map_meter(plant, Written())
    l1, l2, l3, mean = (value_of(registers.at[INPUT, at], read_span(registers, INPUT, at, 2)) for at in (0, 2, 4, 42))
    assert (l1, l2, l3) == pytest.approx((230.9 * 1.01, 230.9, 230.9 * 0.99), abs=0.01)
    assert (l1 + l2 + l3) / 3 == pytest.approx(mean, abs=0.01)


def test_the_meters_phases_share_the_power_and_each_current_is_its_apparent_power_over_its_voltage():
    plant = build_plant(PlantSettings(grid=GridSettings(unbalance=0.01, voltage_sigma_v=0)))
    plant.grid.p_kw, plant.grid.q_kvar = -30.0, 40.0  # 50 kVA in all
    registers = map_meter(plant, Written())

    def read(first):  # SDM630: L1, L2, L3 follow one another
        return [value_of(registers.at[INPUT, at], read_span(registers, INPUT, at, 2)) for at in range(first, first + 6, 2)]

    volts, amps, watts, vars_ = (read(first) for first in (0, 6, 12, 24))
    assert watts == pytest.approx([-10_000.0] * 3)
    assert vars_ == pytest.approx([40_000 / 3] * 3)
    assert [v * i for v, i in zip(volts, amps, strict=True)] == pytest.approx([50_000 / 3] * 3, rel=1e-5)
