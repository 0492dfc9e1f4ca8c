"""The files of the running tape: segments that each begin with a picture, bounded by age and size, and frozen incidents.

It knows files and blocks; what becomes of a scan is in the words, which it does not read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from runtime.engine.tape_file import DATA, HEAD, NOTE, PROGRAM, Span, TapeFile, pack, pack_object

FOLDER, INCIDENTS, PROGRAMS, ENDING = "tape", "incidents", "programs", ".tape"
COPIED = 1 << 20  # bytes at a time
RESERVE, RESERVE_PART = 1_000_000_000, 10  # bytes, or a part of a small disk, that are left to retained values and the log


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
        self._whole = 0  # bytes of the segment that are whole blocks
        self._file: BinaryIO | None = None
        for folder in (self.folder, self.folder / INCIDENTS, self.folder / PROGRAMS):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in folder.glob(".*.*"):
                left.unlink()  # of one that was killed while it wrote

    def begin(self, head: dict[str, Any], program: str, wall: int) -> None:
        """A new segment, which ends the one before, or none at all. `program` is kept beside once."""
        self.end()
        beside = self.folder / PROGRAMS / f"{head['digest']}.program"
        if beside.exists():
            os.utime(beside)  # in use: `trim` looks at old ones only
        else:
            with _made_whole(beside) as file:
                file.write(pack(PROGRAM, program.encode()))
        stamp = datetime.fromtimestamp(wall / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%f")[:19]
        self.path = self.folder / f"{stamp}-{head['session'] & 0xFFFF:04x}{ENDING}"
        self._file = self.path.open("ab")
        self._whole = self._file.tell()
        self._write(pack_object(HEAD, head))

    def write(self, words: bytes, span: Span) -> None:
        """Add whole records to the segment; they have left this process when it returns."""
        self._write(pack(DATA, words, span))

    def _write(self, block: bytes) -> None:
        assert self._file is not None
        try:
            self._file.write(block)
            self._file.flush()
        except OSError:
            self._give_up()
            raise
        self.written += len(block)
        self._whole += len(block)

    def _give_up(self) -> None:
        """A part of a block would hide all that follows it in an incident: the segment ends before it, or is none."""
        assert self._file is not None and self.path is not None
        (file, path), self._file, self.path = (self._file, self.path), None, None
        with contextlib.suppress(OSError):  # closing tries once more what was just refused, and that was said
            file.close()
        if self._whole:
            os.truncate(path, self._whole)
        else:
            path.unlink()

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
        """Remove what is older than `keep` seconds or too much for `size` bytes, the oldest first; never the one being written.

        Too much is also what leaves the disk without its reserve: others have to write, too.
        """
        found = [(path, path.stat().st_size) for path in self.segments()]
        total, removed, now = sum(length for _, length in found), 0, time.time()
        disk = shutil.disk_usage(self.folder)
        most = min(size, total + disk.free - min(RESERVE, disk.total // RESERVE_PART))
        for path, length in found:
            if path == self.path or (total <= most and now - path.stat().st_mtime <= keep):
                continue
            path.unlink()
            total -= length
            removed += 1
        self._trim_programs(now - keep)
        return removed

    def _trim_programs(self, before: float) -> None:
        """Remove the programs that were not in use since `before` (s since 1970) and that no segment is of."""
        old = [path for path in (self.folder / PROGRAMS).glob("*.program") if path.stat().st_mtime < before]
        used = {_digest_of(path) for path in self.segments()} if old else set()
        for path in old:
            if path.stem not in used:
                path.unlink()

    def freeze(self, note: dict[str, Any], since: float, most: int) -> Path:
        """Make an incident file of all that was recorded from `since` on (s since 1970), with its programs; returns its path."""
        if self._file is not None:
            os.fsync(self._file.fileno())
        stamp = datetime.fromtimestamp(note["wall"] / 1e9, UTC).strftime("%Y%m%dT%H%M%S")
        target = self.folder / INCIDENTS / f"{stamp}-{_file_name(note['why'])}{ENDING}"
        parts = chosen(self.folder, since)
        with _made_whole(target) as file:
            file.write(pack_object(NOTE, note))
            for digest in sorted({note["digest"], *(_digest_of(path) for path in parts)}):
                for program in (self.folder / PROGRAMS).glob(f"{digest}.program"):
                    file.write(program.read_bytes())
            for path in parts:
                _copy_blocks(path, file)
        older = [path for path in sorted((self.folder / INCIDENTS).glob(f"*{ENDING}")) if path != target]
        for old in older[: max(0, len(older) + 1 - most)]:
            with contextlib.suppress(FileNotFoundError):
                old.unlink()
        return target


def _digest_of(path: Path) -> str:
    """The digest of the program that a segment is of; empty where its head cannot be read."""
    head = next(TapeFile(path).blocks(), None)
    return str(head.facts.get("digest", "")) if head is not None and head.kind == HEAD else ""


def _copy_blocks(path: Path, file: BinaryIO) -> None:
    """What of a segment is whole: half a block that a power cut left would hide all that follows it in an incident."""
    tape = TapeFile(path)
    for _ in tape.blocks():
        continue
    with path.open("rb") as segment:
        left = tape.whole
        while left and (part := segment.read(min(left, COPIED))):
            file.write(part)
            left -= len(part)


@contextlib.contextmanager
def _made_whole(target: Path) -> Iterator[BinaryIO]:
    """Write a file that is there as a whole or not at all, after a power cut, too."""
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    handle = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in text)[:60]
