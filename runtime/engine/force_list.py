"""The forces that hold, as anybody outside the scan sees them: what, by whom, why, and until when.

The scan keeps values and ticks; a person's name and reason wait in a small file of the run folder under the force's number, so
that they are gone with the run as the forces are.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.atomics import load_acquire, scan_path
from runtime.engine.command import FORCE, UNFORCE
from runtime.engine.force_tables import (
    E_BITS,
    E_ELEMENT,
    E_END,
    E_NAME,
    E_SCAN,
    E_TOKEN,
    E_USED,
    FOR_EVER,
    FORCE_BYTES,
    FORCE_WORDS,
    FORCES,
    H_TICK,
    H_VERSION,
    number_of,
    plain_value,
)
from runtime.engine.image import ImageError, Shared, scan_layout
from runtime.engine.north import Commands
from runtime.engine.south import SCAN_FILE
from runtime.model import ROLES, Tag

TRIES = 1000
KEPT_S = 60.0  # a note is younger than this while its command is under way


@scan_path
def _version(address: int) -> int:
    return load_acquire(address)


@dataclass(frozen=True, slots=True)
class Note:
    """Who forces and why: what the scan does not carry. `time` is ns since 1970 UTC, `lasts` ns, 0 for until it is lifted."""

    user: str
    service: str
    reason: str
    time: int
    lasts: int = 0


@dataclass(frozen=True, slots=True)
class Force:
    """One force that holds. `element` is from 0; `left` the seconds until it ends, None for until somebody lifts it."""

    tag: Tag
    element: int
    value: float | int | bool
    scan: int
    left: float | None
    note: Note | None

    @property
    def name(self) -> str:
        """The tag, and its element from 1 where it is one of an array."""
        return f"{self.tag.name}[{self.element + 1}]" if self.tag.length else self.tag.name


def put_force(
    commands: Commands, folder: Path, tag: Tag, value: float | int | bool, note: Note, role: str, element: int = 0
) -> int:
    """Ask the next scan to hold one element of a tag; returns the command's id, 0 where the ring is full."""
    token = int.from_bytes(os.urandom(7), "little")
    _forget_old(folder)
    place, aside = _note_file(folder, token), _note_file(folder, token).with_suffix(".new")
    words = {name: getattr(note, name) for name in Note.__slots__}
    aside.write_text(json.dumps(words))
    aside.replace(place)
    bits = int(np.float64(value).view(np.int64)) if tag.type == "LREAL" else int(value)
    return commands.put(FORCE, tag.index, element, ROLES.index(role), bits, note.lasts, token)


def put_unforce(commands: Commands, tag: Tag | None, role: str, element: int = -1) -> int:
    """Ask the next scan to end the force on an element, on all of a tag (element -1), or every force (no tag)."""
    return commands.put(UNFORCE, -1 if tag is None else tag.index, element, ROLES.index(role), 0)


def read_forces(folder: Path, generation: int, region_size: int, tags: Sequence[Tag], tick: int) -> list[Force]:
    """What is forced now, in the order in which it was. Raises ImageError where no scan of this program runs."""
    table = _whole(Shared.attach(folder / SCAN_FILE, generation), scan_layout(region_size).forces)
    held = table[1:][table[1:, E_USED] != 0]
    if not len(held):
        return []
    by_number = {number_of(tag): tag for tag in tags}  # an index may be of the program before, until its first scan is over
    found = []
    for row in held:
        tag, end = by_number.get(int(row[E_NAME])), int(row[E_END])
        if tag is None:
            continue  # the program that was loaded just now has it no more
        left = None if end >= FOR_EVER else max(end - int(table[0, H_TICK]), 0) * tick / 1e9
        value = plain_value(tag, row[E_BITS : E_BITS + 1])
        found.append(Force(tag, int(row[E_ELEMENT]), value, int(row[E_SCAN]), left, read_note(folder, int(row[E_TOKEN]))))
    return sorted(found, key=lambda force: force.scan)


class ForceTable:
    """The table of forces for somebody who looks again and again."""

    def __init__(self, folder: Path, generation: int, region_size: int):
        self._file, self._generation, self._start = folder / SCAN_FILE, generation, scan_layout(region_size).forces
        self._shared: Shared | None = None

    @property
    def session(self) -> int:
        """Which scan process the table was read from last, 0 for none."""
        return self._shared.session if self._shared is not None else 0

    def read(self) -> np.ndarray | None:
        """The table as it is now, None where no scan of this program runs."""
        if self._shared is None or not self._shared.is_current():
            try:
                self._shared = Shared.attach(self._file, self._generation)
            except ImageError:
                self._shared = None
                return None
        try:
            return _whole(self._shared, self._start)
        except TimeoutError:
            return None  # the scan was killed while it changed it


def _whole(shared: Shared, start: int) -> np.ndarray:
    """The table, of one moment: it is odd while the scan changes it."""
    for _ in range(TRIES):
        before = _version(shared.address + start + 8 * H_VERSION)
        table = shared.memory[start : start + FORCE_BYTES].view(np.int64).reshape(FORCES + 1, FORCE_WORDS).copy()
        if before % 2 == 0 and _version(shared.address + start + 8 * H_VERSION) == before:
            return table
    raise TimeoutError("the table of forces never stood still")


def _note_file(folder: Path, token: int) -> Path:
    return folder / f"force.{token:x}.json"


def read_note(folder: Path, token: int) -> Note | None:
    """Who forced and why, by the force's own number; None where nobody left a note, or it is forgotten."""
    try:
        words: dict[str, Any] = json.loads(_note_file(folder, token).read_text())
        return Note(**words)
    except (OSError, ValueError, TypeError):
        return None  # lifted meanwhile, or forced by somebody who leaves no notes


def _forget_old(folder: Path) -> None:
    """Notes that are about nothing any more: their time was up long ago."""
    for path in folder.glob("force.*.json"):
        try:
            words = json.loads(path.read_text())
            if words["lasts"] and time.time_ns() > words["time"] + words["lasts"] + KEPT_S * 1e9:
                path.unlink(missing_ok=True)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # another process is writing or removing it
