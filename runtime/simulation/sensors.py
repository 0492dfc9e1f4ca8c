"""What the racks' sensors show of their cells: truth, a little noise, and nothing at all where a wire is cut.

It must not know what is done with it. One sampling covers every rack; columns are (rack, cell).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.simulation.cells import Cells, Sources
from runtime.simulation.compiled import one_pass
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
    count = sensors.cell_v.shape[1]
    noise = np.empty((len(randoms), 2, count))
    for row, random in zip(noise, randoms, strict=True):
        random.standard_normal(out=row)
    found = np.empty((5, len(randoms)))
    _read(
        (now.volts, now.ohms, cells.celsius, current_a),
        (noise, rack.voltage_noise_v, rack.temperature_noise_k),
        (sensors.stuck_v, sensors.stuck_c, sensors.open_volts, sensors.open_thermistors),
        (sensors.truth_v, sensors.cell_v, sensors.cell_t),
        found,
    )
    v_min, v_max, t_min, t_max, cut = found.tolist()
    return Extremes(v_min, v_max, t_min, t_max, [wires > 0 for wires in cut], sensors.truth_v.sum(axis=1).tolist())


@one_pass
def _read(truth, noises, faults, shown, found):  # type: ignore[no-untyped-def]
    """Truth and noise, then what a stuck sensor says instead, then nothing where a wire is cut; `found` are the extremes."""
    volts, ohms, celsius, current_a = truth
    noise, noise_v, noise_k = noises
    stuck_v, stuck_c, open_volts, open_thermistors = faults
    truth_v, cell_v, cell_t = shown
    racks, count = volts.shape
    for r in range(racks):
        v_min = v_max = t_min = t_max = np.nan  # not available: fmin and fmax take the other one
        cut = 0
        for i in range(count):
            truth_v[r, i] = volts[r, i] - current_a[r] * ohms[r, i]
            v, t = noise[r, 0, i] * noise_v + truth_v[r, i], noise[r, 1, i] * noise_k + celsius[r, i]
            v = v if np.isnan(stuck_v[r, i]) else stuck_v[r, i]
            t = t if np.isnan(stuck_c[r, i]) else stuck_c[r, i]
            cell_v[r, i] = np.nan if open_volts[r, i] else v
            cell_t[r, i] = np.nan if open_thermistors[r, i] else t
            cut += open_volts[r, i]
            v_min, v_max = np.fmin(v_min, cell_v[r, i]), np.fmax(v_max, cell_v[r, i])
            t_min, t_max = np.fmin(t_min, cell_t[r, i]), np.fmax(t_max, cell_t[r, i])
        found[0, r], found[1, r], found[2, r], found[3, r], found[4, r] = v_min, v_max, t_min, t_max, cut
