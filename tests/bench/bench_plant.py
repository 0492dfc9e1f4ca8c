"""The simulated plant: one step of 256 and of 16,384 cells with every law at work, at 10 and at 100 ms."""

from __future__ import annotations

import numpy as np

from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.settings import CellSettings, ClimateSettings, PlantSettings, RackSettings
from tests.bench.measure import Result, ns_per_call

REAL = CellSettings(hysteresis_v=0.010, conduction_w_per_k=2.0, self_discharge_per_month=0.02)
SIZES = ((1, 0), (16, 0), (64, 0), (64, 1))
BAR_MS = 3.0


def run() -> list[Result]:
    results = []
    for racks, converters in SIZES:
        plant = working_plant(racks, converters)
        bus = "on one DC bus" if converters else "each on its converter"
        for dt in (0.01, 0.1):
            cost = float(np.median([ns_per_call(lambda p=plant, dt=dt: p.step(dt)) for _ in range(9)])) / 1e6
            name = f"plant of {racks} x 256 cells {bus}, a step of {dt * 1000:.0f} ms"
            results.append(Result(name, cost, "ms", BAR_MS if racks == 64 else None))
        assert all(rack.circuit.main.closed for rack in plant.racks.racks), "a plant that has tripped does no work"
    return results


def working_plant(racks: int, converters: int) -> Plant:
    """Contactors closed, coolant flowing, 100 kW of discharge on every converter; no master is waited for."""
    rack = RackSettings(cell=REAL, comms_timeout_s=1e9)
    plant = build_plant(PlantSettings(racks=racks, converters=converters, rack=rack, climate=ClimateSettings(liquid_w_per_k=4.0)))
    for one in plant.racks.racks:
        one.bms.commands.close = True
        one.bms.silent_s = 0.0
        one.circuit.main.coil = one.circuit.main.closed = True
        one.circuit.v_link = 842.0
    for pcs in plant.converters:
        pcs.comms_timeout_s = 0.0
        pcs.enable, pcs.p_cmd_kw = True, 100.0
    return plant
