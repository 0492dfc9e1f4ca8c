"""Names of what may be looked at in a program: tags and pins, one element a cell, and their values out of eight bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blocks.declare import TYPES
from runtime.engine.cells import BYTE, LONG, REAL, WORD
from runtime.model import Schedule
from runtime.source import pattern_of

_KINDS = {"BOOL": BYTE, "DINT": WORD, "LINT": LONG, "TIME": LONG, "LREAL": REAL}


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of a tag or a pin: its type, and where it stands in process memory."""

    name: str
    type: str
    offset: int

    @property
    def place(self) -> tuple[int, int]:
        """Offset and kind, as a Player watches them."""
        return self.offset, _KINDS[self.type]

    def value(self, bits: int) -> bool | int | float:
        """What eight bytes of it mean."""
        if self.type == "LREAL":
            return float(struct.unpack("=d", struct.pack("=q", bits))[0])
        return bool(bits) if self.type == "BOOL" else bits

    def first(self, memory: np.ndarray) -> bool | int | float:
        """Its value in this memory."""
        kind = TYPES[self.type]
        found = memory[self.offset : self.offset + kind.size].view(kind.code)[0].item()
        return bool(found) if self.type == "BOOL" else found  # type: ignore[no-any-return]


def all_cells(schedule: Schedule) -> Iterator[Cell]:
    """Every element of every tag, then of every pin."""
    for tag in schedule.tags:
        yield from _elements(tag.name, tag.type, tag.offset, tag.length)
    for name, (kind, offset, length) in schedule.pins.items():
        yield from _elements(name, kind, offset, length)


def _elements(name: str, kind: str, offset: int, length: int) -> Iterator[Cell]:
    size = TYPES[kind].size
    if not length:
        yield Cell(name, kind, offset)
        return
    for i in range(length):
        yield Cell(f"{name}[{i + 1}]", kind, offset + i * size)


def cells_like(schedule: Schedule, pattern: str) -> list[Cell]:
    """What a person's word means: `bms.soc`, `cells.soc[3]`, an array as a whole, `dispatch.clamp.OUT`, `bms.*`; [] for nothing."""
    wanted = pattern_of(pattern)
    return [cell for cell in all_cells(schedule) if wanted.match(cell.name) or wanted.match(cell.name.partition("[")[0])]
