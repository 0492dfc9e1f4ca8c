"""The servers' side of the image: snapshots that they read, and the command ring that they write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.atomics import load_acquire, scan_path, store_release
from runtime.engine.command import (
    BAD_ELEMENT,
    FORCED,
    NOT_FINITE,
    NOT_FORCEABLE,
    NOT_FORCED,
    NOT_RUNNING,
    NOT_WRITABLE,
    OUT_OF_RANGE,
    PROFILE,
    REMOTE_LOCKED,
    RESET_STATISTICS,
    ROLE_TOO_LOW,
    TAKEN,
    TOO_MANY_FORCES,
    UNKNOWN_TAG,
    WRITE,
)
from runtime.engine.image import (
    COMMAND_RINGS,
    COMMAND_WORDS,
    HEADER,
    LINE,
    REPLY_RING,
    REPLY_WORDS,
    RING_ENTRIES,
    STAMP,
    STAMP_MONOTONIC,
    STAMP_SCAN,
    STAMP_STATE,
    STAMP_WALL,
    ImageError,
    Shared,
    address_of,
    ring_read,
    scan_layout,
)
from runtime.engine.south import SCAN_FILE
from runtime.model import ROLES, Tag, TagRegion

# Each service has its own command ring, and the scan drains them in this order.
SERVICES = ("supervisor", "hmi", "opcua", "modbus", "rest", "cli")
assert len(SERVICES) <= COMMAND_RINGS
MEMORY_FILE = "scan.memory"
COMMAND_BYTES = LINE + RING_ENTRIES * COMMAND_WORDS * 8

ANSWERS = {
    TAKEN: "taken",
    NOT_WRITABLE: "refused: nobody may write this tag",
    ROLE_TOO_LOW: "refused: the user's role is too low for this tag",
    OUT_OF_RANGE: "refused: outside the tag's range",
    NOT_FINITE: "refused: not a finite number",
    UNKNOWN_TAG: "refused: no such tag",
    BAD_ELEMENT: "refused: no such element",
    REMOTE_LOCKED: "refused: the site is in local control",
    NOT_RUNNING: "refused: the scan is stopped",
    FORCED: "refused: the tag is forced",
    NOT_FORCEABLE: "refused: only the runtime writes this tag",
    NOT_FORCED: "refused: no force holds this",
    TOO_MANY_FORCES: "refused: as many forces hold as can be held",
}

_NUMPY = {"BOOL": np.uint8, "DINT": np.int32, "LINT": np.int64, "TIME": np.int64, "LREAL": np.float64}


@scan_path
def _load(address: int) -> int:
    return load_acquire(address)


@scan_path
def _store(address: int, value: int) -> None:
    store_release(address, value)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a command: TAKEN in that scan, or why it was refused."""

    id: int
    answer: int
    scan: int

    @property
    def is_taken(self) -> bool:
        return self.answer == TAKEN

    @property
    def text(self) -> str:
        return ANSWERS.get(self.answer, f"answer {self.answer}")


class Snapshot:
    """The newest picture of all tags. `refresh` takes it; values, qualities and times are then read without any wait."""

    def __init__(self, folder: Path, region: TagRegion, generation: int):
        self._folder, self._generation, self.region = folder, generation, region
        self._layout = scan_layout(region.size)
        self._shared: Shared | None = None
        self._seen = 0
        self._spare = np.zeros(self._layout.snapshot_payload, np.uint8)
        self._private = self._spare.copy()
        self._stamps = self._private[:STAMP].view(np.int64)
        self.memory = self._private[STAMP : STAMP + region.size]
        self.qualities = self.memory[region.quality : region.quality + 4 * region.tags].view(np.uint32)
        self.times = self.memory[region.source_time : region.source_time + 8 * region.tags].view(np.int64)

    @property
    def is_attached(self) -> bool:
        return self._shared is not None

    def refresh(self) -> bool:
        """Take the newest snapshot; False where there is none newer, or no scan runs. Re-attaches to a restarted scan."""
        if self._shared is None and not self._attach():
            return False
        assert self._shared is not None
        ring = self._shared.address + self._layout.snapshot
        number = ring_read(ring, self._layout.snapshot_payload, address_of(self._spare), self._seen)
        if number == self._seen and not self._shared.is_current():
            self._shared = None
            return False
        if number in (-1, self._seen):
            return False
        self._seen = number
        self._private[:] = self._spare
        return True

    def _attach(self) -> bool:
        try:
            self._shared = Shared.attach(self._folder / SCAN_FILE, self._generation)
        except ImageError:
            return False
        self._seen = 0
        return True

    @property
    def scan(self) -> int:
        return int(self._stamps[STAMP_SCAN])

    @property
    def state(self) -> int:
        return int(self._stamps[STAMP_STATE])

    @property
    def monotonic(self) -> int:
        """When the scan of this snapshot started, CLOCK_MONOTONIC ns."""
        return int(self._stamps[STAMP_MONOTONIC])

    @property
    def wall(self) -> int:
        """When the scan of this snapshot started, ns since 1970 UTC."""
        return int(self._stamps[STAMP_WALL])

    def column(self, tag: Tag) -> np.ndarray:
        """The tag's elements as a view that changes with each `refresh`; one element for a scalar."""
        count, kind = max(tag.length, 1), np.dtype(_NUMPY[tag.type])
        return self.memory[tag.offset : tag.offset + count * kind.itemsize].view(kind)

    def value(self, tag: Tag) -> Any:
        """A Python bool, int or float; a list of them for an array."""
        column = self.column(tag)
        values = [bool(v) for v in column] if tag.type == "BOOL" else column.tolist()
        return values if tag.length else values[0]

    def quality(self, tag: Tag) -> int:
        return int(self.qualities[tag.index])

    def source_time(self, tag: Tag) -> int:
        """When the tag's value was read from its device, ns since 1970 UTC; the scan's time for a computed tag."""
        read = int(self.times[tag.index])
        return self.wall - (self.monotonic - read) if read else self.wall

    def scan_process(self) -> int:
        """The process id of the scan, 0 where none is attached."""
        return self._shared.pid if self._shared else 0

    def statistics(self) -> np.ndarray:
        """The statistics words of the scan's file, live. Raises ImageError where no scan is attached."""
        if self._shared is None:
            raise ImageError("no scan is attached")
        start = self._layout.statistics
        return self._shared.memory[start : start + self._layout.statistics_words * 8].view(np.int64)


class Pins:
    """Any pin of any block as it stands now, read out of the scan's own memory: free for the scan.

    A single value is never torn; two values may be of two scans, since nobody waits for the end of one.
    """

    def __init__(self, folder: Path, generation: int, pins: Mapping[str, tuple[str, int, int]]):
        self._folder, self._generation, self._pins = folder, generation, pins
        self._shared: Shared | None = None

    def attach(self) -> bool:
        """Whether there is a scan to read from; finds a restarted one."""
        if self._shared is not None and self._shared.is_current():
            return True
        try:
            self._shared = Shared.attach(self._folder / MEMORY_FILE, self._generation)
        except ImageError:
            self._shared = None
        return self._shared is not None

    def value(self, pin: str) -> Any:
        """A bool, int or float, a list of them for an array. Raises KeyError, and ImageError before `attach` found a scan."""
        kind, offset, length = self._pins[pin]
        if self._shared is None:
            raise ImageError("no scan is attached")
        code = np.dtype(_NUMPY[kind])
        cells = self._shared.memory[HEADER + offset :][: max(length, 1) * code.itemsize].view(code)
        values = [bool(v) for v in cells] if kind == "BOOL" else cells.tolist()
        return values if length else values[0]


class Commands:
    """One service's command ring: `write` puts a command in, `replies` brings what the scans answered."""

    def __init__(self, folder: Path, service: str, region_size: int, generation: int):
        self.ring = SERVICES.index(service)
        self._folder, self._generation = folder, generation
        self._layout = scan_layout(region_size)
        self.shared = Shared.create(folder / command_file(service), COMMAND_BYTES, generation)
        entries = self.shared.memory[HEADER + LINE : HEADER + COMMAND_BYTES].view(np.int64)
        self._entries = entries.reshape(RING_ENTRIES, COMMAND_WORDS)
        self._head = 0
        self._answered = 0
        self._scan: Shared | None = None
        self._bits = np.zeros(1, np.float64)

    def is_full(self) -> bool:
        """Whether as many commands wait for a scan as the ring holds."""
        return self._head - self._answered >= RING_ENTRIES

    def write(self, tag: Tag, value: float | int | bool, role: str, element: int = 0) -> int:
        """Ask the next scan to write a tag; returns the command's id, or 0 where the ring is full.

        Raises ValueError or OverflowError for a NaN, infinity or more than 64 bits given to an integer tag.
        """
        if tag.type == "LREAL":
            self._bits[0] = value
            bits = int(self._bits.view(np.int64)[0])
        else:
            bits = int(value)
        return self.put(WRITE, tag.index, element, ROLES.index(role), bits)

    def reset_statistics(self) -> int:
        """Ask the scan to start its maxima, counters and histograms afresh."""
        return self.put(RESET_STATISTICS, 0, 0, len(ROLES) - 1, 0)

    def profile(self, on: bool) -> int:
        """Ask the scan to time every group, or to stop doing so."""
        return self.put(PROFILE, 0, 0, len(ROLES) - 1, int(on))

    def put(self, kind: int, tag: int, element: int, role: int, bits: int, *more: int) -> int:
        """A command of any kind; `more` are two words that only some kinds have. Returns its id, or 0 where the ring is full."""
        if self.is_full():
            return 0
        number = self._head + 1
        self._entries[number % RING_ENTRIES] = (number, kind, tag, element, role, bits, *(more or (0, 0)))
        self._head = number
        _store(self.shared.address + HEADER, number)
        return number

    def replies(self) -> Iterator[Reply]:
        """The answers that came since the last call, in the order of the commands."""
        base = self._reply_ring()
        if base is None:
            return
        words, address = base
        head = _load(address + 8)
        while self._answered < head:
            self._answered += 1
            entry = words[LINE // 8 + self._answered % RING_ENTRIES * REPLY_WORDS :][:REPLY_WORDS]
            yield Reply(int(entry[0]), int(entry[1]), int(entry[2]))

    def _reply_ring(self) -> tuple[np.ndarray, int] | None:
        """The scan's replies to us, or None while the scan does not answer this very ring (it has not attached yet)."""
        if self._scan is None or not self._scan.is_current():
            try:
                self._scan = Shared.attach(self._folder / SCAN_FILE, self._generation)
            except ImageError:
                self._scan = None
                return None
        offset = self._layout.replies + self.ring * REPLY_RING
        address = self._scan.address + offset
        if _load(address) != self.shared.session:
            return None
        return self._scan.memory[offset : offset + REPLY_RING].view(np.int64), address

    def close(self) -> None:
        """Take the ring away."""
        self.shared.remove()


def command_file(service: str) -> str:
    return f"{service}.commands"


def last_command(ring: Shared) -> int:
    """The number of the newest command in a service's ring, 0 for none."""
    return int(_load(ring.address + HEADER))
