"""What the racks' sensors show of their cells: truth, a little noise, and nothing at all where a wire is cut.

It must not know what is done with it. One sampling covers every rack; columns are (rack, cell).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.simulation.bms import NOT_AVAILABLE
from runtime.simulation.cells import Cells, Sources
from runtime.simulation.settings import RackSettings


@dataclass(slots=True)
class Sensors:
    """Cut wires (true where a fault has cut one), offsets and stuck values that faults put in, and the last readings."""

    open_volts: np.ndarray
    open_thermistors: np.ndarray
    stuck_v: np.ndarray
    stuck_c: np.ndarray
    cell_v: np.ndarray
    cell_t: np.ndarray
    truth_v: np.ndarray


@dataclass(frozen=True, slots=True)
class Extremes:
    """The least and the greatest of each rack that is available, NaN where none is; and the racks with a cut wire."""

    v_min: list[float]
    v_max: list[float]
    t_min: list[float]
    t_max: list[float]
    blind: list[bool]
    v_sum: list[float]


def build_sensors(racks: int, cells: int) -> Sensors:
    shape = (racks, cells)
    return Sensors(
        open_volts=np.zeros(shape, dtype=bool),
        open_thermistors=np.zeros(shape, dtype=bool),
        stuck_v=np.full(shape, np.nan),
        stuck_c=np.full(shape, np.nan),
        cell_v=np.zeros(shape),
        cell_t=np.zeros(shape),
        truth_v=np.zeros(shape),
    )


def sample(
    sensors: Sensors, cells: Cells, now: Sources, current_a: np.ndarray, randoms: list[np.random.Generator], rack: RackSettings
) -> Extremes:
    """Read every cell of every rack. Each rack draws its noise from its own stream, so racks do not disturb each other."""
    np.subtract(now.volts, current_a[:, None] * now.ohms, out=sensors.truth_v)
    count = sensors.cell_v.shape[1]
    noise = np.empty((len(randoms), 2, count))
    for row, random in zip(noise, randoms, strict=True):
        random.standard_normal(out=row)
    np.multiply(noise[:, 0], rack.voltage_noise_v, out=sensors.cell_v)
    sensors.cell_v += sensors.truth_v
    np.multiply(noise[:, 1], rack.temperature_noise_k, out=sensors.cell_t)
    sensors.cell_t += cells.celsius
    for shown, stuck in ((sensors.cell_v, sensors.stuck_v), (sensors.cell_t, sensors.stuck_c)):
        lies = ~np.isnan(stuck)
        if lies.any():
            shown[lies] = stuck[lies]
    sensors.cell_v[sensors.open_volts] = NOT_AVAILABLE
    sensors.cell_t[sensors.open_thermistors] = NOT_AVAILABLE
    # fmin and fmax leave out what is not available.
    cut = np.count_nonzero(sensors.open_volts, axis=1).tolist()
    return Extremes(
        v_min=np.fmin.reduce(sensors.cell_v, axis=1).tolist(),
        v_max=np.fmax.reduce(sensors.cell_v, axis=1).tolist(),
        t_min=np.fmin.reduce(sensors.cell_t, axis=1).tolist(),
        t_max=np.fmax.reduce(sensors.cell_t, axis=1).tolist(),
        blind=[wires > 0 for wires in cut],
        v_sum=sensors.truth_v.sum(axis=1).tolist(),
    )
