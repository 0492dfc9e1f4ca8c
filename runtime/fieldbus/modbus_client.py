"""One Modbus TCP device while the process runs: one request at a time, writes before reads, reconnecting by itself."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import structlog

from runtime.contract import Inputs, Outputs
from runtime.fieldbus.modbus_groups import ModbusSettings, ReadGroup, read_groups, table_of, without_bridges
from runtime.fieldbus.modbus_kernel import decode
from runtime.fieldbus.modbus_link import NS, Link, LostError, RefusedError
from runtime.fieldbus.modbus_writes import Image, WriteRun
from runtime.fieldbus.tend import Backoff, end_task, tend
from runtime.model import Device
from runtime.quality import BAD_DEVICE_FAILURE, BAD_NO_COMMUNICATION

FIRST_PAUSE, MOST_PAUSE = 0.1, 5.0  # s
ILLEGAL_ADDRESS = 2
IDLE = 1.0  # s: a device without inputs or outputs is looked at this often


@dataclass
class _Waiting:
    """Somebody waits until these places of the image are on the wire."""

    places: set[int]
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass
class _Timing:
    """When the next round of reads and the next refreshes are due (loop time, s), on a grid: late ones are skipped."""

    period: float
    poll: float
    refresh: dict[int, float]
    turn: int = 0
    began: float = 0.0

    def next_due(self, reads: bool, now: float) -> float:
        """Seconds until something is due."""
        times = [*self.refresh.values()]
        if reads:
            times.append(self.poll)
        return min(times) - now if times else IDLE

    def end_round(self, now: float) -> None:
        self.turn = 0
        self.poll += self.period * (1 + max(0.0, now - self.poll) // self.period)


class ModbusConnection:
    """Satisfies `runtime.contract.Connection`."""

    def __init__(self, device: Device, inputs: Inputs, outputs: Outputs):
        settings: ModbusSettings = device.settings
        self._device, self._settings = device, settings
        self._inputs, self._outputs = inputs, outputs
        self._groups = list(read_groups(device.inputs, settings.gap, settings.max_read))
        self._image = Image(device.name, device.outputs)
        self._cells = (inputs.lreal, inputs.integer, inputs.quality, inputs.time)
        self._slots = np.array([p.slot for p in device.inputs], np.int64)
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._waiting: list[_Waiting] = []
        self._counts: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._refusing: set[str] = set()  # groups and runs whose refusal was logged
        self._answers = False  # since it was last said to be lost
        self._round = 0.0
        self._last_error = ""
        decode(np.zeros(1, np.uint16), table_of((), (), ()), self._cells, 0)  # compiles, or loads, the kernel here
        self._log = structlog.get_logger().bind(device=device.name, host=settings.host, port=settings.port)

    async def open(self) -> None:
        """Start to connect, and to reconnect whenever the connection is lost."""
        self._task = asyncio.get_running_loop().create_task(tend(self._device.name, self._work, self._fail), name=self._device.name)

    def write(self) -> None:
        """The outbox holds new outputs: wake the worker where one of them changed."""
        if self._image.take(self._outputs.integer):
            self._wake.set()

    async def write_safe(self, slots: Sequence[int]) -> None:
        """Write the safe values of these slots before anything else; returns when they are on the wire or cannot be."""
        places = self._image.take_safe(slots)
        if self._link is None or not len(places):
            return
        waiting = _Waiting(set(places.tolist()))
        self._waiting.append(waiting)
        self._wake.set()
        try:
            await waiting.done
        finally:
            self._waiting.remove(waiting)

    async def close(self) -> None:
        """Stop talking; the inputs are no longer fed."""
        if self._task is not None:
            task, self._task = self._task, None
            await end_task(task)
        self._mark(self._slots, BAD_NO_COMMUNICATION)

    def status(self) -> Mapping[str, Any]:
        return {
            "driver": "modbus",
            "connected": self._link is not None and self._answers,
            "host": f"{self._settings.host}:{self._settings.port}",
            "reads": self._counts["reads"],
            "writes": self._counts["writes"],
            "read_groups": len(self._groups),
            "round_ms": round(self._round * 1e3, 2),
            "losses": self._counts["losses"],
            "errors": {**self._errors, "outputs_refused": self._image.refused},
            "last_error": self._last_error,
        }

    def _fail(self, error: Exception) -> None:
        self._lose(f"internal error: {error}")

    def _mark(self, slots: np.ndarray, quality: int) -> None:
        self._inputs.quality[slots] = quality
        self._inputs.changed()

    async def _work(self) -> None:
        """Connect, serve, and begin again with growing pauses when the connection is lost."""
        backoff = Backoff(FIRST_PAUSE, MOST_PAUSE)
        while True:
            link = Link(self._settings)
            try:
                await link.connect()
                self._link = link
                await self._serve(link, backoff)
            except LostError as lost:
                self._errors[lost.kind] += 1
                self._lose(str(lost))
            finally:
                self._link = None
                link.close()
            await asyncio.sleep(backoff.pause())

    def _lose(self, reason: str) -> None:
        """Mark the inputs, let go whoever waits for a write, and say it once."""
        self._counts["losses"] += self._answers
        if self._answers or reason != self._last_error:
            self._log.warning("device lost", reason=reason)
        self._answers, self._last_error = False, reason
        self._mark(self._slots, BAD_NO_COMMUNICATION)
        for waiting in self._waiting:
            if not waiting.done.done():
                waiting.done.set_result(None)

    async def _serve(self, link: Link, backoff: Backoff) -> None:
        """Until the connection is lost: write what the device must be told, then read what is due."""
        loop = asyncio.get_running_loop()
        self._image.refresh_all()  # the device may have restarted
        start = loop.time()
        timing = _Timing(self._settings.poll * NS, start, {every: start + every * NS for every in self._image.periods})
        wrote = False
        while True:
            now = loop.time()
            self._refresh(timing, now)
            reads = bool(self._groups) and timing.poll <= now
            # Outputs that change faster than the device takes them must not starve the inputs: then they take turns.
            starving = reads and wrote and now - timing.poll > timing.period
            run = None if starving else self._image.next_run()
            if run is not None:
                await self._write(link, run)
            elif reads:
                await self._read_next(link, timing)
            else:
                await self._wait(link, timing.next_due(bool(self._groups), now))
                continue
            wrote = run is not None
            self._greet(backoff)

    def _refresh(self, timing: _Timing, now: float) -> None:
        for every, due in timing.refresh.items():
            if due <= now:
                self._image.refresh(every)
                timing.refresh[every] = now + every * NS

    def _greet(self, backoff: Backoff) -> None:
        """A request was answered: the device is there."""
        backoff.reset()
        if not self._answers:
            self._answers, self._last_error = True, ""
            self._log.info("device answers")

    async def _wait(self, link: Link, seconds: float) -> None:
        """Sleep until something is due or an output changed."""
        if not link.is_up:
            raise LostError("closed", "the device closed the connection")
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.001), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    async def _read_next(self, link: Link, timing: _Timing) -> None:
        """Read the next group of the round."""
        loop = asyncio.get_running_loop()
        if timing.turn == 0:
            timing.began = time.monotonic()  # uvloop's own clock stands still within a turn
        group = self._groups[timing.turn]
        timing.turn += 1
        self._counts["reads"] += 1
        try:
            registers = await link.read(group)
        except RefusedError as refused:
            self._take_refusal(group, refused)
        else:
            decode(registers, group.rows, self._cells, time.monotonic_ns())
            self._refusing.discard(str(group))
            self._inputs.changed()
        if timing.turn >= len(self._groups):
            self._round = time.monotonic() - timing.began
            timing.end_round(loop.time())

    def _take_refusal(self, group: ReadGroup, refused: RefusedError) -> None:
        """The device will not give these registers: mark them, and read around the holes where there are some."""
        self._errors[str(refused).replace(" ", "_")] += 1
        self._mark(group.slots, BAD_DEVICE_FAILURE)
        if str(group) not in self._refusing:
            self._refusing.add(str(group))
            self._log.warning("device refuses registers", group=str(group), code=refused.code)
        if refused.code == ILLEGAL_ADDRESS and group.is_bridged:
            at = self._groups.index(group)
            self._groups[at : at + 1] = without_bridges(group)

    async def _write(self, link: Link, run: WriteRun) -> None:
        self._counts["writes"] += 1
        try:
            await link.write(run)
            self._refusing.discard(str(run))
        except RefusedError as refused:
            self._errors[str(refused).replace(" ", "_")] += 1
            if str(run) not in self._refusing:
                self._refusing.add(str(run))
                self._log.error("device refuses a write", registers=str(run), code=refused.code)
        except BaseException:
            self._image.put_back(run)
            raise
        for waiting in self._waiting:
            waiting.places -= {p for p in range(run.first, run.first + len(run.values)) if not self._image.dirty[p]}
            if not waiting.places and not waiting.done.done():
                waiting.done.set_result(None)
