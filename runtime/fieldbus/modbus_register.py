"""Registers as a Modbus device knows them: table, address, format, scale. It reads no io_map and opens no connection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from runtime.source import NOWHERE, Position

HOLDING, INPUT, COIL, DISCRETE = "holding", "input", "coil", "discrete"
TABLES = (HOLDING, INPUT, COIL, DISCRETE)
BIT_TABLES = (COIL, DISCRETE)
WRITABLE = (HOLDING, COIL)
INTEGER, UNSIGNED, FLOAT, BIT = range(4)
# name in the io_map: kind, registers, tag type where nothing says that it is a measurement
FORMATS = {
    "bool": (BIT, 1, "BOOL"),
    "int16": (INTEGER, 1, "DINT"),
    "uint16": (UNSIGNED, 1, "DINT"),
    "int32": (INTEGER, 2, "DINT"),
    "uint32": (UNSIGNED, 2, "LINT"),
    "int64": (INTEGER, 4, "LINT"),
    "uint64": (UNSIGNED, 4, "LINT"),
    "float32": (FLOAT, 2, "LREAL"),
    "float64": (FLOAT, 4, "LREAL"),
}
LAST = 65535
FLOAT32_END = 2.0**128 - 2.0**103  # from here on a value rounds to infinity
EVERY = 500_000_000  # ns


class Place(NamedTuple):
    """One register of one table."""

    table: str
    address: int

    def __str__(self) -> str:
        return f"{self.table} {self.address}"


class ModelPoint(NamedTuple):
    """A point of a SunSpec model by name: `path` is `SoC` or `Crv[1].Pt[2].V`, `instance` counts models of one number from 1."""

    model: int
    instance: int
    path: str

    def __str__(self) -> str:
        again = f" instance {self.instance}" if self.instance > 1 else ""
        return f"model {self.model}{again} {self.path}"


@dataclass(frozen=True, slots=True)
class Register:
    """The address of one point: `width` registers (or one coil) from `address`, and how they are read.

    `bit` is the lowest bit of a field of `bits` bits, -1 where the whole value is meant. `words_little` puts the low word
    first, `bytes_little` the low byte of each word. The tag's value is raw * scale * 10^(what stands at `factor`) + offset;
    a raw value in `invalid` means that there is none. `every` is the refresh period of an output, `poll` the period of an
    input (ns, 0 the device's). Outputs of a lower `order` are written first; `verify` reads them back. `model` names a
    SunSpec point, whose address is known only when the device has been asked: until then the width is 0.
    """

    table: str
    address: int
    kind: int
    width: int
    bit: int
    words_little: bool
    bytes_little: bool
    scale: float
    offset: float
    every: int
    tag: str = ""
    at: Position = NOWHERE
    bits: int = 1
    factor: Place | None = None
    invalid: tuple[int, ...] = ()
    poll: int = 0
    verify: bool = False
    order: int = 0
    model: ModelPoint | None = None

    @property
    def mask(self) -> int:
        """The bits of the raw value that belong to the point."""
        if self.table in BIT_TABLES:
            return 1
        return ((1 << self.bits) - 1) << self.bit if self.bit >= 0 else (1 << 16 * (self.width or 4)) - 1

    @property
    def sent_in(self) -> str:
        """The register that is written whole though only some of its bits are meant; a coil is written alone."""
        return f"{self.table} {self.address}" if self.kind == BIT and self.table not in BIT_TABLES and self.model is None else ""

    def raw(self, value: float) -> float | None:
        """The raw value that stands for this value of the tag; None where the device says the scale at run time."""
        if self.factor is not None or self.model is not None:
            return None
        raw = (value - self.offset) / self.scale
        return raw if self.kind == FLOAT or not math.isfinite(raw) else round(raw)

    def misfit(self, value: float) -> str:
        """Why the registers cannot carry this value of the tag, or "" where they can or where only the device can tell."""
        plain = self.scale == 1 and self.offset == 0 and self.factor is None and self.model is None
        raw = value if plain else self.raw(value)
        if raw is None:
            return ""
        if self.kind == FLOAT:
            fits = math.isfinite(raw) and (self.width != 2 or abs(raw) < FLOAT32_END)
            return "" if fits else f"{self} is a float of {16 * self.width} bits"
        size = self.bits if self.kind == BIT else 16 * self.width
        low, high = (-(1 << size - 1), (1 << size - 1) - 1) if self.kind == INTEGER else (0, (1 << size) - 1)
        if math.isfinite(raw) and low <= round(raw) <= high:
            is_none = self.kind != BIT and round(raw) & ((1 << size) - 1) in self.invalid
            return f"{self} says by {round(raw)} that there is no value" if is_none else ""
        ends = sorted(end * self.scale + self.offset for end in (low, high))
        return f"{self} has {size} bits, for values of {ends[0]:.10g} to {ends[1]:.10g}"

    def __str__(self) -> str:
        if self.model is not None:
            return str(self.model)
        field = f" bits {self.bit} to {self.bit + self.bits - 1}" if self.bits > 1 else f" bit {self.bit}"
        last = f" to {self.address + self.width - 1}" if self.width > 1 else ""
        return f"{self.table} {self.address}{last}{field if self.bit >= 0 else ''}"
