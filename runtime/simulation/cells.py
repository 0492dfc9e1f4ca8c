"""The cells of all racks: charge, voltage and current of every cell at once, as columns of NumPy walked in one compiled pass.

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

from runtime.simulation.compiled import one_pass
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


@one_pass
def _at_rest(soc, hundredths, rise):  # type: ignore[no-untyped-def]
    """The curve at one state of charge; beyond its ends it stays where it ends."""
    if np.isnan(soc):
        return soc  # as a place in the table it would lie outside of it
    place = min(max(soc * 100.0 + 3.0, 0.0), float(len(hundredths) - 1))
    below = int(place)
    return (place - below) * rise[below] + hundredths[below]


@one_pass
def _curve(soc, hundredths, rise, volts):  # type: ignore[no-untyped-def]
    for i in range(soc.size):
        volts[i] = _at_rest(soc[i], hundredths, rise)


def rest_voltage(soc: np.ndarray) -> np.ndarray:
    """Open-circuit voltage of cells at rest with this state of charge (0..1), in volts, between charge and discharge."""
    volts = np.empty(soc.size)
    _curve(soc.reshape(-1), _HUNDREDTHS, _RISE, volts)
    return volts.reshape(soc.shape)


def inner_resistance(cells: Cells, cell: CellSettings) -> np.ndarray:
    """The ohmic resistance of each cell at its temperature, in ohms, without its connection."""
    if not cell.resistance_per_k:
        return cells.r0.copy()
    ohms: np.ndarray = cells.r0 * np.exp(cell.resistance_per_k * (25.0 - cells.celsius))
    return ohms


VOLTS, OHMS, INNER_V, INNER_OHM, LEAK_S, KEPT = range(6)  # the columns of Sources


@dataclass(frozen=True, slots=True)
class Sources:
    """Each cell as its neighbours see it (Thevenin): `volts` behind `ohms`; the other columns are how it comes to that.

    INNER_V and INNER_OHM are behind the leaks. LEAK_S is all that stands across the cell, KEPT the part of voltage and resistance
    that the leaks leave: 1 / (1 + R0 G).
    """

    columns: np.ndarray

    @property
    def volts(self) -> np.ndarray:
        return self.columns[VOLTS]

    @property
    def ohms(self) -> np.ndarray:
        return self.columns[OHMS]


def _as_racks(columns: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The columns as (rack, cell), those of one rack too."""
    return columns if columns[0].ndim == 2 else tuple(column[None] for column in columns)


@one_pass
def _see(columns, curve, hysteresis_v, bleed_s, seen):  # type: ignore[no-untyped-def]
    """Fill the columns of Sources but for INNER_OHM, which is there.

    Behind R0 stands the rest voltage with hysteresis, less what the RC pair holds; what has burnt gives none.
    """
    soc, v_rc, hysteresis, unreacted, own_leak_s, bleeding, added_ohm = columns
    hundredths, rise = curve
    racks, cells = soc.shape
    for r in range(racks):
        for i in range(cells):
            rest = _at_rest(soc[r, i], hundredths, rise) + hysteresis_v * hysteresis[r, i]
            inner_v, inner_ohm = rest * unreacted[r, i] - v_rc[r, i], seen[INNER_OHM, r, i]
            leak_s = own_leak_s[r, i] + bleed_s * bleeding[r, i]
            kept = 1.0 / (1.0 + inner_ohm * leak_s)
            seen[VOLTS, r, i], seen[OHMS, r, i] = inner_v * kept, inner_ohm * kept + added_ohm[r, i]
            seen[INNER_V, r, i], seen[LEAK_S, r, i], seen[KEPT, r, i] = inner_v, leak_s, kept


def sources(cells: Cells, cell: CellSettings) -> Sources:
    """What every cell is to the circuit at this moment."""
    columns = cells.soc, cells.v_rc, cells.hysteresis, cells.unreacted, cells.leak_s, cells.bleeding, cells.added_ohm
    curve = _HUNDREDTHS, _RISE
    seen = np.empty((6, *cells.soc.shape))
    seen[INNER_OHM] = inner_resistance(cells, cell)
    _see(_as_racks(columns), curve, cell.hysteresis_v, 1.0 / cell.bleed_ohm, seen.reshape(6, -1, cells.soc.shape[-1]))
    return Sources(seen)


def terminal_voltage(cells: Cells, cell: CellSettings, current_a: float | np.ndarray) -> np.ndarray:
    """The voltage of each cell while this current flows, in volts."""
    now = sources(cells, cell)
    volts: np.ndarray = now.volts - current_a * now.ohms
    return volts


@one_pass
def _flow(columns, seen, currents, dt_s, fade, hysteresis_v, hysteresis_rate):  # type: ignore[no-untyped-def]
    """The laws of `step_cells` but for the temperature; `currents` has one for all racks, or one a rack."""
    soc, v_rc, hysteresis, capacity_as, r1, unreacted, added_ohm, heat_w = columns
    racks, cells = soc.shape
    for r in range(racks):
        outside = currents[r % currents.size]
        for i in range(cells):
            inner_ohm = seen[INNER_OHM, r, i]
            across = (seen[INNER_V, r, i] - outside * inner_ohm) * seen[KEPT, r, i]
            aside = across * seen[LEAK_S, r, i]
            current = aside + outside
            heat = current * current * inner_ohm + v_rc[r, i] * v_rc[r, i] / r1[r, i]
            heat += across * aside
            heat += added_ohm[r, i] * (outside * outside)
            moved = current * dt_s / capacity_as[r, i]
            soc[r, i] -= moved
            if hysteresis_v != 0.0:
                heat -= current * hysteresis[r, i] * unreacted[r, i] * hysteresis_v
                moved *= hysteresis_rate
                hysteresis[r, i] = (hysteresis[r, i] - moved) / (1.0 + abs(moved))
            v_rc[r, i] = v_rc[r, i] * fade + current * r1[r, i] * (1.0 - fade)
            heat_w[r, i] = heat


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
    fade = math.exp(-dt_s / cell.tau_s)
    heat = np.empty(cells.soc.shape)
    columns = cells.soc, cells.v_rc, cells.hysteresis, cells.capacity_as, cells.r1, cells.unreacted, cells.added_ohm, heat
    seen = now.columns.reshape(6, -1, cells.soc.shape[-1])
    currents = np.array(current_a, np.float64).reshape(-1)
    _flow(_as_racks(columns), seen, currents, dt_s, fade, cell.hysteresis_v, cell.hysteresis_rate)
    warm(cells.celsius, heat, cells.cooling, sink_c, sink_scale, cell, dt_s)
    if cell.conduction_w_per_k:
        conduct(cells.celsius, cells.per_module, cell, dt_s)
    react(cells.celsius, cells.unreacted, cell, dt_s)
    held = ~np.isnan(cells.held_c)
    if held.any():
        cells.celsius[held] = cells.held_c[held]
    return heat
