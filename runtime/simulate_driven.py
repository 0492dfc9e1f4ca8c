"""How far the cells go by the plant's own truth: those that a fault itself drives apart from those that must be kept safe.

It must not know the controller.
"""

from __future__ import annotations

import numpy as np

from runtime.simulate_record import FaultSpan, Reach, Record
from runtime.simulate_truth import TRUTHS
from runtime.simulation.plant import Plant

DRIVEN: dict[str, tuple[str, ...]] = {  # what of a cell a fault itself drives: nobody can keep it in its safe area
    "cell_t": ("over_heat_cell", "runaway_cell", "cell_short"),
    "cell_v": ("open_cell", "loose_cell", "cell_short", "runaway_cell"),
}


class DrivenCells:
    """How far the cells go: those that a fault itself drives apart from those that the controller has to keep safe.

    A cell that was driven counts among the others again once it is back inside.
    """

    def __init__(self, plant: Plant, record: Record):
        self.plant, self.record = plant, record
        shape = plant.racks.cells.soc.shape
        self._driven = {name: np.zeros(shape, bool) for name in DRIVEN}
        self._faults: dict[str, list[FaultSpan]] = {name: [] for name in DRIVEN}
        self._taken = 0  # faults of the record

    def look(self, time: float, passed: float) -> None:
        """Take the cells as they are after a turn."""
        for fault in self.record.faults[self._taken :]:
            for name, kinds in DRIVEN.items():
                if fault.kind in kinds and not fault.refused:
                    self._faults[name].append(fault)
        self._taken = len(self.record.faults)
        for reach in self.record.reaches:
            truth = TRUTHS[reach.name]
            if truth.cells is None or not (self._faults[reach.name] or self._driven[reach.name].any()):
                reach.see(*truth.read(self.plant), time, passed)
                continue
            cells, driven = truth.cells(self.plant), self._mark(reach, truth.cells(self.plant))
            _see(reach, cells[~driven], time, passed)
            _see(self._apart(reach), cells[driven], time, passed)

    def _mark(self, reach: Reach, cells: np.ndarray) -> np.ndarray:
        """The cells that a fault drives now, or has driven to where they are outside."""
        driven = self._driven[reach.name]
        driven &= (cells < reach.low) | (cells > reach.high)
        standing = [fault for fault in self._faults[reach.name] if fault.ended is None]
        for fault in self._faults[reach.name]:  # one that has just ended too: its cell is still where it was driven
            driven[int(fault.details.get("rack", 1)) - 1, int(fault.details["cell"]) - 1] = True
        self._faults[reach.name] = standing
        return driven

    def _apart(self, reach: Reach) -> Reach:
        """The reach of the driven cells, beside that of the others."""
        for one in self.record.broken_reaches:
            if one.name == reach.name:
                return one
        self.record.broken_reaches.append(Reach(reach.name, reach.unit, reach.low, reach.high))
        return self.record.broken_reaches[-1]


def _see(reach: Reach, cells: np.ndarray, time: float, passed: float) -> None:
    if len(cells):
        reach.see(float(cells.min()), float(cells.max()), time, passed)
