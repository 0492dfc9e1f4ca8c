"""Cells whose truth is known, for the tests of estimation: PyBaMM's circuit and particle models under a noisy drive.

The state of charge is what the model says, or the integral of the true current; what a filter sees is rounded and noisy.
`estimates` runs a compiled filter over it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm
from scipy.optimize import curve_fit

from blocks.declare import BlockType
from tests.aids.scan_table import SIGNATURE, Twin

GRID = np.linspace(0.0, 1.0, 21)
Curve = Callable[[Any], Any]


def graphite(x: Any) -> Any:
    """Chen et al., J. Electrochem. Soc. 167 (2020) 080534, eq. 9."""
    return (
        1.9793 * np.exp(-39.3631 * x)
        + 0.2482
        - 0.0909 * np.tanh(29.8538 * (x - 0.1234))
        - 0.04478 * np.tanh(14.9159 * (x - 0.2769))
        - 0.0205 * np.tanh(30.4444 * (x - 0.6103))
    )


def lfp(z: Any) -> Any:
    """Afshar et al., arXiv 1709.03970 (2017), against graphite; 2.0 V to 3.6 V."""
    y = 0.9 + (0.0038 - 0.9) * z
    cathode = 3.4077 - 0.020269 * y + 0.5 * np.exp(-150 * y) - 0.9 * np.exp(-30 * (1 - y))
    return cathode - graphite(0.018899 + (0.811 - 0.018899) * z)


def nmc(z: Any) -> Any:
    """The LG M50 of Chen et al. 2020, eq. 8 against eq. 9."""
    y = 0.9077 + (0.2661 - 0.9077) * z
    cathode = (
        -0.8090 * y
        + 4.4875
        - 0.0428 * np.tanh(18.5138 * (y - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (y - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (y - 0.3120))
    )
    return cathode - graphite(0.0279 + (0.9106 - 0.0279) * z)


CHEMISTRIES: dict[str, Curve] = {"LFP": lfp, "NMC": nmc}


@dataclass(frozen=True)
class Truth:
    """One sample a second: state of charge 0 to 1, cell voltage and current without noise."""

    z: np.ndarray
    v: np.ndarray
    i: np.ndarray

    def measured(self, seed: int = 1, v_noise: float = 1e-3, i_noise: float = 0.0007) -> tuple[np.ndarray, np.ndarray]:
        """Voltage and current as sensors show them: 1 mV noise and steps; current noise as a share of the largest current."""
        chance = np.random.default_rng(seed)
        noise = i_noise * np.max(np.abs(self.i))
        v = np.round(self.v + v_noise * chance.standard_normal(len(self.v)), 3)
        return v, self.i + noise * chance.standard_normal(len(self.i))


def profile(capacity: float, hours: float, rate: float, low: float = 0.12, high: float = 0.93, start: float = 0.6) -> np.ndarray:
    """Current at each second: a new level each minute, a fifth of them rests, up to `rate` C between two states of charge."""
    chance = np.random.default_rng(1)
    scans = int(hours * 3600)
    charge, direction, level = start, 1.0, 0.0
    i = np.zeros(scans)
    for t in range(scans):
        if t % 60 == 0:
            level = chance.choice([0.0, 0.25, 0.5, 0.75, 1.0])
            level += 0.1 * chance.standard_normal() if level else 0.0
        direction = -1.0 if charge < low else (1.0 if charge > high else direction)
        i[t] = direction * rate * capacity * level
        charge -= i[t] / (3600.0 * capacity)
    return i


def _interpolant(i: np.ndarray) -> Callable[[Any], Any]:
    """The current as a function of time with corners only where it changes; a change takes one second."""
    corners = np.flatnonzero(np.diff(i)) if len(i) > 1 else np.array([], int)
    at = np.unique(np.concatenate([[0], corners, corners + 1, [len(i) - 1]]))
    return lambda t: pybamm.Interpolant(at.astype(float), i[at], t)


def thevenin(ocv: Curve, i: np.ndarray, capacity: float, r0: float, pairs: list[tuple[float, float]], start: float = 0.6) -> Truth:
    """PyBaMM's equivalent circuit: an open-circuit voltage, R0 and RC pairs (R, tau), at 25 degrees throughout."""
    model = pybamm.equivalent_circuit.Thevenin(options={"number of rc elements": len(pairs)})
    values = model.default_parameter_values
    values.update(
        {
            "Initial SoC": start,
            "Cell capacity [A.h]": capacity,
            "Nominal cell capacity [A.h]": capacity,
            "Current function [A]": _interpolant(i),
            "Upper voltage cut-off [V]": 10.0,
            "Lower voltage cut-off [V]": 0.0,
            "Open-circuit voltage [V]": ocv,
            "R0 [Ohm]": r0,
            "Entropic change [V/K]": 0.0,
            "Cell-jig heat transfer coefficient [W/K]": 1e4,
            "Jig-air heat transfer coefficient [W/K]": 1e4,
        },
        check_already_exists=False,
    )
    for number, (r, tau) in enumerate(pairs, 1):
        element = {f"R{number} [Ohm]": r, f"C{number} [F]": tau / r, f"Element-{number} initial overpotential [V]": 0.0}
        values.update(element, check_already_exists=False)
    solution = _solve(model, values, len(i))
    return Truth(solution["SoC"].entries, solution["Voltage [V]"].entries, solution["Current [A]"].entries)


@dataclass(frozen=True)
class Particles:
    """A single particle model with a published parameter set, and what a laboratory would measure of that cell at rest."""

    values: pybamm.ParameterValues
    capacity: float
    table: np.ndarray

    def run(self, i: np.ndarray, start: float = 0.6) -> Truth:
        """The cell under a current, from rest at a state of charge."""
        values = self.values.copy()
        limits = {"Upper voltage cut-off [V]": 10.0, "Lower voltage cut-off [V]": 0.0}
        values.set_initial_state(start)
        values.update({"Current function [A]": _interpolant(i), **limits})
        solution = _solve(pybamm.lithium_ion.SPM(), values, len(i))
        current = solution["Current [A]"].entries
        charge = np.concatenate([[0.0], np.cumsum(0.5 * (current[1:] + current[:-1]))]) / 3600.0
        return Truth(start - charge / self.capacity, solution["Voltage [V]"].entries, current)

    def relaxation(self) -> tuple[float, np.ndarray]:
        """A quarter of an hour of C/2 about 50 %, then half an hour of rest: the current, and the voltage gained each second."""
        amps = 0.5 * self.capacity
        truth = self.run(np.concatenate([np.zeros(60), np.full(900, amps), np.zeros(1800)]), 0.55)
        return amps, truth.v[961:] - truth.v[959]

    def pulse(self) -> tuple[float, float, float]:
        """R0, R1 and TAU as a laboratory finds them: what comes back at once, what later, and 63 % of the time of that."""
        amps, back = self.relaxation()
        tau = float(np.argmax(back - back[0] > 0.632 * (back[-1] - back[0])))
        return back[0] / amps, (back[-1] - back[0]) / amps, tau

    def two_pairs(self) -> tuple[float, list[tuple[float, float]]]:
        """R0 and two pairs (R, tau), by least squares over the same relaxation."""
        amps, back = self.relaxation()
        t = np.arange(len(back), dtype=float)

        def model(t: np.ndarray, r0: float, r1: float, t1: float, r2: float, t2: float) -> np.ndarray:
            pairs = sum(r * (1.0 - np.exp(-900.0 / tau)) * (1.0 - np.exp(-t / tau)) for r, tau in ((r1, t1), (r2, t2)))
            return 1e3 * amps * (r0 + pairs)

        r = back[-1] / amps
        low, high = [0.0, 0.0, 2.0, 0.0, 100.0], [2.0 * r, r, 100.0, r, 1500.0]
        found, _ = curve_fit(model, t, 1e3 * back, [0.6 * r, 0.2 * r, 20.0, 0.2 * r, 300.0], bounds=(low, high))
        return found[0], [(found[1], found[2]), (found[3], found[4])]


def particles(name: str) -> Particles:
    """The cell of a PyBaMM parameter set: Prada2013 (LFP) or Chen2020 (NMC)."""
    values = pybamm.ParameterValues(name)
    x0, x100, y100, y0 = (float(s) for s in pybamm.lithium_ion.get_min_max_stoichiometries(values))
    lithium = float(values.evaluate(pybamm.LithiumIonParameters().n.Q_init))
    cathode, anode = values["Positive electrode OCP [V]"], values["Negative electrode OCP [V]"]
    table = [
        float(values.evaluate(cathode(pybamm.Scalar(y0 + (y100 - y0) * z)) - anode(pybamm.Scalar(x0 + (x100 - x0) * z))))
        for z in GRID
    ]
    return Particles(values, (x100 - x0) * lithium, np.array(table))


def _solve(model: Any, values: pybamm.ParameterValues, seconds: int) -> Any:
    at = np.arange(seconds, dtype=float)
    simulation = pybamm.Simulation(model, parameter_values=values, solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8))
    return simulation.solve([0.0, at[-1]], t_interp=at)


def estimates(
    block: BlockType,
    cases: Sequence[Mapping[str, Any]],
    v: np.ndarray,
    i: np.ndarray,
    names: Sequence[str],
    dt: int = 1_000_000_000,
) -> dict[str, np.ndarray]:
    """The named outputs at every scan, one column a case: one cell each, as rows of one compiled call."""
    twin = Twin(block)
    columns = {}
    for pin in block.pins:
        values = [case.get(pin.name, twin.get(pin.name)) for case in cases]
        columns[pin.name] = np.array(values, dtype=twin.columns[pin.name].dtype).reshape(-1)
    addresses = (ctypes.c_void_p * len(columns))(*[column.ctypes.data for column in columns.values()])
    call = SIGNATURE(twin.kernel.address)
    seen = {name: np.zeros((len(i), len(cases))) for name in names}
    for t in range(len(i)):
        if v is not None:
            columns["V"][:] = v[t]
        columns["I"][:] = i[t]
        call(ctypes.addressof(addresses), len(cases), 0, dt)
        for name, values in seen.items():
            values[t] = columns[name]
    return seen


def rmse(error: np.ndarray) -> float:
    """The root of the mean square, over all cases the worst."""
    return float(np.max(np.sqrt(np.mean(error**2, axis=0))))
