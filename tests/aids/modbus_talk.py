"""A Modbus connection in the test's own event loop, with the cells that it fills and the outputs that it writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.fieldbus.modbus_client import ModbusConnection
from tests.aids.fieldbus import Cells, mapped
from tests.aids.fieldbus_child import ROOT


class Talk:
    """The connection of an io_map's points to a port of this machine: `async with Talk(port, inputs, outputs) as t`."""

    def __init__(self, port: int, inputs: str = " {}", outputs: str = " {}", extra: str = "poll: 20 ms\n", root: Path = ROOT):
        head = f"device: d\ndriver: modbus\nhost: 127.0.0.1\nport: {port}\n"
        self.map = mapped(f"{head}{extra}inputs:{inputs}\noutputs:{outputs}\n", root=root)
        self.inputs = Cells(len(self.map.device.inputs))
        self.outputs = Cells(len(self.map.device.outputs))
        self.connection = ModbusConnection(self.map.device, self.inputs, self.outputs)

    async def __aenter__(self) -> Talk:
        await self.connection.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    def slot(self, tag: str) -> int:
        return self.map.slots[tag][0]

    def value(self, tag: str) -> float:
        slot = self.slot(tag)
        point = next(p for p in self.map.device.inputs if p.slot == slot)
        return float(self.inputs.lreal[slot] if point.type == "LREAL" else self.inputs.integer[slot])

    def quality(self, tag: str) -> int:
        return int(self.inputs.quality[self.slot(tag)])

    def conditions(self) -> set[str]:
        return set(self.connection.health().conditions)

    async def until(self, holds: Callable[[], Any], what: str, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; {self.connection.status()}"
            await asyncio.sleep(0.005)

    async def until_quality(self, tag: str, quality: int, seconds: float = 10.0) -> None:
        await self.until(lambda: self.quality(tag) == quality, f"{tag} has quality {quality:#x}", seconds)

    async def rounds(self, count: int) -> None:
        """Wait until the device has answered so many requests more."""
        before = self.connection.health().exchanges
        await self.until(lambda: self.connection.health().exchanges >= before + count, f"{count} more answers")

    def write(self, **values: float) -> None:
        for tag, value in values.items():
            slot = self.slot(f"d.{tag}")
            if isinstance(value, float):
                self.outputs.lreal[slot] = value
            else:
                self.outputs.integer[slot] = value
        self.connection.write()
