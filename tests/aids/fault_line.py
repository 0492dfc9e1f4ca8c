"""What the misbehaving devices stand on: their truth, which is the time, and a serial port that can be pulled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import tty
from collections.abc import Callable
from pathlib import Path


def now_ms() -> int:
    """The truth: CLOCK_MONOTONIC in ms, 32 bits."""
    return time.monotonic_ns() // 1_000_000 % 2**32


class PtyLine:
    """One end of a pty pair whose other end is linked to a path: a serial port that can be pulled."""

    def __init__(self, link: Path, receive: Callable[[bytes], None]):
        self.link, self.receive = link, receive
        self.near = self.far = -1
        self.plug()

    def plug(self) -> None:
        self.near, self.far = os.openpty()
        for end in (self.near, self.far):
            tty.setraw(end)
        os.set_blocking(self.near, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.far))
        asyncio.get_running_loop().add_reader(self.near, self._readable)

    def unplug(self) -> None:
        asyncio.get_running_loop().remove_reader(self.near)
        self.link.unlink(missing_ok=True)
        os.close(self.near)
        os.close(self.far)
        self.near = -1

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.receive(os.read(self.near, 65536))

    def write(self, data: bytes) -> None:
        """Write what fits; a full line loses the rest, as a serial port does."""
        if self.near >= 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self.near, data)
