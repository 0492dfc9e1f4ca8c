"""One open CAN bus, any python-can interface: waiting frames in batches, frames out without waiting. It knows no message.

A wire is used by one event loop. Opening and closing may block for seconds and belong in a thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import can
import numpy as np

from runtime.fieldbus.can_fault import ACTIVE, BUS_OFF, PASSIVE, Fault
from runtime.fieldbus.can_tables import EXTENDED, WIDEST

BATCH = 4096  # frames that one turn of the loop takes at most
RECEIVE_BUFFER = 4 << 20  # bytes asked of the kernel: its default holds 250 frames and a burst drops the rest
MOST_DELAY = 1_000_000_000  # ns: a time stamp further away belongs to another clock
MOST_WAITING = 16 * BATCH  # frames kept for a loop that does not come
SEND_QUEUE = 16  # frames: behind a bus that takes none, older values are not worth sending
LOOK = 0.2  # s between two looks at the controller's state
REOPEN = 1.0  # s off the bus after which a controller that does not come back by itself is opened anew
RETRY = 0.005  # s: a full bus has room again after a few frames
GIVE_UP = 1.0  # s after which a frame that finds no room is dropped
STATES = {can.BusState.ACTIVE: ACTIVE, can.BusState.PASSIVE: PASSIVE, can.BusState.ERROR: BUS_OFF}


@dataclass
class Batch:
    """Frames in the order of their arrival; only the first `count` rows are filled. Times are CLOCK_MONOTONIC ns."""

    count: int = 0
    keys: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))
    data: np.ndarray = field(default_factory=lambda: np.zeros((BATCH, WIDEST), np.uint8))
    lengths: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))
    times: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))


class Wire(Protocol):
    """An open bus. `drain` and `send` raise OSError or can.CanError where it is lost.

    `counts` are those of `can_fault`, since it was opened; `state` is "active", "warning", "passive" or "bus_off".
    """

    counts: dict[str, int]

    @property
    def state(self) -> str: ...

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        """Call `ready` on the loop whenever frames wait, or the state has changed."""

    def unwatch(self, loop: Any) -> None: ...

    def set_filters(self, keys: Collection[int] | None) -> None:
        """Only frames with these identifiers are wanted, or all: where the interface can keep the others away, it does."""

    def drain(self, batch: Batch) -> bool:
        """Fill the batch with waiting frames; True where it was too small for all."""

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        """Send a frame now; False where the bus had no room, so that it was dropped."""

    def close(self) -> None: ...


def open_wire(
    interface: str, channel: str, bitrate: int | None, options: tuple[tuple[str, Any], ...], keys: Collection[int] | None = None
) -> Wire:
    """Open a bus for frames with these identifiers. Raises OSError, ValueError or can.CanError. Blocks."""
    settings: dict[str, Any] = dict(options)
    if interface == "socketcan":
        from runtime.fieldbus.can_socket import FITS, SocketWire

        if FITS:
            return SocketWire(channel, settings, keys)
    elif bitrate is not None:
        settings["bitrate"] = bitrate
    if interface == "slcan":
        from runtime.fieldbus.can_slcan import SlcanWire

        if Path(os.path.realpath(channel.partition("@")[0])).parent == Path("/dev/pts"):
            settings.setdefault("sleep_after_open", 0)  # the pause is for adapters that restart when they are opened
        return SlcanWire(channel, settings)
    wire = BusWire(can.Bus(interface=interface, channel=channel, **settings))
    wire.set_filters(keys)
    return wire


class BusWire:
    """Any python-can bus: one thread waits for its frames, one for room to send.

    A descriptor alone is not enough: `recv(0)` and `send` of some interfaces block (python-can's `serial` ignores the time-out).
    """

    def __init__(self, bus: can.BusABC):
        self.bus = bus
        self._fault = Fault()
        self.counts = self._fault.counts
        self._keys: frozenset[int] | None = None
        self._waiting: deque[tuple[int, bytes, float]] = deque()
        self._outgoing: queue.Queue[can.Message | None] = queue.Queue(SEND_QUEUE)
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._found, self._off_since = ACTIVE, 0.0  # what the interface said last, and since when it is off the bus

    @property
    def state(self) -> str:
        return self._fault.state

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                loop.call_soon_threadsafe(ready)

        for work in (self._receive, self._transmit):
            thread = threading.Thread(target=work, args=(tell,), name="can", daemon=True)
            self._threads.append(thread)
            thread.start()

    def unwatch(self, loop: Any) -> None:
        self._stop.set()

    def set_filters(self, keys: Collection[int] | None) -> None:
        """Filters of the interface where it has some; python-can's own walk all filters for each frame and are not used."""
        self._keys = None if keys is None else frozenset(keys)
        if self._keys is None:
            self.bus.set_filters(None)
            return
        self.bus.set_filters([_filter_of(key) for key in sorted(self._keys)])
        if not getattr(self.bus, "_is_filtered", False):
            self.bus.set_filters(None)

    def _receive(self, tell: Callable[[], None]) -> None:
        looked = 0.0
        while not self._stop.is_set() and self._failure is None:
            try:
                message = self.bus.recv(0.1)
                now = time.monotonic()
                if now - looked > LOOK:
                    looked = now
                    self._look(now, tell)
            except (OSError, can.CanError, ValueError, TypeError) as error:  # TypeError: half a frame on python-can's `serial`
                self._fail(error, tell)
                return
            if message is not None and message.is_error_frame:
                self._fault.take(message.arbitration_id, bytes(message.data))
                tell()
            elif message is not None and self._wanted(message):
                self._fault.hear()
                self._waiting.append((_key_of(message), bytes(message.data), message.timestamp))
                if len(self._waiting) == 1:  # otherwise the loop has been told and has not come yet
                    tell()

    def _wanted(self, message: can.Message) -> bool:
        if message.is_remote_frame or (self._keys is not None and _key_of(message) not in self._keys):
            return False
        if len(self._waiting) >= MOST_WAITING:
            self.counts["overflow"] += 1
            return False
        return True

    def _look(self, now: float, tell: Callable[[], None]) -> None:
        """Ask the interface for its controller's state; one that stays off the bus is to be opened anew."""
        found = STATES[self.bus.state]
        if found != self._found:  # most interfaces know no state and always say active: error frames tell then
            self._found = found
            self._fault.enter(found)
            self._off_since = now if found == BUS_OFF else 0.0
            tell()
        if self._off_since and now - self._off_since > REOPEN:
            raise can.CanOperationError("the controller is off the bus")

    def _fail(self, error: Exception, tell: Callable[[], None]) -> None:
        self._failure = error
        tell()

    def _transmit(self, tell: Callable[[], None]) -> None:
        """Send what is queued, in its order; a frame waits for room, but not for ever."""
        while (message := self._outgoing.get()) is not None:
            until = time.monotonic() + GIVE_UP
            while self._failure is None:
                try:
                    self.bus.send(message, timeout=0)
                    break
                except (OSError, can.CanError, ValueError) as error:
                    if not _is_full(error):
                        self._fail(error, tell)
                    elif time.monotonic() > until or self._stop.is_set():
                        self.counts["not_sent"] += 1
                        break
                time.sleep(RETRY)

    def drain(self, batch: Batch) -> bool:
        count = min(len(self._waiting), BATCH)
        batch.count = count
        if count:
            taken = [self._waiting.popleft() for _ in range(count)]
            keys, data, stamps = zip(*taken, strict=True)
            batch.keys[:count] = keys
            batch.lengths[:count] = [len(part) for part in data]
            text = b"".join([part.ljust(WIDEST, b"\0") for part in data])
            batch.data[:count] = np.frombuffer(text, np.uint8).reshape(count, WIDEST)
            batch.times[:count] = _monotonic(np.array(stamps))
        elif self._failure is not None:
            raise can.CanOperationError(str(self._failure)) from self._failure
        return bool(self._waiting) or (self._failure is not None and count > 0)

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        if self._failure is not None:
            raise can.CanOperationError(str(self._failure)) from self._failure
        message = can.Message(arbitration_id=key & ~EXTENDED, is_extended_id=bool(key & EXTENDED), data=data, is_fd=fd)
        try:
            self._outgoing.put_nowait(message)
        except queue.Full:
            self.counts["not_sent"] += 1
            return False
        return True

    def close(self) -> None:
        """Send what is queued, and close the bus."""
        self._stop.set()
        with contextlib.suppress(queue.Full):  # the bus takes nothing: its thread ends with the process
            self._outgoing.put(None, timeout=0.5)
        for thread in self._threads:
            thread.join(1.0)
        self.bus.shutdown()


def _key_of(message: can.Message) -> int:
    return message.arbitration_id | EXTENDED if message.is_extended_id else message.arbitration_id


def _filter_of(key: int) -> Any:
    extended = bool(key & EXTENDED)
    return {"can_id": key & ~EXTENDED, "can_mask": 0x1FFFFFFF if extended else 0x7FF, "extended": extended}


def _monotonic(stamps: np.ndarray) -> np.ndarray:
    """The times of frames on CLOCK_MONOTONIC; now, where a stamp is of another clock than the wall's."""
    now = time.monotonic_ns()
    then = (stamps * 1e9).astype(np.int64) + (now - time.time_ns())
    return np.where((then > now - MOST_DELAY) & (then <= now), then, now)


def _is_full(error: Exception) -> bool:
    """Whether a frame found no room in the send buffer, rather than no bus."""
    code = getattr(error, "error_code", None) or getattr(error, "errno", None)
    return code in (errno.ENOBUFS, errno.EAGAIN) or "buffer full" in str(error).lower()
