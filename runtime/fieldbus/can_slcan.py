"""SLCAN, CAN over a serial line as text: python-can's bus with its reading and writing done in bulk.

python-can reads one byte a call and waits for the line after each frame; here all waiting bytes are read at once and parsed
by one compiled call, and a full line drops a frame instead of holding up the loop. It knows no message.
"""

from __future__ import annotations

import math
import os
import select
import stat
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from can.interfaces.slcan import slcanBus

from runtime.fieldbus.can_fault import ACTIVE, PASSIVE, WARNING, Fault
from runtime.fieldbus.can_tables import EXTENDED
from runtime.fieldbus.can_wire import BATCH, Batch
from runtime.fieldbus.compiled import compiled

ROOM = 1 << 16
RETURN, BELL = 13, 7
P_BROKEN, P_REFUSALS, P_FLAGS = range(3)
MOST_REFUSALS = 16  # answers in a row that say no: the adapter was reset and its channel is closed
ASK = 1.0  # s between two questions for the adapter's status flags
MOST_QUESTIONS = 8  # without an answer: the adapter does not know the question, and its BELLs would look like a reset
# Status flags of Lawicel's command F: a receive buffer ran over, the controller warns, is passive.
F_OVERFLOW, F_WARNING, F_PASSIVE = 0x01 | 0x08, 0x04, 0x20
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
_LENGTHS = np.array(FD_LENGTHS, np.int64)


@compiled
def digit(letter):  # type: ignore[no-untyped-def]
    """The value of a hexadecimal digit, or -1."""
    if 48 <= letter <= 57:
        return letter - 48
    if 65 <= letter <= 70:
        return letter - 55
    if 97 <= letter <= 102:
        return letter - 87
    return -1


@compiled
def hexadecimal(line, start, count):  # type: ignore[no-untyped-def]
    """The number written in `count` hexadecimal digits, or -1."""
    value = 0
    for k in range(start, start + count):
        nibble = digit(np.int64(line[k]))
        if nibble < 0:
            return -1
        value = value * 16 + nibble
    return value


@compiled
def parse_line(line, row, keys, data, lengths, fd_lengths, counts):  # type: ignore[no-untyped-def]
    """Read one line into row `row`: 1 a frame, 0 something else (an answer, a remote frame), -1 broken."""
    kind = line[0]
    if kind == ord("F") and len(line) == 3:
        counts[P_FLAGS] = hexadecimal(line, 1, 2)
        return 0
    extended = kind == ord("T") or kind == ord("x") or kind == ord("D") or kind == ord("B")
    flexible = kind == ord("d") or kind == ord("D") or kind == ord("b") or kind == ord("B")
    if not (extended or flexible or kind == ord("t")):
        return 0
    digits = 8 if extended else 3
    if len(line) < digits + 2:
        return -1
    identifier = hexadecimal(line, 1, digits)
    code = digit(np.int64(line[1 + digits]))
    if identifier < 0 or code < 0 or (code > 8 and not flexible) or identifier > (0x1FFFFFFF if extended else 0x7FF):
        return -1
    length = fd_lengths[code]
    start = digits + 2
    stamp = len(line) - start - 2 * length  # Lawicel's Z1 adds a time stamp of 4 digits; anything else are parts of two lines
    if stamp != 0 and (stamp != 4 or hexadecimal(line, len(line) - 4, 4) < 0):
        return -1
    for k in range(length):
        value = hexadecimal(line, start + 2 * k, 2)
        if value < 0:
            return -1
        data[row, k] = value
    keys[row] = identifier | (EXTENDED if extended else 0)
    lengths[row] = length
    return 1


@compiled
def parse(buffer, size, keys, data, lengths, fd_lengths, counts):  # type: ignore[no-untyped-def]
    """Read all whole lines of the buffer, as far as the rows reach; returns frames and bytes used.

    counts: int64[3], lines that are broken, answers in a row that refuse, and the last status flags or -1.
    """
    frames, start = 0, 0
    for at in range(size):
        if buffer[at] != RETURN and buffer[at] != BELL:
            continue
        if frames == len(keys):
            break
        if at > start:
            found = parse_line(buffer[start:at], frames, keys, data, lengths, fd_lengths, counts)
            if found > 0:
                frames += 1
            elif found < 0:
                counts[P_BROKEN] += 1
            counts[P_REFUSALS] = 0
        else:
            counts[P_REFUSALS] = counts[P_REFUSALS] + 1 if buffer[at] == BELL else 0
        start = at + 1
    return frames, start


class SlcanWire:
    """A serial CAN adapter, a pty or a TCP connection that speaks as one."""

    def __init__(self, channel: str, settings: dict[str, Any]):
        self.bus = slcanBus(channel, **settings)
        try:
            self._begin()
        except Exception:
            self.close()
            raise

    def _begin(self) -> None:
        self._descriptor = self.bus.fileno()
        self._is_socket = stat.S_ISSOCK(os.fstat(self._descriptor).st_mode)
        os.set_blocking(self._descriptor, False)
        self._buffer = np.zeros(ROOM, np.uint8)
        self._bytes = memoryview(self._buffer.data).cast("B")
        self._size = 0
        self._unsent = b""
        self._parsed = np.array([0, 0, -1], np.int64)
        self._asked, self._questions = time.monotonic(), float(MOST_QUESTIONS)
        self._timer: Any = None
        self._fault = Fault()
        self.counts = self._fault.counts
        self.counts["broken_lines"] = 0
        self._parse(Batch())  # compiles, or loads, the kernel here, in the thread that opens the bus

    @property
    def state(self) -> str:
        return self._fault.state

    @property
    def is_idle(self) -> bool:
        return not self._unsent  # what the line took stands in the kernel's queue

    def set_filters(self, keys: Collection[int] | None) -> None:
        """The protocol's one mask cannot tell a set of identifiers: the compiled tables leave the others out."""

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        loop.add_reader(self._descriptor, ready)

        def look() -> None:
            """A silent adapter is asked all the same: it may have left the bus."""
            self._timer = loop.call_later(1.1 * ASK, look)
            ready()

        self._timer = loop.call_later(1.1 * ASK, look)

    def unwatch(self, loop: Any) -> None:
        loop.remove_reader(self._descriptor)
        if self._timer is not None:
            self._timer.cancel()

    def drain(self, batch: Batch) -> bool:
        """Read and parse what waits; a line without an end that fills the whole buffer is thrown away as broken."""
        try:
            count = os.readv(self._descriptor, [self._bytes[self._size :]])
        except BlockingIOError:
            count = -1
        # A serial line gives 0 bytes both when it is gone and when it is silent, a connection only when it was closed.
        if count == 0 and (self._is_socket or self._is_hung_up()):
            raise OSError("the serial line was closed at its other end")
        self._size += max(count, 0)
        frames, used = self._parse(batch)
        if used == 0 and self._size == ROOM:
            used = ROOM
            self._parsed[P_BROKEN] += 1
        rest = self._size - used
        self._buffer[:rest] = self._buffer[used : self._size].copy()
        self._size = rest
        self._look()
        batch.count = frames
        batch.times[:frames] = time.monotonic_ns()
        return bool(frames == BATCH)

    def _look(self) -> None:
        """What the adapter's answers say, and the next question for its flags."""
        self.counts["broken_lines"] = int(self._parsed[P_BROKEN])
        if self._parsed[P_REFUSALS] >= MOST_REFUSALS:
            raise OSError("the adapter refuses our frames: its channel is closed, as after a reset")
        flags = int(self._parsed[P_FLAGS])
        if flags >= 0:
            self._parsed[P_FLAGS] = -1
            self._questions = math.inf
            self.counts["overflow"] += bool(flags & F_OVERFLOW)
            self._fault.enter(PASSIVE if flags & F_PASSIVE else WARNING if flags & F_WARNING else ACTIVE)
        if self._unsent:
            self._unsent = self._unsent[self._write(self._unsent) :]
        now = time.monotonic()
        if now - self._asked > ASK and not self._unsent and self._questions > 0:
            self._asked, self._questions = now, self._questions - 1
            self._unsent = b"F\r"[self._write(b"F\r") :]

    def _is_hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))

    def _parse(self, batch: Batch) -> tuple[int, int]:
        frames, used = parse(self._buffer, self._size, batch.keys, batch.data, batch.lengths, _LENGTHS, self._parsed)
        return frames, used

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        """Write one line whole or not at all: half a line would spoil the next frame too."""
        extended = key & EXTENDED
        letter = ("D" if extended else "d") if fd else ("T" if extended else "t")
        code = FD_LENGTHS.index(len(data))
        identifier = f"{key & ~EXTENDED:08X}" if extended else f"{key:03X}"
        line = f"{letter}{identifier}{code:X}{data.hex().upper()}\r".encode()
        if self._unsent:
            self._unsent = self._unsent[self._write(self._unsent) :]
            if self._unsent:
                self.counts["not_sent"] += 1
                return False
        written = self._write(line)
        if written == 0:
            self.counts["not_sent"] += 1
            return False
        self._unsent = line[written:]
        return True

    def _write(self, line: bytes) -> int:
        try:
            return os.write(self._descriptor, line)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close the bus; on a line that is gone python-can fails to say goodbye, and the descriptor must go all the same."""
        try:
            self.bus.shutdown()
        finally:
            self.bus.serialPortOrig.close()
