"""What is really so in the simulated plant, by the names that a scenario uses: `cell_v`, `soc`, `p`.

It must not know the controller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from runtime.simulation.plant import Plant

_NUMBER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Truth:
    """One quantity of the plant: its unit, one sentence, and how its least and greatest value are read (one for a scalar).

    `cells` reads it for every cell (rack, cell); None for what is no cell's.
    """

    unit: str
    text: str
    read: Callable[[Plant], tuple[float, float]]
    cells: Callable[[Plant], np.ndarray] | None = None


def _volts(plant: Plant) -> np.ndarray:
    racks = plant.racks
    currents = np.array([[rack.circuit.current_a] for rack in racks.racks])
    volts: np.ndarray = racks.now.volts - currents * racks.now.ohms
    return volts


def _cell_volts(plant: Plant) -> tuple[float, float]:
    volts = _volts(plant)
    return float(volts.min()), float(volts.max())


def cells_of(truth: Truth, plant: Plant, tag: str, length: int) -> np.ndarray | None:
    """What this tag should show of every cell: those of all racks, or of the rack that it names, `rack[3].cell_v`; else None."""
    if truth.cells is None:
        return None
    found = truth.cells(plant)
    named = _NUMBER.search(tag)
    rack = int(named[1]) - 1 if named is not None else 0
    return found.ravel() if found.size == length else found[min(rack, len(found) - 1)]


def _cell_celsius(plant: Plant) -> tuple[float, float]:
    celsius = plant.racks.cells.celsius
    return float(celsius.min()), float(celsius.max())


def _cell_soc(plant: Plant) -> tuple[float, float]:
    soc = plant.racks.cells.soc
    return float(soc.min()) * 100, float(soc.max()) * 100


def _scalar(read: Callable[[Plant], float]) -> Callable[[Plant], tuple[float, float]]:
    def both(plant: Plant) -> tuple[float, float]:
        value = float(read(plant))
        return value, value

    return both


def power(plant: Plant) -> float:
    """What all converters give (kW, AC side, discharge positive)."""
    return sum(pcs.p_ac_kw for pcs in plant.converters)


def _rack_volts(plant: Plant) -> float:
    rack = plant.rack
    return float(np.sum(_volts(plant)[0])) - rack.circuit.current_a * rack.settings.wiring_ohm


def of_each_rack(name: str, plant: Plant) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value of each rack: of its cells, or its current."""
    cells = TRUTHS[name].cells
    if cells is None:
        currents = np.array([rack.circuit.current_a for rack in plant.racks.racks])
        return currents, currents
    values = cells(plant)
    return values.min(axis=1), values.max(axis=1)


OF_RACKS = ("cell_v", "cell_t", "current")  # what `of_each_rack` knows

TRUTHS: Mapping[str, Truth] = {
    "cell_v": Truth("V", "voltage of any cell, at its terminals", _cell_volts, _volts),
    "cell_t": Truth("°C", "temperature of any cell", _cell_celsius, lambda plant: plant.racks.cells.celsius),
    "cell_soc": Truth("%", "state of charge of any cell", _cell_soc, lambda plant: plant.racks.cells.soc * 100),
    "soc": Truth("%", "mean state of charge of the cells", _scalar(lambda plant: plant.racks.cells.soc.mean() * 100)),
    "v": Truth("V", "voltage of the first string, battery side of the contactors", _scalar(_rack_volts)),
    "current": Truth("A", "current of the first string, discharge positive", _scalar(lambda plant: plant.rack.circuit.current_a)),
    "p": Truth("kW", "power of all converters at their AC side, discharge positive", _scalar(power)),
    "v_dc": Truth("V", "voltage of the first DC link", _scalar(lambda plant: plant.rack.circuit.v_link)),
    "grid_p": Truth("kW", "power taken from the grid", _scalar(lambda plant: plant.grid.p_kw)),
    "frequency": Truth("Hz", "frequency of the grid", _scalar(lambda plant: plant.grid.frequency_hz)),
    "converter_t": Truth("°C", "temperature of the first converter", _scalar(lambda plant: plant.pcs.celsius)),
}
