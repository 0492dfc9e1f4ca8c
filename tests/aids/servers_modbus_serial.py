"""A serial line for tests: two pseudo terminals and a thread between them, so that two programs each open an end of it."""

from __future__ import annotations

import os
import select
import termios
import threading
import time
import tty


class SerialWire:
    """`far` is the end that the server opens, `near` the one of its client. `speak` is a third voice on the line."""

    def __init__(self) -> None:
        self._masters, self._slaves = zip(*(os.openpty() for _ in range(2)), strict=True)
        for slave in self._slaves:
            tty.setraw(slave)
        self.far, self.near = (os.ttyname(slave) for slave in self._slaves)
        self.answers = b""  # what the server has said since the last `speak`
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        while not self._stop.is_set():
            for master in select.select(self._masters, [], [], 0.05)[0]:
                data = os.read(master, 4096)
                if master == self._masters[0]:
                    self.answers += data
                os.write(self._masters[1 - self._masters.index(master)], data)

    def speak(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Put bytes on the line that the server hears, in pieces with pauses between them; its answers count from here."""
        self.answers = b""
        for piece in pieces:
            os.write(self._masters[0], piece)
            time.sleep(pause)

    def answers_within(self, seconds: float) -> bytes:
        """What the server has said since the last `speak`, and says in so much time."""
        time.sleep(seconds)
        return self.answers

    def hush(self) -> None:
        """Forget what the near end was told while nobody listened there: the answers to `speak`."""
        termios.tcflush(self._slaves[1], termios.TCIFLUSH)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        for descriptor in (*self._masters, *self._slaves):
            os.close(descriptor)
