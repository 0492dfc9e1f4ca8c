"""Process memory while it is laid out: where the next column goes, what it starts with, and lists of copies.

It must not know blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from blocks.declare import Type
from runtime.model import Copies

Copy = tuple[int, int, int]  # source, target, bytes
PACKED = {"u1": "B", "i4": "i", "i8": "q", "f8": "d"}
AT_ONCE = (4, 8)  # sizes of copies that the scan makes with one load and one store
LARGE = 4096  # bytes from which a column starts on a cache line


class Memory:
    """The cells handed out so far and their first values."""

    def __init__(self, start: int):
        self.end = start
        self.first: list[tuple[int, Type, Sequence[Any]]] = []

    def column(self, type: Type, cells: int) -> int:
        """The offset of a new column, 8-byte aligned, or 64 where it is large."""
        size = type.size * cells
        step = 64 if size >= LARGE else 8
        offset = -(-self.end // step) * step
        self.end = offset + size
        return offset

    def fill(self, offset: int, type: Type, values: Sequence[Any]) -> None:
        """What these cells hold before the first scan; zeros need not be said."""
        if any(values):
            self.first.append((offset, type, values))

    def image(self) -> np.ndarray:
        """Process memory before the first scan."""
        buffer = bytearray(-(-self.end // 64) * 64)
        for offset, type, values in self.first:
            struct.pack_into(f"<{len(values)}{PACKED[type.code]}", buffer, offset, *values)
        return np.frombuffer(buffer, np.uint8)


class CopyList:
    """The schedule's copies in order, runs joined where source and target both go on."""

    def __init__(self, region: int):
        self.region = region  # a tag's copies stay apart from its neighbours', so that each can be forced
        self.source: list[int] = []
        self.target: list[int] = []
        self.size: list[int] = []

    def __len__(self) -> int:
        return len(self.source)

    def extend(self, copies: Sequence[Copy], joined_from: int) -> None:
        """Add copies; none joins one before the index `joined_from`, where another call's copies end."""
        for source, target, size in copies:
            last = len(self.source) - 1
            if last >= joined_from and self._goes_on(last, source, target, size):
                self.size[last] += size
            else:
                self.source.append(source)
                self.target.append(target)
                self.size.append(size)

    def _goes_on(self, last: int, source: int, target: int, size: int) -> bool:
        """Whether it continues the last copy, and both as one would not read what they write."""
        first, into, whole = self.source[last], self.target[last], self.size[last] + size
        if first + whole != source + size or into + whole != target + size or target < self.region:
            return False
        return first + whole <= into or into + whole <= first

    def table(self) -> Copies:
        return Copies(*(np.array(column, np.int64) for column in (self.source, self.target, self.size)))


def spread(source: int, target: int, size: int, times: int) -> list[Copy]:
    """Copies that write one value `times` times in a row."""
    return [(source, target, size), *repeated(target, size, times)]


def repeated(start: int, size: int, times: int) -> list[Copy]:
    """Copies that repeat what stands at `start` until it stands there `times` times: by one that overlaps itself.

    A copy of 4 or 8 bytes is one load and one store to the scan, so it would not see what it has just written: that one is split.
    """
    whole = (times - 1) * size
    if times > 2 and whole in AT_ONCE:
        return [(start, start + size, size), (start + size, start + 2 * size, whole - size)]
    return [(start, start + size, whole)] if times > 1 else []
