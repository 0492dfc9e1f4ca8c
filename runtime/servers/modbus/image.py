"""The four Modbus tables as bytes, encoded from a snapshot at once with NumPy. It knows no socket and no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from blocks.declare import TYPES
from runtime.engine.north import Snapshot
from runtime.model import TagRegion
from runtime.servers.modbus.heartbeat import Beat
from runtime.servers.modbus.map import (
    ALIVE,
    COIL,
    COUNT,
    DISCRETE,
    EXCEPTION,
    EXPECT,
    FORMATS,
    HOLDING,
    INPUT,
    IS_GOOD,
    NAN,
    QUALITY,
    TABLES,
    VALUE,
    Entry,
)
from runtime.servers.modbus.refusal import DEVICE_FAILURE, RefusedError


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of one tag at its addresses: what a write finds."""

    entry: Entry
    element: int
    address: int


@dataclass(frozen=True)
class _Batch:
    """Elements of one tag type and one format: where they come from and where they go, as index columns."""

    source: np.ndarray  # element number in the view of the tag region
    target: np.ndarray  # rows of register numbers, high word first as the table stores them
    quality: np.ndarray  # the tags' rows
    nan: np.ndarray  # bool: show it as not available when bad
    per_unit: np.ndarray  # counts of one unit of the tag, and
    divide: np.ndarray  # bool: whether `per_unit` is the divisor instead
    is_scaled: bool


@dataclass(frozen=True)
class _Status:
    """Qualities of one table: the upper half of each code (or whether it is good), and the lower half where it is shown too."""

    table: str
    is_bit: bool
    upper: np.ndarray
    rows: np.ndarray
    lower: np.ndarray
    lower_rows: np.ndarray


class Table:
    """One of the four tables. `reach[a]` is how many mapped addresses stand in a row from `a` on."""

    def __init__(self, entries: list[Entry], is_bits: bool, gaps_are_zero: bool):
        self.size = max((entry.end for entry in entries), default=0)
        self.is_bits = is_bits
        self.reach = _reach(entries, self.size, gaps_are_zero)
        self.cells = {cell.address: cell for cell in _cells(entries)}
        self.values = np.zeros(self.size, np.uint8 if is_bits else np.dtype(">u2"))
        self.data = self.values.tobytes()
        self.spoilt = np.zeros(self.size, bool)  # addresses whose tag is bad and whose line says `bad: exception`
        self.has_spoilt = False

    def holds(self, address: int, count: int) -> bool:
        """Whether all these addresses may be read."""
        return address < self.size and self.reach[address] >= count

    def read(self, address: int, count: int) -> bytes:
        """The wire bytes of registers, or of bits packed eight to a byte, the first in the lowest bit.

        Raises RefusedError where one of them belongs to a tag that is bad and is not to be shown then.
        """
        if self.has_spoilt and self.spoilt[address : address + count].any():
            raise RefusedError(DEVICE_FAILURE)
        if self.is_bits:
            return np.packbits(self.values[address : address + count], bitorder="little").tobytes()
        return self.data[2 * address : 2 * (address + count)]


def _reach(entries: list[Entry], size: int, gaps_are_zero: bool) -> list[int]:
    mapped = np.full(size, gaps_are_zero)
    for entry in entries:
        mapped[entry.address : entry.end] = True
    reach, run = [0] * size, 0
    for address in range(size - 1, -1, -1):
        run = run + 1 if mapped[address] else 0
        reach[address] = run
    return reach


def _cells(entries: Iterable[Entry]) -> Iterable[Cell]:
    return (Cell(e, e.element + n, e.address + n * e.width) for e in entries for n in range(e.count))


class RegisterImage:
    """All four tables of a map; `encode` fills them from a snapshot in one go, so that no value is ever torn.

    `beat` is the register that SCADA must keep changing, None where the map expects none.
    """

    def __init__(self, entries: Iterable[Entry], region: TagRegion, gaps: str):
        entries = self.entries = list(entries)
        by_table = {name: [entry for entry in entries if entry.table == name] for name in TABLES}
        self.tables = {name: Table(some, name in (COIL, DISCRETE), gaps == "zero") for name, some in by_table.items()}
        self._region = region
        self._batches = _batches(entries)
        self._statuses = _statuses(entries)
        self._refusing = _refusing(entries)
        self._counts = [entry for entry in entries if entry.part == COUNT]
        self._beats = [entry for entry in entries if entry.part in (EXPECT, ALIVE)]
        self.beat = next((Beat(entry.seconds) for entry in self._beats if entry.part == EXPECT), None)

    def encode(self, snapshot: Snapshot) -> None:
        """Encode every mapped tag of this snapshot."""
        with np.errstate(invalid="ignore", over="ignore"):
            for (table, code, name), batch in self._batches.items():
                values = snapshot.memory[: self._region.size].view(code)[batch.source]
                if name != "bool":
                    values = _encode(values, snapshot.qualities, batch, name).view(">u2").reshape(batch.target.shape)
                self.tables[table].values[batch.target] = values
        for status in self._statuses:
            values, codes = self.tables[status.table].values, snapshot.qualities
            values[status.upper] = codes[status.rows] >> 30 == 0 if status.is_bit else codes[status.rows] >> 16
            values[status.lower] = codes[status.lower_rows] & 0xFFFF
        for name, (addresses, rows) in self._refusing.items():
            found = self.tables[name]
            found.spoilt[addresses] = snapshot.qualities[rows] >> 31 == 1
            found.has_spoilt = bool(found.spoilt.any())
        for entry in self._counts:  # from the scan's own clock: a scan that hangs stops the count
            self.tables[entry.table].values[entry.address] = snapshot.monotonic // round(1e9 * entry.seconds) % (entry.limit + 1)
        if self.beat is not None:
            for entry in self._beats:
                shown = self.beat.value if entry.part == EXPECT else self.beat.is_alive
                self.tables[entry.table].values[entry.address] = shown
        for name in (INPUT, HOLDING):
            self.tables[name].data = self.tables[name].values.tobytes()


def _batches(entries: Iterable[Entry]) -> dict[tuple[str, str, str], _Batch]:
    grouped: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in _cells(e for e in entries if e.part == VALUE):
        grouped[cell.entry.table, TYPES[cell.entry.tag.type].code, cell.entry.format].append(cell)
    return {key: _batch(cells, key[1]) for key, cells in grouped.items()}


def _batch(cells: list[Cell], code: str) -> _Batch:
    size = np.dtype(code).itemsize
    factors = [scale_factor(cell.entry.scale) for cell in cells]
    targets = [_places(cell) for cell in cells]
    return _Batch(
        source=np.array([c.entry.tag.offset // size + c.element for c in cells], np.intp),
        target=np.array(targets, np.intp)[:, 0] if cells[0].entry.format == "bool" else np.array(targets, np.intp),
        quality=np.array([c.entry.tag.index for c in cells], np.intp),
        nan=np.array([c.entry.bad == NAN for c in cells], bool),
        per_unit=np.array([factor for factor, _ in factors]),
        divide=np.array([divides for _, divides in factors], bool),
        is_scaled=any(c.entry.scale != 1.0 for c in cells),
    )


def _refusing(entries: Iterable[Entry]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By table: the addresses that cannot be read while their tag is bad, and the tags' rows."""
    grouped: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in entries:
        if entry.part == VALUE and entry.bad == EXCEPTION:
            grouped[entry.table] += [(address, entry.tag.index) for address in range(entry.address, entry.end)]
    return {
        table: (np.array([a for a, _ in some], np.intp), np.array([r for _, r in some], np.intp)) for table, some in grouped.items()
    }


def _places(cell: Cell) -> list[int]:
    places = list(range(cell.address, cell.address + cell.entry.width))
    return places[::-1] if cell.entry.little else places


def scale_factor(scale: float) -> tuple[float, bool]:
    """The counts of one unit, and whether to divide by it instead: 0.1 is 10 counts a unit exactly, 0.1 itself is not a tenth."""
    per_unit = round(1 / scale)
    if per_unit and abs(per_unit * scale - 1) < 1e-12:
        return float(per_unit), False
    return scale, True


def _encode(values: np.ndarray, qualities: np.ndarray, batch: _Batch, name: str) -> np.ndarray:
    _, code, missing = FORMATS[name]
    is_bad = batch.nan & (qualities[batch.quality] >> 31 == 1)
    if code[0] == "f":
        return np.where(is_bad, np.nan, _counts(values, batch)).astype(f">{code}")
    kind = np.dtype(code)
    if values.dtype.kind in "iu" and not batch.is_scaled:
        low, high = max(int(np.iinfo(kind).min), -(1 << 63)), min(int(np.iinfo(kind).max), (1 << 63) - 1)
        whole = np.clip(values.astype(np.int64), low, high).astype(kind)
        is_missing = is_bad
    else:
        counts = np.rint(_counts(values, batch))
        is_missing = is_bad | ~np.isfinite(counts)
        low_end, high_end = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
        if high_end > np.iinfo(kind).max:  # the end of a 64-bit integer is no double: stop at the nearest one inside
            high_end = float(np.nextafter(high_end, 0))
        whole = np.clip(np.where(is_missing, 0.0, counts), low_end, high_end).astype(kind)
    raw = whole.astype(kind.newbyteorder(">"))
    raw[is_missing] = missing
    return raw


def _counts(values: np.ndarray, batch: _Batch) -> np.ndarray:
    values = values.astype(np.float64)
    if not batch.is_scaled:
        return values
    return np.where(batch.divide, values / batch.per_unit, values * batch.per_unit)


def _statuses(entries: Iterable[Entry]) -> list[_Status]:
    grouped: dict[tuple[str, bool], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.part in (QUALITY, IS_GOOD):
            grouped[entry.table, entry.part == IS_GOOD].append(entry)
    return [_status(table, is_bit, group) for (table, is_bit), group in grouped.items()]


def _status(table: str, is_bit: bool, group: list[Entry]) -> _Status:
    wide = [entry for entry in group if entry.width == 2]
    return _Status(
        table,
        is_bit,
        upper=np.array([e.address + (e.width == 2 and e.little) for e in group], np.intp),
        rows=np.array([e.tag.index for e in group], np.intp),
        lower=np.array([e.address + (not e.little) for e in wide], np.intp),
        lower_rows=np.array([e.tag.index for e in wide], np.intp),
    )
