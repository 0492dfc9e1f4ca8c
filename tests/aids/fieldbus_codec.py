"""The CAN kernels beside cantools: every signal of a DBC mapped, frames in, values out, without a bus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cantools.database import Database

from runtime.fieldbus.can_database import signal_of, type_of
from runtime.fieldbus.can_kernel import decode, encode, scratch
from runtime.fieldbus.can_rules import MessageRules
from runtime.fieldbus.can_supervise import Watch, watch_messages
from runtime.fieldbus.can_tables import EXTENDED, CanFrame, decoding, encoding
from runtime.fieldbus.can_wire import BATCH, Batch
from runtime.model import Point
from tests.aids.fieldbus import Cells, Mapped, mapped

SITE = "site: t\nchannels: {can0: {interface: virtual}}\n"
# What the DBCs of the tests call no value.
NO_VALUE = {"SNA", "Not available", "Signal not available"}
NO_MEASUREMENT = NO_VALUE | {"Sensor fault"}


def database(text: str) -> Database:
    found = Database(strict=True)
    found.add_dbc_string(text)
    return found


def map_all(dbc: str, root: Path, known: Database, part: str = "inputs", messages: tuple[str, ...] = ()) -> Mapped:
    """A device whose io_map names every signal of the database as `Message.Signal`."""
    wanted = [m for m in known.messages if not messages or m.name in messages]
    lines = [f"  m{i}.s{j}: {{signal: {m.name}.{s.name}}}" for i, m in enumerate(wanted) for j, s in enumerate(m.signals)]
    text = f"device: d\ndriver: can\nchannel: can0\ndbc: {dbc}\n{part}:\n" + "\n".join(lines)
    found = mapped(text, SITE, root)
    names = iter([(m.name, s.name) for m in wanted for s in m.signals])
    return Mapped(found.device, {".".join(next(names)): slots for slots in found.slots.values()})


def key_of(message: Any) -> int:
    return int(message.frame_id) | (EXTENDED if message.is_extended_frame else 0)


def batch_of(frames: Sequence[tuple[int, bytes]], times: Sequence[int] = ()) -> Batch:
    """Frames as a bus would hand them over, 1 ns apart where no times are given."""
    assert len(frames) <= BATCH
    batch = Batch()
    for row, (key, data) in enumerate(frames):
        batch.keys[row], batch.lengths[row] = key, len(data)
        batch.times[row] = times[row] if times else 1000 + row
        batch.data[row, : len(data)] = np.frombuffer(data, np.uint8)
    batch.count = len(frames)
    return batch


@dataclass
class Reader:
    """The receiving half of a device: its tables, its cells, and what was seen of its messages."""

    tables: Any
    watch: Watch
    cells: Cells
    names: tuple[str, ...]

    def read(self, frames: Sequence[tuple[int, bytes]], times: Sequence[int] = ()) -> int:
        """Decode frames; returns how many were taken."""
        batch, cells = batch_of(frames, times), self.cells
        columns = (cells.lreal, cells.integer, cells.quality, cells.time)
        taken: int = decode(
            batch.keys, batch.data, batch.lengths, batch.times, batch.count, self.tables, self.watch, columns, scratch()
        )
        return taken

    def seen(self, message: str, column: int) -> int:
        return int(self.watch.seen[self.names.index(message), column])


def reader(device: Mapped, rules: Mapping[str, MessageRules] | None = None) -> Reader:
    names = {p.address.key: p.address.message for p in device.device.inputs}
    ordered = tuple(names[key] for key in sorted(names))
    return Reader(decoding(device.device.inputs), watch_messages(ordered, rules or {}), Cells(len(device.device.inputs)), ordered)


def is_no_value(signal: Any, value: float) -> bool:
    """What the DBC calls no value: the attribute SignalInvalidRaw, or a text of its value table."""
    if signal.conversion.is_float:
        return not math.isfinite(value)
    raw = round((value - signal.offset) / signal.scale)
    attribute = signal.dbc.attributes.get("SignalInvalidRaw")
    if attribute is not None and attribute.value >= 0 and raw % (1 << signal.length) == attribute.value:
        return True
    return str((signal.choices or {}).get(raw)) in (NO_MEASUREMENT if signal.unit else NO_VALUE)


def same(got: float, expected: float) -> bool:
    """Equal; beyond 53 bits to the last bit of a double, where cantools computes with whole numbers."""
    return got == expected or (abs(expected) > 2.0**53 and math.isclose(got, expected, rel_tol=4e-16))


def encode_signals(message: Any, values: Mapping[str, float]) -> tuple[bytes, list[str]]:
    """The frame that our kernel makes of these values, all other bits 0, and the signals that refused theirs."""
    points, cells = [], np.zeros(len(values), np.int64)
    for place, (name, value) in enumerate(values.items()):
        signal = message.get_signal_by_name(name)
        kind = type_of(signal)
        points.append(Point("t", 0, kind, place, replace(signal_of(message, signal, 1), conditions=())))
        if kind == "LREAL":
            cells.view(np.float64)[place] = value
        else:
            cells[place] = int(value)
    size = message.length
    rules = MessageRules(message.name)
    frame = CanFrame(
        message.name,
        key_of(message),
        size,
        bool(message.is_fd),
        1,
        template=bytes(size),
        selected=(),
        rules=rules,
        length=message.length,
    )
    tables, count = encoding([frame], points), len(points)
    current, refused = tables.template.copy(), np.zeros(count, np.int64)
    flags = [np.zeros(1, np.uint8), np.zeros(1, np.uint8)]
    encode(cells, tables, np.full(count, 2, np.uint8), refused, current, *flags)
    return bytes(current[0, : message.length]), [name for name, times in zip(values, refused) if times]
