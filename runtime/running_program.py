"""The program that runs, as the run leaves it in its folder for whoever looks on: the files may have been edited since.

It is text, and what reads it believes nothing of it that is not checked. It must not know who looks, nor why.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np

from runtime.app import generation_of
from runtime.engine.image import HEADER, MAGIC, WORD_GENERATION, WORD_MAGIC
from runtime.engine.south import SCAN_FILE
from runtime.engine.tape_program import ProgramError, as_text, from_text
from runtime.model import Schedule

KEPT = 2  # the newest, and the one before: somebody may just be reading it


def leave_program(folder: Path, schedule: Schedule) -> threading.Thread:
    """Write it into the run folder, in a thread: a large program takes a second, and the supervisor does not wait."""
    thread = threading.Thread(target=_write, args=(folder, schedule), name="program", daemon=True)
    thread.start()
    return thread


def _write(folder: Path, schedule: Schedule) -> None:
    path = _file(folder, generation_of(schedule))
    aside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    try:
        aside.write_text(as_text(schedule), encoding="utf-8")
        aside.replace(path)
        older = sorted(folder.glob("program.*.json"), key=lambda one: one.stat().st_mtime_ns)[:-KEPT]
        for one in older:
            one.unlink(missing_ok=True)
    except OSError:
        aside.unlink(missing_ok=True)  # a full disk, or the run is over: who looks on then needs the files that it was read from


def running_program(folder: Path) -> Schedule | None:
    """The program of the scan that runs in this folder; None where none runs, or it has not been left here."""
    try:
        with (folder / SCAN_FILE).open("rb") as file:
            words = np.frombuffer(file.read(HEADER), np.int64)
        if len(words) * 8 < HEADER or words[WORD_MAGIC] != MAGIC:
            return None
        generation = int(words[WORD_GENERATION])
        found = from_text(_file(folder, generation).read_text(encoding="utf-8"))
    except (OSError, ProgramError):
        return None
    return found if generation_of(found) == generation else None


def _file(folder: Path, generation: int) -> Path:
    return folder / f"program.{generation:016x}.json"
