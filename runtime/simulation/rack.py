"""The rack: cells, contactors and battery management in one cabinet, and what its sensors see of them.

It must not know the converter beyond the voltage of its DC link, nor any bus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.simulation.bms import NOT_AVAILABLE, Bms, bleeds, build_bms, limit, supervise
from runtime.simulation.cells import Cells, build_cells, inner_resistance, rest_voltage, step_cells, terminal_voltage
from runtime.simulation.circuit import Circuit, build_circuit
from runtime.simulation.settings import RackSettings


@dataclass(slots=True)
class Rack:
    """The rack's state. `open_sensors`, `open_thermistors` are columns: true where a fault has cut the wire."""

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
    unmeasured_s: float = 0.0


def build_rack(settings: RackSettings, random: np.random.Generator) -> Rack:
    """A rack at rest, contactors open, nothing heard yet."""
    cells = build_cells(settings, random)
    none = np.zeros(settings.cells, dtype=bool)
    rack = Rack(settings, cells, build_circuit(settings), build_bms(settings, cells), random, none, none.copy())
    measure(rack)
    limit(rack.bms, settings, 0.0)
    return rack


def source(rack: Rack) -> tuple[float, float]:
    """The rack as the circuit sees it: the voltage behind its resistance, and that resistance, in volts and ohms."""
    cells = rack.cells
    v_open = float((rest_voltage(cells.soc) - cells.v_rc).sum())
    return v_open, float(inner_resistance(cells, rack.settings.cell).sum()) + rack.settings.wiring_ohm


def manage(rack: Rack, power_to_coils: bool, dt_s: float, listening_s: float) -> None:
    """The battery management's turn: what it has measured decides what the contactors may do."""
    supervise(rack.bms, rack.circuit, rack.settings, power_to_coils, dt_s, listening_s)
    limit(rack.bms, rack.settings, dt_s)


def age(rack: Rack, dt_s: float) -> None:
    """Let the mean current of this step flow through the cells for `dt_s`; the management counts it with its own sensor."""
    current = rack.circuit.mean_a
    rack.cells.bleeding = bleeds(rack.bms)
    heat_w = step_cells(rack.cells, rack.settings.cell, current, rack.settings.ambient_c, dt_s)
    rack.heat_kwh += (heat_w + current * current * rack.settings.wiring_ohm) * dt_s / 3.6e6
    rack.charge_out_ah += current * dt_s / 3600
    offset = rack.settings.current_offset_a if abs(current) > 1.0 else 0.0  # the sensor is zeroed at rest
    capacity = rack.settings.cell.capacity_ah * 3600 * rack.settings.soh
    seen = rack.bms.measured
    seen.soc = min(max(seen.soc - (current + offset) * dt_s / capacity, 0.0), 1.0)


def measure(rack: Rack) -> None:
    """Sample every sensor: truth, a little noise, and nothing at all where a wire is cut."""
    settings, seen, current = rack.settings, rack.bms.measured, rack.circuit.current_a
    noise = rack.random.standard_normal((2, settings.cells))
    truth = terminal_voltage(rack.cells, settings.cell, current)
    seen.cell_v = truth + settings.voltage_noise_v * noise[0]
    seen.cell_t = rack.cells.celsius + settings.temperature_noise_k * noise[1]
    if rack.open_sensors.any():
        seen.cell_v[rack.open_sensors] = NOT_AVAILABLE
    if rack.open_thermistors.any():
        seen.cell_t[rack.open_thermistors] = NOT_AVAILABLE
    # fmin and fmax leave out what is not available; with no sensor left at all the summary is not available either.
    seen.v_min, seen.v_max = float(np.fmin.reduce(seen.cell_v)), float(np.fmax.reduce(seen.cell_v))
    seen.t_min, seen.t_max = float(np.fmin.reduce(seen.cell_t)), float(np.fmax.reduce(seen.cell_t))
    seen.v_pack = float(truth.sum()) - current * settings.wiring_ohm
    seen.current_a = current + settings.current_noise_a * float(rack.random.standard_normal())
    seen.insulation_kohm = 2000.0 if rack.earth_fault_kohm is None else rack.earth_fault_kohm
    rack.unmeasured_s = 0.0


def measure_current(rack: Rack) -> None:
    """Sample what the rack tells every 10 ms: pack voltage and current. The cells are sampled less often."""
    settings, seen, current = rack.settings, rack.bms.measured, rack.circuit.current_a
    v_open, resistance = source(rack)
    seen.v_pack = v_open - current * resistance
    seen.current_a = current + settings.current_noise_a * float(rack.random.standard_normal())


def set_soc(rack: Rack, soc: float) -> None:
    """Bring the mean state of charge (0..1) to this value, keep the cells' differences, and tell the management."""
    rack.cells.soc = np.clip(rack.cells.soc + (soc - float(rack.cells.soc.mean())), 0.0, 1.0)
    rack.bms.measured.soc = float(rack.cells.soc.mean())
