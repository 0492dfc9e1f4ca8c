"""Energy and charge of whole cycles: nothing appears and nothing is lost, with every law of the cells at work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from runtime.simulation.cells import OCV_SOC, OCV_V
from runtime.simulation.plant import build_plant
from runtime.simulation.settings import CellSettings, PlantSettings, SpreadSettings
from tests.aids.plant import EXACT, drive, switch_on

REAL = CellSettings(hysteresis_v=0.010, conduction_w_per_k=2.0, self_discharge_per_month=0.02)


def stored_kwh(cells):
    """The integral of the rest voltage over the charge: exact, the curve is made of straight pieces."""
    area = np.concatenate([[0.0], np.cumsum(np.diff(OCV_SOC) * (OCV_V[1:] + OCV_V[:-1]) / 2)])
    piece = np.clip(np.searchsorted(OCV_SOC, cells.soc) - 1, 0, len(OCV_SOC) - 2)
    volts = np.interp(cells.soc, OCV_SOC, OCV_V)
    inside = (cells.soc - OCV_SOC[piece]) * (OCV_V[piece] + volts) / 2
    return float(((area[piece] + inside) * cells.capacity_as).sum()) / 3.6e6


def working_plant(racks=1, converters=0):
    rack = replace(EXACT, cell=REAL, comms_timeout_s=1e9)
    spread = SpreadSettings(capacity=0.02, soc=0.03, resistance=0.1)
    plant = build_plant(PlantSettings(racks=racks, converters=converters, rack=rack, spread=spread))
    if racks == 1:
        switch_on(plant)
    for one in plant.racks.racks:
        one.circuit.main.closed = one.circuit.main.welded = True
        one.circuit.v_link = 842.0
    for pcs in plant.converters:
        pcs.comms_timeout_s = 0.0
        pcs.enable = True
    return plant


def books(plant):
    """What the cells hold, the heat made, and what left them over the DC links, in kWh."""
    heat = sum(rack.heat_kwh for rack in plant.racks.racks)
    return np.array([stored_kwh(plant.racks.cells), heat, sum(pcs.dc_kwh for pcs in plant.converters)])


def cycle(plant, kw, dt=0.5):
    for command, seconds in ((kw, 2400), (0.0, 600), (-kw, 2400), (0.0, 600)):
        for pcs in plant.converters:
            pcs.p_cmd_kw = command
        for _ in range(round(seconds / dt)):
            plant.step(dt)


@pytest.mark.parametrize(("racks", "converters"), [(1, 0), (4, 0), (4, 1)])
def test_the_energy_of_a_cycle_closes(racks, converters):
    plant = working_plant(racks, converters)
    plant.step(0.5)
    before = books(plant)
    kw = 150.0 if not converters else 210.0
    cycle(plant, kw)
    spent, heat, out = (before - books(plant)) * (1, -1, -1)
    through = 2 * kw * len(plant.converters) * 2400 / 3600
    assert heat > 0.005 * through
    assert spent == pytest.approx(out + heat, abs=0.001 * through)


def test_the_charge_of_every_rack_is_what_its_current_took():
    plant = working_plant(3, converters=1)
    plant.step(0.5)
    own = plant.racks.cells.leak_s * 0.0
    plant.racks.cells.leak_s[:] = own
    before = (plant.racks.cells.soc * plant.racks.cells.capacity_as).mean(axis=1) / 3600
    counted = np.array([rack.charge_out_ah for rack in plant.racks.racks])
    cycle(plant, 200.0)
    after = (plant.racks.cells.soc * plant.racks.cells.capacity_as).mean(axis=1) / 3600
    moved = np.array([rack.charge_out_ah for rack in plant.racks.racks]) - counted
    assert before - after == pytest.approx(moved, abs=1e-6)


def test_balancing_turns_charge_into_heat():
    plant = working_plant()
    plant.rack.bms.balance_mask[:] = True
    drive(plant, 0.1, close=True, balance=True)
    before = books(plant)
    plant.pcs.enable = False
    drive(plant, 600.0, 1.0, close=True, balance=True)
    spent, heat, out = (before - books(plant)) * (1, -1, -1)
    # 256 cells of 3.3 V over 33 Ohm for ten minutes: 14.1 Wh; the link's own 200 kOhm take 842²/200k for as long
    assert spent - out - 842.0**2 / 200_000 * 600 / 3.6e6 == pytest.approx(heat, rel=0.01)
    # and self-discharge, 2 % of 280 Ah in 720 hours: 7.8 mA of each cell, 1.1 Wh
    assert heat * 1000 == pytest.approx(256 * 3.3 * (3.3 / 33 + 0.02 * 280 / 720) / 6, rel=0.01)
