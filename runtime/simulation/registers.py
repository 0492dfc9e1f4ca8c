"""Modbus registers by the table: how a quantity becomes 16-bit words, which addresses a device has, and what a write does.

It must not know sockets. The exceptions are those of the Modbus application protocol V1.1b3, section 7.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

HOLDING, INPUT, COIL, DISCRETE = "holding", "input", "coil", "discrete"
FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
LIMITS = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}

_PACKED = {form: struct.Struct(code) for form, code in FORMATS.items()}
_WORDS = {form: struct.Struct(f">{packed.size // 2}H") for form, packed in _PACKED.items()}


class RefusedAddressError(Exception):
    """The device has no such address: exception 02."""


class RefusedValueError(Exception):
    """The device does not take this value: exception 03."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One quantity at one address: how it is read, and how it is written where it can be.

    `scale` is what one count means. `words` is the order of the words of a 32-bit quantity; bytes are always big-endian.
    """

    name: str
    space: str
    address: int
    read: Callable[[], float]
    write: Callable[[float], None] | None = None
    form: str = "uint16"
    words: str = "big"
    scale: float = 1.0
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def width(self) -> int:
        return 1 if self.space in (COIL, DISCRETE) else _PACKED[self.form].size // 2


Count = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Span:
    """One read as it is answered: each quantity as it is counted, packed at once (big-endian) and taken apart into `words`.

    Of the words the first `skip` are left out, and those after `end`: a read may begin or end inside a quantity.
    """

    counts: tuple[Count, ...]
    packed: struct.Struct
    words: struct.Struct
    skip: int
    end: int


@dataclass
class Registers:
    """All cells of a device by address. Addresses between its first and last that mean nothing read as 0."""

    cells: Sequence[Cell]
    wrote: Callable[[str, float | bool], None]
    at: dict[tuple[str, int], Cell] = field(default_factory=dict)
    window: dict[str, tuple[int, int]] = field(default_factory=dict)
    spans: dict[tuple[str, int, int], Span] = field(default_factory=dict)  # of the reads that have been asked for

    def __post_init__(self) -> None:
        for cell in self.cells:
            for word in range(cell.width):
                if (cell.space, cell.address + word) in self.at:
                    raise ValueError(f"{cell.name} overlaps {self.at[cell.space, cell.address + word].name}")
                self.at[cell.space, cell.address + word] = cell
            first, last = self.window.get(cell.space, (cell.address, 0))
            self.window[cell.space] = (min(first, cell.address), max(last, cell.address + cell.width))


def words_of(cell: Cell) -> Callable[[], list[int]]:
    """What gives the quantity as the words on the wire."""
    return partial(_words, _lay_out([cell], 0, cell.width))


def _count_of(cell: Cell) -> tuple[str, Count]:
    """How `struct` packs the quantity, and what gives its count; beyond its format it saturates, as a device's own counter does."""
    read, scale = cell.read, cell.scale
    if cell.space in (COIL, DISCRETE):
        return "H", lambda: 1 if read() else 0
    big = cell.words == "big" or cell.width == 1
    if cell.form == "float32":
        single, whole = _PACKED["float32"], _PACKED["uint32"]
        return ("f", lambda: read() / scale) if big else ("I", lambda: _swapped(whole.unpack(single.pack(read() / scale))[0]))
    low, high = LIMITS[cell.form]

    def count() -> int:
        found = round(read() / scale)
        return low if found < low else high if found > high else found

    return (FORMATS[cell.form][1], count) if big else ("I", lambda: _swapped(count()))


def _swapped(count: int) -> int:
    """Its lower word first."""
    return (count & 0xFFFF) << 16 | count >> 16 & 0xFFFF


def value_of(cell: Cell, words: Sequence[int]) -> float:
    """The quantity that these words on the wire mean."""
    ordered = words if cell.words == "big" else words[::-1]
    raw = _PACKED[cell.form].unpack(_WORDS[cell.form].pack(*ordered))[0]
    return float(raw) * cell.scale


def read_span(registers: Registers, space: str, address: int, count: int) -> list[int]:
    """The words (or bits) of a read. Raises RefusedAddressError where a part lies outside the device."""
    span = registers.spans.get((space, address, count))
    if span is None:
        _check_span(registers, space, address, count)
        span = registers.spans[space, address, count] = _span(registers, space, address, count)
    return _words(span)


def _words(span: Span) -> list[int]:
    counts = [count() for count in span.counts]
    return list(span.words.unpack(span.packed.pack(*counts))[span.skip : span.end])


def _span(registers: Registers, space: str, address: int, count: int) -> Span:
    first = registers.at.get((space, address))
    skip = address - first.address if first is not None else 0
    at, cells = address - skip, list[Cell | None]()
    while at < address + count:
        cells.append(registers.at.get((space, at)))
        at += _width(cells[-1])
    return _lay_out(cells, skip, count)


def _lay_out(cells: Sequence[Cell | None], skip: int, count: int) -> Span:
    """These quantities one after the other; None is a word that means nothing."""
    counted = [("x" * 2, None) if cell is None else _count_of(cell) for cell in cells]
    whole = sum(_width(cell) for cell in cells)
    return Span(
        tuple(count for _, count in counted if count is not None),
        struct.Struct(">" + "".join(form for form, _ in counted)),
        struct.Struct(f">{whole}H"),
        skip,
        skip + count,
    )


def _width(cell: Cell | None) -> int:
    return 1 if cell is None else cell.width


def write_span(registers: Registers, space: str, address: int, values: Sequence[int]) -> None:
    """Take a write, whole or not at all. Raises RefusedAddressError or RefusedValueError."""
    _check_span(registers, space, address, len(values))
    taken: list[tuple[Cell, float]] = []
    done = 0
    while done < len(values):
        cell = registers.at.get((space, address + done))
        end = done + _width(cell)
        if cell is None or cell.write is None or cell.address != address + done or end > len(values):
            raise RefusedAddressError(f"{space} {address + done}")
        value = float(bool(values[done])) if space == COIL else value_of(cell, values[done:end])
        if not cell.low <= value <= cell.high:
            raise RefusedValueError(f"{cell.name} = {value}: outside {cell.low} to {cell.high}")
        taken.append((cell, value))
        done = end
    for cell, value in taken:
        if cell.write is not None:
            cell.write(value)
            registers.wrote(cell.name, bool(value) if space == COIL else value)


def _check_span(registers: Registers, space: str, address: int, count: int) -> None:
    first, end = registers.window.get(space, (0, 0))
    if count < 1 or address < first or address + count > end:
        raise RefusedAddressError(f"{space} {address} to {address + count - 1}: this device has {first} to {end - 1}")
