"""A CAN adapter for tests: the far end of a pty that speaks SLCAN, as a process of its own.

`python -m tests.aids.fieldbus_slcan LINK` makes the pty and names its near end LINK.
"""

from __future__ import annotations

import json
import os
import selectors
import sys
import time
import tty
from pathlib import Path
from typing import Any

from tests.aids.fieldbus_child import answer


class Adapter:
    """The adapter's side of the line: answers commands, records frames, sends those that the test asks for."""

    def __init__(self, link: Path):
        self.link = link
        self.selector = selectors.DefaultSelector()
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        self.master = self.slave = -1
        self.rest = b""
        self.is_open = False
        self.frames: list[dict[str, Any]] = []
        self.repeated: list[tuple[float, bytes]] = []
        self.next_repeat = 0.0
        self.plug()

    def plug(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        tty.setraw(self.master)
        os.set_blocking(self.master, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.slave))
        self.selector.register(self.master, selectors.EVENT_READ)

    def unplug(self) -> None:
        self.selector.unregister(self.master)
        os.close(self.master)
        os.close(self.slave)
        self.link.unlink()
        self.master, self.is_open, self.rest = -1, False, b""

    def receive(self) -> None:
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return
        *lines, self.rest = (self.rest + data).split(b"\r")
        for line in lines:
            if line[:1] in b"tTdD" and line:
                self.record(line.decode())
            elif line[:1] == b"O":
                self.is_open = True
            elif line[:1] == b"C":
                self.is_open = False

    def record(self, line: str) -> None:
        digits = 8 if line[0].isupper() else 3
        self.frames.append({"t": time.monotonic_ns(), "id": int(line[1 : 1 + digits], 16), "data": line[digits + 2 :]})

    def write(self, data: bytes) -> None:
        """Write all; a full line waits a moment, because a test must not lose what it sends."""
        deadline = time.monotonic() + 5
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.001)

    def do(self, asked: dict[str, Any]) -> Any:
        what = asked["do"]
        if what == "send":
            self.write(b"".join(f"{line}\r".encode() for line in asked["lines"]))
        elif what == "repeat":
            self.repeated = [(asked["every"], b"".join(f"{line}\r".encode() for line in asked["lines"]))] if asked["lines"] else []
        elif what == "frames":
            frames, self.frames = self.frames, []
            return frames
        elif what == "plug":
            self.plug()
        elif what == "unplug":
            self.unplug()
        elif what == "is_open":
            return self.is_open
        return True

    def run(self) -> None:
        answer({"ready": True})
        buffer = ""
        while True:
            for key, _ in self.selector.select(0.002 if self.repeated else 1.0):
                if key.fileobj is sys.stdin:
                    data = os.read(0, 1 << 20).decode()
                    if not data:
                        return
                    buffer += data
                    *lines, buffer = buffer.split("\n")
                    for line in lines:
                        answer(self.do(json.loads(line)))
                elif self.master >= 0:
                    self.receive()
            if self.repeated and self.master >= 0 and time.monotonic() >= self.next_repeat:
                every, data = self.repeated[0]
                self.next_repeat = time.monotonic() + every
                self.write(data)


if __name__ == "__main__":
    Adapter(Path(sys.argv[1])).run()
