"""The plant's end of every wire of a simulation: the racks' CAN channels, registers for each device, as on its own process.

It must not know the controller, nor what a scenario asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from runtime.simulate_can import CanWire
from runtime.simulate_faults import Breakable
from runtime.simulate_modbus import SimulatedDevice
from runtime.simulation.climatemap import map_climate
from runtime.simulation.faults import Site as Breaking
from runtime.simulation.modbusmaps import map_meter, map_panel, map_pcs
from runtime.simulation.plant import Plant
from runtime.simulation.process import PORTS_APART, channel_of, channels, load_dbc
from runtime.simulation.rackbus import build_rack_bus, take_frame
from runtime.simulation.racktalk import RackTalk, build_talk, speak
from runtime.simulation.registers import Registers
from runtime.simulation.settings import ModbusSettings, PlantSettings
from runtime.simulation.written import Written

Make = Callable[[Plant, Written], Registers]


@dataclass(frozen=True)
class Field:
    """The plant's wires: CAN by the channel's name, Modbus devices by theirs, and all of it as what can break."""

    wires: dict[str, CanWire]
    talk: RackTalk
    devices: dict[str, SimulatedDevice]
    breaking: Breaking

    def speak(self, now: int, ticks: int) -> None:
        """What every rack says in so many ticks: its frames wait on the wire with this time (ns)."""
        for wire in self.wires.values():
            wire.now = now
        speak(self.talk, ticks)

    def deliver(self) -> None:
        """Let the controller take what waits on every wire."""
        for wire in self.wires.values():
            wire.deliver()


def lay_field(plant: Plant, root: Path) -> Field:
    """All wires of this plant; the DBC's path is relative to `root`."""
    settings, written = plant.settings, Written()
    database = load_dbc(root / settings.buses.can.dbc)
    wires = {channel_of(settings.buses.can.channel, at): CanWire() for at in range(channels(settings))}
    each, links = settings.buses.can.racks_per_channel, list(wires.values())
    buses = [build_rack_bus(plant, database, links[at // each], written, at) for at in range(settings.racks)]
    for at, wire in enumerate(links):
        wire.answer(partial(take_frame, buses[at * each : (at + 1) * each]))
    devices = {
        name: SimulatedDevice(line.unit, make(plant, written), line.host, line.port)
        for name, (line, make) in _maps(settings, len(plant.converters)).items()
    }
    return Field(wires, build_talk(plant, database, buses), devices, Breaking(plant, buses, dict(devices)))


def _maps(settings: PlantSettings, converters: int) -> dict[str, tuple[ModbusSettings, Make]]:
    """The Modbus devices of a plant, each with where it listens: as in `runtime.simulation.process`."""
    buses = settings.buses
    maps: dict[str, tuple[ModbusSettings, Make]]
    maps = {"pcs": (buses.pcs, map_pcs), "meter": (buses.meter, map_meter), "panel": (buses.panel, map_panel)}
    if settings.climate.liquid_w_per_k:
        maps["climate"] = (buses.climate, map_climate)
    for at in range(1, converters):
        port = buses.pcs.port and buses.pcs.port + PORTS_APART * at
        maps[f"pcs{at + 1}"] = (replace(buses.pcs, port=port), partial(map_pcs, at=at))
    return maps


def parts_of(settings: PlantSettings) -> Breakable:
    """What of this plant a fault may name."""
    modules = range(1, settings.rack.modules + 1)
    cells = [*(f"Module_{m}" for m in modules), *(f"ModuleTemp_{m}" for m in modules)]
    messages = ("BMS_Status", "BMS_Limits", "BMS_CellSummary", *cells)
    links = tuple(_maps(settings, settings.converters or settings.racks))
    wires = tuple(f"can{at}" for at in range(channels(settings)))
    return Breakable(settings.rack.cells, messages, links, settings.racks, wires, settings.climate.zones)
