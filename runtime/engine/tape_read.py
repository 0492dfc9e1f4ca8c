"""The recorder's end of the tape: asks for it, takes whole records out of the shared ring, and notices what it missed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from runtime.engine.atomics import copy_bytes, fence, load_acquire, scan_path, store_release
from runtime.engine.image import HEADER, LINE, ImageError, Shared, address_of
from runtime.engine.tape_words import BEGUN, HEAD, R_KIND, R_LENGTH, REQUEST_FILE, TAPE_FILE


@scan_path
def _head(ring: int) -> int:
    return load_acquire(ring + 8 * HEAD)


@scan_path
def _copy(ring: int, mask: int, at: int, count: int, target: int) -> int:
    """Copy `count` words from word `at` on; returns how far the scan was writing when that was done."""
    cells, begin = ring + LINE, (at & mask) * 8
    first = min(count * 8, (mask + 1) * 8 - begin)
    copy_bytes(target, cells + begin, first)
    copy_bytes(target + first, cells, count * 8 - first)
    fence()
    return load_acquire(ring + 8 * BEGUN)


@scan_path
def _ask(address: int, number: int) -> None:
    store_release(address, number)


class TapeReader:
    """What a scan writes, as it comes. `gaps` counts how often the scan was faster than we."""

    def __init__(self, folder: Path, generation: int):
        self._folder, self._generation = folder, generation
        self._request = Shared.create(folder / REQUEST_FILE, 64, generation)
        self._tape: Shared | None = None
        self._at = self._mask = 0
        self.gaps = 0
        self.session = 0
        self._older = self._session_now()
        self.ask()

    def ask(self) -> None:
        """Have the next scan write a picture of all memory."""
        _ask(self._request.address + HEADER, time.monotonic_ns())

    def _session_now(self) -> int:
        """Of the tape that is here already: what it holds by now was written for a recorder before us. 0 for none."""
        try:
            return Shared.attach(self._folder / TAPE_FILE, self._generation).session
        except ImageError:
            return 0

    def take(self) -> np.ndarray:
        """The whole records that came since the last call, as words, or none. After a gap, a picture is asked for."""
        none = np.zeros(0, np.int64)
        if not self._is_attached():
            return none
        assert self._tape is not None
        ring = self._tape.address + HEADER
        count = int(_head(ring)) - self._at
        if count <= 0:
            if not self._tape.is_current():
                self._tape = None
            return none
        words = np.zeros(max(count, 1), np.int64)
        is_whole = count <= self._mask and _copy(ring, self._mask, self._at, count, address_of(words)) - self._at <= self._mask + 1
        self._at += count
        if is_whole:
            return words
        self.gaps += 1
        self.ask()
        return none

    def _is_attached(self) -> bool:
        """Whether there is a tape. One that was made for us is read from its beginning, any other from now on."""
        if self._tape is not None:
            return True
        try:
            self._tape = Shared.attach(self._folder / TAPE_FILE, self._generation)
        except ImageError:
            return False
        self._mask = (int(self._tape.words[4]) - HEADER - LINE) // 8 - 1
        self.session = self._tape.session
        head = int(_head(self._tape.address + HEADER))
        self._at = 0
        if self.session == self._older or head > self._mask:
            self._at = head
            self.ask()  # the picture that was asked for at first may stand before
        return True

    def close(self) -> None:
        """Ask for no more."""
        self._request.remove()


def records(words: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where each record begins, and what it is."""
    at = 0
    while at < len(words):
        yield at, int(words[at + R_KIND])
        at += int(words[at + R_LENGTH])
