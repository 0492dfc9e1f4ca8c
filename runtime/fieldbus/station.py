"""One device in the fieldbus process: its driver's connection, replaced by a fresh one where the driver has a bug.

Satisfies `runtime.contract.Connection`; a bug costs this device its inputs for a moment, and no other device anything.
It writes the device's own tags; it must not know what a point means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from runtime.contract import CLOSED, CONNECTING, LOST, Connection, Driver, Health, Inputs, Outputs
from runtime.fieldbus.diagnostics import Diagnostics
from runtime.model import Device
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.system_tags import DEVICE_STATES

PAUSE = 1.0  # s between a bug and the next attempt


class Station:
    """A device, the driver that speaks to it, and what its outputs shall be after a restart of the driver."""

    def __init__(self, driver: Driver, device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path):
        self.device = device
        self._driver, self._inputs, self._outputs, self._run_dir = driver, inputs, outputs, run_dir
        self._diagnostics = Diagnostics(device, inputs)
        self._connection: Connection | None = None
        self._held: set[int] = set()  # slots at their safe value
        self._mending: asyncio.Task[None] | None = None
        self._failures = 0
        self._is_closed = False
        self._state = CONNECTING
        self._log = structlog.get_logger().bind(device=device.name)

    def connect(self) -> None:
        """Make the driver's connection, which may compile for seconds; nothing is sent. One that cannot begin is tried again."""
        try:
            self._connection = self._driver.connect(self.device, self._inputs, self._outputs, self._run_dir)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this device's alone
            self._fail(error)

    async def open(self) -> None:
        """Start to talk to the device."""
        if self._connection is None:
            return  # it is being mended
        try:
            await self._connection.open()
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def write(self) -> None:
        self._held.clear()
        if self._connection is None:
            return
        try:
            self._connection.write()
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def release(self, slots: Sequence[int]) -> None:
        if self._connection is None:
            return  # a new connection knows of no outputs
        try:
            self._connection.release(slots)
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    async def write_safe(self, slots: Sequence[int]) -> bool | None:
        self._held.update(slots)
        if self._connection is None:
            return None
        try:
            return await self._connection.write_safe(slots)
        except Exception as error:  # noqa: BLE001
            self._fail(error)
            return False

    def health(self) -> Health:
        """What the driver says; a device whose driver is being mended is lost, and all counters go on over a restart."""
        own = None
        if self._connection is not None and not self._is_closed:
            try:
                own = self._connection.health()
            except Exception as error:  # noqa: BLE001
                self._fail(error)
        otherwise = CLOSED if self._is_closed else LOST if self._failures else CONNECTING
        return self._diagnostics.count(own, otherwise, self._failures)

    def show_health(self) -> None:
        """Write the device's tags, and say once when its state changes."""
        health = self.health()
        self._diagnostics.show(health)
        if health.state != self._state:
            say = self._log.warning if health.state == LOST else self._log.info
            say("device state", was=DEVICE_STATES[self._state], now=DEVICE_STATES[health.state])
            self._state = health.state

    def _fail(self, error: Exception) -> None:
        """Show the bug, mark the inputs, and mend the connection in the background."""
        if self._is_closed:
            self._log.error("driver failed at the end", exc_info=error)
            return
        if self._mending is not None and not self._mending.done():
            return  # the connection that failed is being replaced: one bug is one line
        self._failures += 1
        self._log.error("driver failed, restarting it", exc_info=error)
        self._mark()
        self._mending = asyncio.get_running_loop().create_task(self._mend())

    def _mark(self) -> None:
        self._inputs.quality[[point.slot for point in self.device.inputs]] = BAD_NO_COMMUNICATION
        self._inputs.changed()

    async def _mend(self) -> None:
        await self._let_go()
        await asyncio.sleep(PAUSE)
        self._mending = None  # so that a failure of the new connection is mended too
        self.connect()
        await self.open()
        if self._held:
            await self.write_safe(tuple(self._held))

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        self._diagnostics.restart()
        if connection is not None:
            try:
                await connection.close()
            except Exception:  # noqa: BLE001 - it is being thrown away
                self._log.exception("driver failed while closing")

    async def close(self) -> None:
        self._is_closed = True
        if self._mending is not None:
            self._mending.cancel()
        await self._let_go()
        self._mark()

    def status(self) -> Mapping[str, Any]:
        """The driver's own counters for people, and how often it had to be restarted."""
        own: Mapping[str, Any] = {"driver": self.device.driver, "connected": False}
        if self._connection is not None:
            try:
                own = self._connection.status()
            except Exception as error:  # noqa: BLE001
                self._fail(error)
        if self._mending is not None and not self._mending.done():
            own = {**own, "connected": False}  # whatever it says, the connection that failed has not done its work
        return {**own, "state": DEVICE_STATES[self._state], "failures": self._failures}
