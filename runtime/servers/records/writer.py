"""A thread that writes what others give it, a transaction for all that came within a moment. It knows no table.

Whoever gives never waits. What cannot be written waits while there is room; beyond, it is dropped and counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

from runtime.servers.records.file import NotKeptError

log = structlog.get_logger()

RETRY_S = 1.0
SAY_EVERY_S = 60.0
A_TURN = 2000  # things a transaction: others want to write too
LAST_PATIENCE_S = 3.0

Thing = TypeVar("Thing")


class Writer(Generic[Thing]):
    """Gives things to `write` in batches, `gather` seconds after the first of them came."""

    def __init__(self, name: str, write: Callable[[Sequence[Thing]], None], *, room: int, gather: float):
        self.dropped = self.written = 0
        self._name, self._write, self._room, self._gather = name, write, room, gather
        self._waiting: deque[Thing] = deque()
        self._came, self._stop, self._start = threading.Event(), threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._said = -SAY_EVERY_S

    @property
    def room(self) -> int:
        """How many more things may wait."""
        return self._room - len(self._waiting)

    def give(self, thing: Thing) -> None:
        """Have it written soon, or dropped where too many wait. Never blocks."""
        if len(self._waiting) >= self._room:
            self.dropped += 1
            return
        self._waiting.append(thing)
        if not self._came.is_set():
            self._came.set()
            if self._thread is None:
                self._begin()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was given is written; whether it was in time."""
        until = time.monotonic() + timeout
        while self._waiting and time.monotonic() < until:
            time.sleep(0.002)
        return not self._waiting

    def close(self) -> None:
        """Write what waits, once, and end."""
        self._stop.set()
        self._came.set()
        if self._thread is not None:
            self._thread.join(LAST_PATIENCE_S)

    def _begin(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._came.wait()
            self._stop.wait(self._gather)
            self._came.clear()  # before the look: what comes after it sets it again
            if not self._write_all() and not self._stop.is_set():
                self._stop.wait(RETRY_S)
                self._came.set()
        self._write_all()

    def _write_all(self) -> bool:
        """Whether all that waited could be written. What could not stays first in the queue."""
        while self._waiting:
            batch = [self._waiting[at] for at in range(min(len(self._waiting), A_TURN))]
            try:
                self._write(batch)
            except NotKeptError as error:
                self._say(str(error))
                return False
            for _ in batch:
                self._waiting.popleft()
            self.written += len(batch)
        return True

    def _say(self, why: str) -> None:
        if time.monotonic() - self._said >= SAY_EVERY_S:
            self._said = time.monotonic()
            log.error("records wait to be written", what=self._name, waiting=len(self._waiting), dropped=self.dropped, why=why)
