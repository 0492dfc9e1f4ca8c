"""The faults that can be put into the plant, one row each: what it needs to know, how it starts and how it ends.

It must not know who asks for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runtime.simulation.modbusserver import ModbusDevice
from runtime.simulation.plant import Plant
from runtime.simulation.rackbus import RackBus, is_known

Details = Mapping[str, Any]


class RefusedError(Exception):
    """What was asked cannot be done; the text says why and what can."""


@dataclass
class Site:
    """Everything that can fail: the plant and its lines."""

    plant: Plant
    rack_bus: RackBus
    devices: dict[str, ModbusDevice]
    active: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `needs` names the details it is told apart by; `apply` is called with True to start it, False to end it."""

    needs: tuple[str, ...]
    text: str
    apply: Callable[[Site, Details, bool], Awaitable[None] | None]


def cell_of(site: Site, details: Details) -> int:
    """The cell's place in the columns; people and the DBC count from 1."""
    cell, count = details["cell"], site.plant.settings.rack.cells
    if not isinstance(cell, int) or isinstance(cell, bool) or not 1 <= cell <= count:
        raise RefusedError(f"cell must be a number from 1 to {count}, not {cell!r}")
    return cell - 1


def _message_of(site: Site, details: Details) -> str:
    name = str(details["message"])
    if not is_known(site.rack_bus, name):
        raise RefusedError(f"the rack sends no message {name!r}")
    return name


def _mark(column: Callable[[Site], np.ndarray]) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, details: Details, on: bool) -> None:
        column(site)[cell_of(site, details)] = on

    return apply


def _member(names: Callable[[Site], set[str]]) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, details: Details, on: bool) -> None:
        name = _message_of(site, details)
        names(site).add(name) if on else names(site).discard(name)

    return apply


def _switch(owner: Callable[[Site], Any], name: str) -> Callable[[Site, Details, bool], None]:
    def apply(site: Site, _: Details, on: bool) -> None:
        setattr(owner(site), name, on)

    return apply


def _over_heat(site: Site, details: Details, on: bool) -> None:
    """A held cell does not cool by itself for hours; ending the fault brings it back among its neighbours."""
    cells, cell = site.plant.rack.cells, cell_of(site, details)
    if not on and not np.isnan(cells.held_c[cell]):
        cells.celsius[cell] = np.median(cells.celsius)
    cells.held_c[cell] = float(details.get("celsius", 75.0)) if on else np.nan


def _earth_fault(site: Site, details: Details, on: bool) -> None:
    site.plant.rack.earth_fault_kohm = float(details.get("kohm", 20.0)) if on else None


def _drop_link(site: Site, details: Details, on: bool) -> None:
    if details["link"] == "can0":
        site.rack_bus.cut = on
    else:
        device_of(site, details).line.silent = on


async def _unplug(site: Site, details: Details, on: bool) -> None:
    device = device_of(site, details)
    await (device.unplug() if on else device.plug())


def _slow_link(site: Site, details: Details, on: bool) -> None:
    device_of(site, details).line.delay_s = float(details.get("ms", 200.0)) / 1000 if on else 0.0


def _exception(site: Site, details: Details, on: bool) -> None:
    device_of(site, details).line.exception = int(details.get("code", 4)) if on else 0


def device_of(site: Site, details: Details) -> ModbusDevice:
    device = site.devices.get(str(details["link"]))
    if device is None:
        raise RefusedError(f"no link {details['link']!r} that can do this; there are {', '.join(site.devices)}")
    return device


FAULTS: dict[str, Fault] = {
    "open_cell_sensor": Fault(("cell",), "the wire to a cell's voltage sensor is cut", _mark(lambda s: s.plant.rack.open_sensors)),
    "open_temperature_sensor": Fault(("cell",), "a cell's thermistor is cut", _mark(lambda s: s.plant.rack.open_thermistors)),
    "over_heat_cell": Fault(("cell",), "a cell is held at `celsius` (75)", _over_heat),
    "freeze_message": Fault(("message",), "a message repeats its last frame", _member(lambda s: s.rack_bus.frozen)),
    "stop_message": Fault(("message",), "a message is not sent any more", _member(lambda s: s.rack_bus.stopped)),
    "drop_link": Fault(("link",), "a wire is cut: nothing passes, nobody is told", _drop_link),
    "unplug_link": Fault(("link",), "a Modbus device closes its connections and stops listening", _unplug),
    "slow_link": Fault(("link",), "a Modbus device answers `ms` (200) late", _slow_link),
    "exception_link": Fault(("link",), "a Modbus device answers everything with exception `code` (4)", _exception),
    "weld_main": Fault((), "the main contactor cannot open any more", _switch(lambda s: s.plant.rack.circuit.main, "welded")),
    "main_wont_close": Fault((), "the main contactor does not pull in", _switch(lambda s: s.plant.rack.circuit.main, "wont_close")),
    "precharge_wont_close": Fault(
        (), "the precharge contactor does not pull in", _switch(lambda s: s.plant.rack.circuit.precharge, "wont_close")
    ),
    "bms_fault": Fault((), "the battery management has an internal fault", _switch(lambda s: s.plant.rack.bms, "internal_fault")),
    "earth_fault": Fault((), "the insulation falls to `kohm` (20)", _earth_fault),
    "pcs_fault": Fault((), "the converter has an internal fault", _switch(lambda s: s.plant.pcs, "internal_fault")),
    "cut_estop_wire": Fault((), "a wire of the E-stop chain is cut", _switch(lambda s: s.plant.panel, "wire_cut")),
}


async def change_fault(site: Site, name: str, details: Details, on: bool) -> None:
    """Start or end a fault; starting one that is on only changes its details. Raises RefusedError."""
    fault = FAULTS.get(name)
    if fault is None:
        raise RefusedError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    missing = [need for need in fault.needs if need not in details]
    if missing:
        raise RefusedError(f"fault {name} needs {', '.join(missing)}: {fault.text}")
    waiting = fault.apply(site, details, on)
    if waiting is not None:
        await waiting
    key = " ".join([name, *(str(details[need]) for need in fault.needs)])
    if on:
        site.active[key] = {"fault": name, **{k: v for k, v in details.items() if k not in ("do", "fault")}}
    else:
        site.active.pop(key, None)


async def clear_faults(site: Site) -> None:
    """End every fault that is on."""
    for details in list(site.active.values()):
        await change_fault(site, details["fault"], details, on=False)
