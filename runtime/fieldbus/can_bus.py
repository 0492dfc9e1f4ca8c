"""Any python-can interface as a wire: one thread waits for its frames, one sends what is queued. It knows no message."""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import can
import numpy as np

from runtime.fieldbus.can_fault import ACTIVE, BUS_OFF, PASSIVE, Fault
from runtime.fieldbus.can_tables import EXTENDED, MOST_DELAY, WIDEST
from runtime.fieldbus.can_wire import BATCH, Batch

MOST_WAITING = 16 * BATCH  # frames kept for a loop that does not come
SEND_QUEUE = 16  # frames: behind a bus that takes none, older values are not worth sending
LISTEN = 0.1  # s for which a thread waits for a frame before it looks about
LOOK = 0.2  # s between two looks at the controller's state
REOPEN = 1.0  # s off the bus after which a controller that does not come back by itself is opened anew
RETRY = 0.005  # s: a full bus has room again after a few frames
GIVE_UP = 1.0  # s after which a frame that finds no room is dropped
STATES = {can.BusState.ACTIVE: ACTIVE, can.BusState.PASSIVE: PASSIVE, can.BusState.ERROR: BUS_OFF}
# The interfaces whose error frames are those of linux/can/error.h; the bits of other makers' mean other things.
LINUX_ERRORS = frozenset({"socketcan", "socketcand", "gs_usb", "virtual"})


class BusWire:
    """Any python-can bus: one thread waits for its frames, one for room to send.

    A descriptor alone is not enough: `recv(0)` and `send` of some interfaces block (python-can's `serial` ignores the time-out).
    """

    def __init__(self, bus: can.BusABC, interface: str = ""):
        self.bus = bus
        self._tells_linux_errors = interface in LINUX_ERRORS
        self._fault = Fault()
        self.counts = self._fault.counts
        self._keys: frozenset[int] | None = None
        self._waiting: deque[tuple[int, bytes, float]] = deque()
        self._outgoing: queue.Queue[can.Message] = queue.Queue(SEND_QUEUE)
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._found, self._off_since = ACTIVE, 0.0  # what the interface said last, and since when it is off the bus

    @property
    def state(self) -> str:
        return self._fault.state

    @property
    def is_idle(self) -> bool:
        return self._outgoing.unfinished_tasks == 0 and self._failure is None

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
            begun = time.monotonic()
            try:
                message = self.bus.recv(LISTEN)
                now = time.monotonic()
                if now - looked > LOOK:
                    looked = now
                    self._look(now, tell)
            except Exception as error:  # noqa: BLE001 - struct.error, TypeError, ...: what an interface makes of half a frame
                self._fail(error, tell)
                return
            if message is None:
                self._stop.wait(max(0.0, begun + LISTEN / 2 - now))  # an interface that does not wait must not cost a core
            elif message.is_error_frame:
                self._take_error(message)
                tell()
            elif self._wanted(message):
                self._fault.hear()
                self._waiting.append((_key_of(message), bytes(message.data), message.timestamp))
                if len(self._waiting) == 1:  # otherwise the loop has been told and has not come yet
                    tell()

    def _take_error(self, message: can.Message) -> None:
        if self._tells_linux_errors:
            self._fault.take(message.arbitration_id, bytes(message.data))
        else:
            self.counts["error_frames"] += 1

    def _wanted(self, message: can.Message) -> bool:
        if message.is_remote_frame or (self._keys is not None and _key_of(message) not in self._keys):
            return False
        if len(self._waiting) >= MOST_WAITING:
            self.counts["overflow"] += 1
            return False
        return True

    def _look(self, now: float, tell: Callable[[], None]) -> None:
        """Ask the interface for its controller's state; one that stays off the bus is to be opened anew."""
        if _is_closed(self.bus):
            raise can.CanOperationError("the connection was closed at its other end")
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
        """Send what is queued, in its order, until the wire is closed and nothing waits any more."""
        while True:
            try:
                message = self._outgoing.get(timeout=LOOK)
            except queue.Empty:
                if self._stop.is_set():
                    return
                continue
            try:
                self._send_queued(message, tell)
            finally:
                self._outgoing.task_done()

    def _send_queued(self, message: can.Message, tell: Callable[[], None]) -> None:
        """Send one frame; it waits for room, but not for ever."""
        until = time.monotonic() + GIVE_UP
        while self._failure is None:
            try:
                self.bus.send(message, timeout=0)
                return
            except Exception as error:  # noqa: BLE001 - whatever an interface raises, its bus is lost
                if not _is_full(error):
                    self._fail(error, tell)
                elif time.monotonic() > until:
                    self.counts["not_sent"] += 1
                    return
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
        """Send what is queued, and close the bus. A thread that hangs in the interface ends when its call comes back."""
        self._stop.set()
        for thread in self._threads:
            thread.join(GIVE_UP + LOOK)
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


def _is_closed(bus: can.BusABC) -> bool:
    """Whether the bus is a TCP connection whose far end is gone: to `socketcand` of python-can that is silence, for ever.

    That interface tells no descriptor, so its socket is looked for among what it holds.
    """
    for line in vars(bus).values():
        if isinstance(line, socket.socket) and line.type == socket.SOCK_STREAM:
            with contextlib.suppress(BlockingIOError, TimeoutError):  # nothing waits, so it is open
                return line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    return False
