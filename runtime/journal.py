"""Where log lines go: a file-like end that never blocks and never fails, since a log must not stop what it tells of.

A pipe that nobody reads, a terminal that is held, a full disk: lines are dropped then and counted, and the safe values
are written all the same. A thread does the writing.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading

MOST_LINES = 10_000
PATIENCE_S = 1.0  # how long the end of the process waits for the last lines


class Journal:
    """A text file for `print` and structlog, on an open file descriptor. `dropped` counts what could not be written."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | None] = queue.Queue(MOST_LINES)
        self.dropped = 0
        self._thread = threading.Thread(target=self._drain, name="journal", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, text: str) -> int:
        """Take a text to be written; returns at once."""
        try:
            self._lines.put_nowait(text.encode(errors="replace"))
        except queue.Full:
            self.dropped += 1
        return len(text)

    def flush(self) -> None:
        """Nothing to do: lines are written as they come."""

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def _drain(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                os.write(self._descriptor, line)
            except OSError:
                self.dropped += 1

    def close(self) -> None:
        """Write what waits, if that takes no longer than a moment."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            self.dropped += 1
            return
        self._thread.join(PATIENCE_S)
