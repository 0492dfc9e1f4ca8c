"""A small scan in a thread: owns a real scan.image, publishes a handful of tags and answers commands, under the test's control."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from runtime.child import ServiceOrder
from runtime.engine import north
from runtime.engine.atomics import copy_bytes
from runtime.engine.image import (
    COMMAND_WORDS,
    HEADER,
    LINE,
    REPLY_RING,
    REPLY_WORDS,
    RING_ENTRIES,
    STAMP,
    STAMP_MONOTONIC,
    STAMP_SCAN,
    STAMP_SESSION,
    STAMP_STATE,
    STAMP_WALL,
    ImageError,
    Shared,
    address_of,
    ring_close,
    ring_open,
    scan_layout,
)
from runtime.engine.north import SERVICES, _load, _store, command_file
from runtime.engine.south import SCAN_FILE
from runtime.model import ROLES, Tag, TagRegion
from runtime.quality import GOOD

GENERATION = 0x5EED
SIZES = {"BOOL": 1, "DINT": 4, "LINT": 8, "TIME": 8, "LREAL": 8}
TAGS = (
    Tag("bms.soc", "LREAL", 0, 0, 0, "input", "%", "State of charge", 0.0, 100.0, 50.0, "device rack1"),
    Tag("bms.current", "LREAL", 0, 0, 0, "input", "A", "Pack current", -1000.0, 1000.0),
    Tag("bms.cell_v", "LREAL", 8, 0, 0, "input", "V", "Cell voltages", 0.0, 5.0),
    Tag("bms.ok", "BOOL", 0, 0, 0, "input", "", "The BMS allows operation"),
    Tag("bms.cycles", "DINT", 0, 0, 0, "input", "", "Full cycles"),
    Tag("pcs.state", "DINT", 0, 0, 0, "input", "", "State of the converter", names=((0, "off"), (1, "standby"), (2, "running"))),
    Tag("pcs.alarm", "DINT", 0, 0, 0, "input", "", "Alarm code", names=((10, "cold"), (20, "hot"))),
    Tag("grid.energy", "LINT", 0, 0, 0, "input", "Wh", "Energy counter"),
    Tag("plc.uptime", "TIME", 0, 0, 0, "memory", "", "Time since start"),
    Tag("hmi.p_set", "LREAL", 0, 0, 0, "memory", "kW", "Power setpoint", -500.0, 500.0, 0.0, "operator", "operator"),
    Tag("hmi.enable", "BOOL", 0, 0, 0, "memory", "", "Follow the setpoint", owner="operator", write="operator"),
    Tag("hmi.limit", "DINT", 0, 0, 0, "memory", "", "Limit", -10, 10, 0, "operator", "engineer"),
    Tag("hmi.steps", "LREAL", 3, 0, 0, "memory", "kW", "Steps", -500.0, 500.0, 0.0, "operator", "operator"),
    Tag("hmi.count", "LINT", 0, 0, 0, "memory", "", "A counter", owner="operator", write="operator"),
    Tag("hmi.delay", "TIME", 0, 0, 0, "memory", "", "A delay", owner="operator", write="operator"),
)


def lay_out_region(tags: Iterable[Tag]) -> tuple[tuple[Tag, ...], TagRegion]:
    """Give each tag its offset: 8-byte values, source times, 4-byte values, qualities, BOOLs, good bytes."""
    rows = [replace(tag, index=n) for n, tag in enumerate(tags)]
    offset, placed = 0, {}
    for size in (8, 4, 1):
        for tag in (t for t in rows if SIZES[t.type] == size):
            placed[tag.index] = replace(tag, offset=offset)
            offset += size * max(tag.length, 1)
        if size == 8:
            times, offset = offset, offset + 8 * len(rows)
        elif size == 4:
            qualities, offset = offset, offset + 4 * len(rows)
    good, offset = offset, offset + len(rows)
    region = TagRegion(-(-offset // 64) * 64, qualities, times, good, len(rows))
    return tuple(placed[n] for n in range(len(rows))), region


@njit
def _publish(ring: int, payload: int, source: int) -> int:
    copy_bytes(ring_open(ring, payload), source, payload)
    return ring_close(ring, payload)


class TestScan:
    """A scan of 10 ms. `set`, `spoil` and `freeze` change what it publishes; `answer` overrides what it says to writes."""

    __test__ = False

    def __init__(self, folder: Path, tags: Iterable[Tag] = TAGS, generation: int = GENERATION):
        self.folder, self.generation = folder, generation
        self.tags, self.region = lay_out_region(tags)
        self.by_name = {tag.name: tag for tag in self.tags}
        self.layout = scan_layout(self.region.size)
        self.payload = np.zeros(self.layout.snapshot_payload, np.uint8)
        self.stamps = self.payload[:STAMP].view(np.int64)
        self.memory = self.payload[STAMP : STAMP + self.region.size]
        self.qualities = self.memory[self.region.quality :][: 4 * self.region.tags].view(np.uint32)
        self.times = self.memory[self.region.source_time :][: 8 * self.region.tags].view(np.int64)
        self.qualities[:] = GOOD
        self.state = 1
        self.frozen = False  # publishes no more, as a scan that hangs
        self.silent = False  # publishes, but takes no commands
        self.answer = 0
        self.taken: list[tuple[str, int, Any, str]] = []
        self._lock = threading.Lock()
        self._rings: dict[str, tuple[Shared, np.ndarray, int]] = {}
        self._stop = threading.Event()
        self.start()

    def start(self) -> None:
        self.stamps[STAMP_SCAN] = 0
        self.image = Shared.create(self.folder / SCAN_FILE, self.layout.size, self.generation)
        self._stop.clear()
        self._rings.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the scan and take its file away, as its process does."""
        self._stop.set()
        self._thread.join(5)
        self.image.remove()

    def column(self, name: str) -> np.ndarray:
        tag = self.by_name[name]
        code = north._NUMPY[tag.type]
        return self.memory[tag.offset :][: SIZES[tag.type] * max(tag.length, 1)].view(code)

    def set(self, name: str, value: Any) -> None:
        with self._lock:
            self.column(name)[:] = value

    def get(self, name: str) -> Any:
        return self.column(name).tolist() if self.by_name[name].length else self.column(name)[0].item()

    def spoil(self, name: str, quality: int) -> None:
        with self._lock:
            self.qualities[self.by_name[name].index] = quality

    def order(self, service: str, **settings: Any) -> ServiceOrder:
        return ServiceOrder(
            service,
            "plant1",
            str(self.folder),
            str(self.folder),
            self.generation,
            self.tags,
            self.region,
            (),
            {"port": "0", **settings},
        )

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            with self._lock:
                self.stamps[STAMP_SCAN] += 1
                if not self.silent and not self.frozen:
                    for service in SERVICES:
                        self._drain(service)
                self.stamps[STAMP_MONOTONIC], self.stamps[STAMP_WALL] = time.monotonic_ns(), time.time_ns()
                self.stamps[STAMP_STATE], self.stamps[STAMP_SESSION] = self.state, self.image.session
                if not self.frozen:
                    _publish(self.image.address + self.layout.snapshot, self.layout.snapshot_payload, address_of(self.payload))

    def _drain(self, service: str) -> None:
        ring = self._ring(service)
        if ring is None:
            return
        shared, replies, address = ring
        commands = shared.memory[HEADER + LINE :][: RING_ENTRIES * COMMAND_WORDS * 8].view(np.int64).reshape(-1, COMMAND_WORDS)
        head, done = _load(shared.address + HEADER), int(replies[1])
        while done < head:
            done += 1
            number, kind, row, element, role, bits = (int(w) for w in commands[done % RING_ENTRIES][:6])
            start = LINE // 8 + done % RING_ENTRIES * REPLY_WORDS
            replies[start : start + 3] = number, self._obey(kind, row, element, role, bits), self.stamps[STAMP_SCAN]
        _store(address + 8, done)

    def _ring(self, service: str) -> tuple[Shared, np.ndarray, int] | None:
        known = self._rings.get(service)
        if known is None or not known[0].is_current():
            try:
                shared = Shared.attach(self.folder / command_file(service), self.generation)
            except ImageError:
                return None
            offset = self.layout.replies + SERVICES.index(service) * REPLY_RING
            replies = self.image.memory[offset : offset + REPLY_RING].view(np.int64)
            replies[1] = _load(shared.address + HEADER)
            _store(self.image.address + offset, shared.session)
            known = self._rings[service] = (shared, replies, self.image.address + offset)
        return known

    def _obey(self, kind: int, row: int, element: int, role: int, bits: int) -> int:
        tag = self.tags[row]
        if self.answer:
            return self.answer
        if kind != north.WRITE or not tag.write:
            return north.NOT_WRITABLE
        if role < ROLES.index(tag.write):
            return north.ROLE_TOO_LOW
        value = np.array([bits], np.int64).view(np.float64)[0].item() if tag.type == "LREAL" else bits
        if not np.isfinite(value):
            return north.NOT_FINITE
        if (tag.minimum is not None and value < tag.minimum) or (tag.maximum is not None and value > tag.maximum):
            return north.OUT_OF_RANGE
        self.column(tag.name)[element] = value
        self.taken.append((tag.name, element, value, ROLES[role]))
        return north.TAKEN
