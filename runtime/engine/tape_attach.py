"""The scan process's end of the tape, outside the scan: makes the ring when a recorder asks for it, and hands it to the scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runtime.engine.force_tables import FORCE_BYTES
from runtime.engine.image import HEADER, LINE, ImageError, Shared, address_of, inbox_payload
from runtime.engine.plan import C_TAPE, S_SCAN, Plan
from runtime.engine.tape import W_COMMANDS, W_MASK, W_RING, W_SEEN, W_TAKEN, W_VALUES, W_WANTED
from runtime.engine.tape_words import (
    CHANGE_RECORD,
    COMMAND_RECORD,
    HEAD_WORDS,
    LEAST_WORDS,
    MOST_COMMANDS,
    PICTURE_WORDS,
    REGISTERS,
    REQUEST_FILE,
    TAPE_FILE,
)
from runtime.engine.trace import SCANS_TO_LEAVE


def ring_words(memory: int, points: int, tasks: int) -> int:
    """Words of the ring of a program: a power of two, with room for four pictures and for seconds of scans."""
    picture = PICTURE_WORDS + len(REGISTERS) + 2 * tasks + points + (inbox_payload(points) + memory + FORCE_BYTES + 14) // 8
    largest = max(picture, HEAD_WORDS + MOST_COMMANDS * COMMAND_RECORD + points * CHANGE_RECORD)
    return 1 << max(LEAST_WORDS - 1, 4 * largest - 1).bit_length()


class ScanTape:
    """The scan's end of the tape. `attach` looks whether a recorder wants one; the scan itself never calls it."""

    def __init__(self, plan: Plan, folder: Path, generation: int):
        self._plan, self._folder, self._generation = plan, folder, generation
        self._request: Shared | None = None
        self._tape: Shared | None = None
        self._table = np.zeros(16, np.int64)
        self._tables: list[np.ndarray] = []  # whose addresses stand in the table
        self._left: list[tuple[int, Shared]] = []  # the scan that began before may still look into them

    def attach(self) -> None:
        """Begin to write where a recorder came, and end where it took its file away."""
        scan = int(self._plan.state[S_SCAN])
        self._left = [(since, one) for since, one in self._left if scan < since + SCANS_TO_LEAVE]
        if self._request is not None and self._request.is_current():
            return
        found = self._find()
        if found is None:
            self._plan.control[C_TAPE] = 0
        else:
            if self._tape is None:
                self._make()
            if self._plan.control[C_TAPE] == 0:  # while the scan uses the table, the count is the scan's: there may be commands
                self._table[W_TAKEN] = 0
            self._table[W_WANTED] = found.address + HEADER
            self._plan.control[C_TAPE] = address_of(self._table)
        if self._request is not None:
            self._left.append((int(self._plan.state[S_SCAN]), self._request))
        self._request = found

    def _find(self) -> Shared | None:
        """The recorder's request; None where there is none, or one that has no room for its word."""
        try:
            found = Shared.attach(self._folder / REQUEST_FILE, self._generation)
        except ImageError:
            return None
        return found if len(found.memory) >= HEADER + 8 else None

    def _make(self) -> None:
        plan = self._plan
        points = plan.inbox_value.size
        words = ring_words(plan.memory.size, points, plan.tasks.shape[0])
        self._tape = Shared.create(self._folder / TAPE_FILE, LINE + words * 8, self._generation)
        tables = [np.zeros(max(points, 1), np.int64) for _ in range(4)] + [np.zeros(MOST_COMMANDS * COMMAND_RECORD, np.int64)]
        self._tables = tables
        self._table[W_RING], self._table[W_MASK] = self._tape.address + HEADER, words - 1
        self._table[W_VALUES : W_COMMANDS + 1] = [address_of(table) for table in tables]
        self._table[W_SEEN] = -1

    def remove(self) -> None:
        """Take the tape's file away."""
        if self._tape is not None:
            self._tape.remove()
