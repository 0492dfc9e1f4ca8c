"""A guard over a test scan, without a server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from runtime.language.loader import read_yaml
from runtime.servers.audit import Deed, Who
from runtime.servers.door import Door
from runtime.servers.modbus.guard import Guard
from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map_words import describe_map
from runtime.source import Report
from tests.aids.servers_scan import TestScan

SCADA = Who("eva", "operator", "10.0.0.9:4711")


class Bench:
    """A guard over a test scan, without a server: `look` is called by hand."""

    def __init__(self, scan: TestScan, text: str, written: dict[str, Deed] | None = None):
        report = Report()
        section = read_yaml("io_maps/scada.yaml", text, report)
        assert section is not None
        entries = describe_map(section, scan.tags, report)
        assert not report.problems, report.problems
        self.scan, self.image = scan, RegisterImage(entries, scan.region, "refuse")
        self.door = Door(scan.order("modbus"))
        self.deeds: list[Deed] = []
        self.door.keep.append(self.deeds.append)
        self.guard = Guard(self.door, written)
        self.guard.follow(self.image)

    async def write(self, name: str, value: Any, who: Who = SCADA, element: int = 0) -> None:
        assert (await self.door.write(self.scan.by_name[name], value, who, element)).is_taken

    async def until(self, condition: Any, seconds: float = 5) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "still not so"
            await self.guard.look()
            await asyncio.sleep(0.01)

    async def seen(self) -> None:
        await self.until(lambda: not self.door.is_stale())

    async def for_a_while(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self.guard.look()
            await asyncio.sleep(0.01)


def on(scan: TestScan, text: str, story: Any, written: dict[str, Deed] | None = None) -> Bench:
    """Tell this story to a bench, and end it."""
    bench = Bench(scan, text, written)
    try:
        asyncio.run(story(bench))
    finally:
        bench.door.close()
    return bench
