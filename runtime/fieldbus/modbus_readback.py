"""Reads back what was written to outputs with `verify`, and says where the device holds something else.

It opens no connection. A register that differs is written once more; if it differs again it is a mismatch until it agrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.fieldbus.modbus_register import BIT_TABLES
from runtime.fieldbus.modbus_writes import Image, WriteRun

TRIES = 2
MOST_REGISTERS, MOST_COILS = 125, 2000  # in one read


@dataclass(frozen=True, slots=True)
class Check:
    """Registers to be read back, from this place of the image on."""

    table: str
    address: int
    count: int
    first: int

    def __str__(self) -> str:
        return f"{self.table} {self.address} to {self.address + self.count - 1}"


class ReadBack:
    """The registers of one image that must be read back."""

    def __init__(self, image: Image):
        self._image = image
        self._masks = image.verified()
        self._due = np.zeros(len(self._masks), np.uint8)
        self._tries = np.zeros(len(self._masks), np.uint8)
        self._wrong = np.zeros(len(self._masks), np.bool_)
        self.mismatches = 0  # since the start

    @property
    def is_wrong(self) -> bool:
        """Whether the device holds something else than was written, after two tries."""
        return bool(self._wrong.any())

    def begin(self) -> None:
        """A connection begins: everything will be written, and then read back."""
        self._due[:] = 0
        self._tries[:] = 0

    def wrote(self, run: WriteRun) -> None:
        """These registers were written."""
        part = slice(run.first, run.first + len(run.values))
        self._due[part] = self._masks[part] != 0

    def next_check(self) -> Check | None:
        """The first contiguous registers to be read back; what waits to be written anew is not."""
        if not self._due.any():
            return None
        where = np.flatnonzero(self._due & ~self._image.dirty.astype(np.bool_))
        if not len(where):
            return None
        first = int(where[0])
        table, address = self._image.cell(first)
        most = MOST_COILS if table in BIT_TABLES else MOST_REGISTERS
        count = 1
        while (
            count < min(len(where), most)
            and where[count] == first + count
            and self._image.cell(first + count) == (table, address + count)
        ):
            count += 1
        return Check(table, address, count, first)

    def compare(self, check: Check, registers: np.ndarray | None) -> list[int]:
        """Compare what was read (None where the device refuses it); returns the addresses that newly mismatch."""
        part = slice(check.first, check.first + check.count)
        wanted, dirty = self._image.registers[part], self._image.dirty[part].astype(np.bool_)
        differs = np.ones(check.count, np.bool_) if registers is None else ((registers ^ wanted) & self._masks[part]) != 0
        differs &= ~dirty  # written anew meanwhile: it will be read back then
        self._due[part] = 0
        again = self._image.whole(part, differs & (self._tries[part] + 1 < TRIES)) & ~dirty
        final = differs & ~again
        newly = final & ~self._wrong[part]
        self._tries[part] = np.where(again, self._tries[part] + 1, 0)
        self._wrong[part] = np.where(dirty | again, self._wrong[part], final)
        self._image.dirty[part] |= again
        self.mismatches += int(final.sum())
        return [check.address + int(offset) for offset in np.flatnonzero(newly)]
