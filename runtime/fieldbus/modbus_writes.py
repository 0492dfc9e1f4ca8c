"""What a Modbus device shall hold: an image of its output registers, and which of them it has not been told yet.

It opens no connection. A register that no valid output value has reached yet is never written. Of a register with bits that
no output has given, the device's own must be seen first, once a connection; where it does not show them, bits that have no
tag are written as 0, and a register with bits whose tags have no value yet is not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from runtime.fieldbus.modbus_groups import R_FIRST, R_POWER, R_WIDTH, table_of
from runtime.fieldbus.modbus_kernel import encode, mark_bits
from runtime.fieldbus.modbus_powers import Powers
from runtime.fieldbus.modbus_register import BIT, BIT_TABLES
from runtime.fieldbus.safe import safe_bits
from runtime.model import Point

MOST_REGISTERS, MOST_COILS = 123, 1968  # in one write (Modbus application protocol 1.1b3, 6.11 and 6.12)


@dataclass(frozen=True)
class WriteRun:
    """One write: contiguous registers or coils of one table, and their places in the image."""

    table: str
    address: int
    first: int
    values: np.ndarray

    def __str__(self) -> str:
        return f"{self.table} {self.address} to {self.address + len(self.values) - 1}"


class Image:
    """The output registers of one device, sorted by order of writing, table and address."""

    def __init__(self, device: str, points: Sequence[Point], powers: Powers | None = None):
        self.points = tuple(sorted(points, key=lambda p: (p.address.order, p.address.table, p.address.address, p.address.bit)))
        cells = sorted({(p.address.order, p.address.table, p.address.address + k) for p in points for k in range(p.address.width)})
        place = {cell: index for index, cell in enumerate(cells)}
        # A point whose address is not known yet has no register; it keeps its value until it has.
        firsts = [place.get((p.address.order, p.address.table, p.address.address), 0) for p in self.points]
        self._cells, self._powers = cells, powers
        self._table = table_of(self.points, firsts, range(len(self.points)), powers)
        self._slots = np.array([p.slot for p in self.points], np.int64)
        self._by_slot = {p.slot: index for index, p in enumerate(self.points)}
        self._safe = np.array([safe_bits(p) for p in self.points], np.int64)
        self._values = np.zeros(len(self.points), np.int64)
        self._given = np.zeros(len(self.points), np.uint8)  # a value has been taken, even if no register carries it
        self._known = np.zeros(len(self.points), np.uint8)
        self._refused = np.zeros(len(self.points), np.int64)
        self._said = self._refused.copy()
        self._unfit = np.zeros(len(self.points), np.bool_)
        self.registers = np.zeros(len(cells), np.uint16)
        self.dirty = np.zeros(len(cells), np.uint8)
        self._starts = np.zeros(len(cells) + 1, np.uint8)  # where a write may begin or end without cutting a value
        self._starts[[first for first, p in zip(firsts, self.points) if p.address.width]] = 1
        self._starts[len(cells)] = 1
        self._cuts = np.zeros(len(cells) + 1, np.uint8)  # where a write must end: the device refused the longer one
        fields = np.array([p.address.kind == BIT and p.address.table not in BIT_TABLES for p in self.points], np.bool_)
        self._shared = np.zeros(len(cells), np.bool_)  # registers that are written bit by bit
        self._shared[self._places(np.flatnonzero(fields))] = True
        self._owned = self._bits(fields.astype(np.uint8))  # and their bits that have a tag
        self._seen = np.zeros(len(cells), np.bool_)  # since the connection began
        self._hidden = np.zeros(len(cells), np.bool_)  # the device does not let them be read
        self._last: dict[int, np.ndarray] = {}  # period (ns) -> places of its registers
        for every in sorted({p.address.every for p in self.points if p.address.width}):
            mine = [f + k for p, f in zip(self.points, firsts) if p.address.every == every for k in range(p.address.width)]
            self._last[every] = np.array(sorted(set(mine)), np.int64)
        self._log = structlog.get_logger().bind(device=device)
        self._encode(self._given)  # compiles, or loads, the kernel here and not at the first output

    @property
    def periods(self) -> tuple[int, ...]:
        """The refresh periods in use (ns)."""
        return tuple(self._last)

    @property
    def refused(self) -> int:
        """Values that no register could carry, since the start."""
        return int(self._refused.sum())

    @property
    def is_unfit(self) -> bool:
        """Whether a value that is wanted now fits no register."""
        return bool(self._unfit.any())

    @property
    def is_unscaled(self) -> bool:
        """Whether an output is not written because the device gives no power of ten for it."""
        if self._powers is None or not self._powers.missing.any():
            return False
        return bool((self._powers.missing[self._table.rows[:, R_POWER]] & (self._given > self._known)).any())

    def cell(self, place: int) -> tuple[str, int]:
        """Table and wire address of a place of the image."""
        _, table, address = self._cells[place]
        return table, address

    def verified(self) -> np.ndarray:
        """The bits of each register (uint16) that outputs with `verify` own."""
        masks = self._bits(np.array([p.address.verify for p in self.points], np.uint8))
        coils = [table in BIT_TABLES for _, table, _ in self._cells]
        masks[coils] &= 1
        return masks

    def _bits(self, wanted: np.ndarray) -> np.ndarray:
        """The bits of each register (uint16) that belong to these points."""
        masks = np.zeros(len(self.registers), np.uint16)
        mark_bits(self._table, wanted, masks)
        return masks

    def unseen(self, run: WriteRun) -> WriteRun | None:
        """The first value of the run with bits that only the device knows, as long as it has not been read."""
        part = slice(run.first, run.first + len(run.values))
        mine = self._shared[part] & ~self._seen[part]
        if mine.any():
            mine &= self._bits(self._known)[part] != 0xFFFF
        if not mine.any():
            return None
        whole = np.flatnonzero(self.whole(part, np.arange(len(mine)) == mine.argmax()))
        first = int(whole[0])
        return WriteRun(run.table, run.address + first, run.first + first, run.values[whole])

    def see(self, value: WriteRun, registers: np.ndarray | None) -> None:
        """Keep what the device holds in the bits that no output has given; None where it does not say."""
        part = slice(value.first, value.first + len(value.values))
        self._seen[part], self._hidden[part] = True, registers is None
        if registers is not None:
            ours = self._bits(self._known)[part]
            self.registers[part] = (self.registers[part] & ours) | (registers & ~ours)

    def adopt(self, other: Image) -> None:
        """Take over the values of an image of the same outputs at other addresses."""
        for index, point in enumerate(self.points):
            theirs = other._by_slot[point.slot]
            self._values[index], self._given[index] = other._values[theirs], other._given[theirs]
            self._refused[index] = self._said[index] = other._refused[theirs]
        self.rescale()

    def rescale(self) -> None:
        """A power of ten changed, or an address: make the registers again from the values."""
        self._encode(self._given)

    def take(self, cells: np.ndarray) -> bool:
        """Take the outputs of a new outbox; whether anything must be written."""
        if not self.points:
            return False
        self._values[:] = cells[self._slots]
        self._given[:] = 1
        self._encode(self._given)
        return bool(self.dirty.any())

    def carries(self, slots: Sequence[int]) -> bool:
        """Whether every one of these outputs stands in a register as wanted."""
        points = [self._by_slot[slot] for slot in slots]
        return bool(self._known[points].all()) and not self._unfit[points].any()

    def take_safe(self, slots: Sequence[int]) -> np.ndarray:
        """Put in the safe values of these slots, to be written even where they stand there already; returns their registers."""
        wanted = np.zeros(len(self.points), np.uint8)
        wanted[[self._by_slot[slot] for slot in slots]] = 1
        self._values[wanted == 1] = self._safe[wanted == 1]
        self._given[wanted == 1] = 1
        self._encode(wanted)
        places = self._places(np.flatnonzero(wanted & self._known))
        self.dirty[places] = 1
        return places

    def release(self, slots: Sequence[int]) -> None:
        """Forget what these outputs shall be: the device keeps what it has, and is told again what the scan gives next."""
        points = np.array([self._by_slot[slot] for slot in slots], np.int64)
        self._given[points] = self._known[points] = 0
        self.dirty[self._places(points)] = 0

    def refresh(self, every: int) -> None:
        """The refresh period of these registers is over: tell the device again."""
        mine = self._last[every]
        known = np.zeros(len(self.dirty), np.uint8)
        known[self._places(np.flatnonzero(self._known))] = 1
        self.dirty[mine] |= known[mine]

    def refresh_all(self) -> None:
        """The device may have restarted: tell it everything that we know."""
        self._cuts[:] = 0
        self._seen[:] = self._hidden[:] = False
        self.dirty[self._places(np.flatnonzero(self._known))] = 1

    def _places(self, points: np.ndarray) -> np.ndarray:
        spans = self._table.rows[points][:, [R_FIRST, R_WIDTH]].tolist()
        return np.array([first + k for first, width in spans for k in range(width)], np.int64)

    def next_run(self) -> WriteRun | None:
        """The first contiguous run of registers that the device must be told, or None; what is sent is no longer dirty."""
        if self._hidden.any():
            waits = self._hidden & (self._owned & ~self._bits(self._known) != 0)
            self.dirty[self.whole(slice(0, len(waits)), waits)] = 0
        where = np.flatnonzero(self.dirty)
        if not len(where):
            return None
        first = int(where[0])
        order, table, address = self._cells[first]
        most = MOST_COILS if table in BIT_TABLES else MOST_REGISTERS
        end = first + 1
        cut = end if self._starts[end] else first
        last = min(len(self.dirty), first + most)
        while end < last and self.dirty[end] and not self._cuts[end] and self._cells[end] == (order, table, address + end - first):
            end += 1
            if self._starts[end]:
                cut = end
        end = cut if cut > first else end
        self.dirty[first:end] = 0
        return WriteRun(table, address, first, self.registers[first:end].copy())

    def whole(self, part: slice, chosen: np.ndarray) -> np.ndarray:
        """These registers of a part of the image, and the rest of each value that one of them belongs to."""
        value = np.cumsum(self._starts[part])
        return np.isin(value, value[chosen])

    def put_back(self, run: WriteRun) -> None:
        """The run did not reach the device: what of it is known is still to be told."""
        known = np.zeros(len(self.dirty), np.uint8)
        known[self._places(np.flatnonzero(self._known))] = 1
        part = slice(run.first, run.first + len(run.values))
        self.dirty[part] |= known[part]

    def separate(self, run: WriteRun) -> bool:
        """The device refused the run: each of its values is to be told alone. Whether there are several."""
        part = slice(run.first, run.first + len(run.values) + 1)
        if not self._starts[run.first + 1 : run.first + len(run.values)].any():
            return False
        self._cuts[part] |= self._starts[part]
        self.put_back(run)
        return True

    def _encode(self, wanted: np.ndarray) -> None:
        before = self._refused.copy()
        encode(self._values, wanted, self._table, self.registers, self._known, self.dirty, self._refused)
        self._unfit = np.where(wanted == 1, self._refused != before, self._unfit)
        if (self._refused != self._said).any():
            self._say_refused()

    def _say_refused(self) -> None:
        """Say once for each output that its registers cannot carry the value; the counter tells the rest."""
        for index in np.flatnonzero((self._said == 0) & (self._refused > 0)):
            point = self.points[index]
            value = self._values[index : index + 1].view(np.float64)[0] if point.type == "LREAL" else self._values[index]
            self._log.error(
                "output does not fit its register: the old value stays",
                tag=point.tag,
                value=float(value),
                register=str(point.address),
                scale=point.address.scale,
            )
        self._said[:] = self._refused
