"""Where log lines go: a file-like end that never blocks and never fails, since a log must not stop what it tells of.

A pipe that nobody reads, a terminal that is held, a full disk: lines are dropped then and counted, and the safe values
are written all the same. A thread does the writing, one for each end, so that a held terminal costs no line on the disk.

What a site's processes say is kept as well: each process writes a file of its own in the site's log folder, so nobody waits for
anybody there, and one that says too much pushes out nobody else's lines. The environment of all its processes names the folder.
"""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path

MOST_LINES = 10_000
PATIENCE_S = 1.0  # how long the end of the process waits for the last lines
FOLDER = "BESSPLC_LOG"  # the environment's word for the folder of the site's log
SUFFIX = ".log"
LARGEST = 5_000_000  # bytes of one file
OLDER = 7  # files that are kept beside the newest: 40 MB a process


class Journal:
    """A text file for `print` and structlog, on an open file descriptor, a kept file, or both.

    `dropped` counts what could not be written.
    """

    def __init__(self, descriptor: int | None, kept: LogFile | None = None):
        self._descriptor = descriptor
        self._ends = []
        if kept is not None:
            self._ends.append(_End(kept.write))
        if descriptor is not None:
            self._ends.append(_End(lambda line: os.write(descriptor, line)))
        atexit.register(self.close)

    @property
    def dropped(self) -> int:
        """Lines that an end did not take."""
        return sum(end.dropped for end in self._ends)

    def write(self, text: str) -> int:
        """Take a text to be written; returns at once."""
        line = text.encode(errors="replace")
        for end in self._ends:
            end.take(line)
        return len(text)

    def flush(self) -> None:
        """Nothing to do: lines are written as they come."""

    def isatty(self) -> bool:
        return self._descriptor is not None and os.isatty(self._descriptor)

    def close(self) -> None:
        """Write what waits, if that takes no longer than a moment."""
        for end in self._ends:
            end.close()


class _End:
    """One end of a journal, and the thread that writes there."""

    def __init__(self, write: Callable[[bytes], object]):
        self._write = write
        self._lines: queue.Queue[bytes | None] = queue.Queue(MOST_LINES)
        self.dropped = 0
        self._thread = threading.Thread(target=self._drain, name="journal", daemon=True)
        self._thread.start()

    def take(self, line: bytes) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def _drain(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._write(line)
            except OSError:
                self.dropped += 1

    def close(self) -> None:
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            self.dropped += 1
            return
        self._thread.join(PATIENCE_S)


class LogFile:
    """A file of log lines, bounded: past `largest` bytes it is set aside as NAME.1, that as NAME.2, and the last goes.

    It holds whole lines only: what a full disk cuts off is taken back. One process writes it.
    """

    def __init__(self, path: Path, largest: int = LARGEST, older: int = OLDER):
        self.path, self._largest, self._older = path, largest, older
        self._handle, self._size = -1, 0
        self._rest = b""

    def write(self, text: bytes) -> None:
        """Write the lines that are whole now; the rest waits for its end. Raises OSError where the disk does not take them."""
        *lines, self._rest = (self._rest + text).split(b"\n")
        for line in lines:
            self._put(line + b"\n")

    def _put(self, line: bytes) -> None:
        if self._handle < 0 or os.fstat(self._handle).st_nlink == 0:  # somebody cleared the folder away
            self._open()
        if self._size and self._size + len(line) > self._largest:
            self._set_aside()
        written = os.write(self._handle, line)
        if written < len(line):
            os.ftruncate(self._handle, self._size)
            raise OSError(f"{self.path} takes no more lines")
        self._size += written

    def _open(self) -> None:
        self._close()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._handle).st_size
        if self._size and os.pread(self._handle, 1, self._size - 1) != b"\n":  # the power went in the middle of a line
            self._size += os.write(self._handle, b"\n")

    def _set_aside(self) -> None:
        for number in range(self._older, 0, -1):
            younger = self.path if number == 1 else aside(self.path, number - 1)
            if younger.exists():
                younger.replace(aside(self.path, number))
        self._open()

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle, self._size = -1, 0


def aside(path: Path, number: int) -> Path:
    """The name of a log file that was set aside so many times."""
    return path.with_name(f"{path.name}.{number}")


def log_folder_of(state: Path) -> Path:
    """Where the log of a site is, beneath its state folder."""
    return state / "log"


def kept_log() -> LogFile | None:
    """The log file of this process of a site, by the package that it runs; None where it belongs to none."""
    folder = os.environ.get(FOLDER)
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if not folder or spec is None or not spec.parent:
        return None
    return LogFile(Path(folder) / f"{spec.parent.rpartition('.')[2]}{SUFFIX}")
