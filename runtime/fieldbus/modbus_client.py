"""One Modbus device while the process runs: connected, verified, served, and connected again whenever it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.contract import Health, Inputs, Outputs
from runtime.fieldbus.modbus_errors import LostError
from runtime.fieldbus.modbus_groups import table_of
from runtime.fieldbus.modbus_handshake import NotVerifiedError, verify
from runtime.fieldbus.modbus_heartbeat import Pulse
from runtime.fieldbus.modbus_kernel import decode
from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_plan import Plan, make_plan
from runtime.fieldbus.modbus_record import Record
from runtime.fieldbus.modbus_session import Session
from runtime.fieldbus.modbus_settings import ModbusSettings, in_run_dir
from runtime.fieldbus.modbus_sunspec import Discovery, NoSunSpecError, discover_sunspec
from runtime.fieldbus.modbus_sunspec_models import ModelError
from runtime.fieldbus.modbus_sunspec_places import locate
from runtime.fieldbus.modbus_waiting import Waiting
from runtime.fieldbus.tend import Backoff, end_task, tend
from runtime.model import Device
from runtime.quality import BAD_CONFIGURATION_ERROR, BAD_NO_COMMUNICATION

FIRST_PAUSE, MOST_PAUSE = 0.1, 5.0  # s


class ModbusConnection:
    """Satisfies `runtime.contract.Connection`."""

    def __init__(self, device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path | None = None):
        settings: ModbusSettings = device.settings
        if run_dir is not None:
            settings = replace(settings, line=in_run_dir(settings.line, run_dir))
        self._device, self._settings = device, settings
        self._inputs, self._outputs = inputs, outputs
        self._slots = np.array([p.slot for p in device.inputs], np.int64)
        self._plan: Plan = make_plan(device.name, device.inputs, device.outputs, settings)
        self._discovery: Discovery | None = None  # that the plan was made for
        self._record = Record(device.name, settings.line.place, len(inputs.quality))
        self._pulse = Pulse(settings.rules.heartbeat)
        self._link: Link | None = None  # of a device that is verified
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._waiting: list[Waiting] = []
        cells = (inputs.lreal, inputs.integer, inputs.quality, inputs.time)
        decode(np.zeros(1, np.uint16), table_of((), (), ()), cells, 0)  # compiles, or loads, the kernel here

    async def open(self) -> None:
        """Start to connect, and to reconnect whenever the connection is lost."""
        self._record.is_open = True
        self._task = asyncio.get_running_loop().create_task(tend(self._device.name, self._work, self._fail), name=self._device.name)

    def write(self) -> None:
        """The outbox holds new outputs: wake the worker where one of them changed."""
        self._pulse.scan_spoke()
        if self._plan.image.take(self._outputs.integer):
            self._wake.set()

    def release(self, slots: Sequence[int]) -> None:
        """Write these no more, until the scan gives them again."""
        self._plan.image.release(slots)

    async def write_safe(self, slots: Sequence[int]) -> bool:
        """Write the safe values of these slots before anything else; returns when they are on the wire or cannot be."""
        self._pulse.scan_fell_silent()
        places = self._plan.image.take_safe(slots)
        is_whole = self._plan.image.carries(slots)
        if self._link is None or not len(places):
            return is_whole
        waiting = Waiting(set(places.tolist()))
        self._waiting.append(waiting)
        self._wake.set()
        try:
            await waiting.done
            return is_whole and waiting.is_taken
        finally:
            self._waiting.remove(waiting)

    async def close(self) -> None:
        """Stop talking; the inputs are no longer fed."""
        if self._task is not None:
            task, self._task = self._task, None
            await end_task(task)
        self._record.is_open = self._record.answers = False
        self._mark(self._slots, BAD_NO_COMMUNICATION)

    def health(self) -> Health:
        """Whether the device answers, and what went wrong so far."""
        return self._record.health(self._plan)

    def status(self) -> Mapping[str, Any]:
        """Counters and state for people."""
        record, plan = self._record, self._plan
        return {
            "driver": "modbus",
            "connected": self._link is not None and record.answers,
            "host": self._settings.line.place,
            "reads": record.counts["reads"],
            "writes": record.counts["writes"],
            "read_groups": len(plan.poll.groups),
            "round_ms": round(plan.poll.round * 1e3, 2) if plan.poll.round >= 0 else 0.0,
            "losses": record.counts["losses"],
            "errors": dict(record.all_errors(plan)),
            "conditions": sorted(record.conditions(plan)),
            "suspended": [str(group) for group in plan.poll.suspended],
            "absent": list(plan.absent),
            "not_verified": record.unverified,
            "last_error": record.last_error,
        }

    def _fail(self, error: Exception) -> None:
        self._lose(f"internal error: {error}", BAD_NO_COMMUNICATION)

    def _mark(self, slots: np.ndarray, quality: int) -> None:
        self._inputs.quality[slots] = quality
        self._inputs.changed()

    async def _work(self) -> None:
        """Connect, verify, serve, and begin again with growing pauses when the device is lost or is not the right one."""
        backoff = Backoff(FIRST_PAUSE, MOST_PAUSE)
        while True:
            link = Link(self._settings, self._record.count)
            try:
                await link.connect()
                await self._get_to_know(link)
                self._link = link
                await self._serve(link, backoff)
            except LostError as lost:
                self._record.count(lost.kind)
                self._lose(str(lost), BAD_NO_COMMUNICATION)
            except (NotVerifiedError, NoSunSpecError, ModelError) as wrong:
                self._record.count("not_verified")
                self._record.unverified = str(wrong)
                self._lose(str(wrong), BAD_CONFIGURATION_ERROR)
            finally:
                self._link = None
                link.close()
            await asyncio.sleep(backoff.pause())

    async def _get_to_know(self, link: Link) -> None:
        """Have the device say that it is the right one, and where its points are. Nothing is written before."""
        rules = self._settings.rules
        await verify(link, rules.handshake)
        if rules.sunspec is not None:
            discovery = await discover_sunspec(link, rules.sunspec.bases)
            await self._find_places(link, discovery, rules.sunspec.folder)
        self._record.begin()

    async def _find_places(self, link: Link, discovery: Discovery, folder: str) -> None:
        """Lay the points out at the addresses that the device's models give them; values on their way are kept."""
        device, before = self._device, self._plan
        inputs = await locate(link, discovery, device.inputs, folder)
        outputs = await locate(link, discovery, device.outputs, folder)
        absent = (*inputs.absent, *outputs.absent)
        if discovery != self._discovery or absent != before.absent:
            self._record.log.info("SunSpec device", **_described(discovery))
            for text in absent:
                self._record.log.error("the device lacks a point", point=text)
        plan = make_plan(device.name, inputs.points, outputs.points, self._settings, absent)
        plan.image.adopt(before.image)
        self._plan, self._discovery = plan, discovery

    async def _serve(self, link: Link, backoff: Backoff) -> None:
        inputs = self._inputs
        missing = [p.slot for p in self._device.inputs if p.slot not in self._plan.fed] if self._plan.absent else []
        self._mark(np.array(missing, np.int64), BAD_CONFIGURATION_ERROR)
        session = Session(link, self._settings, self._plan, self._record, inputs, self._pulse, self._wake, self._waiting, backoff)
        await session.serve()

    def _lose(self, reason: str, quality: int) -> None:
        """Mark the inputs, let go whoever waits for a write, and say it once."""
        if quality != BAD_CONFIGURATION_ERROR:
            self._record.unverified = ""
        self._record.lost(reason)
        self._mark(self._slots, quality)
        for waiting in self._waiting:
            waiting.let_go()


def _described(discovery: Discovery) -> dict[str, object]:
    return {
        "base": discovery.base,
        "manufacturer": discovery.manufacturer,
        "model": discovery.model,
        "version": discovery.version,
        "serial": discovery.serial,
        "models": [one.number for one in discovery.models],
    }
