"""One open CAN bus, any python-can interface: waiting frames in batches, frames out without waiting. It knows no message.

A wire is used by one event loop. Opening and closing may block for seconds and belong in a thread.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import can
import numpy as np

from runtime.fieldbus.can_tables import EXTENDED, WIDEST

BATCH = 4096  # frames that one turn of the loop takes at most
RECEIVE_BUFFER = 4 << 20  # bytes asked of the kernel: its default holds 250 frames and a burst drops the rest
MOST_DELAY = 1_000_000_000  # ns: a time stamp further away belongs to another clock


@dataclass
class Batch:
    """Frames in the order of their arrival; only the first `count` rows are filled. Times are CLOCK_MONOTONIC ns."""

    count: int = 0
    keys: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))
    data: np.ndarray = field(default_factory=lambda: np.zeros((BATCH, WIDEST), np.uint8))
    lengths: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))
    times: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))


class Wire(Protocol):
    """An open bus. `drain` and `send` raise OSError or can.CanError where it is lost."""

    counts: dict[str, int]

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        """Call `ready` on the loop whenever frames wait."""

    def unwatch(self, loop: Any) -> None: ...

    def drain(self, batch: Batch) -> bool:
        """Fill the batch with waiting frames; True where it was too small for all."""

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        """Send a frame now; False where the bus had no room, so that it was dropped."""

    def close(self) -> None: ...


def open_wire(interface: str, channel: str, bitrate: int | None, options: tuple[tuple[str, Any], ...]) -> Wire:
    """Open a bus. Raises OSError, ValueError or can.CanError. Blocks."""
    settings: dict[str, Any] = dict(options)
    if bitrate is not None:
        settings["bitrate"] = bitrate
    if interface == "slcan":
        from runtime.fieldbus.can_slcan import SlcanWire

        if Path(os.path.realpath(channel.partition("@")[0])).parent == Path("/dev/pts"):
            settings.setdefault("sleep_after_open", 0)  # the pause is for adapters that restart when they are opened
        return SlcanWire(channel, settings)
    return BusWire(can.Bus(interface=interface, channel=channel, **settings))


class BusWire:
    """Any python-can bus: SocketCAN by its descriptor, every other through a thread that waits for it.

    A descriptor alone is not enough: `recv(0)` of other interfaces may block (python-can's `serial` ignores the time-out).
    """

    def __init__(self, bus: can.BusABC):
        self.bus = bus
        self.counts = {"error_frames": 0, "not_sent": 0}
        self._waiting: deque[can.Message] = deque()
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        raw = getattr(bus, "socket", None)
        self._descriptor = -1
        if isinstance(raw, socket.socket) and raw.family == getattr(socket, "AF_CAN", None):
            self._descriptor = bus.fileno()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        if self._descriptor >= 0:
            loop.add_reader(self._descriptor, ready)
            return
        self._thread = threading.Thread(target=self._receive, args=(loop, ready), name="can", daemon=True)
        self._thread.start()

    def unwatch(self, loop: Any) -> None:
        if self._descriptor >= 0:
            loop.remove_reader(self._descriptor)
        self._stop.set()

    def _receive(self, loop: Any, ready: Callable[[], None]) -> None:
        while not self._stop.is_set() and self._failure is None:
            try:
                message = self.bus.recv(0.1)
            except (OSError, can.CanError, ValueError, TypeError) as error:  # TypeError: half a frame on python-can's `serial`
                self._failure = error
            else:
                if message is None:
                    continue
                self._waiting.append(message)
                if len(self._waiting) > 1:
                    continue  # the loop has been told and has not come yet
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                loop.call_soon_threadsafe(ready)

    def _next(self) -> can.Message | None:
        if self._descriptor >= 0:
            return self.bus.recv(0)
        return self._waiting.popleft() if self._waiting else None

    def drain(self, batch: Batch) -> bool:
        batch.count = 0
        offset = time.monotonic_ns() - time.time_ns()
        while batch.count < BATCH:
            message = self._next()
            if message is None:
                if self._failure is not None:
                    raise can.CanOperationError(str(self._failure)) from self._failure
                return False
            if message.is_error_frame or message.is_remote_frame:
                self.counts["error_frames"] += message.is_error_frame
                continue
            row, size = batch.count, len(message.data)
            batch.keys[row] = message.arbitration_id | (EXTENDED if message.is_extended_id else 0)
            batch.data[row, :size] = np.frombuffer(message.data, np.uint8)
            batch.lengths[row] = size
            batch.times[row] = _monotonic(message.timestamp, offset)
            batch.count += 1
        return True

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        message = can.Message(arbitration_id=key & ~EXTENDED, is_extended_id=bool(key & EXTENDED), data=data, is_fd=fd)
        try:
            self.bus.send(message, timeout=0)
        except can.CanOperationError as error:
            if not _is_full(error):
                raise
            self.counts["not_sent"] += 1
            return False
        return True

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1.0)
        self.bus.shutdown()


def _monotonic(stamp: float, offset: int) -> int:
    """The time of a frame on CLOCK_MONOTONIC; now, where its stamp is of another clock than the wall's."""
    now = time.monotonic_ns()
    then = int(stamp * 1e9) + offset
    return then if now - MOST_DELAY < then <= now else now


def _is_full(error: can.CanError) -> bool:
    """Whether a frame found no room in the send buffer, rather than no bus."""
    import errno

    code = getattr(error, "error_code", None)
    return code in (errno.ENOBUFS, errno.EAGAIN) or "buffer full" in str(error).lower()
