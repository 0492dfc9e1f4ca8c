"""The cells of a rack: charge, voltage and heat of every cell at once, as columns of NumPy.

It must not know contactors, limits or buses. Discharge current is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from runtime.simulation.settings import CellSettings, RackSettings

# Open-circuit voltage of an LFP/graphite cell at 25 °C and rest: steep ends and two plateaus (graphite stages), the shape of
# the measured curves in Prada et al., J. Electrochem. Soc. 159 (2012) A1508. Beyond 0 and 1 the curve runs on steeply, so that
# an overcharged or emptied cell shows it.
OCV = (
    (-0.03, 1.800),
    (0.00, 2.500),
    (0.01, 2.750),
    (0.02, 2.900),
    (0.05, 3.080),
    (0.10, 3.200),
    (0.15, 3.220),
    (0.20, 3.247),
    (0.30, 3.279),
    (0.40, 3.289),
    (0.50, 3.292),
    (0.60, 3.297),
    (0.65, 3.312),
    (0.70, 3.327),
    (0.80, 3.331),
    (0.90, 3.334),
    (0.95, 3.338),
    (0.98, 3.360),
    (0.99, 3.385),
    (1.00, 3.450),
    (1.03, 4.300),
)
OCV_SOC, OCV_V = (np.array(column) for column in zip(*OCV, strict=True))


@dataclass(slots=True)
class Cells:
    """The state of all cells in series and what makes each one different: one column a quantity, one row a cell.

    `held_c` is NaN, or the temperature at which a fault holds the cell. `bleeding` is true where the balancing resistor is on.
    """

    soc: np.ndarray
    v_rc: np.ndarray
    celsius: np.ndarray
    capacity_as: np.ndarray
    r0: np.ndarray
    r1: np.ndarray
    cooling: np.ndarray
    held_c: np.ndarray
    bleeding: np.ndarray


def build_cells(rack: RackSettings, random: np.random.Generator) -> Cells:
    """The cells of one rack, each a little different. The mean state of charge is exactly the rack's."""
    cell, count = rack.cell, rack.cells
    scatter = random.standard_normal((5, count))
    resistance = 1 + cell.resistance_spread * scatter[1]
    soc = rack.soc + cell.soc_spread * (scatter[2] - scatter[2].mean())
    return Cells(
        soc=np.clip(soc, 0.0, 1.0),
        v_rc=np.zeros(count),
        celsius=rack.ambient_c + cell.temperature_spread_k * scatter[4],
        capacity_as=cell.capacity_ah * 3600 * rack.soh * (1 + cell.capacity_spread * scatter[0]),
        r0=cell.r0_ohm * resistance,
        r1=cell.r1_ohm * resistance,
        cooling=cell.cooling_w_per_k * np.clip(1 + cell.cooling_spread * scatter[3], 0.3, 2.0),
        held_c=np.full(count, np.nan),
        bleeding=np.zeros(count, dtype=bool),
    )


def rest_voltage(soc: np.ndarray) -> np.ndarray:
    """Open-circuit voltage of cells at rest with this state of charge (0..1), in volts."""
    volts: np.ndarray = np.interp(soc, OCV_SOC, OCV_V)
    return volts


def inner_resistance(cells: Cells, cell: CellSettings) -> np.ndarray:
    """The ohmic resistance of each cell at its temperature, in ohms."""
    return cells.r0 * np.exp(cell.resistance_per_k * (25.0 - cells.celsius))


def step_cells(cells: Cells, cell: CellSettings, current_a: float, ambient_c: float, dt_s: float) -> float:
    """Let this current flow for a time; returns the heat made in all cells, in watts.

    The RC pair and the temperature follow their exact exponentials, so any step is stable: a second is as right as a
    millisecond as long as the current stays the same. Joule heat: I²R0 + V_rc²/R1.
    """
    current = current_a + np.where(cells.bleeding, rest_voltage(cells.soc) / cell.bleed_ohm, 0.0)
    resistance = inner_resistance(cells, cell)
    heat = current * current * resistance + cells.v_rc * cells.v_rc / cells.r1
    cells.soc -= current * (dt_s / cells.capacity_as)
    fade = math.exp(-dt_s / cell.tau_s)
    cells.v_rc *= fade
    cells.v_rc += current * cells.r1 * (1 - fade)
    settled = ambient_c + heat / cells.cooling
    cells.celsius = settled + (cells.celsius - settled) * np.exp(-dt_s * cells.cooling / cell.heat_capacity_j_per_k)
    held = ~np.isnan(cells.held_c)
    if held.any():
        cells.celsius[held] = cells.held_c[held]
    return float(heat.sum())


def terminal_voltage(cells: Cells, cell: CellSettings, current_a: float) -> np.ndarray:
    """The voltage of each cell while this current flows, in volts."""
    volts: np.ndarray = rest_voltage(cells.soc) - cells.v_rc - current_a * inner_resistance(cells, cell)
    return volts
