"""The whole plant: the same seed gives the same plant, energy is conserved, and an hour passes in seconds."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from runtime.simulation.cells import OCV_SOC, OCV_V
from runtime.simulation.plant import build_plant, tell_truth
from runtime.simulation.settings import PlantSettings
from tests.aids.plant import drive, even_plant, switch_on


def night(seed):
    """A minute of work; what is true after it."""
    plant = build_plant(replace(PlantSettings(), seed=seed))
    switch_on(plant)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 150.0
    drive(plant, 60.0, 0.05, close=True)
    return json.dumps(tell_truth(plant, with_cells=True))


def test_the_same_seed_gives_the_same_plant_to_the_last_bit():
    assert night(7) == night(7)


def test_another_seed_gives_other_cells():
    assert night(7) != night(8)


def test_an_hour_passes_in_seconds():
    plant = even_plant(comms_timeout_s=1e9)
    switch_on(plant)
    plant.pcs.comms_timeout_s = 0.0
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 50.0
    before = plant.rack.cells.soc.mean()
    began = time.monotonic()
    for _ in range(3600):
        plant.step(1.0)
    assert time.monotonic() - began < 30.0
    # 50.975 kWh at 256 x 3.288 V less 61 A x 82 mOhm = 836.7 V is 60.92 Ah of 280 Ah
    assert before - plant.rack.cells.soc.mean() == pytest.approx(60.92 / 280.0, rel=0.01)


def test_energy_out_of_the_cells_is_energy_on_the_grid_plus_losses():
    plant = even_plant(comms_timeout_s=1e9)
    switch_on(plant)
    plant.pcs.comms_timeout_s = 0.0
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 200.0
    cells, rack = plant.rack.cells, plant.rack
    stored = _stored_kwh(cells)
    heat, dc, ac, lost = rack.heat_kwh, plant.pcs.dc_kwh, plant.pcs.ac_kwh, plant.pcs.lost_kwh
    drive(plant, 1800.0, 0.5, close=True)
    plant.pcs.p_cmd_kw = 0.0
    plant.pcs.enable = False
    drive(plant, 900.0, 0.5, close=True)  # let the RC pairs relax, so that no energy hides in them
    spent = stored - _stored_kwh(cells)
    assert plant.pcs.dc_kwh - dc == pytest.approx(plant.pcs.ac_kwh - ac + plant.pcs.lost_kwh - lost)
    assert spent == pytest.approx(plant.pcs.dc_kwh - dc + rack.heat_kwh - heat, rel=0.002)


def _stored_kwh(cells):
    """The integral of the rest voltage over the charge: exact, the curve is made of straight pieces."""
    total = 0.0
    for soc, capacity in zip(cells.soc, cells.capacity_as):
        points = np.append(OCV_SOC[OCV_SOC < soc], soc)
        total += np.trapezoid(np.interp(points, OCV_SOC, OCV_V), points) * capacity
    return total / 3.6e6


def test_speed_hurries_the_charge_but_not_the_contactors():
    slow, fast = even_plant(), even_plant()
    fast.speed = 60.0
    for plant in (slow, fast):
        switch_on(plant)
        assert plant.rack.circuit.main.closed
        plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
        drive(plant, 2.0, close=True)
        plant.rack.cells.soc[:] = 0.5
        drive(plant, 10.0, 0.1, close=True)
    moved = [0.5 - plant.rack.cells.soc.mean() for plant in (slow, fast)]
    assert moved[1] / moved[0] == pytest.approx(60.0, rel=0.01)
    assert fast.pcs.p_ac_kw == slow.pcs.p_ac_kw == 100.0


def test_a_pressed_estop_takes_the_contactors_away_after_a_second():
    plant = even_plant()
    switch_on(plant)
    plant.panel.estop_pressed = True
    drive(plant, 0.95, close=True)
    assert plant.rack.circuit.main.closed
    drive(plant, 0.2, close=True)
    assert not plant.rack.circuit.main.closed
    plant.panel.estop_pressed = False
    drive(plant, 1.0, close=True)
    assert not plant.rack.circuit.main.closed, "releasing the button must not close anything"


def test_contactors_that_open_under_load_leave_the_converter_in_fault():
    plant = even_plant()
    switch_on(plant)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
    drive(plant, 2.0, close=True)
    drive(plant, 0.5)
    assert plant.pcs.fault.name == "DC_UNDER_VOLTAGE"
    assert plant.pcs.p_ac_kw == 0.0


def test_the_rack_is_the_size_it_says():
    truth = tell_truth(build_plant(PlantSettings()), with_cells=True)
    assert len(truth["cells"]["soc"]) == 256
    assert 256 * 3.2 <= truth["rack"]["v"] <= 256 * 3.35
