"""The files of the running tape: segments that each begin with a picture, bounded by age and size, and frozen incidents.

It knows files and blocks; what becomes of a scan is in the words, which it does not read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from runtime.engine.tape_file import DATA, HEAD, NOTE, PROGRAM, Span, pack, pack_object

FOLDER, INCIDENTS, PROGRAMS, ENDING = "tape", "incidents", "programs", ".tape"


def moment_of(path: Path) -> float:
    """When a segment began, by its name, in seconds since 1970; 0 where the name says nothing."""
    try:
        return datetime.strptime(path.name[:19], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def chosen(folder: Path, since: float, until: float = float("inf")) -> list[Path]:
    """The segments of a tape's folder that have something of this time (s since 1970), oldest first."""
    every = sorted(folder.glob(f"*{ENDING}"))
    begun = [moment_of(path) for path in every]
    ends = [*begun[1:], float("inf")]
    return [path for path, first, last in zip(every, begun, ends, strict=False) if first <= until and last > since]


class Segments:
    """The tape's folder in a site's state folder, with at most one file open for writing. Every write may raise OSError."""

    def __init__(self, state: Path):
        self.folder = state / FOLDER
        self.path: Path | None = None
        self.written = 0
        self._file: BinaryIO | None = None
        for folder in (self.folder, self.folder / INCIDENTS, self.folder / PROGRAMS):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, head: dict[str, Any], program: str, wall: int) -> None:
        """A new segment, which ends the one before. `program` is kept beside once."""
        self.end()
        beside = self.folder / PROGRAMS / f"{head['digest']}.program"
        if not beside.exists():
            aside = beside.with_name(f".{beside.name}.{os.getpid()}")
            aside.write_bytes(pack(PROGRAM, program.encode()))
            aside.replace(beside)
        stamp = datetime.fromtimestamp(wall / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%f")[:19]
        self.path = self.folder / f"{stamp}-{head['session'] & 0xFFFF:04x}{ENDING}"
        self._file = self.path.open("ab")
        self._write(pack_object(HEAD, head))

    def write(self, words: bytes, span: Span) -> None:
        """Add whole records to the segment; they have left this process when it returns."""
        self._write(pack(DATA, words, span))

    def _write(self, block: bytes) -> None:
        assert self._file is not None
        self._file.write(block)
        self._file.flush()
        self.written += len(block)

    def end(self) -> None:
        """Close the segment, and have the disk keep it."""
        if self._file is not None:
            file, self._file, self.path = self._file, None, None
            with file:
                os.fsync(file.fileno())

    def segments(self) -> list[Path]:
        """The files of the running tape, oldest first."""
        return chosen(self.folder, 0.0)

    def trim(self, keep: float, size: int) -> int:
        """Remove what is older than `keep` seconds or too much for `size` bytes, the oldest first; never the one being written."""
        found = [(path, path.stat().st_size) for path in self.segments()]
        total, removed, now = sum(length for _, length in found), 0, time.time()
        for path, length in found:
            if path == self.path or (total <= size and now - path.stat().st_mtime <= keep):
                continue
            path.unlink()
            total -= length
            removed += 1
        return removed

    def freeze(self, note: dict[str, Any], since: float, most: int) -> Path:
        """Make an incident file of all that was recorded from `since` on (s since 1970), with its program; returns its path."""
        if self._file is not None:
            os.fsync(self._file.fileno())
        stamp = datetime.fromtimestamp(note["wall"] / 1e9, UTC).strftime("%Y%m%dT%H%M%S")
        target = self.folder / INCIDENTS / f"{stamp}-{_file_name(note['why'])}{ENDING}"
        aside = target.with_name(f".{target.name}.{os.getpid()}")
        with aside.open("wb") as file:
            file.write(pack_object(NOTE, note))
            for program in sorted((self.folder / PROGRAMS).glob(f"{note['digest']}.program")):
                file.write(program.read_bytes())
            for path in chosen(self.folder, since):
                with path.open("rb") as segment:
                    shutil.copyfileobj(segment, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
        for old in sorted((self.folder / INCIDENTS).glob(f"*{ENDING}"))[:-most]:
            with contextlib.suppress(FileNotFoundError):
                old.unlink()
        return target


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in text)[:60]
