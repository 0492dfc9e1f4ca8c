"""The fieldbus side of the image: the inbox that it writes and the outbox that it reads."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from runtime.engine.atomics import copy_bytes, scan_path
from runtime.engine.image import (
    HEADER,
    STAMP,
    STAMP_MONOTONIC,
    STAMP_SCAN,
    STAMP_SESSION,
    STAMP_STATE,
    ImageError,
    Shared,
    address_of,
    inbox_payload,
    outbox_payload,
    padded,
    ring_close,
    ring_open,
    ring_read,
    ring_size,
)
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA

INBOX_FILE, SCAN_FILE, OUTBOX_FILE = "fieldbus.inbox", "scan.image", "scan.outbox"


@scan_path
def _publish(ring: int, payload: int, source: int) -> int:
    copy_bytes(ring_open(ring, payload), source, payload)
    return ring_close(ring, payload)


class Inbox:
    """What came from the field: one cell a slot, published whole. Satisfies `runtime.contract.Inputs`.

    `lreal` and `integer` are two views of the same cells; `quality` starts as BAD_WAITING_FOR_INITIAL_DATA.
    """

    def __init__(self, folder: Path, points: int, generation: int):
        self.payload = inbox_payload(points)
        self.shared = Shared.create(folder / INBOX_FILE, ring_size(self.payload), generation)
        cells = padded(points * 8)
        self._private = np.zeros(self.payload, np.uint8)
        self._stamp = self._private[:STAMP].view(np.int64)
        self.integer = self._private[STAMP : STAMP + points * 8].view(np.int64)
        self.lreal = self.integer.view(np.float64)
        self.time = self._private[STAMP + cells : STAMP + cells + points * 8].view(np.int64)
        self.quality = self._private[STAMP + 2 * cells : STAMP + 2 * cells + points * 4].view(np.uint32)
        self.quality[:] = BAD_WAITING_FOR_INITIAL_DATA
        self.is_changed = True

    def changed(self) -> None:
        self.is_changed = True

    def publish(self) -> None:
        """Publish all cells, if any was written since the last time."""
        if self.is_changed:
            self._stamp[STAMP_MONOTONIC] = time.monotonic_ns()
            _publish(self.shared.address + HEADER, self.payload, address_of(self._private))
            self.is_changed = False


class Outbox:
    """What the scan wants written. Satisfies `runtime.contract.Outputs`; `take` refreshes it.

    `scan`, `state` and `stamp` (CLOCK_MONOTONIC ns) belong to the outbox taken last; 0 before the first.
    """

    def __init__(self, folder: Path, points: int, generation: int):
        self._folder, self._generation = folder, generation
        self._payload = outbox_payload(points)
        self._shared: Shared | None = None
        self._private = np.zeros(self._payload, np.uint8)
        self._stamps = self._private[:STAMP].view(np.int64)
        self.integer = self._private[STAMP : STAMP + points * 8].view(np.int64)
        self.lreal = self.integer.view(np.float64)
        self._spare = self._private.copy()
        self._seen = 0

    def attach(self) -> None:
        """Map the scan's outbox. Raises ImageError where there is none yet, or it is for other devices."""
        self._shared = Shared.attach(self._folder / OUTBOX_FILE, self._generation)
        self._seen = 0

    def take(self) -> bool:
        """Take the newest outbox; False where there is none newer (or it was torn: the next one follows within a scan)."""
        if self._shared is None:
            raise ImageError("the outbox is not attached")
        number = ring_read(self._shared.address + HEADER, self._payload, address_of(self._spare), self._seen)
        if number in (-1, self._seen):
            return False
        self._seen = number
        self._private[:] = self._spare
        return True

    @property
    def scan(self) -> int:
        return int(self._stamps[STAMP_SCAN])

    @property
    def state(self) -> int:
        return int(self._stamps[STAMP_STATE])

    @property
    def stamp(self) -> int:
        return int(self._stamps[STAMP_MONOTONIC])

    @property
    def session(self) -> int:
        return int(self._stamps[STAMP_SESSION])

    @property
    def scan_pid(self) -> int:
        """The process that runs the scan."""
        if self._shared is None:
            raise ImageError("the outbox is not attached")
        return self._shared.pid

    def is_current(self) -> bool:
        """Whether the scan that we are attached to has not been restarted or taken away."""
        return self._shared is not None and self._shared.is_current()
