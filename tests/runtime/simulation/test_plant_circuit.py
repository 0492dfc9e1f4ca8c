"""The DC circuit: precharge by its time constant, and what a contactor suffers."""

from __future__ import annotations

import math

import pytest

from runtime.simulation.circuit import build_circuit, flow, switch
from runtime.simulation.settings import PcsSettings, RackSettings
from tests.aids.plant import drive, even_plant, switch_on

RACK = RackSettings()
NO_BLEED = PcsSettings(link_bleed_ohm=1e12)


@pytest.mark.parametrize("dt", [0.001, 0.01, 0.1])
def test_the_link_charges_by_the_precharge_time_constant(dt):
    # tau = 47 Ohm x 4 mF = 188 ms; after one, 63.2 %
    circuit = build_circuit(RACK)
    circuit.precharge.closed = True
    for _ in range(round(0.2 / dt)):
        flow(circuit, RACK, NO_BLEED, 800.0, 0.0, 0.0, dt)
    assert circuit.v_link == pytest.approx(800.0 * (1 - math.exp(-0.2 / 0.188)), rel=1e-9)
    assert circuit.current_a == pytest.approx((800.0 - circuit.v_link) / 47.0, rel=1e-9)


def test_the_charge_that_leaves_the_rack_arrives_in_the_capacitor():
    circuit = build_circuit(RACK)
    circuit.precharge.closed = True
    charge = 0.0
    for _ in range(150):
        flow(circuit, RACK, NO_BLEED, 800.0, 0.06, 0.0, 0.01)
        charge += circuit.mean_a * 0.01
    assert charge == pytest.approx(0.004 * circuit.v_link, rel=1e-9)


def test_precharge_ends_within_two_seconds_by_the_usual_bar():
    # foxBMS: dV < 1 V and I < 50 mA within 2 s
    plant = even_plant()
    drive(plant, 0.1)
    drive(plant, 1.6, precharge=True)
    assert abs(plant.rack.bms.measured.v_pack - plant.rack.circuit.v_link) < 1.0
    assert abs(plant.rack.circuit.current_a) < 0.05


def test_power_fixes_the_current():
    # P = I (V - I R): 80 kW out of 800 V behind 0.1 Ohm is 101.28 A (800 - sqrt(608000) over 0.2)
    circuit = build_circuit(RACK)
    circuit.main.closed = True
    circuit.v_link = 800.0
    for _ in range(2):
        flow(circuit, RACK, NO_BLEED, 800.0, 0.1, 80.0, 0.01)
    assert circuit.current_a * circuit.v_link == pytest.approx(80_000.0, rel=1e-6)
    assert circuit.v_link == pytest.approx(800.0 - 0.1 * circuit.current_a)
    assert circuit.current_a == pytest.approx(101.2823, abs=0.001)


def test_charging_raises_the_voltage_of_the_link():
    circuit = build_circuit(RACK)
    circuit.main.closed, circuit.v_link = True, 800.0
    flow(circuit, RACK, NO_BLEED, 800.0, 0.1, -80.0, 0.01)
    assert circuit.current_a < 0
    assert circuit.v_link > 800.0


def test_contacts_follow_their_coil_after_their_time():
    circuit = build_circuit(RACK)
    circuit.v_link, circuit.main.coil = 800.0, True
    closed = []
    for _ in range(8):
        switch(circuit, RACK, 800.0, 0.06, 0.01)
        closed.append(circuit.main.closed)
    assert closed == [False] * 4 + [True] * 4
    circuit.main.coil = False
    switch(circuit, RACK, 800.0, 0.06, 0.01)
    assert circuit.main.closed
    switch(circuit, RACK, 800.0, 0.06, 0.01)
    assert not circuit.main.closed


def test_closing_onto_an_empty_link_welds_the_main_contactor():
    plant = even_plant()
    drive(plant, 0.1)
    drive(plant, 0.2, close=True)
    assert plant.rack.circuit.main.welded
    assert plant.rack.circuit.inrush_a > 5_000.0
    drive(plant, 0.5)
    assert plant.rack.circuit.main.closed, "a welded contactor does not open"


def test_a_precharged_close_harms_nothing():
    plant = even_plant()
    switch_on(plant)
    assert plant.rack.circuit.main.closed
    assert not plant.rack.circuit.main.welded
    assert plant.rack.circuit.inrush_a < 50.0


def test_opening_under_load_is_counted_and_opening_at_rest_is_not():
    plant = even_plant()
    switch_on(plant)
    drive(plant, 0.1)
    assert (plant.rack.circuit.main.closed, plant.rack.circuit.opened_under_load) == (False, 0)
    switch_on(plant)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
    drive(plant, 2.0, close=True)
    drive(plant, 0.1)
    assert plant.rack.circuit.opened_under_load == 1
    assert [what for what, _ in plant.rack.circuit.happened if "under_load" in what] == ["main_opened_under_load"]


def test_an_open_link_bleeds_down_slowly():
    # 200 kOhm x 4 mF = 800 s
    plant = even_plant()
    switch_on(plant)
    before = plant.rack.circuit.v_link
    drive(plant, 80.0, 0.05)
    assert plant.rack.circuit.v_link == pytest.approx(before * math.exp(-0.1), rel=0.002)


def test_a_contactor_that_wont_close_stays_open():
    plant = even_plant()
    plant.rack.circuit.main.wont_close = True
    switch_on(plant)
    assert not plant.rack.circuit.main.closed
