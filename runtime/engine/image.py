"""What processes share: one mmapped file per writer, read-only to everybody else, published in rings of slots.

A ring is one writer's: it fills the next slot, then names it. A reader copies the newest slot and checks that it was not
being overwritten; it never writes, so nobody can hold up the scan. With four slots the writer would have to lap three in
the microseconds of one copy; a reader that meets this keeps what it had and counts it as torn.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.engine.atomics import copy_bytes, fence, load_acquire, scan_path, store_release
from runtime.engine.force_tables import FORCE_BYTES

LINE = 64
SLOTS = 4
HEADER = 4096
MAGIC = 0x62657373706C6331  # "bessplc1"
WORD_MAGIC, WORD_GENERATION, WORD_PID, WORD_SESSION, WORD_SIZE = range(5)


class ImageError(Exception):
    """A shared file is missing, foreign, or laid out for another program."""


def padded(size: int) -> int:
    return -(-size // LINE) * LINE


def ring_size(payload: int) -> int:
    """Bytes of a ring whose slots hold `payload` bytes: a head line, then a line and the payload for each slot."""
    return LINE + SLOTS * (LINE + padded(payload))


@scan_path
def ring_open(ring: int, payload: int) -> int:
    """Begin to fill the next slot; returns the address of its payload."""
    stride = LINE + (payload + LINE - 1) // LINE * LINE
    number = load_acquire(ring) + 1
    slot = ring + LINE + number % SLOTS * stride
    store_release(slot, 0)
    fence()
    return slot + LINE


@scan_path
def ring_close(ring: int, payload: int) -> int:
    """The slot is filled: number it and make it the newest. Returns its number."""
    stride = LINE + (payload + LINE - 1) // LINE * LINE
    number = load_acquire(ring) + 1
    store_release(ring + LINE + number % SLOTS * stride, number)
    store_release(ring, number)
    return number


@scan_path
def ring_read(ring: int, payload: int, target: int, seen: int) -> int:
    """Copy the newest slot to `target`; returns its number, `seen` where nothing is newer, -1 where it was torn."""
    number = load_acquire(ring)
    if number == seen or number == 0:
        return seen
    stride = LINE + (payload + LINE - 1) // LINE * LINE
    slot = ring + LINE + number % SLOTS * stride
    if load_acquire(slot) != number:
        return -1
    copy_bytes(target, slot + LINE, payload)
    fence()
    return number if load_acquire(slot) == number else -1


def address_of(memory: np.ndarray) -> int:
    return int(memory.ctypes.data)


class Shared:
    """A shared file: made by its one writer, mapped read-only by everybody else."""

    def __init__(self, path: Path, memory: np.ndarray, mapping: mmap.mmap, inode: int):
        self.path = path
        self.memory = memory
        self.words = memory[:HEADER].view(np.int64)
        self.address = address_of(memory)
        self.inode = inode
        self._mapping = mapping

    @classmethod
    def create(cls, path: Path, size: int, generation: int) -> Shared:
        """A new file of `size` bytes beyond its header, in place of any older one of that name."""
        shared = cls.create_aside(path, size, generation)
        shared.put_in_place()
        return shared

    @classmethod
    def create_aside(cls, path: Path, size: int, generation: int) -> Shared:
        """The same, but nobody finds it until `put_in_place`: what runs now keeps its file."""
        total = HEADER + padded(size)
        aside = _aside(path)
        aside.unlink(missing_ok=True)  # of an attempt that was given up
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, total)
            mapping = mmap.mmap(handle, total, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
            inode = os.fstat(handle).st_ino
        except OSError:
            aside.unlink(missing_ok=True)  # what there was room for would be missed by others
            raise
        finally:
            os.close(handle)
        shared = cls(path, np.frombuffer(mapping, np.uint8), mapping, inode)
        words = [MAGIC, generation, os.getpid(), int.from_bytes(os.urandom(7), "little"), total]
        shared.words[: len(words)] = words
        return shared

    @classmethod
    def private(cls, size: int) -> Shared:
        """Memory laid out as such a file, which nobody else sees."""
        mapping = mmap.mmap(-1, HEADER + padded(size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
        return cls(Path(), np.frombuffer(mapping, np.uint8), mapping, 0)

    def put_in_place(self) -> None:
        """Give a file that was made aside its name."""
        _aside(self.path).replace(self.path)

    def drop_aside(self) -> None:
        """Give up a file that was made aside."""
        _aside(self.path).unlink(missing_ok=True)

    @classmethod
    def attach(cls, path: Path, generation: int) -> Shared:
        """Map another process's file. Raises ImageError where it is missing, foreign, or of another generation."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ImageError(f"{path}: {error.strerror}") from error
        try:
            found = os.fstat(handle)
            if found.st_size < HEADER:
                raise ImageError(f"{path} is {found.st_size} bytes long: no shared image")
            mapping = mmap.mmap(handle, found.st_size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:  # no descriptor or memory is left, or the file shrank just now
            raise ImageError(f"{path} cannot be mapped: {error}") from error
        finally:
            os.close(handle)
        shared = cls(path, np.frombuffer(mapping, np.uint8), mapping, found.st_ino)
        if shared.words[WORD_MAGIC] != MAGIC or shared.words[WORD_SIZE] != found.st_size:
            raise ImageError(f"{path} is no shared image of bessplc")
        if shared.generation != generation:
            raise ImageError(f"{path} belongs to another program (generation {shared.generation:016x}, not {generation:016x})")
        return shared

    @property
    def generation(self) -> int:
        return int(self.words[WORD_GENERATION])

    @property
    def session(self) -> int:
        """A number drawn when the file was made: tells a restarted writer from the one before."""
        return int(self.words[WORD_SESSION])

    @property
    def pid(self) -> int:
        return int(self.words[WORD_PID])

    def is_current(self) -> bool:
        """Whether the path still names this very file, and not a restarted writer's new one or none."""
        try:
            return os.stat(self.path).st_ino == self.inode
        except OSError:
            return False

    def remove(self) -> None:
        """Take the file away if it is still ours."""
        if self.is_current():
            self.path.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


@dataclass(frozen=True)
class ScanLayout:
    """Where things stand in the scan's file: snapshot ring, reply rings, statistics, forces; byte offsets."""

    snapshot: int
    snapshot_payload: int
    replies: int
    statistics: int
    statistics_words: int
    size: int
    forces: int


# Both rings' payloads start with a line of eight words.
STAMP_SCAN, STAMP_MONOTONIC, STAMP_WALL, STAMP_STATE, STAMP_SESSION = range(5)
STAMP = LINE
COMMAND_RINGS = 8
RING_ENTRIES = 256
REPLY_WORDS = 4
REPLY_RING = LINE + RING_ENTRIES * REPLY_WORDS * 8
COMMAND_WORDS = 8
STATISTICS_WORDS = 16384


def scan_layout(region_size: int) -> ScanLayout:
    """The layout of the scan's file for this tag region."""
    snapshot_payload = STAMP + padded(region_size)
    snapshot = HEADER
    replies = snapshot + ring_size(snapshot_payload)
    statistics = replies + COMMAND_RINGS * REPLY_RING
    forces = statistics + STATISTICS_WORDS * 8
    size = forces + FORCE_BYTES - HEADER
    return ScanLayout(snapshot, snapshot_payload, replies, statistics, STATISTICS_WORDS, size, forces)


def outbox_payload(points: int) -> int:
    """An outbox slot: a line of stamps, then 8 bytes of value for each output point. The ring is the whole of its file."""
    return STAMP + padded(points * 8)


def inbox_payload(points: int) -> int:
    """An inbox slot: a line of stamps, then per input point 8 bytes of value, 8 of source time and 4 of quality."""
    return STAMP + padded(points * 8) * 2 + padded(points * 4)
