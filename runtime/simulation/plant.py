"""The whole plant as one machine that steps: racks, converters, climate, grid and panel, wired as they are on site.

Racks in order share converters in order: with as many converters as racks each rack has its own, with one they stand in parallel
on a common DC bus. It must not know field buses, processes or clocks: the same steps with the same seed give the same plant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from runtime.simulation.circuit import flow_bus, switch
from runtime.simulation.climate import Climate, build_climates, condition, draws_kw, listen, sink_of
from runtime.simulation.grid import Grid, build_grid, turn
from runtime.simulation.panel import Panel, watch
from runtime.simulation.pcs import Pcs, build_pcs, convert, warm
from runtime.simulation.pcs import State as PcsState
from runtime.simulation.rack import Rack, Racks, age, bleed, build_racks, look, manage, measure, measure_current, source, supply
from runtime.simulation.settings import PlantSettings, RackSettings

CELLS_SAMPLED_EVERY_S = 0.1
DEAD_GRID_KW = 1e6  # what a grid without power draws from whoever forms one towards it


@dataclass(slots=True)
class Plant:
    """The plant's state. `time_s` counts the steps made.

    `speed` makes charge, heat and the day run faster than everything else: a battery empties in minutes while contactors,
    ramps and time-outs keep their own time, so a controller at normal speed can still follow.
    """

    settings: PlantSettings
    racks: Racks
    converters: list[Pcs]
    climates: list[Climate]
    grid: Grid
    panel: Panel
    speed: float = 1.0
    time_s: float = 0.0

    @property
    def rack(self) -> Rack:
        """The first rack: the whole battery of a plant that has one."""
        return self.racks.racks[0]

    @property
    def pcs(self) -> Pcs:
        """The first converter."""
        return self.converters[0]

    def racks_of(self, converter: int) -> list[Rack]:
        """The racks on the DC bus of this converter, both counted from 0."""
        each = len(self.racks.racks) // len(self.converters)
        return self.racks.racks[converter * each : (converter + 1) * each]

    def step(self, dt_s: float, listening_s: float | None = None) -> None:
        """Move the whole plant on by `dt_s` seconds (> 0).

        `listening_s` is the part of it in which commands could have been heard; less than `dt_s` when the computer was
        late, so that a slow computer is not taken for a silent master.
        """
        heard = dt_s if listening_s is None else listening_s
        racks, panel = self.racks, self.panel
        watch(panel, dt_s, heard)
        power_to_coils = panel.power_to_coils
        for rack in racks.racks:
            supply(rack, panel.bms_has_supply, dt_s)
            manage(rack, power_to_coils, dt_s, heard)
        self.grid.load_on = panel.load_on
        bleed(racks)
        look(racks)
        _island(self)
        _convert(self, dt_s, heard)
        for zone in self.climates:
            listen(zone, heard)
        _age(self, dt_s * self.speed)
        for at, pcs in enumerate(self.converters):
            warm(pcs, self.climates[at * len(self.climates) // len(self.converters)].air_c, dt_s)
        p_kw = sum(pcs.p_ac_kw for pcs in self.converters) - _auxiliary_kw(self)
        turn(self.grid, p_kw, sum(pcs.q_kvar for pcs in self.converters), dt_s, dt_s * self.speed)
        racks.unmeasured_s += dt_s
        if racks.unmeasured_s >= CELLS_SAMPLED_EVERY_S - 1e-9:
            measure(racks)
        else:
            measure_current(racks)
        self.time_s += dt_s


def _island(plant: Plant) -> None:
    """Where the grid is away, the converters that form one share its load evenly; frequency falls with their power (droop)."""
    grid = plant.grid
    if grid.connected:
        grid.formed = None
        for pcs in plant.converters:
            pcs.island_kw = None
        return
    forming = [pcs for pcs in plant.converters if pcs.forming and pcs.state is PcsState.RUNNING]
    residual = grid.load_kw - grid.pv_kw + _auxiliary_kw(plant)
    if grid.breaker_closed:  # the dead grid itself hangs on the island: no site carries a town
        residual += DEAD_GRID_KW
    for pcs in plant.converters:
        shares = pcs in forming
        pcs.island_kw = residual / len(forming) if shares else 0.0
        pcs.island_kvar = 0.2 * grid.load_kw / len(forming) if shares else 0.0
    if forming:
        first = forming[0]
        part = first.p_ac_kw / first.settings.p_rated_kw
        f_set = first.f_set_hz or grid.settings.nominal_hz
        grid.formed = (f_set - grid.settings.nominal_hz * first.settings.droop_forming * part, grid.settings.nominal_v)
    else:
        grid.formed = None


def _convert(plant: Plant, dt_s: float, heard: float) -> None:
    """Contactors, converter and current of every DC bus."""
    settings, behind = plant.settings, plant.racks.behind
    first = 0
    for at, pcs in enumerate(plant.converters):
        circuits = [rack.circuit for rack in plant.racks_of(at)]
        sources = behind[first : first + len(circuits)]
        for circuit, (v_open, r_rack) in zip(circuits, sources, strict=True):
            switch(circuit, settings.rack, v_open, r_rack, dt_s)
        p_dc_kw = convert(pcs, circuits[0].v_link, dt_s, heard)
        flow_bus(circuits, sources, settings.rack, settings.pcs, p_dc_kw, dt_s)
        first += len(circuits)


def _age(plant: Plant, dt_s: float) -> None:
    """Charge and heat of all cells, and of the zones that they stand in."""
    settings, racks = plant.settings, plant.racks
    if not settings.climate.liquid_w_per_k:
        age(racks, dt_s, plant.climates[0].air_c)
        return
    air_w_per_k = settings.rack.cell.cooling_w_per_k
    sinks = np.repeat([sink_of(one, air_w_per_k) for one in plant.climates], plant.climates[0].racks, axis=0)
    sink_c, scale = sinks[:, :1], sinks[:, 1:]
    age(racks, dt_s, sink_c, scale)
    cells, zones = racks.cells, len(plant.climates)
    given = (cells.cooling * scale * (cells.celsius - sink_c)).reshape(zones, -1).sum(axis=1).tolist()
    hottest = cells.celsius.reshape(zones, -1).max(axis=1).tolist()
    coldest = cells.celsius.reshape(zones, -1).min(axis=1).tolist()
    for one, watts, hot, cold in zip(plant.climates, given, hottest, coldest, strict=True):
        condition(one, watts, air_w_per_k, hot, cold, dt_s)


def _auxiliary_kw(plant: Plant) -> float:
    """What climate draws on the AC side."""
    return sum(draws_kw(one) for one in plant.climates) if plant.settings.climate.liquid_w_per_k else 0.0


def build_plant(settings: PlantSettings) -> Plant:
    """The plant at rest. Every rack, the grid and the spread draw from streams of their own: one does not disturb the other.

    The first rack and the grid have the streams that a plant of one rack has: the same seed gives the same first rack.
    """
    streams = np.random.SeedSequence(settings.seed).spawn(settings.racks + 2)
    first, grid_random, spread, *others = (np.random.Generator(np.random.PCG64(stream)) for stream in streams)
    return Plant(
        settings,
        racks=build_racks(settings.rack, _spread(settings, spread), [first, *others]),
        converters=[build_pcs(settings.pcs, settings.rack.ambient_c) for _ in range(settings.converters or settings.racks)],
        climates=build_climates(settings),
        grid=build_grid(settings.grid, grid_random),
        panel=Panel(settings.panel),
        speed=settings.speed,
    )


def _spread(settings: PlantSettings, random: np.random.Generator) -> list[RackSettings]:
    """The racks' own settings: charge, health and resistance differ. Each rack's management knows its health."""
    drawn = random.standard_normal((settings.racks, 3))
    spread, rack = settings.spread, settings.rack
    return [
        replace(
            rack,
            soc=float(np.clip(rack.soc + spread.soc * soc, 0.0, 1.0)),
            soh=float(np.clip(rack.soh * (1 + spread.capacity * capacity), 0.5, max(rack.soh, 1.0))),
            cell=replace(
                rack.cell,
                r0_ohm=rack.cell.r0_ohm * max(1 + spread.resistance * resistance, 0.3),
                r1_ohm=rack.cell.r1_ohm * max(1 + spread.resistance * resistance, 0.3),
            ),
        )
        for soc, capacity, resistance in drawn
    ]


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
            "connected": grid.connected,
            "upstream_hz": grid.upstream_hz,
            "angle_deg": grid.angle_deg,
            "unserved_kwh": grid.unserved_kwh,
            "closed_out_of_step": grid.closed_out_of_step,
        },
        "panel": {
            "estop_ok": plant.panel.estop_ok,
            "remote": plant.panel.remote,
            "tamper_ok": not plant.panel.tampered,
            "smoke_ok": not plant.panel.smoke,
            "power_to_coils": plant.panel.power_to_coils,
            **plant.panel.outputs,
        },
    }
    truth["racks"] = [_tell_rack(plant, at) for at in range(len(plant.racks.racks))]
    truth["climates"] = [_tell_climate(one) for one in plant.climates]
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


def _tell_rack(plant: Plant, at: int) -> dict[str, Any]:
    """One rack in a line; voltages are the cells' own, whatever the sensors say."""
    racks = plant.racks
    rack, volts = racks.racks[at], racks.now.volts[at] - racks.racks[at].circuit.current_a * racks.now.ohms[at]
    return {
        "soc": float(rack.cells.soc.mean()),
        "current_a": rack.circuit.current_a,
        "v_link": rack.circuit.v_link,
        "main": rack.circuit.main.closed,
        "fuse_blown": rack.circuit.fuse_blown,
        "fault": rack.bms.fault.name,
        "asleep": rack.bms.asleep,
        "v_cell_min": float(volts.min()),
        "v_cell_max": float(volts.max()),
        "t_min": float(rack.cells.celsius.min()),
        "t_max": float(rack.cells.celsius.max()),
        "burnt": int((rack.cells.unreacted < 0.5).sum()),
    }


def _tell_climate(climate: Climate) -> dict[str, Any]:
    return {
        "coolant_c": climate.coolant_c,
        "air_c": climate.air_c,
        "dew_point_c": climate.dew_point_c,
        "condenses": climate.condenses,
        "pump": climate.pump,
        "fan": climate.fan,
        "heater": climate.heater,
        "chiller": climate.chiller,
        "flow_l_per_s": climate.flow_l_per_s,
        "pressure_bar": climate.pressure_bar,
        "drawn_kwh": climate.drawn_kwh,
    }
