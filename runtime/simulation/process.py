"""The plant as a process: one clock, its buses, its control socket, and a clean end.

It must not know how a battery works. In every tick it moves the plant on by the time that really passed, and sends what is due.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import cantools
from cantools.database import Database

from runtime.simulation.canlinks import Link, PythonCanLink, SlcanLink
from runtime.simulation.climatemap import map_climate
from runtime.simulation.control import Desk, close_socket, open_socket
from runtime.simulation.faults import Site
from runtime.simulation.modbusmaps import map_meter, map_panel, map_pcs
from runtime.simulation.modbusserver import ModbusDevice
from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.rackbus import build_rack_bus, take_frame
from runtime.simulation.racktalk import RackTalk, build_talk, speak
from runtime.simulation.registers import Registers
from runtime.simulation.settings import ModbusSettings, PlantSettings
from runtime.simulation.written import Written, note_events

LONGEST_STEP_S = 1.0
LISTENING_TICKS = 2  # a longer step is our own lateness, not a silent master
PORTS_APART = 10


@dataclass(frozen=True, slots=True)
class Order:
    """How this process was asked to run."""

    settings: PlantSettings
    root: Path
    run_dir: Path
    outlives_parent: bool = False


def channel_of(channel: str, at: int) -> str:
    """One of the channels, counted from 0: the number at the end of the first one's goes up (can0, can1, ...)."""
    stem = channel.rstrip("0123456789")
    return f"{stem}{int(channel[len(stem) :] or 0) + at}" if at else channel


def channels(settings: PlantSettings) -> int:
    """How many CAN channels the racks stand on."""
    return -(-settings.racks // settings.buses.can.racks_per_channel)


def open_link(order: Order, at: int = 0) -> Link:
    can = order.settings.buses.can
    channel = channel_of(can.channel, at)
    if can.interface == "slcan":
        return SlcanLink(order.run_dir / channel)
    return PythonCanLink(can.interface, channel)


def load_dbc(path: Path) -> Database:
    """The DBC, strictly: overlapping signals are refused. One that was read before and has not changed is not read again."""
    return _load(path, path.stat().st_mtime_ns)


@cache
def _load(path: Path, _: int) -> Database:
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
    links: list[Link] = []
    try:
        links += [open_link(order, at) for at in range(channels(order.settings))]
        each = order.settings.buses.can.racks_per_channel
        buses = [build_rack_bus(plant, database, links[at // each], written, at) for at in range(order.settings.racks)]
        talk = build_talk(plant, database, buses)
        for at, link in enumerate(links):
            link.listen(loop, partial(take_frame, buses[at * each : (at + 1) * each]))
        for device in devices.values():
            await device.plug()
        desk = Desk(Site(plant, buses, devices), written, stopped.set)
        socket = await open_socket(desk, order.run_dir / "plant.sock")
        _say_ready(order, devices)
        gc.collect()
        gc.freeze()
        await _keep_time(plant, talk, desk, stopped)
        await close_socket(desk, socket)
    finally:
        for device in devices.values():
            await device.unplug()
        for link in links:
            link.close()
        (order.run_dir / "plant.sock").unlink(missing_ok=True)


def _build_devices(plant: Plant, written: Written) -> dict[str, ModbusDevice]:
    """Converter, meter and panel; more converters stand ten ports above each other, and a climate controller where there is one."""
    buses = plant.settings.buses
    maps: dict[str, tuple[ModbusSettings, Callable[[Plant, Written], Registers]]]
    maps = {"pcs": (buses.pcs, map_pcs), "meter": (buses.meter, map_meter), "panel": (buses.panel, map_panel)}
    if plant.settings.climate.liquid_w_per_k:
        maps["climate"] = (buses.climate, map_climate)
    for at in range(1, len(plant.converters)):
        port = buses.pcs.port and buses.pcs.port + PORTS_APART * at
        maps[f"pcs{at + 1}"] = (replace(buses.pcs, port=port), partial(map_pcs, at=at))
    return {
        name: ModbusDevice(settings.unit, make(plant, written), settings.host, settings.port)
        for name, (settings, make) in maps.items()
    }


def _say_ready(order: Order, devices: dict[str, ModbusDevice]) -> None:
    can = order.settings.buses.can
    channel = str(order.run_dir / can.channel) if can.interface == "slcan" else can.channel
    socket = str(order.run_dir / "plant.sock")
    ready = {"ready": True, "pid": os.getpid(), "can0": channel, "interface": can.interface, "socket": socket}
    for at in range(1, channels(order.settings)):
        name = channel_of(can.channel, at)
        ready[f"can{at}"] = str(order.run_dir / name) if can.interface == "slcan" else name
    print(json.dumps(ready | {name: device.port for name, device in devices.items()}), flush=True)


async def _keep_time(plant: Plant, talk: RackTalk, desk: Desk, stopped: asyncio.Event) -> None:
    """The clock: absolute deadlines; a late turn steps once over the whole time, but its master is not blamed for it."""
    loop, tick_s = asyncio.get_running_loop(), plant.settings.tick_s
    last = loop.time()
    due = last + tick_s
    while not stopped.is_set():
        # Sleeping also lets the loop hand over what has arrived, so the step that follows sees it.
        await asyncio.sleep(max(due - loop.time(), 0))
        now = loop.time()
        passed = min(now - last, LONGEST_STEP_S)
        desk.late_s += now - last - passed
        last = now
        due = max(due + tick_s, now)
        if passed > 0:
            _turn(plant, talk, desk, passed)


def _turn(plant: Plant, talk: RackTalk, desk: Desk, passed: float) -> None:
    states = [pcs.state for pcs in plant.converters], [rack.bms.state for rack in plant.racks.racks]
    plant.step(passed, min(passed, LISTENING_TICKS * plant.settings.tick_s))
    speak(talk)
    desk.ticks += 1
    for bus, before in zip(talk.buses, states[1], strict=True):
        bms, happened = bus.rack.bms, bus.rack.circuit.happened
        if happened:
            note_events(desk.written, bus.name, happened)
            happened.clear()
        if before is not bms.state:
            note_events(desk.written, bus.name, [("state", bms.state.name), ("fault", bms.fault.name)])
    for at, (pcs, was) in enumerate(zip(plant.converters, states[0], strict=True)):
        if was is not pcs.state:
            note_events(desk.written, f"pcs{at + 1}" if at else "pcs", [("state", pcs.state.name), ("fault", pcs.fault.name)])


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
