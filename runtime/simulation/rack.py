"""The racks: cells, contactors and battery management in their cabinets, and what their sensors see of them.

It must not know the converter beyond the voltage of its DC link, nor any bus. Cells and sensors of all racks are columns
(rack, cell), moved at once; a rack holds its rows of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtime.simulation.bms import Bms, bleeds, build_bms, derate, feed, limit, supervise
from runtime.simulation.cells import Cells, Sources, build_cells, cells_of_rack, sources, stack, step_cells
from runtime.simulation.circuit import Circuit, build_circuit
from runtime.simulation.sensors import Sensors, build_sensors, sample
from runtime.simulation.settings import RackSettings


@dataclass(slots=True)
class Rack:
    """One rack's state. `open_sensors`, `open_thermistors` are its rows: true where a fault has cut the wire."""

    settings: RackSettings
    cells: Cells
    circuit: Circuit
    bms: Bms
    random: np.random.Generator
    open_sensors: np.ndarray
    open_thermistors: np.ndarray
    earth_fault_kohm: float | None = None
    charge_out_ah: float = 0.0
    heat_kwh: float = 0.0


@dataclass(slots=True)
class Racks:
    """All racks of the plant, the columns that they share, and what each is to its DC bus at this step: (volts, ohms)."""

    settings: RackSettings
    racks: list[Rack]
    cells: Cells
    sensors: Sensors
    now: Sources
    behind: list[tuple[float, float]]
    unmeasured_s: float = 0.0


def build_racks(settings: RackSettings, each: Sequence[RackSettings], randoms: Sequence[np.random.Generator]) -> Racks:
    """Racks at rest, contactors open, nothing heard yet. `each` differs from `settings` in charge, health and resistance only."""
    cells = stack([build_cells(one, random) for one, random in zip(each, randoms, strict=True)])
    sensors = build_sensors(len(each), settings.cells)
    racks = []
    for at, (one, random) in enumerate(zip(each, randoms, strict=True)):
        own = cells_of_rack(cells, at)
        bms = build_bms(one, own)
        bms.measured.cell_v, bms.measured.cell_t = sensors.cell_v[at], sensors.cell_t[at]
        racks.append(Rack(one, own, build_circuit(one), bms, random, sensors.open_volts[at], sensors.open_thermistors[at]))
    made = Racks(settings, racks, cells, sensors, sources(cells, settings.cell), [])
    look(made)
    measure(made)
    for rack in racks:
        limit(rack.bms, rack.settings, 0.0)
    return made


def look(racks: Racks) -> None:
    """What every cell and every rack is to its circuit now: call it before anything flows."""
    racks.now = sources(racks.cells, racks.settings.cell)
    volts, ohms = racks.now.volts.sum(axis=1).tolist(), racks.now.ohms.sum(axis=1).tolist()
    wiring = racks.settings.wiring_ohm
    racks.behind = [(v, r + wiring) for v, r in zip(volts, ohms, strict=True)]


def source(rack: Rack) -> tuple[float, float]:
    """One rack as its circuit sees it now: the voltage behind its resistance, and that resistance, in volts and ohms."""
    now = sources(rack.cells, rack.settings.cell)
    return float(now.volts.sum()), float(now.ohms.sum()) + rack.settings.wiring_ohm


def supply(rack: Rack, has_supply: bool, dt_s: float) -> None:
    """Give the rack's management its supply, or take it: without one it sleeps and its contactors fall open."""
    feed(rack.bms, has_supply, rack.settings, dt_s)


def manage(rack: Rack, power_to_coils: bool, dt_s: float, listening_s: float) -> None:
    """The battery management's turn: what it has measured decides what the contactors may do."""
    supervise(rack.bms, rack.circuit, rack.settings, power_to_coils, dt_s, listening_s)
    limit(rack.bms, rack.settings, dt_s)


def age(racks: Racks, dt_s: float, sink_c: float | np.ndarray, sink_scale: float | np.ndarray = 1.0) -> None:
    """Let the mean currents of this step flow through the cells for `dt_s`; each management counts with its own sensor.

    `sink_c` is what cools the cells, in °C, one number or one a rack as a column; `sink_scale` how well, against still air.
    """
    settings = racks.settings
    currents = np.array([rack.circuit.mean_a for rack in racks.racks])
    heat = step_cells(racks.cells, settings.cell, currents[:, None], sink_c, dt_s, racks.now, sink_scale).sum(axis=1).tolist()
    for rack, heat_w, current in zip(racks.racks, heat, currents.tolist(), strict=True):
        rack.heat_kwh += (heat_w + current * current * settings.wiring_ohm) * dt_s / 3.6e6
        rack.charge_out_ah += current * dt_s / 3600
        offset = settings.current_offset_a if abs(current) > 1.0 else 0.0  # the sensor is zeroed at rest
        capacity = rack.settings.cell.capacity_ah * 3600 * rack.settings.soh
        seen = rack.bms.measured
        seen.soc = min(max(seen.soc - (current + offset) * dt_s / capacity, 0.0), 1.0)


def bleed(racks: Racks) -> None:
    """Switch the balancing resistors as each management says."""
    for rack in racks.racks:
        on = bleeds(rack.bms)
        if on:
            rack.cells.bleeding[:] = rack.bms.balance_mask
        elif rack.bms.was_bleeding:
            rack.cells.bleeding[:] = False
        rack.bms.was_bleeding = on


def measure(racks: Racks) -> None:
    """Sample every sensor of every rack, and let each management draw its limits from it."""
    settings = racks.settings
    currents = np.array([rack.circuit.current_a for rack in racks.racks])
    now = sources(racks.cells, settings.cell)
    found = sample(racks.sensors, racks.cells, now, currents, [rack.random for rack in racks.racks], settings)
    for at, rack in enumerate(racks.racks):
        seen, current = rack.bms.measured, rack.circuit.current_a
        seen.v_min, seen.v_max = found.v_min[at], found.v_max[at]
        seen.t_min, seen.t_max = found.t_min[at], found.t_max[at]
        seen.blind = found.blind[at]
        seen.v_pack = found.v_sum[at] - current * settings.wiring_ohm
        seen.current_a = current + settings.current_noise_a * float(rack.random.standard_normal())
        seen.insulation_kohm = 2000.0 if rack.earth_fault_kohm is None else rack.earth_fault_kohm
        derate(rack.bms)
    racks.unmeasured_s = 0.0


def measure_current(racks: Racks) -> None:
    """Sample what a rack tells every 10 ms: pack voltage and current. The cells are sampled less often."""
    noise = racks.settings.current_noise_a
    for rack, (v_open, resistance) in zip(racks.racks, racks.behind, strict=True):
        seen, current = rack.bms.measured, rack.circuit.current_a
        seen.v_pack = v_open - current * resistance
        seen.current_a = current + noise * float(rack.random.standard_normal())


def set_soc(rack: Rack, soc: float) -> None:
    """Bring the mean state of charge (0..1) to this value, keep the cells' differences, and tell the management."""
    rack.cells.soc[:] = np.clip(rack.cells.soc + (soc - float(rack.cells.soc.mean())), 0.0, 1.0)
    rack.bms.measured.soc = float(rack.cells.soc.mean())
