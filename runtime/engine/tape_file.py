"""A tape on disk: blocks, each packed, checked and dated by itself, so that a file that was cut off is good up to the cut.

zlib packs them: it is in every Python on every machine of this decade, its speed is far above what a scan takes in, and the volume
holds its bar; a tape is evidence, and must be readable without finding a library first. It must not know what the words mean.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

MAGIC = b"BTP1"
HEAD, DATA, PROGRAM, NOTE = range(1, 5)  # what a block holds: a JSON object, words of the tape, a schedule, a JSON object
_HEADER = struct.Struct("<4sHHIIIqqqq")  # magic, kind, 0, bytes unpacked, packed, CRC-32; first and last scan, first and last wall
LEVEL = 6
LARGEST = 1 << 30


@dataclass(frozen=True)
class Span:
    """The scans of a block, and their wall clock (ns since 1970)."""

    first: int = 0
    last: int = 0
    since: int = 0
    until: int = 0


@dataclass(frozen=True)
class Block:
    """A block as it was found. It is unpacked when it is asked for: ValueError or zlib.error where it is not as it says."""

    kind: int
    span: Span
    packed: bytes
    size: int

    @property
    def words(self) -> np.ndarray:
        """The words of a DATA block."""
        return np.frombuffer(self._unpacked(), np.int64).copy()

    @property
    def text(self) -> str:
        return self._unpacked().decode()

    def _unpacked(self) -> bytes:
        """As many bytes as the block says that it has, and never more: a small file may unpack to more than all memory."""
        data = zlib.decompressobj().decompress(self.packed, max(self.size, 1))
        if len(data) != self.size:
            raise ValueError(f"a block of {self.size} bytes has {len(data)}")
        return data

    @property
    def facts(self) -> dict[str, Any]:
        """The object of a HEAD or a NOTE."""
        found: dict[str, Any] = json.loads(self.text)
        return found


def pack(kind: int, data: bytes, span: Span | None = None) -> bytes:
    """A block as it stands in the file."""
    packed, where = zlib.compress(data, LEVEL), span or Span()
    fields = (where.first, where.last, where.since, where.until)
    bare = _HEADER.pack(MAGIC, kind, 0, len(data), len(packed), 0, *fields)
    return _HEADER.pack(MAGIC, kind, 0, len(data), len(packed), zlib.crc32(packed, zlib.crc32(bare)), *fields) + packed


def pack_object(kind: int, facts: Any) -> bytes:
    return pack(kind, json.dumps(facts).encode())


@dataclass
class TapeFile:
    """A file of blocks, read from its start. `cut` says, after the last block, what is wrong with the rest; empty: nothing.

    `whole` is how many bytes are blocks so far.
    """

    path: Path
    cut: str = ""
    whole: int = 0

    def blocks(self) -> Iterator[Block]:
        """The blocks up to the end or the cut. Raises OSError where the file cannot be read."""
        with self.path.open("rb") as file:
            while head := file.read(_HEADER.size):
                block = self._block(file, head)
                if block is None:
                    self.cut = f"{self.path.name} is good up to byte {self.whole}: {self.cut}"
                    return
                self.whole = file.tell()
                yield block

    def _block(self, file: BinaryIO, head: bytes) -> Block | None:
        if len(head) < _HEADER.size:
            self.cut = "it was cut off there"
            return None
        magic, kind, _, size, packed_size, check, first, last, since, until = _HEADER.unpack(head)
        if magic != MAGIC or packed_size > LARGEST or size > LARGEST:
            self.cut = "no block of a tape begins there"
            return None
        packed = file.read(packed_size)
        if len(packed) < packed_size:
            self.cut = "it was cut off there"
            return None
        bare = _HEADER.pack(magic, kind, 0, size, packed_size, 0, first, last, since, until)
        if zlib.crc32(packed, zlib.crc32(bare)) != check:
            self.cut = "the block there is damaged (checksum)"
            return None
        return Block(kind, Span(first, last, since, until), packed, size)
