"""Counts scans from outside: which scan latched a tag's change, and which scans had begun when its consequence left.

It reads the snapshots and outboxes that every server and the fieldbus read; it must not ask the scan for anything.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from runtime.app import generation_of, read_site
from runtime.engine.north import Snapshot
from runtime.engine.south import Outbox
from runtime.io_generation import io_generation_of


@dataclass
class Changes:
    """One value as it was seen to change: for each new value the scan that showed it, and the last scan that did not."""

    seen: list[tuple[float, int, int]] = field(default_factory=list)  # value, last scan before, first scan with it

    def add(self, value: float, before: int, scan: int) -> None:
        if not self.seen or self.seen[-1][0] != value:
            self.seen.append((value, before, scan))

    def first(self, value: float, since: int) -> tuple[int, int] | None:
        """The last scan without and the first scan with this value, among those after `since`."""
        return next(((before, scan) for seen, before, scan in self.seen if seen == value and scan > since), None)


class ScanWatcher:
    """Follows some tags in the snapshots and some output slots in the outboxes, in a thread, until `close`."""

    def __init__(self, site_file: Path, run_dir: Path, tags: tuple[str, ...], outputs: tuple[str, ...]):
        site, _ = read_site(site_file)
        schedule = site.schedule
        generation = generation_of(schedule)
        points = len(schedule.outputs.source)
        self._tick = schedule.tick
        self._snapshot = Snapshot(run_dir, schedule.region, generation)
        self._outbox = Outbox(run_dir, points, io_generation_of(site))
        self._outbox.attach()
        self._tags = {name: schedule.tag(name) for name in tags}
        slots = {point.tag: (point.slot, point.type) for device in site.devices for point in device.outputs}
        self._slots = {name: slots[name] for name in outputs}
        self.tags = {name: Changes() for name in tags}
        self.outputs = {name: Changes() for name in outputs}
        self.scans: list[int] = []
        self.starts: list[int] = []  # CLOCK_MONOTONIC ns of each of `scans`
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        last_in = last_out = 0
        while not self._ended.wait(0.001):
            if self._snapshot.refresh():
                scan = self._snapshot.scan
                self.scans.append(scan)
                self.starts.append(self._snapshot.monotonic)  # last: who looks for a start finds its scan
                for name, tag in self._tags.items():
                    self.tags[name].add(float(self._snapshot.value(tag)), last_in, scan)
                last_in = scan
            if self._outbox.take():
                scan = self._outbox.scan
                for name, (slot, kind) in self._slots.items():
                    cells = self._outbox.lreal if kind == "LREAL" else self._outbox.integer
                    self.outputs[name].add(float(cells[slot]), last_out, scan)
                last_out = scan

    @property
    def scan(self) -> int:
        """The newest scan that was seen."""
        return self.scans[-1] if self.scans else 0

    def scan_at(self, monotonic_ns: int) -> int:
        """The newest scan that had begun at this time: where snapshots were missed, counted back from the next that was seen."""
        place = bisect_right(self.starts, monotonic_ns)
        until = time.monotonic() + 10
        while place == len(self.starts):  # the next scan says how many began before it
            assert time.monotonic() < until, "the scan goes on"
            time.sleep(0.001)
        assert place, "a scan was seen before"
        behind = -(-(self.starts[place] - monotonic_ns) // self._tick)
        return max(self.scans[place - 1], self.scans[place] - behind)

    def wait_for(self, changes: Changes, value: float, since: int, seconds: float, what: str) -> tuple[int, int]:
        """The scans of a change to `value` after scan `since`."""
        until = time.monotonic() + seconds
        while (found := changes.first(value, since)) is None:
            assert time.monotonic() < until, f"not within {seconds} s: {what} (seen: {changes.seen[-5:]})"
            time.sleep(0.005)
        return found

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
