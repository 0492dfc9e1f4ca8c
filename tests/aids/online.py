"""A real loop in this process whose program is changed while it runs, and an engineer who forces its tags."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime.child import SwapOrder
from runtime.engine.force_list import Force, Note, put_force, put_unforce, read_forces
from runtime.engine.loop import scan_loop
from runtime.engine.north import Commands, Reply
from runtime.engine.online import Change, Online
from runtime.engine.plan import S_SCAN
from runtime.engine.plc import Plc
from runtime.model import Schedule
from tests.aids.engine import GENERATION, wait_for

IO = 0x10


class Running:
    """A loop that runs in this process, and the swaps that it is asked for."""

    def __init__(self, folder: Path, schedule: Schedule):
        plc = Plc(schedule, folder, GENERATION, io_generation=IO)
        plc.compile()
        self.generation = GENERATION
        self.online = Online(plc, start)

    @property
    def plc(self) -> Plc:
        return self.online.plc

    def load(self, schedule: Schedule, **words: Any) -> Change:
        change = self.online.obey(SwapOrder(1, schedule, self.generation + 1, **words))
        self.generation = self.plc.generation
        return change

    def state(self, word: int) -> int:
        return int(self.plc.plan.state[word])

    def pin(self, name: str) -> Any:
        return self.plc.pin(name)

    def force(self, name: str, value: Any, lasts: int = 0, element: int = 0) -> Reply:
        """Hold a tag, as a service of the program that runs now would."""
        tag, note = self.plc.schedule.tag(name), Note("eva", "hmi", "a test", time.time_ns(), lasts)
        return self._ask(lambda ring: put_force(ring, self.plc.folder, tag, value, note, "engineer", element))

    def unforce(self, name: str = "") -> Reply:
        """Let a tag go, or all."""
        tag = self.plc.schedule.tag(name) if name else None
        return self._ask(lambda ring: put_unforce(ring, tag, "engineer"))

    def _ask(self, put: Callable[[Commands], int]) -> Reply:
        ring = Commands(self.plc.folder, "hmi", self.plc.schedule.region.size, self.generation)
        self.plc.attach()
        number = put(ring)
        [reply] = wait_for(lambda: list(ring.replies()), 20, "an answer of the scan")
        assert reply.id == number
        self.after(1)
        return reply  # type: ignore[no-any-return]

    def forces(self) -> list[Force]:
        schedule = self.plc.schedule
        return read_forces(self.plc.folder, self.generation, schedule.region.size, schedule.tags, schedule.tick)

    def after(self, scans: int) -> None:
        until = self.state(S_SCAN) + scans
        wait_for(lambda: self.state(S_SCAN) >= until, 20, f"{scans} scans")


def start(plc: Plc) -> threading.Thread:
    thread = threading.Thread(target=scan_loop, args=(plc.plan,), name="a scan", daemon=True)
    thread.start()
    return thread


@contextmanager
def running(folder: Path, schedule: Schedule) -> Iterator[Running]:
    one = Running(folder, schedule)
    try:
        yield one
    finally:
        one.plc.stop()
        one.online.thread.join(10)
        assert not one.online.thread.is_alive()
