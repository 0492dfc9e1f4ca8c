"""The plant as a process: one clock, its buses, its control socket, and a clean end.

It must not know how a battery works. Every 10 ms it moves the plant on by the time that really passed, and sends what is due.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import cantools
from cantools.database import Database

from runtime.simulation.canlinks import Link, PythonCanLink, SlcanLink
from runtime.simulation.control import Desk, close_socket, open_socket
from runtime.simulation.faults import Site
from runtime.simulation.modbusmaps import map_meter, map_panel, map_pcs
from runtime.simulation.modbusserver import ModbusDevice
from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.rackbus import TICK_S, RackBus, build_rack_bus, receive, tick
from runtime.simulation.settings import PlantSettings
from runtime.simulation.written import Written, note_events

LONGEST_STEP_S = 1.0
LISTENING_S = 2 * TICK_S


@dataclass(frozen=True, slots=True)
class Order:
    """How this process was asked to run."""

    settings: PlantSettings
    root: Path
    run_dir: Path
    outlives_parent: bool = False


def open_link(order: Order) -> Link:
    can = order.settings.buses.can
    if can.interface == "slcan":
        return SlcanLink(order.run_dir / can.channel)
    return PythonCanLink(can.interface, can.channel)


def load_dbc(path: Path) -> Database:
    """The DBC, strictly: overlapping signals are refused."""
    database = cantools.database.load_file(path, strict=True)
    if not isinstance(database, Database):
        raise ValueError(f"{path} is not a CAN database")
    return database


async def run(order: Order) -> None:
    """Run the plant until it is told to stop, by signal, by its socket or by the end of its parent."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if not order.outlives_parent:
        _watch_parent(loop, stopped)
    written = Written()
    plant = build_plant(order.settings)
    database = load_dbc(order.root / order.settings.buses.can.dbc)
    order.run_dir.mkdir(parents=True, exist_ok=True)
    devices = _build_devices(plant, written)
    link = open_link(order)
    try:
        bus = build_rack_bus(plant, database, link, written)
        link.listen(loop, lambda frame: receive(bus, frame))
        for device in devices.values():
            await device.plug()
        desk = Desk(Site(plant, bus, devices), written, stopped.set)
        socket = await open_socket(desk, order.run_dir / "plant.sock")
        _say_ready(order, devices)
        gc.collect()
        gc.freeze()
        await _keep_time(plant, bus, desk, stopped)
        await close_socket(desk, socket)
    finally:
        for device in devices.values():
            await device.unplug()
        link.close()
        (order.run_dir / "plant.sock").unlink(missing_ok=True)


def _build_devices(plant: Plant, written: Written) -> dict[str, ModbusDevice]:
    buses = plant.settings.buses
    maps = {"pcs": (buses.pcs, map_pcs), "meter": (buses.meter, map_meter), "panel": (buses.panel, map_panel)}
    return {
        name: ModbusDevice(settings.unit, make(plant, written), settings.host, settings.port)
        for name, (settings, make) in maps.items()
    }


def _say_ready(order: Order, devices: dict[str, ModbusDevice]) -> None:
    can = order.settings.buses.can
    channel = str(order.run_dir / can.channel) if can.interface == "slcan" else can.channel
    socket = str(order.run_dir / "plant.sock")
    ready = {"ready": True, "pid": os.getpid(), "can0": channel, "interface": can.interface, "socket": socket}
    print(json.dumps(ready | {name: device.port for name, device in devices.items()}), flush=True)


async def _keep_time(plant: Plant, bus: RackBus, desk: Desk, stopped: asyncio.Event) -> None:
    """The clock: absolute deadlines; a late turn steps once over the whole time, but its master is not blamed for it."""
    loop = asyncio.get_running_loop()
    last = loop.time()
    due = last + TICK_S
    while not stopped.is_set():
        # Sleeping also lets the loop hand over what has arrived, so the step that follows sees it.
        await asyncio.sleep(max(due - loop.time(), 0))
        now = loop.time()
        passed = min(now - last, LONGEST_STEP_S)
        desk.late_s += now - last - passed
        last = now
        due = max(due + TICK_S, now)
        if passed > 0:
            _turn(plant, bus, desk, passed)


def _turn(plant: Plant, bus: RackBus, desk: Desk, passed: float) -> None:
    before = plant.pcs.state, plant.rack.bms.state
    plant.step(passed, min(passed, LISTENING_S))
    tick(bus)
    desk.ticks += 1
    happened = plant.rack.circuit.happened
    if happened:
        note_events(desk.written, "rack", happened)
        happened.clear()
    if before[0] is not plant.pcs.state:
        note_events(desk.written, "pcs", [("state", plant.pcs.state.name), ("fault", plant.pcs.fault.name)])
    if before[1] is not plant.rack.bms.state:
        note_events(desk.written, "rack", [("state", plant.rack.bms.state.name), ("fault", plant.rack.bms.fault.name)])


def _watch_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Stop when the process that started us ends. A pidfd, not PR_SET_PDEATHSIG: that one fires when the starting *thread* ends."""
    parent = os.getppid()
    if parent == 1:
        return  # an init process, or a parent that has gone before we could look
    try:
        descriptor = os.pidfd_open(parent)
    except ProcessLookupError:
        stopped.set()
        return

    def gone() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        print("plant: the process that started it has ended", file=sys.stderr)
        stopped.set()

    loop.add_reader(descriptor, gone)
