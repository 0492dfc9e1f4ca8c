"""Modbus registers by the table: how a quantity becomes 16-bit words, which addresses a device has, and what a write does.

It must not know sockets. The exceptions are those of the Modbus application protocol V1.1b3, section 7.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HOLDING, INPUT, COIL, DISCRETE = "holding", "input", "coil", "discrete"
FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
LIMITS = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}

_FLOAT, _WORDS = struct.Struct(">f"), struct.Struct(">HH")


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
        return 1 if self.space in (COIL, DISCRETE) else struct.calcsize(FORMATS[self.form]) // 2


Tell = Callable[[], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Span:
    """One read as it is answered: the words of each quantity in turn, the first `skip` of them left out."""

    tell: tuple[Tell, ...]
    skip: int


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


def words_of(cell: Cell) -> Tell:
    """What gives the quantity as the words on the wire; beyond its format it saturates, as a device's own counter does."""
    read, scale = cell.read, cell.scale
    if cell.space in (COIL, DISCRETE):
        return lambda: (1 if read() else 0,)
    if cell.form == "float32":
        return lambda: _ordered(cell, _WORDS.unpack(_FLOAT.pack(read() / scale)))
    low, high = LIMITS[cell.form]
    if cell.width == 1:
        return lambda: (min(max(round(read() / scale), low), high) & 0xFFFF,)

    def two_words() -> Sequence[int]:
        raw = min(max(round(read() / scale), low), high)
        return _ordered(cell, (raw >> 16 & 0xFFFF, raw & 0xFFFF))

    return two_words


def _ordered(cell: Cell, words: tuple[int, ...]) -> tuple[int, ...]:
    return words if cell.words == "big" else words[::-1]


def value_of(cell: Cell, words: Sequence[int]) -> float:
    """The quantity that these words on the wire mean."""
    ordered = words if cell.words == "big" else words[::-1]
    raw = struct.unpack(FORMATS[cell.form], b"".join(word.to_bytes(2, "big") for word in ordered))[0]
    return float(raw) * cell.scale


def read_span(registers: Registers, space: str, address: int, count: int) -> list[int]:
    """The words (or bits) of a read. Raises RefusedAddressError where a part lies outside the device."""
    span = registers.spans.get((space, address, count))
    if span is None:
        _check_span(registers, space, address, count)
        span = registers.spans[space, address, count] = _span(registers, space, address, count)
    found: list[int] = []
    for tell in span.tell:
        found.extend(tell())
    return found[span.skip : span.skip + count]


def _span(registers: Registers, space: str, address: int, count: int) -> Span:
    first = registers.at.get((space, address))
    skip = address - first.address if first is not None else 0
    at, tell = address - skip, []
    while at < address + count:
        cell = registers.at.get((space, at))
        tell.append(_nothing if cell is None else words_of(cell))
        at += 1 if cell is None else cell.width
    return Span(tuple(tell), skip)


def _nothing() -> Sequence[int]:
    return (0,)


def write_span(registers: Registers, space: str, address: int, values: Sequence[int]) -> None:
    """Take a write, whole or not at all. Raises RefusedAddressError or RefusedValueError."""
    _check_span(registers, space, address, len(values))
    taken: list[tuple[Cell, float]] = []
    done = 0
    while done < len(values):
        cell = registers.at.get((space, address + done))
        if cell is None or cell.write is None or cell.address != address + done or done + cell.width > len(values):
            raise RefusedAddressError(f"{space} {address + done}")
        bits = space == COIL
        value = float(bool(values[done])) if bits else value_of(cell, values[done : done + cell.width])
        if not cell.low <= value <= cell.high:
            raise RefusedValueError(f"{cell.name} = {value}: outside {cell.low} to {cell.high}")
        taken.append((cell, value))
        done += cell.width
    for cell, value in taken:
        if cell.write is not None:
            cell.write(value)
            registers.wrote(cell.name, bool(value) if space == COIL else value)


def _check_span(registers: Registers, space: str, address: int, count: int) -> None:
    first, end = registers.window.get(space, (0, 0))
    if count < 1 or address < first or address + count > end:
        raise RefusedAddressError(f"{space} {address} to {address + count - 1}: this device has {first} to {end - 1}")
