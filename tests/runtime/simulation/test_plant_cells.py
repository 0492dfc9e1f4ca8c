"""Cells: what charge, voltage and heat do, against hand calculations."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from runtime.simulation.cells import build_cells, rest_voltage, step_cells, terminal_voltage
from runtime.simulation.settings import RackSettings
from tests.aids.plant import ALIKE, drive, even_plant

EVEN = ALIKE


def cells_of(cell=EVEN, **rack):
    settings = RackSettings(cell=cell, soh=1.0, **rack)
    return build_cells(settings, np.random.default_rng(0))


@pytest.mark.parametrize("dt", [0.01, 1.0, 60.0])
def test_one_hour_at_a_tenth_c_moves_the_charge_by_a_tenth(dt):
    cells = cells_of(soc=0.5)
    for _ in range(round(3600 / dt)):
        step_cells(cells, EVEN, 28.0, 22.0, dt)
    assert cells.soc == pytest.approx(np.full(256, 0.4), abs=1e-9)


def test_charging_is_a_negative_current():
    cells = cells_of(soc=0.5)
    step_cells(cells, EVEN, -280.0, 22.0, 360.0)
    assert cells.soc == pytest.approx(np.full(256, 0.6))


@pytest.mark.parametrize("dt", [0.05, 1.0, 30.0])
def test_the_rc_pair_follows_its_exponential_whatever_the_step(dt):
    # v(t) = I R1 (1 - exp(-t / tau)): 100 A x 0.12 mOhm, one time constant
    cells = cells_of()
    for _ in range(round(60.0 / dt)):
        step_cells(cells, EVEN, 100.0, 22.0, dt)
    assert cells.v_rc == pytest.approx(np.full(256, 100.0 * 0.00012 * (1 - math.exp(-1))), rel=1e-9)


def test_a_current_step_shows_the_ohmic_drop_at_once_and_the_rest_later():
    cells = cells_of(soc=0.5)
    at_rest = terminal_voltage(cells, EVEN, 0.0)
    assert at_rest - terminal_voltage(cells, EVEN, 200.0) == pytest.approx(np.full(256, 200 * 0.0002))
    step_cells(cells, EVEN, 200.0, 22.0, 1e-3)
    step_cells(cells, EVEN, 0.0, 22.0, 600.0)
    assert cells.v_rc == pytest.approx(np.zeros(256), abs=1e-6)


def test_joule_heat_settles_where_cooling_takes_it_all():
    # after ten thermal and many RC time constants: dT = I^2 (R0 + R1) / (W/K) = 280^2 x 0.32 mOhm / 1.5
    cells = cells_of(soc=0.5)
    heat = 0.0
    for _ in range(600):
        heat = step_cells(cells, EVEN, 280.0, 22.0, 60.0).sum()
        cells.soc[:] = 0.5
    assert heat == pytest.approx(256 * 280.0**2 * 0.00032, rel=1e-3)
    assert cells.celsius == pytest.approx(np.full(256, 22.0 + 280.0**2 * 0.00032 / 1.5), rel=1e-3)


def test_heat_warms_an_uncooled_cell_by_its_capacity():
    cells = cells_of(replace(EVEN, cooling_w_per_k=1e-9))
    cells.v_rc[:] = 280.0 * 0.00012
    heat = step_cells(cells, EVEN, 280.0, 22.0, 100.0).sum()
    assert cells.celsius - 22.0 == pytest.approx(np.full(256, heat / 256 * 100.0 / 5400.0), rel=1e-3)


def test_a_charge_that_is_no_number_gives_none_and_reads_no_other_memory():
    volts = rest_voltage(np.array([np.nan, 0.5, np.inf, -np.inf]))
    assert np.isnan(volts[0])
    assert volts[1] == rest_voltage(np.array([0.5]))[0]
    assert list(volts[2:]) == [4.3, 1.8], "beyond its ends the curve stays where it ends"


def test_the_rest_voltage_is_that_of_lfp():
    # data sheet of a 280 Ah LFP cell: 2.5 V empty, 3.2 V nominal, flat; 3.65 V is only reached by charging it over
    soc = np.linspace(0.0, 1.0, 1001)
    volts = rest_voltage(soc)
    assert (np.diff(volts) > 0).all()
    assert volts[0] == pytest.approx(2.5)
    assert ((volts > 3.2) & (volts < 3.35))[(soc > 0.11) & (soc < 0.95)].all()
    assert rest_voltage(np.array([1.02]))[0] > 3.65


def test_a_warm_cell_has_less_resistance():
    cell = replace(EVEN, resistance_per_k=0.02)
    cells = cells_of(cell)
    cells.celsius[:128], cells.celsius[128:] = 25.0, 45.0
    drop = terminal_voltage(cells, cell, 0.0) - terminal_voltage(cells, cell, 100.0)
    assert drop[0] == pytest.approx(100 * 0.0002)
    assert drop[200] == pytest.approx(100 * 0.0002 * math.exp(-0.4))


def test_a_held_cell_stays_hot_and_its_neighbours_do_not_notice():
    cells = cells_of()
    cells.held_c[17] = 75.0
    step_cells(cells, EVEN, 10.0, 22.0, 60.0)
    assert cells.celsius[17] == 75.0
    assert cells.celsius[16] < 23.0


def test_a_bleeding_cell_loses_a_tenth_of_an_ampere():
    # 3.292 V / 33 Ohm for an hour out of 280 Ah
    cells = cells_of(soc=0.5)
    cells.bleeding[3] = True
    for _ in range(3600):
        step_cells(cells, EVEN, 0.0, 22.0, 1.0)
    assert 0.5 - cells.soc[3] == pytest.approx(3.292 / 33 / 280, rel=0.002)
    assert cells.soc[4] == 0.5


def test_cells_differ_as_much_as_the_settings_say():
    cells = build_cells(RackSettings(modules=100, cells_per_module=100, soc=0.6, soh=1.0), np.random.default_rng(3))
    assert cells.soc.mean() == pytest.approx(0.6, abs=1e-12)
    assert cells.soc.std() == pytest.approx(0.005, rel=0.05)
    assert (cells.capacity_as / 3600).mean() == pytest.approx(280.0, rel=0.001)
    assert (cells.capacity_as / 3600).std() == pytest.approx(2.8, rel=0.05)
    assert (cells.r1 / cells.r0) == pytest.approx(np.full(10_000, 0.6))


def test_the_management_counts_the_charge_that_left():
    plant = even_plant(soc=0.7)
    plant.rack.circuit.main.closed = plant.rack.circuit.main.welded = True
    plant.rack.circuit.v_link = 800.0
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 100.0
    drive(plant, 600.0, 0.1, close=True)
    assert plant.rack.bms.measured.soc == pytest.approx(plant.rack.cells.soc.mean(), abs=1e-9)
    assert 0.7 - plant.rack.cells.soc.mean() == pytest.approx(plant.rack.charge_out_ah / 280.0, rel=1e-6)
