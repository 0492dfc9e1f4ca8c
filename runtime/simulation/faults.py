"""The faults that can be put into the plant, one row each: what it needs to know, how it starts and how it ends.

It must not know who asks for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runtime.simulation.cells import OPEN_OHM, own_leak_s
from runtime.simulation.climate import Climate
from runtime.simulation.grid import close_breaker, lose_unit, open_breaker
from runtime.simulation.modbusserver import ModbusDevice
from runtime.simulation.pcs import Pcs
from runtime.simulation.plant import Plant
from runtime.simulation.rack import Rack
from runtime.simulation.rackbus import RackBus
from runtime.simulation.racktalk import is_known

Details = Mapping[str, Any]


class RefusedError(Exception):
    """What was asked cannot be done; the text says why and what can."""


@dataclass
class Site:
    """Everything that can fail: the plant, each rack's seat on its CAN bus, and the Modbus devices by name."""

    plant: Plant
    rack_buses: Sequence[RackBus]
    devices: dict[str, ModbusDevice]
    active: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `needs` names the details it is told apart by; `apply` is called with True to start it, False to end it.

    `of` is `rack` or `zone` where the plant has several of what breaks: a detail that may be given, 1 where it is not.
    """

    needs: tuple[str, ...]
    text: str
    apply: Callable[[Site, Details, bool], Awaitable[None] | None]
    of: str = ""


def cell_of(site: Site, details: Details) -> int:
    """The cell's place in the columns; people and the DBC count from 1."""
    cell, count = details["cell"], site.plant.settings.rack.cells
    if not isinstance(cell, int) or isinstance(cell, bool) or not 1 <= cell <= count:
        raise RefusedError(f"cell must be a number from 1 to {count}, not {cell!r}")
    return cell - 1


def place_of(details: Details, what: str, count: int) -> int:
    """Which rack or zone a fault names, as it stands in the plant; people count from 1, and mean the first where they say none."""
    number = details.get(what, 1)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= count:
        raise RefusedError(f"{what} must be a number from 1 to {count}, not {number!r}")
    return number - 1


def rack_of(site: Site, details: Details) -> Rack:
    """The rack that a fault names."""
    return site.plant.racks.racks[place_of(details, "rack", len(site.plant.racks.racks))]


def converter_of(site: Site, details: Details) -> Pcs:
    """The converter of the rack that a fault names."""
    racks, converters = len(site.plant.racks.racks), site.plant.converters
    return converters[place_of(details, "rack", racks) * len(converters) // racks]


def _climate_of(site: Site, details: Details) -> Climate:
    return site.plant.climates[place_of(details, "zone", len(site.plant.climates))]


def _bus_of(site: Site, details: Details) -> RackBus:
    return site.rack_buses[place_of(details, "rack", len(site.rack_buses))]


def _message_of(site: Site, details: Details) -> str:
    name = str(details["message"])
    if not is_known(site.rack_buses[0].database, name):
        raise RefusedError(f"the rack sends no message {name!r}")
    return name


def _mark(column: Callable[[Rack], np.ndarray]) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, details: Details, on: bool) -> None:
        column(rack_of(site, details))[cell_of(site, details)] = on

    return apply


def _member(names: Callable[[RackBus], set[str]]) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, details: Details, on: bool) -> None:
        name, kept = _message_of(site, details), names(_bus_of(site, details))
        kept.add(name) if on else kept.discard(name)

    return apply


def _switch(owner: Callable[[Site, Details], Any], name: str) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, details: Details, on: bool) -> None:
        setattr(owner(site, details), name, on)

    return apply


def _switch_in_rack(owner: Callable[[Rack], Any], name: str) -> Callable[[Site, Details, bool], None]:
    return _switch(lambda site, details: owner(rack_of(site, details)), name)


def _over_heat(site: Site, details: Details, on: bool) -> None:
    """A held cell does not cool by itself for hours; ending the fault brings it back among its neighbours."""
    cells, cell = rack_of(site, details).cells, cell_of(site, details)
    if not on and not np.isnan(cells.held_c[cell]):
        cells.celsius[cell] = np.median(cells.celsius)
    cells.held_c[cell] = float(details.get("celsius", 75.0)) if on else np.nan


def _short(site: Site, details: Details, on: bool) -> None:
    """A short inside the cell lies across it, beside its self-discharge."""
    own = own_leak_s(site.plant.settings.rack.cell)
    rack_of(site, details).cells.leak_s[cell_of(site, details)] = own + (1.0 / float(details.get("ohm", 0.05)) if on else 0.0)


def _open(site: Site, details: Details, on: bool) -> None:
    rack_of(site, details).cells.added_ohm[cell_of(site, details)] = OPEN_OHM if on else 0.0


def _loosen(site: Site, details: Details, on: bool) -> None:
    added = float(details.get("mohm", 1.0)) / 1000 if on else 0.0
    rack_of(site, details).cells.added_ohm[cell_of(site, details)] = added


def _ignite(site: Site, details: Details, on: bool) -> None:
    """Something has brought the cell to where it runs away; what has burnt stays burnt when the fault ends."""
    if on:
        rack_of(site, details).cells.celsius[cell_of(site, details)] = site.plant.settings.rack.cell.runaway_c + 10.0


def _stick(shown: Callable[[Rack], np.ndarray], stuck: str) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, details: Details, on: bool) -> None:
        rack, cell = rack_of(site, details), cell_of(site, details)
        row = getattr(site.plant.racks.sensors, stuck)[details.get("rack", 1) - 1]
        row[cell] = shown(rack)[cell] if on else np.nan

    return apply


def _blow_fuse(site: Site, details: Details, on: bool) -> None:
    circuit = rack_of(site, details).circuit
    circuit.fuse_blown, circuit.fuse_heat_a2s = on, 0.0


def _open_breaker(site: Site, _: Details, on: bool) -> None:
    grid = site.plant.grid
    if on:
        open_breaker(grid)
    elif grid.formed is None:  # onto an island it is the controller's to close it, in step
        close_breaker(grid)


def _brown_out(site: Site, details: Details, on: bool) -> None:
    grid = site.plant.grid
    grid.voltage_set = grid.settings.nominal_v * float(details.get("percent", 50.0)) / 100 if on else None


def _lose_unit(site: Site, details: Details, on: bool) -> None:
    grid = site.plant.grid
    if not grid.settings.system_mva:
        raise RefusedError("this grid has no inertia to fall by: give grid.system_mva")
    mw = float(details.get("mw", 0.05 * grid.settings.system_mva))
    lose_unit(grid, mw if on else -mw)


def _leak(site: Site, details: Details, on: bool) -> None:
    _climate_of(site, details).leak_l = float(details.get("litres", 1000.0)) if on else 0.0


def _earth_fault(site: Site, details: Details, on: bool) -> None:
    rack_of(site, details).earth_fault_kohm = float(details.get("kohm", 20.0)) if on else None


def _drop_link(site: Site, details: Details, on: bool) -> None:
    """A cut channel silences every rack on it."""
    each = site.plant.settings.buses.can.racks_per_channel
    cut = [bus for bus in site.rack_buses if details["link"] == f"can{bus.at // each}"]
    for bus in cut:
        bus.cut = on
    if not cut:
        device_of(site, details).line.silent = on


async def _unplug(site: Site, details: Details, on: bool) -> None:
    device = device_of(site, details)
    await (device.unplug() if on else device.plug())


def _slow_link(site: Site, details: Details, on: bool) -> None:
    device_of(site, details).line.delay_s = float(details.get("ms", 200.0)) / 1000 if on else 0.0


def _exception(site: Site, details: Details, on: bool) -> None:
    device_of(site, details).line.exception = int(details.get("code", 4)) if on else 0


def device_of(site: Site, details: Details) -> ModbusDevice:
    """The Modbus device of a link; the first converter answers to `pcs` and to `pcs1`."""
    name = str(details["link"])
    device = site.devices.get("pcs" if name == "pcs1" else name)
    if device is None:
        raise RefusedError(f"no link {details['link']!r} that can do this; there are {', '.join(site.devices)}")
    return device


FAULTS: dict[str, Fault] = {
    "open_cell_sensor": Fault(("cell",), "the wire to a cell's voltage sensor is cut", _mark(lambda r: r.open_sensors), "rack"),
    "open_temperature_sensor": Fault(("cell",), "a cell's thermistor is cut", _mark(lambda r: r.open_thermistors), "rack"),
    "over_heat_cell": Fault(("cell",), "a cell is held at `celsius` (75)", _over_heat, "rack"),
    "cell_short": Fault(("cell",), "a short of `ohm` (0.05) inside a cell", _short, "rack"),
    "open_cell": Fault(("cell",), "a cell's connection is open", _open, "rack"),
    "loose_cell": Fault(("cell",), "a cell's connection has `mohm` (1) too much", _loosen, "rack"),
    "runaway_cell": Fault(("cell",), "a cell runs away", _ignite, "rack"),
    "stuck_cell_sensor": Fault(
        ("cell",), "a cell's voltage reading is stuck", _stick(lambda r: r.bms.measured.cell_v, "stuck_v"), "rack"
    ),
    "stuck_thermistor": Fault(
        ("cell",), "a cell's temperature reading is stuck", _stick(lambda r: r.bms.measured.cell_t, "stuck_c"), "rack"
    ),
    "blow_fuse": Fault((), "the rack's fuse has melted", _blow_fuse, "rack"),
    "grid_outage": Fault((), "the grid beyond the breaker is dead", _switch(lambda s, _: s.plant.grid, "lost")),
    "brown_out": Fault((), "the grid's voltage falls to `percent` (50) of nominal", _brown_out),
    "lost_unit": Fault((), "the power system loses a unit of `mw` (5 % of its rating)", _lose_unit),
    "pcs_deaf": Fault((), "the converter of a rack takes no new command", _switch(converter_of, "deaf"), "rack"),
    "open_breaker": Fault((), "the breaker at the point of connection opens", _open_breaker),
    "pump_failed": Fault((), "the coolant pump stands still", _switch(_climate_of, "pump_failed"), "zone"),
    "fan_failed": Fault((), "the exchanger's fans stand still", _switch(_climate_of, "fan_failed"), "zone"),
    "chiller_failed": Fault((), "the chiller makes no cold", _switch(_climate_of, "chiller_failed"), "zone"),
    "coolant_leak": Fault((), "`litres` (1000) of coolant run out", _leak, "zone"),
    "freeze_message": Fault(("message",), "a message repeats its last frame", _member(lambda bus: bus.frozen), "rack"),
    "stop_message": Fault(("message",), "a message is not sent any more", _member(lambda bus: bus.stopped), "rack"),
    "drop_link": Fault(("link",), "a wire is cut: nothing passes, nobody is told", _drop_link),
    "unplug_link": Fault(("link",), "a Modbus device closes its connections and stops listening", _unplug),
    "slow_link": Fault(("link",), "a Modbus device answers `ms` (200) late", _slow_link),
    "exception_link": Fault(("link",), "a Modbus device answers everything with exception `code` (4)", _exception),
    "weld_main": Fault((), "the main contactor cannot open any more", _switch_in_rack(lambda r: r.circuit.main, "welded"), "rack"),
    "main_wont_close": Fault(
        (), "the main contactor does not pull in", _switch_in_rack(lambda r: r.circuit.main, "wont_close"), "rack"
    ),
    "precharge_wont_close": Fault(
        (), "the precharge contactor does not pull in", _switch_in_rack(lambda r: r.circuit.precharge, "wont_close"), "rack"
    ),
    "bms_fault": Fault(
        (), "the battery management has an internal fault", _switch_in_rack(lambda r: r.bms, "internal_fault"), "rack"
    ),
    "earth_fault": Fault((), "the insulation falls to `kohm` (20)", _earth_fault, "rack"),
    "pcs_fault": Fault((), "the converter of a rack has an internal fault", _switch(converter_of, "internal_fault"), "rack"),
    "cut_estop_wire": Fault((), "a wire of the E-stop chain is cut", _switch(lambda s, _: s.plant.panel, "wire_cut")),
    "tamper": Fault((), "a door or a cover is open, or its wire is cut", _switch(lambda s, _: s.plant.panel, "tampered")),
    "smoke": Fault((), "the smoke detector answers, or its wire is cut", _switch(lambda s, _: s.plant.panel, "smoke")),
}


def key_of(name: str, details: Details) -> str:
    """What tells a fault from others of its kind: what it needs, and the rack or zone."""
    fault = FAULTS[name]
    return " ".join([name, *(str(details[need]) for need in fault.needs), str(details.get(fault.of, 1))])


async def change_fault(site: Site, name: str, details: Details, on: bool) -> None:
    """Start or end a fault; starting one that is on only changes its details. Raises RefusedError."""
    fault = FAULTS.get(name)
    if fault is None:
        raise RefusedError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    missing = [need for need in fault.needs if need not in details]
    if missing:
        raise RefusedError(f"fault {name} needs {', '.join(missing)}: {fault.text}")
    key = key_of(name, details)
    if not on:
        details = {**site.active.get(key, {}), **details}  # what ends is what began
    waiting = fault.apply(site, details, on)
    if waiting is not None:
        await waiting
    if on:
        site.active[key] = {"fault": name, **{k: v for k, v in details.items() if k not in ("do", "fault")}}
    else:
        site.active.pop(key, None)


async def clear_faults(site: Site) -> None:
    """End every fault that is on."""
    for details in list(site.active.values()):
        await change_fault(site, details["fault"], details, on=False)
