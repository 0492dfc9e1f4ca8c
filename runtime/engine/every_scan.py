"""BOOL tags as they were in each scan, read out of the pictures that still stand in the ring: free for the scan.

A ring keeps the last few pictures, so whoever looks at least every two scans sees all; what was missed is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.engine.atomics import fence, load_acquire, load_i8, load_u1, scan_path
from runtime.engine.image import LINE, SLOTS, STAMP, STAMP_SCAN, STAMP_WALL, ImageError, Shared, scan_layout
from runtime.engine.south import SCAN_FILE
from runtime.model import Tag

NUMBER, SCAN, WALL, CELLS = range(4)  # columns of a row: the picture's own number, its scan and wall clock, then the tags


@dataclass(frozen=True, slots=True)
class Seen:
    """One scan: its number, its wall clock (ns since 1970 UTC), and whether each tag was true."""

    scan: int
    wall: int
    states: tuple[bool, ...]


@scan_path
def _read(ring: int, payload: int, seen: int, offsets: np.ndarray, rows: np.ndarray) -> int:
    """A row for each picture after number `seen` that is whole; returns how many. One that is overwritten meanwhile is left out."""
    stride = LINE + (payload + LINE - 1) // LINE * LINE
    newest, count = load_acquire(ring), 0
    for number in range(max(seen, newest - SLOTS) + 1, newest + 1):
        slot = ring + LINE + number % SLOTS * stride
        if load_acquire(slot) != number:
            continue
        stamps, cells = slot + LINE, slot + LINE + STAMP
        rows[count, NUMBER] = number
        rows[count, SCAN], rows[count, WALL] = load_i8(stamps + 8 * STAMP_SCAN), load_i8(stamps + 8 * STAMP_WALL)
        for i in range(offsets.size):
            rows[count, CELLS + i] = load_u1(cells + offsets[i])
        fence()
        if load_acquire(slot) == number:
            count += 1
    return count


class EveryScan:
    """These tags of a program in each scan. `missed` counts the scans that were too fast for whoever looks."""

    def __init__(self, folder: Path, generation: int, region_size: int, tags: Sequence[Tag], *, from_first: bool = False):
        self._file, self._generation, self._layout = folder / SCAN_FILE, generation, scan_layout(region_size)
        self._offsets = np.array([tag.offset for tag in tags], np.int64)
        self._rows = np.zeros((SLOTS, CELLS + len(tags)), np.int64)
        self._shared: Shared | None = None
        self._seen = 0
        self._counts = from_first  # what was published before anybody looked was missed by nobody
        self.missed = 0

    def take(self) -> list[Seen]:
        """The scans since the last call, oldest first."""
        if self._shared is None:
            try:
                self._shared = Shared.attach(self._file, self._generation)
            except ImageError:
                return []
            self._seen = 0
        count = int(_read(self._shared.address + self._layout.snapshot, self._layout.snapshot_payload, self._seen, *self._tables))
        if not count:
            if not self._shared.is_current():
                self._shared = None
            return []
        rows = self._rows[:count].tolist()
        if self._counts:
            self.missed += rows[-1][NUMBER] - self._seen - count
        self._counts = True
        self._seen = rows[-1][NUMBER]
        return [Seen(row[SCAN], row[WALL], tuple(map(bool, row[CELLS:]))) for row in rows]

    @property
    def _tables(self) -> tuple[np.ndarray, np.ndarray]:
        return self._offsets, self._rows
