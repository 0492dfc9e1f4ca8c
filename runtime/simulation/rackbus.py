"""The rack on its CAN bus: which message goes out when and with what, and what a command frame does.

It must not know how frames travel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cantools.database import Database, DecodeError

from runtime.simulation.bms import Bms, take_command
from runtime.simulation.canlinks import Link
from runtime.simulation.frames import Burst, LayoutError, encode, plan
from runtime.simulation.plant import Plant
from runtime.simulation.rack import Rack
from runtime.simulation.slcan import Frame
from runtime.simulation.written import Written, note_write

TICK_S = 0.01
CELL_TICKS = 10  # cell voltages: all of them every 100 ms
HEAT_TICKS = 100  # cell temperatures: all of them every second

# What each signal tells, by its name in the DBC.
STATUS: dict[str, Callable[[Rack, int], float]] = {
    "BMS_Status.SOC": lambda rack, turn: rack.bms.measured.soc * 100,
    "BMS_Status.PackVoltage": lambda rack, turn: rack.bms.measured.v_pack,
    "BMS_Status.PackCurrent": lambda rack, turn: rack.bms.measured.current_a,
    "BMS_Status.State": lambda rack, turn: rack.bms.state,
    "BMS_Status.MainFb": lambda rack, turn: rack.circuit.main.closed,
    "BMS_Status.PrechargeFb": lambda rack, turn: rack.circuit.precharge.closed,
    "BMS_Status.Ok": lambda rack, turn: rack.bms.ok,
    "BMS_Status.Balancing": lambda rack, turn: bool(rack.cells.bleeding.any()),
    "BMS_Status.FaultCode": lambda rack, turn: rack.bms.fault,
    "BMS_Status.AliveCounter": lambda rack, turn: turn % 16,
}
SUMMARY: dict[str, Callable[[Rack, int], float]] = {
    "BMS_Limits.PChargeMax": lambda rack, turn: rack.bms.charge_max_kw,
    "BMS_Limits.PDischargeMax": lambda rack, turn: rack.bms.discharge_max_kw,
    "BMS_Limits.SOH": lambda rack, turn: rack.settings.soh * 100,
    "BMS_Limits.Insulation": lambda rack, turn: rack.bms.measured.insulation_kohm,
    "BMS_CellSummary.VMin": lambda rack, turn: rack.bms.measured.v_min,
    "BMS_CellSummary.VMax": lambda rack, turn: rack.bms.measured.v_max,
    "BMS_CellSummary.TMin": lambda rack, turn: rack.bms.measured.t_min,
    "BMS_CellSummary.TMax": lambda rack, turn: rack.bms.measured.t_max,
}


@dataclass
class Sending:
    """One burst with what its link needs, the payload last made, and what faults hold back."""

    burst: Burst
    prepared: Any
    payload: np.ndarray
    source: list[Callable[[Rack, int], float]] = field(default_factory=list)
    order: np.ndarray | None = None  # the cell of each field


@dataclass
class RackBus:
    """The rack's seat on the bus. `frozen` messages repeat their last frame, `stopped` ones are silent, `cut` is no wire at all."""

    plant: Plant
    database: Database
    link: Link
    written: Written
    status: Sending
    summary: Sending
    volts: Sending
    temperatures: Sending
    commands: dict[int, str]
    turn: int = 0
    cut: bool = False
    frozen: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    unknown: int = 0
    malformed: int = 0


def build_rack_bus(plant: Plant, database: Database, link: Link, written: Written) -> RackBus:
    """Lay out every message of the rack. Raises LayoutError where DBC and rack do not fit."""
    modules = range(1, plant.settings.rack.modules + 1)
    commands = {message.frame_id: message.name for message in database.messages if "PLC" in message.senders}
    return RackBus(
        plant,
        database,
        link,
        written,
        status=_scalars(database, link, STATUS),
        summary=_scalars(database, link, SUMMARY),
        volts=_cells(plant, database, link, [f"Module_{m}" for m in modules], "V"),
        temperatures=_cells(plant, database, link, [f"ModuleTemp_{m}" for m in modules], "T"),
        commands=commands,
    )


def _scalars(database: Database, link: Link, table: dict[str, Callable[[Rack, int], float]]) -> Sending:
    burst = plan(database, list(dict.fromkeys(name.split(".")[0] for name in table)))
    unknown = set(burst.fields) ^ set(table)
    if unknown:
        raise LayoutError(f"signals that only the DBC or only the rack knows: {', '.join(sorted(unknown))}")
    payload = np.zeros((len(burst.ids), 8), dtype=np.uint8)
    return Sending(burst, link.prepare(burst.ids), payload, source=[table[name] for name in burst.fields])


def _cells(plant: Plant, database: Database, link: Link, names: list[str], letter: str) -> Sending:
    burst = plan(database, names)
    per_module = plant.settings.rack.cells_per_module
    order = []
    for name in burst.fields:
        found = re.fullmatch(rf"\w+_(\d+)\.{letter}_(\d+)", name)
        if found is None or int(found[2]) > per_module:
            raise LayoutError(f"signal {name} does not name a cell of this rack")
        order.append((int(found[1]) - 1) * per_module + int(found[2]) - 1)
    if sorted(order) != list(range(plant.settings.rack.cells)):
        raise LayoutError(f"messages {names[0]} to {names[-1]} do not carry every cell of the rack once")
    payload = np.zeros((len(burst.ids), 8), dtype=np.uint8)
    return Sending(burst, link.prepare(burst.ids), payload, order=np.array(order))


def tick(bus: RackBus) -> None:
    """Send what is due in this 10 ms: status always, two modules' voltages in eight ticks of ten, the summary in the last.

    A module's temperatures follow in every sixth tick, so the bus load is even.
    """
    rack, turn = bus.plant.rack, bus.turn
    _fill(bus, bus.status, np.array([read(rack, turn) for read in bus.status.source], dtype=np.float64))
    _send(bus, bus.status, 0, len(bus.status.burst.ids))
    part, modules = turn % CELL_TICKS, bus.plant.settings.rack.modules
    if part == 0:
        _fill(bus, bus.volts, rack.bms.measured.cell_v[bus.volts.order])
    elif part == CELL_TICKS - 1:
        _fill(bus, bus.summary, np.array([read(rack, turn) for read in bus.summary.source], dtype=np.float64))
        _send(bus, bus.summary, 0, len(bus.summary.burst.ids))
    rows = len(bus.volts.burst.ids)
    _send(bus, bus.volts, rows * max(part - 1, 0) // 8, rows * min(part, 8) // 8)
    spacing = HEAT_TICKS // (modules + 1)
    module, rest = divmod(turn % HEAT_TICKS, spacing)
    if rest == 0 and module < modules:
        if module == 0:
            _fill(bus, bus.temperatures, rack.bms.measured.cell_t[bus.temperatures.order])
        rows = len(bus.temperatures.burst.ids)
        _send(bus, bus.temperatures, rows * module // modules, rows * (module + 1) // modules)
    bus.link.flush()
    bus.turn += 1


def _fill(bus: RackBus, sending: Sending, values: np.ndarray) -> None:
    fresh = encode(sending.burst, values)
    if bus.frozen:
        held = [row for row, name in enumerate(sending.burst.messages) if name in bus.frozen]
        fresh[held] = sending.payload[held]
    sending.payload = fresh


def _send(bus: RackBus, sending: Sending, first: int, last: int) -> None:
    if bus.cut or first >= last:
        return
    if not bus.stopped:
        bus.link.send(sending.prepared[first:last], sending.payload[first:last])
        return
    for row in range(first, last):
        if sending.burst.messages[row] not in bus.stopped:
            bus.link.send(sending.prepared[row : row + 1], sending.payload[row : row + 1])


def receive(bus: RackBus, frame: Frame) -> None:
    """Take one frame off the bus; what the DBC does not know, or has another length, is counted and left."""
    if bus.cut:
        return
    name = None if frame.extended or frame.remote else bus.commands.get(frame.id)
    if name is None:
        bus.unknown += 1
        return
    try:
        signals: Any = bus.database.decode_message(frame.id, frame.data, decode_choices=False, scaling=False)
    except DecodeError:
        bus.malformed += 1
        return
    if name == "Stack_Cmd":
        _take_stack_command(bus, bus.plant.rack.bms, signals)
    else:
        _take_balance_command(bus, bus.plant.rack.bms, name, signals)


def _take_stack_command(bus: RackBus, bms: Bms, signals: dict[str, int]) -> None:
    names = ("CloseReq", "PrechargeReq", "BalanceEnable", "ResetFaults")
    for name in names:
        note_write(bus.written, "rack", f"Stack_Cmd.{name}", bool(signals[name]))
    close, precharge, balance, reset = (bool(signals[name]) for name in names)
    take_command(bms, close, precharge, balance, reset, signals["AliveCounter"])


def _take_balance_command(bus: RackBus, bms: Bms, name: str, signals: dict[str, int]) -> None:
    per_module = bus.plant.settings.rack.cells_per_module
    first = (int(name.rsplit("_", 1)[1]) - 1) * per_module
    wanted = [bool(signals[f"Cell_{cell}"]) for cell in range(1, per_module + 1)]
    bms.balance_mask[first : first + per_module] = wanted
    note_write(bus.written, "rack", name, sum(1 << bit for bit, on in enumerate(wanted) if on))


def is_known(bus: RackBus, message: str) -> bool:
    """Whether the rack sends a message of this name."""
    return any(message in sending.burst.messages for sending in (bus.status, bus.summary, bus.volts, bus.temperatures))
