"""How the rack's frames travel: over a pty pair that speaks SLCAN, or over any interface of python-can.

It must not know what the frames mean. Nothing here ever waits: what nobody takes is dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import can
import numpy as np

from runtime.simulation.frames import EXTENDED
from runtime.simulation.slcan import Adapter, Frame, line_template, take, write_lines

Receive = Callable[[Frame], None]
LONGEST_DEBT = 4096  # bytes of answers kept for a host that does not read them


class Link(Protocol):
    """One end of a CAN bus. `prepare` makes once what every sending of the same ids needs."""

    sent: int
    dropped: int
    received: int

    def prepare(self, ids: np.ndarray) -> Any: ...
    def send(self, prepared: Any, payload: np.ndarray) -> None: ...
    def flush(self) -> None: ...
    def listen(self, loop: asyncio.AbstractEventLoop, receive: Receive) -> None: ...
    def close(self) -> None: ...


class SlcanLink:
    """A pty pair: we are the adapter on its near end; the far end is linked to `path` for the controller to open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        os.set_blocking(self.near, False)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.symlink_to(os.ttyname(self.far))
        self.adapter = Adapter()
        self.sent = self.dropped = self.received = 0
        self._queue: list[bytes] = []
        self._queued = 0
        self._owed = b""  # the rest of a line of which the first part is already in the pty, and answers
        self._loop: asyncio.AbstractEventLoop | None = None

    def prepare(self, ids: np.ndarray) -> np.ndarray:
        return line_template(ids)

    def send(self, prepared: np.ndarray, payload: np.ndarray) -> None:
        if self.adapter.is_open:
            self._queue.append(write_lines(prepared, payload))
            self._queued += len(payload)

    def flush(self) -> None:
        """Write what is queued in one call; frames that do not fit are dropped whole, answers and a line cut in two are kept."""
        if not self._queue and not self._owed:
            return
        text = self._owed + b"".join(self._queue)
        try:
            done = os.write(self.near, text)
        except BlockingIOError:
            done = 0
        end = len(text)
        if done < len(self._owed):
            end = len(self._owed)
        elif done < end:
            is_cut = done > 0 and text[done - 1 : done] not in (b"\r", b"\a")
            end = text.index(b"\r", done) + 1 if is_cut else done
        lost = text.count(b"t", end) + text.count(b"T", end)  # a data line is the only place where these letters stand
        self.sent += self._queued - lost
        self.dropped += lost
        self._owed = text[done:end]
        self._queue.clear()
        self._queued = 0

    def listen(self, loop: asyncio.AbstractEventLoop, receive: Receive) -> None:
        self._loop = loop
        loop.add_reader(self.near, self._readable, receive)

    def _readable(self, receive: Receive) -> None:
        try:
            block = os.read(self.near, 65536)
        except BlockingIOError:
            return
        frames, answers, opened = take(self.adapter, block)
        if opened:
            # A new controller must not be told what was meant for the one before it.
            termios.tcflush(self.far, termios.TCIFLUSH)
            self._owed = b""
        if answers and len(self._owed) < LONGEST_DEBT:
            self._owed += answers
            self.flush()
        self.received += len(frames)
        for frame in frames:
            receive(frame)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self.near)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self.near)
        os.close(self.far)


class PythonCanLink:
    """Any interface of python-can, such as socketcan on vcan0."""

    def __init__(self, interface: str, channel: str) -> None:
        self.bus = can.Bus(interface=interface, channel=channel)
        self.sent = self.dropped = self.received = 0
        self._receive: Receive | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def prepare(self, ids: np.ndarray) -> list[int]:
        return [int(number) for number in ids]

    def send(self, prepared: list[int], payload: np.ndarray) -> None:
        for number, data in zip(prepared, payload, strict=True):
            is_extended = number >= EXTENDED
            plain = number - EXTENDED if is_extended else number
            try:
                self.bus.send(can.Message(arbitration_id=plain, data=data.tobytes(), is_extended_id=is_extended), timeout=0)
                self.sent += 1
            except can.CanOperationError:  # the transmit queue is full, or the interface is down
                self.dropped += 1

    def flush(self) -> None:
        """Frames are on their way already; where the interface has no file to wait on, this is when we look for new ones."""
        if self._receive is not None and self._loop is None:
            self._drain()

    def listen(self, loop: asyncio.AbstractEventLoop, receive: Receive) -> None:
        self._receive = receive
        try:
            waits_on = self.bus.fileno()
        except NotImplementedError:
            waits_on = -1
        if waits_on >= 0:
            self._loop = loop
            loop.add_reader(waits_on, self._drain)

    def _drain(self) -> None:
        while (message := self._next()) is not None:
            if self._receive is not None and not message.is_error_frame:
                self.received += 1
                data = bytes(message.data)
                self._receive(Frame(message.arbitration_id, data, message.is_extended_id, message.is_remote_frame))

    def _next(self) -> can.Message | None:
        try:
            return self.bus.recv(timeout=0)
        except can.CanOperationError:  # said once when the interface goes down; the socket hears again when it is up
            return None

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self.bus.fileno())
        self.bus.shutdown()
