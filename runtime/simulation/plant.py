"""The whole plant as one machine that steps: rack, converter, grid and panel, wired as they are on site.

It must not know buses, processes or clocks: the same steps with the same seed give the same plant, at any speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.simulation.circuit import flow, switch
from runtime.simulation.grid import Grid, build_grid, turn
from runtime.simulation.panel import Panel, watch
from runtime.simulation.pcs import Pcs, build_pcs, convert, warm
from runtime.simulation.rack import Rack, age, build_rack, manage, measure, measure_current, source
from runtime.simulation.settings import PlantSettings

CELLS_SAMPLED_EVERY_S = 0.1


@dataclass(slots=True)
class Plant:
    """The plant's state. `time_s` counts the steps made.

    `speed` makes charge, heat and the day run faster than everything else: a battery empties in minutes while contactors,
    ramps and time-outs keep their own time, so a controller at normal speed can still follow.
    """

    settings: PlantSettings
    rack: Rack
    pcs: Pcs
    grid: Grid
    panel: Panel
    speed: float = 1.0
    time_s: float = 0.0

    def step(self, dt_s: float, listening_s: float | None = None) -> None:
        """Move the whole plant on by `dt_s` seconds (> 0).

        `listening_s` is the part of it in which commands could have been heard; less than `dt_s` when the computer was
        late, so that a slow computer is not taken for a silent master.
        """
        heard = dt_s if listening_s is None else listening_s
        rack, circuit, settings = self.rack, self.rack.circuit, self.settings
        watch(self.panel, dt_s, heard)
        manage(rack, self.panel.power_to_coils, dt_s, heard)
        v_open, r_rack = source(rack)
        switch(circuit, settings.rack, v_open, r_rack, dt_s)
        p_dc_kw = convert(self.pcs, circuit.v_link, dt_s, heard)
        flow(circuit, settings.rack, settings.pcs, v_open, r_rack, p_dc_kw, dt_s)
        age(rack, dt_s * self.speed)
        warm(self.pcs, settings.rack.ambient_c, dt_s)
        turn(self.grid, self.pcs.p_ac_kw, self.pcs.q_kvar, dt_s, dt_s * self.speed)
        rack.unmeasured_s += dt_s
        if rack.unmeasured_s >= CELLS_SAMPLED_EVERY_S - 1e-9:
            measure(rack)
        else:
            measure_current(rack)
        self.time_s += dt_s


def build_plant(settings: PlantSettings) -> Plant:
    """The plant at rest. Rack and grid draw from streams of their own, so that one does not disturb the other."""
    rack_random, grid_random = (np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(settings.seed).spawn(2))
    return Plant(
        settings,
        rack=build_rack(settings.rack, rack_random),
        pcs=build_pcs(settings.pcs, settings.rack.ambient_c),
        grid=build_grid(settings.grid, grid_random),
        panel=Panel(settings.panel),
        speed=settings.speed,
    )


def tell_truth(plant: Plant, with_cells: bool = False) -> dict[str, Any]:
    """What is really so, as plain numbers: what a test compares the controller's picture with."""
    rack, circuit, bms, pcs, grid = plant.rack, plant.rack.circuit, plant.rack.bms, plant.pcs, plant.grid
    v_open, r_rack = source(rack)
    truth: dict[str, Any] = {
        "time_s": plant.time_s,
        "rack": {
            "soc": float(rack.cells.soc.mean()),
            "v": v_open - circuit.current_a * r_rack,
            "v_open": v_open,
            "r_ohm": r_rack,
            "current_a": circuit.current_a,
            "main": circuit.main.closed,
            "precharge": circuit.precharge.closed,
            "welded": circuit.main.welded,
            "inrush_a": circuit.inrush_a,
            "opened_under_load": circuit.opened_under_load,
            "charge_out_ah": rack.charge_out_ah,
            "heat_kwh": rack.heat_kwh,
            "state": bms.state.name,
            "fault": bms.fault.name,
            "ok": bms.ok,
            "t_max": float(rack.cells.celsius.max()),
            "t_min": float(rack.cells.celsius.min()),
            "bleeding": int(rack.cells.bleeding.sum()),
            "charge_max_kw": bms.charge_max_kw,
            "discharge_max_kw": bms.discharge_max_kw,
            "soc_bms": bms.measured.soc,
        },
        "pcs": {
            "state": pcs.state.name,
            "fault": pcs.fault.name,
            "p_cmd_kw": pcs.p_cmd_kw,
            "p_ac_kw": pcs.p_ac_kw,
            "p_dc_kw": pcs.p_dc_kw,
            "v_link": circuit.v_link,
            "enable": pcs.enable,
            "ac_kwh": pcs.ac_kwh,
            "dc_kwh": pcs.dc_kwh,
            "lost_kwh": pcs.lost_kwh,
            "celsius": pcs.celsius,
        },
        "grid": {
            "frequency_hz": grid.frequency_hz,
            "voltage_v": grid.voltage_v,
            "p_kw": grid.p_kw,
            "load_kw": grid.load_kw,
            "pv_kw": grid.pv_kw,
            "hour": grid.hour,
            "import_kwh": grid.import_kwh,
            "export_kwh": grid.export_kwh,
        },
        "panel": {
            "estop_ok": plant.panel.estop_ok,
            "remote": plant.panel.remote,
            "power_to_coils": plant.panel.power_to_coils,
            **plant.panel.outputs,
        },
    }
    if with_cells:
        cells = rack.cells
        truth["cells"] = {
            "soc": cells.soc.tolist(),
            "v": rack.bms.measured.cell_v.tolist(),
            "celsius": cells.celsius.tolist(),
            "capacity_ah": (cells.capacity_as / 3600).tolist(),
            "r0_ohm": cells.r0.tolist(),
            "v_rc": cells.v_rc.tolist(),
            "bleeding": cells.bleeding.tolist(),
        }
    return truth
