"""Several racks: on one DC bus by Millman's theorem, each on its own converter, and always the same from the same seed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from runtime.simulation.bms import Fault, take_command
from runtime.simulation.circuit import build_circuit, flow_bus
from runtime.simulation.modbusmaps import map_pcs
from runtime.simulation.pcs import beat
from runtime.simulation.plant import build_plant, tell_truth
from runtime.simulation.registers import HOLDING, INPUT, read_span, write_span
from runtime.simulation.settings import PcsSettings, PlantSettings, RackSettings, SettingsError, SpreadSettings, read_settings
from runtime.simulation.written import Written
from tests.aids.plant import EXACT

RACK = RackSettings()
NO_BLEED = PcsSettings(link_bleed_ohm=1e12)
UNEQUAL = SpreadSettings(capacity=0.03, soc=0.05, resistance=0.1)


def bus(count):
    circuits = [build_circuit(RACK) for _ in range(count)]
    for circuit in circuits:
        circuit.main.closed, circuit.v_link = True, 842.0
    return circuits


def fleet(racks, converters=0, **rack):
    return build_plant(PlantSettings(racks=racks, converters=converters, rack=replace(EXACT, **rack)))


def drive_all(plant, seconds, dt_s=0.01, close=(), precharge=()):
    """Every rack hears a master that is alive; those named are asked to close or to precharge."""
    for _ in range(round(seconds / dt_s)):
        for at, rack in enumerate(plant.racks.racks):
            alive = (rack.bms.commands.alive + 1) % 16
            take_command(rack.bms, at in close, at in precharge, False, False, alive)
        for pcs in plant.converters:
            beat(pcs, (pcs.heartbeat + 1) % 65536)
        plant.step(dt_s)


def close_all(plant):
    each = range(len(plant.racks.racks))
    drive_all(plant, 0.1)
    drive_all(plant, 1.6, precharge=each)
    drive_all(plant, 0.2, precharge=each, close=each)
    drive_all(plant, 0.2, close=each)


def test_parallel_racks_share_the_current_as_the_hand_solved_circuit():
    # 840 V behind 0.06, 842 V behind 0.08, 838 V behind 0.05 Ohm, 100 kW: G = 49.1667 S, V = (14000 + 10525 + 16760) / G
    sources = ((840.0, 0.06), (842.0, 0.08), (838.0, 0.05))
    circuits = bus(3)
    for _ in range(3):
        flow_bus(circuits, sources, RACK, NO_BLEED, 100.0, 0.01)
    g = 1 / 0.06 + 1 / 0.08 + 1 / 0.05
    v = (840 / 0.06 + 842 / 0.08 + 838 / 0.05) / g
    total = (v - np.sqrt(v * v - 4 / g * 100e3)) / (2 / g)
    link = v - total / g
    assert [c.v_link for c in circuits] == pytest.approx([link] * 3)
    assert [c.current_a for c in circuits] == pytest.approx([(volts - link) / ohms for volts, ohms in sources])
    assert sum(c.current_a for c in circuits) == pytest.approx(total)
    assert total * link == pytest.approx(100e3)


def test_without_power_the_fuller_rack_charges_the_emptier():
    # 4 V over 0.06 + 0.04 Ohm: 40 A
    circuits = bus(2)
    for _ in range(3):
        flow_bus(circuits, ((842.0, 0.06), (838.0, 0.04)), RACK, NO_BLEED, 0.0, 0.01)
    assert [c.current_a for c in circuits] == pytest.approx([40.0, -40.0])


def test_a_rack_that_is_open_carries_nothing_and_the_others_take_over():
    circuits = bus(2)
    circuits[1].main.closed = False
    for _ in range(3):
        flow_bus(circuits, ((842.0, 0.06), (838.0, 0.04)), RACK, NO_BLEED, 84.0, 0.01)
    assert circuits[1].current_a == circuits[1].mean_a == 0.0
    assert circuits[0].current_a * circuits[0].v_link == pytest.approx(84e3)


def test_what_parallel_racks_give_up_is_what_the_others_take():
    plant = fleet(3, converters=1)
    plant.racks.racks[1].cells.soc[:] = 0.40
    close_all(plant)
    before = plant.racks.cells.soc.sum()
    out = sum(rack.charge_out_ah for rack in plant.racks.racks)
    drive_all(plant, 600.0, 0.1, close=range(3))
    moved = (before - plant.racks.cells.soc.sum()) * 280.0 / 256
    assert sum(rack.charge_out_ah for rack in plant.racks.racks) - out == pytest.approx(moved, abs=1e-9)
    assert plant.racks.racks[1].charge_out_ah < 0 < plant.racks.racks[0].charge_out_ah


def test_each_rack_on_its_own_converter_lives_for_itself():
    plant = fleet(3)
    close_all(plant)
    for pcs, kw in zip(plant.converters, (100.0, -50.0, 0.0), strict=True):
        pcs.enable, pcs.p_cmd_kw = True, kw
    drive_all(plant, 60.0, 0.1, close=range(3))
    currents = [rack.circuit.current_a for rack in plant.racks.racks]
    assert currents[0] > 100 and currents[1] < -50 and abs(currents[2]) < 1
    assert plant.grid.p_kw == pytest.approx(plant.grid.load_kw - plant.grid.pv_kw - 50.0, abs=1e-6)
    drive_all(plant, 1.0, close=(0, 1))
    assert [rack.circuit.main.closed for rack in plant.racks.racks] == [True, True, False]


def test_a_rack_joins_and_leaves_a_bus_under_load():
    plant = fleet(3, converters=1)
    drive_all(plant, 0.1)
    drive_all(plant, 1.6, precharge=(0, 1))
    drive_all(plant, 0.2, precharge=(0, 1), close=(0, 1))
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
    drive_all(plant, 2.0, close=(0, 1))
    both = [rack.circuit.current_a for rack in plant.racks.racks]
    assert both[2] == 0.0 and both[0] == pytest.approx(both[1], rel=1e-6)
    drive_all(plant, 0.5, close=(0, 1), precharge=(2,))
    drive_all(plant, 0.5, close=range(3))
    three = [rack.circuit.current_a for rack in plant.racks.racks]
    assert three == pytest.approx([sum(both) / 3] * 3, rel=0.02)
    joined = plant.racks.racks[2].circuit
    assert not joined.main.welded and joined.inrush_a < 100.0
    drive_all(plant, 0.5, close=(1, 2))
    assert plant.racks.racks[0].circuit.opened_under_load == 1
    assert sum(rack.circuit.current_a for rack in plant.racks.racks) == pytest.approx(sum(both), rel=0.01)
    assert plant.pcs.p_ac_kw == 100.0


def test_racks_in_parallel_converge_by_themselves():
    plant = fleet(2, converters=1)
    plant.racks.racks[0].cells.soc[:], plant.racks.racks[1].cells.soc[:] = 0.18, 0.12
    close_all(plant)
    plant.speed = 60.0
    drive_all(plant, 360.0, 0.1, close=range(2))
    socs = [rack.cells.soc.mean() for rack in plant.racks.racks]
    assert socs[0] - socs[1] < 0.02
    assert sum(socs) == pytest.approx(0.30, abs=1e-3)


def night(racks, seed=4):
    settings = PlantSettings(seed=seed, racks=racks, spread=UNEQUAL)
    plant = build_plant(settings)
    close_all(plant)
    drive_all(plant, 5.0, 0.05, close=range(racks))
    return tell_truth(plant, with_cells=True)


def test_the_same_seed_gives_the_same_fleet():
    assert json.dumps(night(3)) == json.dumps(night(3))
    assert json.dumps(night(3)) != json.dumps(night(3, seed=5))


def test_a_rack_is_the_same_in_a_plant_of_any_size():
    small, large = (build_plant(PlantSettings(racks=racks, spread=UNEQUAL)) for racks in (2, 6))
    for at in range(2):
        assert (small.racks.racks[at].cells.r0 == large.racks.racks[at].cells.r0).all()
        assert (small.racks.racks[at].cells.soc == large.racks.racks[at].cells.soc).all()


def test_racks_differ_as_much_as_the_settings_say():
    plant = build_plant(PlantSettings(racks=64, spread=UNEQUAL))
    socs = plant.racks.cells.soc.mean(axis=1)
    assert socs.std() == pytest.approx(0.05, rel=0.25)
    assert (plant.racks.cells.r0.mean(axis=1) / 0.0002).std() == pytest.approx(0.1, rel=0.3)


def test_a_fault_in_one_rack_opens_that_rack():
    plant = fleet(3, converters=1)
    close_all(plant)
    plant.racks.racks[1].cells.held_c[9] = 56.0
    drive_all(plant, 4.0, close=range(3))
    assert [rack.circuit.main.closed for rack in plant.racks.racks] == [True, False, True]
    assert plant.racks.racks[1].bms.fault is Fault.OVER_TEMPERATURE


@pytest.mark.parametrize(("amperes", "seconds"), [(1000.0, 0.322), (2000.0, 0.066), (650.0, 2.09)])
def test_a_fuse_melts_by_its_heat(amperes, seconds):
    # tau = 250 kA²s / 640² = 0.610 s; t = -tau ln(1 - I²t / (I² tau))
    expected = -0.6104 * np.log(1 - 250_000 / (amperes**2 * 0.6104))
    assert seconds == pytest.approx(expected, rel=0.05)
    (circuit,) = bus(1)
    passed = 0.0
    while not circuit.fuse_blown:
        circuit.v_link = 842.0 - amperes * 0.06
        flow_bus((circuit,), ((842.0, 0.06),), RACK, NO_BLEED, amperes * circuit.v_link / 1000, 0.001)
        passed += 0.001
    assert passed == pytest.approx(expected, rel=0.05)


def test_a_fuse_carries_its_rated_current_for_ever():
    (circuit,) = bus(1)
    for _ in range(600):
        circuit.v_link = 842.0 - 400 * 0.06
        flow_bus((circuit,), ((842.0, 0.06),), RACK, NO_BLEED, 400 * circuit.v_link / 1000, 1.0)
    assert not circuit.fuse_blown


def test_numbers_of_racks_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "plant.yaml"
    path.write_text("racks: 6\nconverters: 4\nclimate: {zones: 5}\n")
    with pytest.raises(SettingsError) as refused:
        read_settings(path)
    assert len(str(refused.value).splitlines()) == 2
    path.write_text("racks: 65\n")
    with pytest.raises(SettingsError, match="from 1 to 64"):
        read_settings(path)


def test_every_rack_and_converter_has_registers_and_a_bus_of_its_own():
    plant, written = fleet(3), Written()
    maps = [map_pcs(plant, written, at) for at in range(3)]
    write_span(maps[1], HOLDING, 100, [500])
    assert [pcs.p_cmd_kw for pcs in plant.converters] == [0.0, 50.0, 0.0]
    plant.racks.racks[2].circuit.v_link = 700.0
    assert [read_span(one, INPUT, 2, 1)[0] for one in maps] == [0, 0, 7000]
    assert [device for _, device, _, _ in written.changes] == ["pcs2"]
