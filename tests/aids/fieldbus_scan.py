"""A scan for fieldbus tests: a process that owns a real scan.image and publishes outboxes, but runs no program.

`python -m tests.aids.fieldbus_scan RUN_DIR GENERATION OUTPUTS WAKE`. It publishes every 10 ms what the test told it.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.image import (
    HEADER,
    STAMP,
    STAMP_MONOTONIC,
    STAMP_SCAN,
    STAMP_SESSION,
    STAMP_STATE,
    Shared,
    inbox_payload,
    outbox_payload,
    padded,
    ring_close,
    ring_open,
    ring_read,
    ring_size,
)
from runtime.engine.south import INBOX_FILE, OUTBOX_FILE
from tests.aids.fieldbus_child import answer

PERIOD = 0.01


class Scan:
    """Owns the outbox; reads the inbox as the real scan does."""

    def __init__(self, folder: Path, generation: int, outputs: int, wake: int):
        self.folder, self.generation, self.wake = folder, generation, wake
        self.payload = outbox_payload(outputs)
        self.shared = Shared.create(folder / OUTBOX_FILE, ring_size(self.payload), generation)
        self.integer = np.zeros(padded(outputs * 8) // 8, np.int64)
        self.lreal = self.integer.view(np.float64)
        self.state, self.number, self.beating = 1, 0, True
        self.changed_at = 0
        self.inbox: Shared | None = None
        self.echo: tuple[int, int, int] | None = None  # input slot, output slot, number of input points

    def publish(self) -> None:
        if self.echo is not None:
            source, target, points = self.echo
            value = self.read_inbox(points)["lreal"][source]
            self.lreal[target] = 0.0 if value is None else value
        ring = self.shared.address + HEADER
        start = ring_open(ring, self.payload) - self.shared.address
        slot = self.shared.memory[start : start + self.payload]
        stamps = slot[:STAMP].view(np.int64)
        self.number += 1
        stamps[STAMP_SCAN], stamps[STAMP_STATE], stamps[STAMP_SESSION] = self.number, self.state, self.shared.session
        stamps[STAMP_MONOTONIC] = time.monotonic_ns()
        slot[STAMP : STAMP + self.integer.nbytes] = self.integer.view(np.uint8)
        ring_close(ring, self.payload)
        os.write(self.wake, (1).to_bytes(8, "little"))

    def read_inbox(self, points: int) -> dict[str, Any]:
        if self.inbox is None or not self.inbox.is_current():
            self.inbox = Shared.attach(self.folder / INBOX_FILE, self.generation)
        payload = inbox_payload(points)
        private = np.zeros(payload, np.uint8)
        deadline = time.monotonic() + 10  # the first one may wait for kernels to be compiled
        while ring_read(self.inbox.address + HEADER, payload, private.ctypes.data, 0) <= 0:
            assert time.monotonic() < deadline, "no inbox was published"
            time.sleep(0.001)
        cells = padded(points * 8)
        integer = private[STAMP : STAMP + points * 8].view(np.int64)
        return {
            "stamp": int(private[:STAMP].view(np.int64)[STAMP_MONOTONIC]),
            "integer": integer.tolist(),
            "lreal": [None if v != v else v for v in integer.view(np.float64).tolist()],
            "time": private[STAMP + cells : STAMP + cells + points * 8].view(np.int64).tolist(),
            "quality": private[STAMP + 2 * cells :][: points * 4].view(np.uint32).tolist(),
            "now": time.monotonic_ns(),
        }

    def do(self, asked: dict[str, Any]) -> Any:
        what = asked["do"]
        if what == "set":
            for slot, value in asked["values"].items():
                if isinstance(value, float):
                    self.lreal[int(slot)] = value
                else:
                    self.integer[int(slot)] = value
        elif what == "state":
            self.state = asked["state"]
        elif what == "beat":
            self.beating = asked["on"]
        elif what == "echo":
            self.echo = (asked["source"], asked["target"], asked["points"])
        elif what == "inbox":
            return self.read_inbox(asked["points"])
        return {"now": time.monotonic_ns()}

    def run(self) -> None:
        answer({"pid": os.getpid()})
        due, buffer = time.monotonic(), ""
        while True:
            readable, _, _ = select.select([0], [], [], max(0.0, due - time.monotonic()))
            if readable:
                data = os.read(0, 1 << 20).decode()
                if not data:
                    return
                *lines, buffer = (buffer + data).split("\n")
                for line in lines:
                    answer(self.do(json.loads(line)))
            if time.monotonic() >= due:
                due += PERIOD
                if self.beating:
                    self.publish()


if __name__ == "__main__":
    Scan(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])).run()
