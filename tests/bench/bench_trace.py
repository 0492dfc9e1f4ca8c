"""What forces and traces cost the scan: the same program scanned with and without, by turns; medians of the differences."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from runtime.app import generation_of
from runtime.engine.command import FORCE, UNFORCE
from runtime.engine.force_tables import FORCES
from runtime.engine.north import Commands
from runtime.engine.plc import Plc
from runtime.engine.trace import MOST_CHANNELS
from runtime.engine.trace_view import Trace, channels_of
from tests.bench.measure import Result
from tests.bench.programs import channel_files, plc_of

CHANNELS = 100  # 800 blocks
SCANS, WINDOWS = 200, 31
BAR_US = 2.0


def run() -> list[Result]:
    files = channel_files(CHANNELS)
    tags = "".join(f"  force.t{i}: {{type: LREAL, default: 0, write: operator}}\n" for i in range(FORCES))
    files["config/site.yaml"] += tags
    plc = plc_of(files)
    scanned = _Scanned(plc)
    scanned.window()
    traced = _paired(scanned, lambda: _trace(plc), lambda trace: trace.close())
    every_10th = _paired(scanned, lambda: _trace(plc, every=10), lambda trace: trace.close())
    forced = _paired(scanned, lambda: _force(scanned), lambda ring: _unforce(scanned, ring))
    bare = statistics.median(scanned.window() for _ in range(WINDOWS))
    lost = _lost(plc, scanned)
    plc.image.remove()
    plc.memory.remove()
    return [
        Result("800 blocks, one scan, nothing traced or forced", bare / 1e3, "us"),
        Result(f"tracing {MOST_CHANNELS} channels at every scan, added", traced / 1e3, "us", BAR_US),
        Result(f"tracing {MOST_CHANNELS} channels at every 10th scan, added", every_10th / 1e3, "us"),
        Result("samples lost of 20,000", lost, "samples", 0.0),
        Result(f"{FORCES} forces, added", forced / 1e3, "us"),
    ]


class _Scanned:
    """A PLC that is scanned as fast as it goes; a window is the mean time of a scan in ns."""

    def __init__(self, plc: Plc):
        self.plc, self.now = plc, 1_000_000_000

    def scan(self) -> None:
        self.now += self.plc.schedule.tick
        self.plc.scan(self.now)

    def window(self) -> float:
        begun = time.thread_time_ns()
        for _ in range(SCANS):
            self.scan()
        return (time.thread_time_ns() - begun) / SCANS


def _paired(scanned: _Scanned, begin: Callable[[], Any], end: Callable[[Any], None]) -> float:
    """The median of (with - without), window by window."""
    differences = []
    for _ in range(WINDOWS):
        without = scanned.window()
        held = begin()
        scanned.plc.attach()
        scanned.scan()
        with_it = scanned.window()
        end(held)
        scanned.plc.attach()
        scanned.scan()
        differences.append(with_it - without)
    return statistics.median(differences)


def _trace(plc: Plc, every: int = 1) -> Trace:
    s = plc.schedule
    channels = [channels_of(f"channels.pid{i}.OUT", s.tags, s.region, s.pins)[0] for i in range(MOST_CHANNELS)]
    return Trace(plc.folder, "cli", generation_of(s), channels, every)


def _lost(plc: Plc, scanned: _Scanned) -> float:
    trace = _trace(plc)
    plc.attach()
    for _ in range(100):
        for _ in range(200):
            scanned.scan()
        trace.read()
    trace.close()
    plc.attach()
    assert trace.taken + trace.lost == 20_000
    return float(trace.lost)


def _force(scanned: _Scanned) -> Commands:
    schedule = scanned.plc.schedule
    ring = Commands(scanned.plc.folder, "hmi", schedule.region.size, generation_of(schedule))
    scanned.plc.attach()
    for i in range(FORCES):
        ring.put(FORCE, schedule.tag(f"force.t{i}").index, 0, 2, i, 0, 1)
    scanned.scan()
    assert scanned.plc.value("plc.forced") == FORCES
    return ring


def _unforce(scanned: _Scanned, ring: Commands) -> None:
    ring.put(UNFORCE, -1, -1, 2, 0)
    scanned.scan()
    scanned.scan()
    assert scanned.plc.value("plc.forced") == 0
    ring.close()
