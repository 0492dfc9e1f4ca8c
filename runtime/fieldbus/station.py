"""One device in the fieldbus process: its driver's connection, replaced by a fresh one where the driver has a bug.

Satisfies `runtime.contract.Connection`; a bug costs this device its inputs for a moment, and no other device anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from runtime.contract import Connection, Driver, Inputs, Outputs
from runtime.model import Device
from runtime.quality import BAD_NO_COMMUNICATION

PAUSE = 1.0  # s between a bug and the next attempt


class Station:
    """A device, the driver that speaks to it, and what its outputs shall be after a restart of the driver."""

    def __init__(self, driver: Driver, device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path):
        self.device = device
        self._driver, self._inputs, self._outputs, self._run_dir = driver, inputs, outputs, run_dir
        self._connection: Connection | None = None
        self._held: set[int] = set()  # slots at their safe value
        self._mending: asyncio.Task[None] | None = None
        self._failures = 0
        self._log = structlog.get_logger().bind(device=device.name)

    async def open(self) -> None:
        """Connect; a driver that cannot even begin is tried again."""
        try:
            self._connection = self._driver.connect(self.device, self._inputs, self._outputs, self._run_dir)
            await self._connection.open()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this device's alone
            self._fail(error)

    def write(self) -> None:
        self._held.clear()
        if self._connection is None:
            return
        try:
            self._connection.write()
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    async def write_safe(self, slots: Sequence[int]) -> None:
        self._held.update(slots)
        if self._connection is None:
            return
        try:
            await self._connection.write_safe(slots)
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Show the bug, mark the inputs, and mend the connection in the background."""
        self._failures += 1
        self._log.error("driver failed, restarting it", exc_info=error)
        self._mark()
        if self._mending is None or self._mending.done():
            self._mending = asyncio.get_running_loop().create_task(self._mend())

    def _mark(self) -> None:
        self._inputs.quality[[point.slot for point in self.device.inputs]] = BAD_NO_COMMUNICATION
        self._inputs.changed()

    async def _mend(self) -> None:
        await self._let_go()
        await asyncio.sleep(PAUSE)
        self._mending = None  # so that a failure of the new connection is mended too
        await self.open()
        if self._held:
            await self.write_safe(tuple(self._held))

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close()
            except Exception:  # noqa: BLE001 - it is being thrown away
                self._log.exception("driver failed while closing")

    async def close(self) -> None:
        if self._mending is not None:
            self._mending.cancel()
        await self._let_go()
        self._mark()

    def status(self) -> Mapping[str, Any]:
        own = self._connection.status() if self._connection is not None else {"driver": self.device.driver, "connected": False}
        return {**own, "failures": self._failures}
