"""Heat in a module: Fourier's law between neighbours, and a runaway as a calorimeter would see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from runtime.simulation.cells import build_cells, step_cells, terminal_voltage
from runtime.simulation.heat import conduct, react, reaction_per_s
from runtime.simulation.settings import CellSettings, RackSettings
from tests.aids.plant import ALIKE

TOUCHING = replace(ALIKE, conduction_w_per_k=2.0)


def row(cell=TOUCHING, celsius=25.0, **rack):
    return build_cells(RackSettings(cell=cell, ambient_c=celsius, **rack), np.random.default_rng(0))


@pytest.mark.parametrize("dt", [1.0, 60.0, 1800.0])
def test_heat_passes_along_a_module_by_fouriers_law(dt):
    # C dT_i/dt = k (T_(i-1) - T_i) + k (T_(i+1) - T_i), solved by scipy
    start = np.linspace(20.0, 80.0, 16) ** 1.2

    def law(_, t):
        flow = 2.0 * np.diff(t) / 5400.0
        return np.append(flow, 0.0) - np.insert(flow, 0, 0.0)

    expected = solve_ivp(law, (0.0, 3600.0), start, rtol=1e-10, atol=1e-10).y[:, -1]
    celsius = start.copy()
    for _ in range(round(3600 / dt)):
        conduct(celsius, 16, TOUCHING, dt)
    assert celsius == pytest.approx(expected, abs=1e-6)


def test_conduction_loses_no_heat_and_stays_in_its_module():
    celsius = np.full(32, 25.0)
    celsius[7] = 400.0
    before = celsius.sum()
    for _ in range(100):
        conduct(celsius, 16, TOUCHING, 10.0)
    assert celsius.sum() == pytest.approx(before, rel=1e-12)
    assert (celsius[16:] == 25.0).all()
    assert celsius[8] == pytest.approx(celsius[6], rel=0.05) and celsius[8] > celsius[9] > celsius[10]


@pytest.mark.parametrize(("celsius", "k_per_s"), [(120.0, 0.02 / 60), (220.0, 1.0)])
def test_self_heating_is_that_of_the_calorimeters_temperatures(celsius, k_per_s):
    # Feng et al., Joule 4 (2020) 743: T1 is where a cell heats itself by 0.02 K/min, T2 where it does so by 1 K/s
    cell = CellSettings()
    rate = reaction_per_s(np.array([celsius]), cell)[0]
    assert rate * cell.runaway_heat_j / cell.heat_capacity_j_per_k == pytest.approx(k_per_s, rel=1e-9)


def test_its_activation_energy_is_near_that_of_the_sei():
    # Kim, Pesaran and Spotnitz 2007: 135 kJ/mol
    cold, hot = reaction_per_s(np.array([150.0, 160.0]), CellSettings())
    energy = 8.314 * np.log(hot / cold) / (1 / 423.15 - 1 / 433.15)
    assert 120e3 < energy < 145e3


@pytest.mark.parametrize("dt", [0.01, 1.0])
def test_a_runaway_follows_its_equation_and_gives_off_all_its_heat(dt):
    cell = replace(ALIKE, cooling_w_per_k=1e-12)
    rise = cell.runaway_heat_j / cell.heat_capacity_j_per_k

    def law(_, y):
        used = reaction_per_s(y[:1], cell)[0] * y[1]
        return [used * rise, -used]

    truth = solve_ivp(law, (0.0, 120.0), [210.0, 1.0], rtol=1e-9, atol=1e-9, dense_output=True)
    celsius, unreacted = np.array([210.0]), np.array([1.0])
    for _ in range(round(120 / dt)):
        react(celsius, unreacted, cell, dt)
    assert celsius[0] == pytest.approx(truth.y[0, -1], rel=0.02)
    assert celsius[0] - 210.0 == pytest.approx((1 - unreacted[0]) * rise, rel=1e-9)


def test_a_cell_below_its_onset_never_runs_away_and_one_just_above_takes_hours():
    celsius, unreacted = np.array([90.0, 125.0]), np.ones(2)
    for _ in range(3600):
        react(celsius, unreacted, ALIKE, 1.0)
    assert celsius[0] == 90.0
    assert 125.0 < celsius[1] < 135.0


def test_a_burning_cell_heats_its_neighbours_in_their_order_and_not_the_next_module():
    cells = row()
    cells.celsius[5] = 230.0
    hottest = cells.celsius.copy()
    passed = {}
    for second in range(3600):
        step_cells(cells, TOUCHING, 0.0, 25.0, 1.0)
        hottest = np.maximum(hottest, cells.celsius)
        for cell in np.flatnonzero(cells.celsius > 35.0):
            passed.setdefault(int(cell), second)
    assert hottest[5] > 450.0
    assert passed[5] < passed[4] <= passed[6] < passed[7]
    assert hottest[4] > hottest[3] > hottest[2] > hottest[1]
    assert 16 not in passed


@pytest.mark.parametrize(("ambient_c", "conduction", "burnt"), [(45.0, 4.0, 6), (25.0, 4.0, 1), (45.0, 0.5, 1)])
def test_a_runaway_spreads_in_a_warm_module_and_insulation_or_coolness_stop_it(ambient_c, conduction, burnt):
    # cells of 280 Ah wall to wall: minutes to half an hour from cell to cell, as in published module tests
    cell = replace(ALIKE, conduction_w_per_k=conduction, cooling_w_per_k=0.5)
    cells = row(cell, ambient_c, modules=1)
    cells.celsius[0] = 230.0
    begins = {}
    for turn in range(3240):
        step_cells(cells, cell, 0.0, ambient_c, 2.0)
        for at in np.flatnonzero(cells.unreacted < 0.5):
            begins.setdefault(int(at), 2.0 * turn)
    assert list(begins) == list(range(burnt)), "from neighbour to neighbour, none is left out"
    if burnt > 1:
        assert all(300.0 < gap < 2400.0 for gap in np.diff(list(begins.values())))


def test_what_has_burnt_gives_no_voltage():
    cells = row()
    cells.unreacted[3] = 0.0
    volts = terminal_voltage(cells, TOUCHING, 0.0)
    assert volts[3] == 0.0
    assert volts[4] == pytest.approx(3.292)
