"""A rack's seat on its CAN bus: what a command frame does, and what faults do to what the rack says.

It must not know how frames travel, nor when the rack speaks (racktalk.py). Racks that share a channel have identifiers of 29 bits,
each `ID_STEP` above those of the rack before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cantools.database import Database, DecodeError
from cantools.database.can import Message

from runtime.simulation.bms import Bms, take_command
from runtime.simulation.canlinks import Link
from runtime.simulation.frames import EXTENDED, LayoutError
from runtime.simulation.plant import Plant
from runtime.simulation.rack import Rack
from runtime.simulation.settings import ID_STEP
from runtime.simulation.slcan import Frame
from runtime.simulation.written import Written, note_write


@dataclass
class RackBus:
    """The rack's seat on the bus. `frozen` messages repeat their last frame, `stopped` ones are silent, `cut` is no wire at all.

    `last` is the frame last decoded of each command, with what it said: most commands only repeat themselves.
    """

    plant: Plant
    database: Database
    link: Link
    written: Written
    commands: dict[int, Message]
    at: int = 0
    offset: int = 0
    cut: bool = False
    frozen: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    unknown: int = 0
    malformed: int = 0
    last: dict[int, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)

    @property
    def rack(self) -> Rack:
        return self.plant.racks.racks[self.at]

    @property
    def name(self) -> str:
        """The rack as it stands in the record of what was written: `rack`, then `rack2`."""
        return f"rack{self.at + 1}" if self.at else "rack"


def build_rack_bus(plant: Plant, database: Database, link: Link, written: Written, at: int = 0) -> RackBus:
    """The seat of one rack, counted from 0. Raises LayoutError where racks share a channel and their identifiers have 11 bits."""
    ours = [message for message in database.messages if "PLC" in message.senders]
    each = plant.settings.buses.can.racks_per_channel
    if each > 1 and not all(message.is_extended_frame for message in database.messages):
        raise LayoutError(f"{each} racks on a channel need identifiers of 29 bits, and this DBC has some of 11")
    commands = {message.frame_id | EXTENDED * message.is_extended_frame: message for message in ours}
    return RackBus(plant, database, link, written, commands, at=at, offset=at % each * ID_STEP)


def take_frame(channel: Sequence[RackBus], frame: Frame) -> None:
    """Take one frame off a channel: it is for the rack whose identifiers it has."""
    seat = frame.id // ID_STEP if frame.extended else 0
    if seat < len(channel):
        receive(channel[seat], frame)
    else:
        channel[0].unknown += 1


def receive(bus: RackBus, frame: Frame) -> None:
    """Take one frame of this rack; what the DBC does not know, or has another length, is counted and left."""
    if bus.cut or bus.rack.bms.asleep:
        return
    number = frame.id - bus.offset
    message = None if frame.remote else bus.commands.get(number | EXTENDED * frame.extended)
    if message is None:
        bus.unknown += 1
        return
    data, signals = bus.last.get(number, (b"", {}))
    if data != frame.data:
        try:
            signals = message.decode(frame.data, decode_choices=False, scaling=False)  # type: ignore[assignment]
        except DecodeError:
            bus.malformed += 1
            return
        bus.last[number] = (frame.data, signals)
    if message.name == "Stack_Cmd":
        _take_stack_command(bus, bus.rack.bms, signals)
    else:
        _take_balance_command(bus, bus.rack.bms, message.name, signals)


def _take_stack_command(bus: RackBus, bms: Bms, signals: dict[str, int]) -> None:
    names = ("CloseReq", "PrechargeReq", "BalanceEnable", "ResetFaults")
    for name in names:
        note_write(bus.written, bus.name, f"Stack_Cmd.{name}", bool(signals[name]))
    close, precharge, balance, reset = (bool(signals[name]) for name in names)
    take_command(bms, close, precharge, balance, reset, signals["AliveCounter"])


def _take_balance_command(bus: RackBus, bms: Bms, name: str, signals: dict[str, int]) -> None:
    per_module = bus.plant.settings.rack.cells_per_module
    first = (int(name.rsplit("_", 1)[1]) - 1) * per_module
    wanted = [bool(signals[f"Cell_{cell}"]) for cell in range(1, per_module + 1)]
    bms.balance_mask[first : first + per_module] = wanted
    note_write(bus.written, bus.name, name, sum(1 << bit for bit, on in enumerate(wanted) if on))
