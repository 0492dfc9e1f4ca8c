"""Hysteresis and leaks of cells: loops that close, shorts and open connections against hand calculations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from runtime.simulation.cells import OPEN_OHM, build_cells, rest_voltage, step_cells, terminal_voltage
from runtime.simulation.settings import RackSettings
from tests.aids.plant import ALIKE

LFP = replace(ALIKE, hysteresis_v=0.010)


def cells_of(cell=LFP, soc=0.5):
    return build_cells(RackSettings(modules=1, cells_per_module=4, cell=cell, soc=soc, soh=1.0), np.random.default_rng(0))


def move(cells, cell, by, dt=10.0, current=28.0):
    """Move the state of charge by this much; returns the work that the hysteresis took from the first cell, in J."""
    steps = round(abs(by) * 280 * 3600 / (current * dt))
    lost = 0.0
    for _ in range(steps):
        flowing = -np.sign(by) * current
        lost -= flowing * cells.hysteresis[0] * cell.hysteresis_v * dt
        step_cells(cells, cell, float(flowing), 22.0, dt)
    return lost


def test_after_a_long_charge_a_cell_rests_ten_millivolts_higher():
    cells = cells_of()
    for by, sign in ((0.2, 1), (-0.2, -1)):
        move(cells, LFP, by)
        cells.v_rc[:] = 0.0
        off = terminal_voltage(cells, LFP, 0.0) - rest_voltage(cells.soc)
        assert off == pytest.approx(np.full(4, sign * 0.010), abs=1e-5)


def test_it_turns_by_pletts_exponential_of_the_charge():
    # from -1: h = 1 - 2 exp(-rate dz), Plett 2004
    cells = cells_of()
    cells.hysteresis[:] = -1.0
    move(cells, LFP, 0.03, dt=1.0)
    assert cells.hysteresis == pytest.approx(np.full(4, 1 - 2 * np.exp(-40 * 0.03)), abs=1e-3)


def test_the_loop_closes_and_its_area_is_the_heat():
    # around 0.3..0.7 and back; the loss of a full loop is near the gap times the charge: 2 x 10 mV x 0.4 x 280 Ah
    cells = cells_of(soc=0.3)
    move(cells, LFP, 0.4), move(cells, LFP, -0.4)
    before = cells.soc.copy(), cells.hysteresis.copy()
    lost = move(cells, LFP, 0.4) + move(cells, LFP, -0.4)
    assert cells.soc == pytest.approx(before[0], abs=1e-9)
    assert cells.hysteresis == pytest.approx(before[1], abs=1e-6)
    full = 2 * 0.010 * 0.4 * 280 * 3600
    assert 0.8 * full < lost < full


def test_small_loops_stay_inside_the_large_one():
    cells = cells_of()
    for _ in range(50):
        move(cells, LFP, 0.01)
        move(cells, LFP, -0.01)
    assert (np.abs(cells.hysteresis) < 0.3).all()


def test_at_rest_a_cell_loses_its_two_percent_a_month():
    cell = replace(ALIKE, self_discharge_per_month=0.02)
    cells = cells_of(cell)
    for _ in range(30 * 24):
        step_cells(cells, cell, 0.0, 22.0, 3600.0)
    assert 0.5 - cells.soc == pytest.approx(np.full(4, 0.02), rel=0.01)


def test_a_short_inside_empties_and_heats_its_cell_alone():
    # 3.292 V over 50 mOhm + R0 + R1: 65.4 A; its heat is 3.292 V x 65.4 A = 215 W
    cells = cells_of(ALIKE)
    cells.leak_s[1] = 1 / 0.05
    before = cells.soc.copy()
    for _ in range(600):
        heat = step_cells(cells, ALIKE, 0.0, 22.0, 1.0)
    assert (before[1] - cells.soc[1]) * 280 * 6 == pytest.approx(3.292 / (0.05 + 0.00032), rel=0.01)
    assert heat[1] == pytest.approx(3.29**2 / 0.05032, rel=0.02)
    assert cells.soc[0] == before[0] and heat[0] == 0.0
    assert cells.celsius[1] > cells.celsius[0] + 20.0


def test_a_short_shows_at_the_terminals():
    cells = cells_of(ALIKE)
    cells.leak_s[1] = 1 / 0.002
    volts = terminal_voltage(cells, ALIKE, 0.0)
    assert volts[1] == pytest.approx(3.292 * 0.002 / 0.0022, rel=1e-6)
    # 100 A more through R0, with the short beside it: Thevenin's R0 || R
    drop = volts - terminal_voltage(cells, ALIKE, 100.0)
    assert drop[1] == pytest.approx(100 * 0.0002 * 0.002 / 0.0022, rel=1e-6)


def test_an_open_cell_takes_all_the_voltage_that_drives_through_it():
    cells = cells_of(ALIKE)
    cells.added_ohm[2] = OPEN_OHM
    volts = terminal_voltage(cells, ALIKE, 1e-3)
    assert volts[2] < -900.0
    assert volts[1] == pytest.approx(3.292, abs=1e-4)


def test_a_loose_connection_heats_its_cell():
    # 280 A through 1 mOhm: 78 W more
    cells = cells_of(ALIKE)
    cells.added_ohm[0] = 0.001
    heat = step_cells(cells, ALIKE, 280.0, 22.0, 0.01)
    assert heat[0] - heat[1] == pytest.approx(280.0**2 * 0.001)
