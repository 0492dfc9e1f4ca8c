"""One panel of lines while the process runs: its inputs into cells, its outputs onto the wires. It must not know whose they are.

Whatever may block runs in a thread of the device's own, one call after another.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog

from runtime.contract import CLOSED, CONNECTING, DEGRADED, LOST, ONLINE, Health, Inputs, Outputs
from runtime.fieldbus.gpio_input import InputState
from runtime.fieldbus.gpio_lines import Edge, HeldInput, LineError, Lines, attempt
from runtime.fieldbus.gpio_outputs import PanelOutputs
from runtime.fieldbus.gpio_troubles import Troubles
from runtime.fieldbus.gpio_words import GpioSettings
from runtime.fieldbus.tend import Backoff, end_task, tend
from runtime.model import Device, Point
from runtime.quality import BAD_DEVICE_FAILURE, BAD_NO_COMMUNICATION, BAD_NOT_CONNECTED, GOOD

NS = 1e-9
RETRY_FIRST, RETRY_MOST = 0.25, 5.0  # s between attempts for the chip
LINE_RETRY = 1.0  # s between attempts for a line that cannot be had
LETTING_GO = 1.0  # s for the lines to be released
NO_ANSWER = 1.0  # s after which a call that has not come back means that the chip is lost
T = TypeVar("T")
Reading = tuple[int, bool | LineError]  # when it was asked for (CLOCK_MONOTONIC ns), and the answer


class GpioConnection:
    """Satisfies `runtime.contract.Connection`."""

    def __init__(self, device: Device, inputs: Inputs, outputs: Outputs, lines: Lines):
        settings: GpioSettings = device.settings
        self._device, self._inputs, self._cells, self._lines = device, inputs, outputs, lines
        self._poll = settings.poll * NS
        self._states = {point.slot: InputState(point.address) for point in device.inputs}
        self._names = {False: _names(device.inputs), True: _names(device.outputs)}
        self._held: dict[int, HeldInput] = {}
        self._settling: dict[int, asyncio.TimerHandle] = {}
        self._outputs = PanelOutputs(device.outputs, lines)
        self._troubles = Troubles(device.name)
        self._state, self._exchanges, self._last_good, self._round_trip = CONNECTING, 0, 0, math.nan
        self._hurry = asyncio.Event()
        self._is_open = False
        self._calls, self._calling_since = 0, 0.0  # calls in the thread or waiting for it
        self._task: asyncio.Task[None] | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"lines of {device.name}")

    async def open(self) -> None:
        """Start to look for the chip; returns at once."""
        await self._lines.start()
        self._task = asyncio.get_running_loop().create_task(tend(self._device.name, self._work, self._failed))

    async def _in_thread(self, work: Callable[..., T], *given: Any) -> T:
        if not self._calls:
            self._calling_since = time.monotonic()
        self._calls += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
        finally:
            self._calls -= 1
            self._calling_since = time.monotonic()

    async def _work(self) -> None:
        """Open the chip and attend to its lines, for ever."""
        backoff = Backoff(RETRY_FIRST, RETRY_MOST)
        while True:
            try:
                await self._in_thread(self._lines.open)
                self._is_open = True
                self._troubles.find()
                backoff.reset()
                await self._attend()
            except LineError as error:
                self._lose(error)
            finally:
                await self._let_go()
            await asyncio.sleep(backoff.pause())

    async def _attend(self) -> None:
        """Take the lines, then read and write them every `poll` and whenever something hurries. Raises LineError of the chip."""
        retry_at, loop = 0.0, asyncio.get_running_loop()
        while True:
            self._hurry.clear()
            started = loop.time()
            retries = started >= retry_at
            if retries:
                retry_at = started + LINE_RETRY
                self._begin(await self._in_thread(self._take_inputs))
            self._note(True, await self._in_thread(self._outputs.drive, self._usable(retries)))
            self._show(await self._in_thread(self._read))
            self._is_open = True  # the chip answers
            self._round_trip = loop.time() - started
            self._state = self._judge()
            await self._pause()

    def _usable(self, retries: bool) -> tuple[int, ...]:
        """The outputs that have a value; those with trouble only where it is time to try again."""
        return tuple(s for s in self._outputs.wanted if retries or self._names[True][s] not in self._troubles.of_lines)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._poll):
                await self._hurry.wait()
        except TimeoutError:
            return  # nothing hurries: it is simply time again

    def _take_inputs(self) -> dict[int, HeldInput | LineError]:
        """In the thread: take the input lines that we do not hold. Raises LineError of the chip."""
        found: dict[int, HeldInput | LineError] = {}
        for point in self._device.inputs:
            if point.slot not in self._held:
                held = attempt(partial(self._lines.hold_input, point.address))
                found[point.slot] = held
                if not isinstance(held, LineError):
                    self._held[point.slot] = held
        return found

    def _begin(self, taken: Mapping[int, HeldInput | LineError]) -> None:
        """Listen to the lines that were taken."""
        self._note(False, {slot: held if isinstance(held, LineError) else None for slot, held in taken.items()})
        for slot, held in taken.items():
            if not isinstance(held, LineError):
                self._states[slot].begin(held.reports_edges, held.debounces)
                held.watch(partial(self._take_edges, slot), self._hurry.set)

    def _read(self) -> dict[int, Reading]:
        """In the thread: the level of every input that we hold. Raises LineError of the chip."""
        return {slot: (time.monotonic_ns(), attempt(held.read)) for slot, held in self._held.items()}

    def _show(self, readings: Mapping[int, Reading]) -> None:
        self._note(False, {slot: level if isinstance(level, LineError) else None for slot, (_, level) in readings.items()})
        for slot, (asked, level) in readings.items():
            if not isinstance(level, LineError):
                self._states[slot].take_reading(level, asked)
                self._publish(slot)

    def _take_edges(self, slot: int, edges: Sequence[Edge]) -> None:
        state = self._states[slot]
        lost = state.lost
        state.take_edges(edges)
        if state.lost > lost:
            self._troubles.lose_edges(state.lost - lost)
        self._publish(slot)

    def _publish(self, slot: int) -> None:
        """The input's value into its cell, and a timer where a level still has to last."""
        state, inputs = self._states[slot], self._inputs
        inputs.integer[slot], inputs.quality[slot], inputs.time[slot] = state.value, GOOD, state.time
        inputs.changed()
        self._exchanges += 1
        self._last_good = max(self._last_good, state.time)
        if slot in self._settling:
            self._settling.pop(slot).cancel()
        due = state.due()
        if due is not None:
            wait = max(0.0, (due - time.monotonic_ns()) * NS)
            self._settling[slot] = asyncio.get_running_loop().call_later(wait, self._settle, slot)

    def _settle(self, slot: int) -> None:
        """A level has lasted: a line that reports its edges would have told of another one, any other line is read again."""
        self._settling.pop(slot, None)
        if self._held[slot].reports_edges:
            self._states[slot].settle(time.monotonic_ns())
            self._publish(slot)
        else:
            self._hurry.set()

    def _note(self, is_output: bool, found: Mapping[int, LineError | None]) -> None:
        """Which lines have trouble and which have none any more."""
        for slot, error in found.items():
            self._troubles.note(self._names[is_output][slot], error)
            if error is not None and not is_output:
                self._mark((slot,), BAD_DEVICE_FAILURE if error.kind == "failed" else BAD_NOT_CONNECTED)

    def write(self) -> None:
        """The outbox holds new outputs: lines that changed are driven now."""
        self._outputs.take(self._cells.integer)
        if self._outputs.changed and self._is_open and (self._flushing is None or self._flushing.done()):
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        while self._outputs.changed and self._is_open:
            await self._drive_now(self._outputs.take_changed())

    async def _drive_now(self, slots: Sequence[int]) -> None:
        try:
            self._note(True, await self._in_thread(self._outputs.drive, slots))
        except LineError:
            self._is_open = False
            self._hurry.set()  # the chip is gone: the next reading says so
        except Exception as error:  # noqa: BLE001 - a bug must be shown, and must not end the other devices
            structlog.get_logger().exception("outputs not driven", device=self._device.name)
            self._failed(error)

    def release(self, slots: Sequence[int]) -> None:
        """Nothing to forget: a line that is held goes on driving its level, and one that was never driven is not taken."""

    async def write_safe(self, slots: Sequence[int]) -> None:
        """Drive the safe values of these outputs; returns when the wires carry them, or at once where the chip is not there."""
        self._outputs.take_safe(slots)
        if self._is_open:
            await self._drive_now(slots)

    def _failed(self, error: Exception) -> None:
        """A bug of ours: its traceback was shown."""
        self._troubles.last = f"{type(error).__name__}: {error}"
        self._state = LOST
        self._mark(tuple(self._states), BAD_NO_COMMUNICATION)

    def _lose(self, error: LineError) -> None:
        self._troubles.lose(error)
        self._state = LOST
        self._mark(tuple(self._states), BAD_NO_COMMUNICATION)

    def _mark(self, slots: Sequence[int], quality: int) -> None:
        self._inputs.quality[list(slots)] = quality
        self._inputs.changed()

    async def _let_go(self) -> None:
        """Release all lines and the chip."""
        self._is_open = False
        for held in tuple(self._held.values()):
            held.unwatch()
        for timer in self._settling.values():
            timer.cancel()
        self._settling.clear()
        await self._in_thread(self._release)

    def _release(self) -> None:
        for held in self._held.values():
            held.release()
        self._held.clear()
        self._outputs.release()
        self._lines.close()

    def _judge(self) -> int:
        """The state while the chip is there."""
        names = {*self._names[False].values(), *self._names[True].values()}
        if names and names <= self._troubles.of_lines.keys():
            return LOST
        return DEGRADED if self._conditions() else ONLINE

    def _conditions(self) -> frozenset[str]:
        held = tuple(self._held.items())
        polled = any(not line.reports_edges and self._states[slot].line.edges != "none" for slot, line in held)
        own = {"no_edges"} if polled else set()
        return self._troubles.conditions() | own | ({"no_answer"} if self._hangs() else set())

    def _hangs(self) -> bool:
        """Whether a call has not come back for long, as a dead USB chip has it."""
        return self._calls > 0 and time.monotonic() - self._calling_since > NO_ANSWER

    def health(self) -> Health:
        """State and counters for the device's tags; the round trip is one reading and writing of all lines."""
        state, errors = LOST if self._hangs() else self._state, dict(self._troubles.errors)
        return Health(state, self._round_trip, self._exchanges, self._last_good, errors, self._conditions())

    def status(self) -> Mapping[str, Any]:
        """What a person asks first: is the chip there, what do we hold, what went wrong."""
        unfit = self._names[True].values() & self._troubles.of_lines.keys()
        return {
            "driver": self._device.driver,
            "connected": self._is_open and not unfit and not self._hangs(),
            "chip": self._device.settings.chip.value,
            "inputs": len(self._held),
            "outputs": self._outputs.count,
            "readings": self._exchanges,
            "errors": dict(self._troubles.errors),
            "conditions": sorted(self._conditions()),
            "last_error": self._troubles.last,
        }

    async def close(self) -> None:
        """Release the lines. The chip then does with them what it does: the safe values were driven before."""
        task, self._task = self._task, None
        if task is not None:
            try:
                async with asyncio.timeout(LETTING_GO):
                    await end_task(task)
                    await self._let_go()
            except TimeoutError:
                structlog.get_logger().error("the chip did not let its lines go", device=self._device.name)
        self._thread.shutdown(wait=False)
        self._state = CLOSED
        await self._lines.stop()
        self._mark(tuple(self._states), BAD_NO_COMMUNICATION)


def _names(points: Sequence[Point]) -> dict[int, str]:
    """Tag and line of each slot, for people."""
    return {point.slot: f"{point.tag} (line {point.address.line})" for point in points}
