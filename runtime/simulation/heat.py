"""Where heat goes: into the cell and its coolant, to its neighbours in the module, and out of a cell that runs away.

It must not know current or charge. Temperatures are columns in °C, changed in place.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np

from runtime.simulation.settings import CellSettings

ZERO_C = 273.15
SELF_HEATING_K_PER_S = 0.02 / 60  # what an accelerating rate calorimeter calls the beginning, T1
RUNAWAY_K_PER_S = 1.0  # what it calls runaway, T2
SHORTEST_REACTION_S = 0.5


def warm(
    celsius: np.ndarray,
    heat_w: np.ndarray,
    cooling_w_per_k: np.ndarray,
    sink_c: float | np.ndarray,
    sink_scale: float | np.ndarray,
    cell: CellSettings,
    dt_s: float,
) -> None:
    """Heat goes in, coolant takes it away: C dT/dt = P - G (T - sink), by its exact exponential."""
    conductance = cooling_w_per_k * sink_scale
    settled = heat_w / conductance
    settled += sink_c
    conductance *= -dt_s / cell.heat_capacity_j_per_k
    celsius -= settled
    celsius *= np.exp(conductance, out=conductance)
    celsius += settled


@cache
def _modes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """How temperature differences along a row of `count` equal cells decay: shapes, and rates as multiples of G/C."""
    chain = 2 * np.eye(count) - np.eye(count, k=1) - np.eye(count, k=-1)
    chain[0, 0] -= 1.0
    chain[-1, -1] -= 1.0
    rates, shapes = np.linalg.eigh(chain)
    return shapes, np.maximum(rates, 0.0)


@lru_cache(maxsize=64)  # the few lengths of a step
def _mixing(count: int, exchanged: float) -> np.ndarray:
    """What each cell of a row has of every other's difference, once so much of G/C times the time has passed."""
    shapes, rates = _modes(count)
    mixed: np.ndarray = (shapes * np.exp(-rates * exchanged)) @ shapes.T
    return mixed


def conduct(celsius: np.ndarray, per_module: int, cell: CellSettings, dt_s: float) -> None:
    """Heat goes from cell to cell through the faces of a module: Fourier's law for a row of cells, solved exactly.

    No heat is lost: every row of the matrix sums to one. Modules do not touch each other.
    """
    mixing = _mixing(per_module, dt_s * cell.conduction_w_per_k / cell.heat_capacity_j_per_k)
    rows = celsius.reshape(-1, per_module)
    # Only differences are mixed: a module at one temperature stays there to the last bit.
    middle = rows[:, :1].copy()
    rows[:] = (rows - middle) @ mixing + middle


def reaction_per_s(celsius: np.ndarray, cell: CellSettings) -> np.ndarray:
    """Which part of an unreacted cell reacts in a second at this temperature.

    One reaction of first order by Arrhenius. Its two numbers follow from the two temperatures that an accelerating rate
    calorimeter finds (Feng et al., Joule 4 (2020) 743): at T1 the cell heats itself by 0.02 K/min, at T2 by 1 K/s. With 120 and
    220 °C the activation energy is 129 kJ/mol, near the 135 kJ/mol of the SEI's decomposition (Kim et al., J. Power Sources 170
    (2007) 476). Full heat raises an LFP cell to some 500 °C (534 °C: published heating of a 100 Ah cell).
    """
    begin, run = cell.onset_c + ZERO_C, cell.runaway_c + ZERO_C
    kelvin = math.log(RUNAWAY_K_PER_S / SELF_HEATING_K_PER_S) / (1 / begin - 1 / run)
    rate: np.ndarray = (
        SELF_HEATING_K_PER_S
        * cell.heat_capacity_j_per_k
        / cell.runaway_heat_j
        * np.exp(kelvin * (1 / begin - 1 / (celsius + ZERO_C)))
    )
    return rate


def react(celsius: np.ndarray, unreacted: np.ndarray, cell: CellSettings, dt_s: float) -> None:
    """Let hot cells react: what is used up in the step turns into heat in the cell. Below T1 less 20 K nothing is worth a count."""
    if celsius.max() < cell.onset_c - 20.0:
        return
    hot = (celsius > cell.onset_c - 20.0) & (unreacted > 0.0)
    if not hot.any():
        return
    rise_k = cell.runaway_heat_j / cell.heat_capacity_j_per_k
    t, left = celsius[hot], unreacted[hot]
    # The reaction speeds itself up; short steps keep it from jumping over its own acceleration.
    turns = max(1, min(math.ceil(dt_s / SHORTEST_REACTION_S), 200))
    for _ in range(turns):
        used = left * -np.expm1(-reaction_per_s(t, cell) * (dt_s / turns))
        left = left - used
        t = t + used * rise_k
    celsius[hot], unreacted[hot] = t, left
