"""A PLC on a bench: the test is its field, its services and its clock, and the scan is the compiled one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.loop import scan_loop
from runtime.engine.north import Commands, Reply, Snapshot
from runtime.engine.plan import S_TICK
from runtime.engine.plc import Plc
from runtime.engine.south import Inbox, Outbox
from runtime.model import Site
from runtime.quality import GOOD

GENERATION = 0x7E57
MS = 1_000_000
START = 1_000_000_000  # CLOCK_MONOTONIC of the first scan
FOR_EVER = 1 << 62


class Bench:
    """One PLC in a folder, scanned by hand. `now` is its clock."""

    def __init__(self, folder: Path, site: Site, **options: Any):
        self.folder, self.site, self.schedule = folder, site, site.schedule
        self.plc = Plc(site.schedule, folder, GENERATION, **options)
        self.now = START - site.schedule.tick
        self.inbox = self._new_inbox()
        self.plc.attach()

    def _new_inbox(self) -> Inbox:
        """An inbox of which only the devices' own tags are good, for ever: the test feeds the rest."""
        inbox = Inbox(self.folder, len(self.schedule.inputs.tag), GENERATION)
        for slot in [p.slot for device in self.site.devices for p in device.diagnostics]:
            inbox.quality[slot], inbox.time[slot] = GOOD, FOR_EVER
        return inbox

    def scan(self, count: int = 1, ticks: int = 1) -> None:
        """So many scans, each that many ticks after the one before: more than one is a scan that came late."""
        for _ in range(count):
            self.now += ticks * self.schedule.tick
            self.plc.plan.state[S_TICK] += ticks - 1
            self.plc.scan(self.now)

    def scan_at(self, now: int) -> None:
        """One scan that starts at this time."""
        self.now = now
        self.plc.scan(now)

    def slot(self, name: str, element: int = 0) -> int:
        """The tag's place in the inbox or the outbox."""
        points = [p for d in self.site.devices for p in (*d.inputs, *d.outputs)]
        return next(p.slot for p in points if p.tag == name and p.element == element)

    def feed(self, name: str, value: float | int, quality: int = GOOD, at: int | None = None, element: int = 0) -> None:
        """The device gives a reading, taken at the time of the next scan unless said otherwise; it is published at once."""
        slot = self.slot(name, element)
        (self.inbox.lreal if isinstance(value, float) else self.inbox.integer)[slot] = value
        self.inbox.quality[slot] = quality
        self.inbox.time[slot] = self.now + self.schedule.tick if at is None else at
        self.inbox.changed()
        self.inbox.publish()

    def restart_fieldbus(self) -> None:
        """A new fieldbus process: a new inbox in the place of the old one, found by the scan process."""
        self.inbox = self._new_inbox()
        self.plc.attach()

    def commands(self, service: str = "hmi") -> Commands:
        """A service's command ring, found by the scan process."""
        ring = Commands(self.folder, service, self.schedule.region.size, GENERATION)
        self.plc.attach()
        return ring

    def ask(self, ring: Commands, name: str, value: float | int | bool, role: str = "operator", element: int = 0) -> Reply:
        """Write one tag through a service, scan once, and return the answer."""
        number = ring.write(self.schedule.tag(name), value, role, element)
        self.scan()
        replies = list(ring.replies())
        assert [r.id for r in replies] == [number]
        return replies[0]

    def snapshot(self) -> Snapshot:
        """The newest picture, as a server sees it."""
        return snapshot_of(self.plc)

    def outbox(self) -> Outbox:
        """The newest outbox, as the fieldbus sees it."""
        return outbox_of(self.plc)

    def quality(self, name: str) -> int:
        return self.snapshot().quality(self.schedule.tag(name))

    def good(self, name: str) -> bool:
        """What a program reads as `name.good`."""
        return bool(self.plc.plan.tag_good[self.schedule.tag(name).index])

    def source_time(self, name: str) -> int:
        """When the last good reading was taken, on the scan's clock; 0 for never."""
        return int(self.plc.plan.tag_time[self.schedule.tag(name).index])

    def value(self, name: str) -> Any:
        return self.plc.value(name)


def snapshot_of(plc: Plc) -> Snapshot:
    """The newest picture of a PLC, through its shared file."""
    snapshot = Snapshot(plc.folder, plc.schedule.region, plc.generation)
    wait_for(
        snapshot.refresh, 5, "a picture of the scan"
    )  # the first scan may be to come; a torn picture is followed by a whole one
    return snapshot


def outbox_of(plc: Plc) -> Outbox:
    """The newest outbox of a PLC, through its shared file."""
    outbox = Outbox(plc.folder, len(plc.schedule.outputs.source), plc.generation)
    outbox.attach()
    wait_for(outbox.take, 5, "an outbox of the scan")
    return outbox


def stable_memory(plc: Plc) -> np.ndarray:
    """Process memory with the timing tags (plc.*_us), which are measurements, blanked."""
    memory = plc.plan.memory.copy()
    for tag in plc.schedule.tags:
        if tag.name.startswith("plc.") and tag.name.endswith("_us"):
            memory[tag.offset : tag.offset + 8] = 0
    return memory


@contextmanager
def looping(plc: Plc) -> Iterator[threading.Thread]:
    """The real loop in a thread of its own, stopped at the end."""
    plc.compile()
    thread = threading.Thread(target=scan_loop, args=(plc.plan,), name="scan", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        plc.stop()
        thread.join(10)
        assert not thread.is_alive(), "the loop did not stop"


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for a condition; the deadline is functional, with margin."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.002)
    raise AssertionError(f"not within {seconds} s: {what}")
