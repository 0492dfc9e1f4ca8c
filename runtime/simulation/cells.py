"""The cells of all racks: charge, voltage and current of every cell at once, as columns of NumPy.

It must not know contactors, limits or buses, nor where heat goes (heat.py). Discharge current is positive. A column is one row
of cells for one rack, or (rack, cell) for several; every law here works on both.

The circuit of a cell, from its inside to its terminal: rest voltage with hysteresis, RC pair, R0; there its leaks stand across it
(self-discharge, a short inside, the balancing resistor); last comes what a fault adds to its connection. Ageing is left out.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from runtime.simulation.heat import conduct, react, warm
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

# All corners of the curve stand on whole hundredths, so a table of hundredths is the same curve and needs no search.
_HUNDREDTHS = np.interp(np.arange(-3, 104) / 100, OCV_SOC, OCV_V)
_RISE = np.append(np.diff(_HUNDREDTHS), 0.0)
_LAST = len(_HUNDREDTHS) - 1
HOURS_A_MONTH = 30 * 24


@dataclass(slots=True)
class Cells:
    """The state of all cells and what makes each one different: one column a quantity.

    `hysteresis` runs from -1 (after discharge) to 1 (after charge). `held_c` is NaN, or the temperature at which a fault holds the
    cell. `bleeding` is true where the balancing resistor is on. `leak_s` is the conductance across the inside of the cell in
    siemens: self-discharge, and a short inside as a fault. `added_ohm` is what a bad connection adds; an open cell has 1 MOhm.
    `unreacted` is the part of the cell that no runaway has burnt.
    """

    soc: np.ndarray
    v_rc: np.ndarray
    hysteresis: np.ndarray
    celsius: np.ndarray
    capacity_as: np.ndarray
    r0: np.ndarray
    r1: np.ndarray
    cooling: np.ndarray
    held_c: np.ndarray
    bleeding: np.ndarray
    leak_s: np.ndarray
    added_ohm: np.ndarray
    unreacted: np.ndarray
    per_module: int


OPEN_OHM = 1e6


def build_cells(rack: RackSettings, random: np.random.Generator) -> Cells:
    """The cells of one rack, each a little different. The mean state of charge is exactly the rack's."""
    cell, count = rack.cell, rack.cells
    scatter = random.standard_normal((5, count))
    resistance = 1 + cell.resistance_spread * scatter[1]
    soc = rack.soc + cell.soc_spread * (scatter[2] - scatter[2].mean())
    capacity_as = cell.capacity_ah * 3600 * rack.soh * (1 + cell.capacity_spread * scatter[0])
    return Cells(
        soc=np.clip(soc, 0.0, 1.0),
        v_rc=np.zeros(count),
        hysteresis=np.zeros(count),
        celsius=rack.ambient_c + cell.temperature_spread_k * scatter[4],
        capacity_as=capacity_as,
        r0=cell.r0_ohm * resistance,
        r1=cell.r1_ohm * resistance,
        cooling=cell.cooling_w_per_k * np.clip(1 + cell.cooling_spread * scatter[3], 0.3, 2.0),
        held_c=np.full(count, np.nan),
        bleeding=np.zeros(count, dtype=bool),
        leak_s=np.full(count, own_leak_s(cell)),
        added_ohm=np.zeros(count),
        unreacted=np.ones(count),
        per_module=rack.cells_per_module,
    )


def own_leak_s(cell: CellSettings) -> float:
    """A sound cell's self-discharge as a conductance at 3.3 V, in siemens."""
    return cell.capacity_ah * cell.self_discharge_per_month / HOURS_A_MONTH / 3.3


def stack(racks: list[Cells]) -> Cells:
    """The cells of several racks as one set of columns (rack, cell)."""
    columns = {name: np.stack([getattr(cells, name) for cells in racks]) for name in _column_names()}
    return Cells(**columns, per_module=racks[0].per_module)


def cells_of_rack(cells: Cells, rack: int) -> Cells:
    """One rack's row of the columns: a view, what is written to it is written to the plant."""
    return Cells(**{name: getattr(cells, name)[rack] for name in _column_names()}, per_module=cells.per_module)


def _column_names() -> list[str]:
    return [item.name for item in dataclasses.fields(Cells) if item.name != "per_module"]


def rest_voltage(soc: np.ndarray) -> np.ndarray:
    """Open-circuit voltage of cells at rest with this state of charge (0..1), in volts, between charge and discharge."""
    place = soc * 100.0
    place += 3.0
    np.maximum(place, 0.0, out=place)
    np.minimum(place, _LAST, out=place)
    below = place.astype(np.intp)
    place -= below
    place *= _RISE.take(below)
    place += _HUNDREDTHS.take(below)
    return place


def inner_voltage(cells: Cells, cell: CellSettings) -> np.ndarray:
    """The voltage behind R0: rest voltage with hysteresis, less what the RC pair holds. What has burnt gives none. In volts."""
    volts = rest_voltage(cells.soc)
    if cell.hysteresis_v:
        volts += cell.hysteresis_v * cells.hysteresis
    volts *= cells.unreacted
    volts -= cells.v_rc
    return volts


def inner_resistance(cells: Cells, cell: CellSettings) -> np.ndarray:
    """The ohmic resistance of each cell at its temperature, in ohms, without its connection."""
    if not cell.resistance_per_k:
        return cells.r0.copy()
    ohms: np.ndarray = cells.r0 * np.exp(cell.resistance_per_k * (25.0 - cells.celsius))
    return ohms


@dataclass(slots=True)
class Sources:
    """Each cell as its neighbours see it (Thevenin): `volts` behind `ohms`. `inner_v` and `inner_ohm` are behind the leaks.

    `leak_s` is all that stands across the cell, `kept` the part of voltage and resistance that the leaks leave: 1 / (1 + R0 G).
    """

    volts: np.ndarray
    ohms: np.ndarray
    inner_v: np.ndarray
    inner_ohm: np.ndarray
    leak_s: np.ndarray
    kept: np.ndarray


def sources(cells: Cells, cell: CellSettings) -> Sources:
    """What every cell is to the circuit at this moment."""
    inner_v, inner_ohm = inner_voltage(cells, cell), inner_resistance(cells, cell)
    leak_s = cells.leak_s + cells.bleeding * (1.0 / cell.bleed_ohm)
    kept = 1.0 / (1.0 + inner_ohm * leak_s)
    return Sources(inner_v * kept, inner_ohm * kept + cells.added_ohm, inner_v, inner_ohm, leak_s, kept)


def terminal_voltage(cells: Cells, cell: CellSettings, current_a: float | np.ndarray) -> np.ndarray:
    """The voltage of each cell while this current flows, in volts."""
    now = sources(cells, cell)
    volts: np.ndarray = now.volts - current_a * now.ohms
    return volts


def step_cells(
    cells: Cells,
    cell: CellSettings,
    current_a: float | np.ndarray,
    sink_c: float | np.ndarray,
    dt_s: float,
    now: Sources | None = None,
    sink_scale: float | np.ndarray = 1.0,
) -> np.ndarray:
    """Let this current flow for a time; returns the heat made in each cell, in watts.

    The RC pair and the temperature follow their exact exponentials, so any step is stable: a second is as right as a
    millisecond as long as the current stays the same. Heat: I²R0 + V_rc²/R1, what leaks and connection turn into heat, and the
    work against the hysteresis. `sink_c` is what the cells are cooled by, `sink_scale` how much better than in still air.

    Hysteresis is the one-state model of Plett, J. Power Sources 134 (2004) 262, without its instantaneous part:
    dh/dz = rate (sgn - h), here as an implicit step, which cannot overshoot. For LFP half the gap is 10 mV (Dreyer et al.,
    Nature Materials 9 (2010) 448). The reversible heat of the entropy is left out: for LFP it is small beside the others.
    """
    now = now if now is not None else sources(cells, cell)
    across = (now.inner_v - current_a * now.inner_ohm) * now.kept
    aside = across * now.leak_s
    current = aside + current_a
    heat = current * current
    heat *= now.inner_ohm
    heat += cells.v_rc * cells.v_rc / cells.r1
    heat += across * aside
    heat += cells.added_ohm * np.square(current_a)
    moved = current * dt_s / cells.capacity_as
    cells.soc -= moved
    if cell.hysteresis_v:
        heat -= current * cells.hysteresis * cells.unreacted * cell.hysteresis_v
        moved *= cell.hysteresis_rate
        cells.hysteresis -= moved
        cells.hysteresis /= 1.0 + np.abs(moved)
    fade = math.exp(-dt_s / cell.tau_s)
    cells.v_rc *= fade
    cells.v_rc += current * cells.r1 * (1 - fade)
    warm(cells.celsius, heat, cells.cooling, sink_c, sink_scale, cell, dt_s)
    if cell.conduction_w_per_k:
        conduct(cells.celsius, cells.per_module, cell, dt_s)
    react(cells.celsius, cells.unreacted, cell, dt_s)
    held = ~np.isnan(cells.held_c)
    if held.any():
        cells.celsius[held] = cells.held_c[held]
    return heat
