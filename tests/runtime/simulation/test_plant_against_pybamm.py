"""The cell's circuit against PyBaMM's Thevenin model: the same current gives the same voltage and charge."""

from __future__ import annotations

import numpy as np

from runtime.simulation.cells import build_cells, step_cells, terminal_voltage
from runtime.simulation.settings import RackSettings
from tests.aids.plant import ALIKE
from tests.blocks.cells.true_cells import lfp, profile, thevenin


def test_two_hours_of_drive_are_those_of_pybamm(monkeypatch):
    # PyBaMM gets the curve of Afshar et al., and so does our cell, as a table of hundredths of charge
    import runtime.simulation.cells as cells_module

    grid = np.arange(-3, 104) / 100
    table = np.interp(grid, np.linspace(0, 1, 101), lfp(np.linspace(0, 1, 101)))
    monkeypatch.setattr(cells_module, "_HUNDREDTHS", table)
    monkeypatch.setattr(cells_module, "_RISE", np.append(np.diff(table), 0.0))
    current = profile(280.0, 2.0, 0.5)
    truth = thevenin(lfp, current, 280.0, 0.0002, [(0.00012, 60.0)])
    cells = build_cells(RackSettings(modules=1, cells_per_module=1, cell=ALIKE, soc=0.6, soh=1.0), np.random.default_rng(0))
    volts, charge = [], []
    for at, amperes in enumerate(truth.i):
        volts.append(terminal_voltage(cells, ALIKE, float(amperes))[0])
        charge.append(cells.soc[0])
        following = truth.i[min(at + 1, len(truth.i) - 1)]
        step_cells(cells, ALIKE, float(amperes + following) / 2, 25.0, 1.0)
    assert np.abs(np.array(charge) - truth.z).max() < 1e-4
    apart = np.abs(np.array(volts) - truth.v)
    assert apart.max() < 1e-3, "where the curve bends, a table of hundredths cuts the corner"
    assert np.median(apart) < 1e-4
