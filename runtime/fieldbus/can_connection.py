"""One device on a CAN channel while the process runs: its frames into cells, its outputs into frames, and how it is."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runtime.contract import CLOSED, CONNECTING, DEGRADED, LOST, ONLINE, Health, Inputs, Outputs
from runtime.fieldbus.can_channel import Channel, join_channel, leave_channel
from runtime.fieldbus.can_fault import BUS_OFF
from runtime.fieldbus.can_health import BusCounts
from runtime.fieldbus.can_kernel import decode, scratch
from runtime.fieldbus.can_supervise import (
    COUNTERS,
    E_TAKEN,
    R_TIMEOUT,
    S_LAST,
    S_OVERDUE,
    S_REFUSED,
    find_overdue,
    forget,
    watch_messages,
)
from runtime.fieldbus.can_tables import C_SLOT, M_FROM, M_TO, CanSettings, decoding
from runtime.fieldbus.can_transmit import Transmitter
from runtime.fieldbus.can_wire import Batch
from runtime.model import Device
from runtime.quality import BAD_NO_COMMUNICATION

LOOKS = 4  # times in a time-out that the messages are looked at
NEVER = 1 << 62  # ns: the patience with a message whose cycle nobody knows
SHORTEST_LOOK = 0.005  # s


class CanConnection:
    """Satisfies `runtime.contract.Connection`, and the channel's `Listener`."""

    def __init__(self, device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path):
        settings: CanSettings = device.settings
        self._device, self._settings, self._run_dir = device, settings, run_dir
        self._inputs, self._outputs = inputs, outputs
        self._tables = decoding(device.inputs)
        names = {point.address.key: point.address.message for point in device.inputs}
        self.keys = frozenset(names)
        self._messages = [names[key] for key in sorted(names)]
        self._watch = watch_messages(self._messages, {rule.message: rule for rule in settings.rules})
        self._cells = (inputs.lreal, inputs.integer, inputs.quality, inputs.time)
        self._scratch = scratch()
        self._slots = np.array([point.slot for point in device.inputs], np.int64)
        known = dict(settings.patience)
        self._patience = np.array([max(device.stale, known.get(name, NEVER)) for name in self._messages], np.int64)
        self._silence = max(device.stale, min(known.values(), default=0))
        self._channel: Channel | None = None
        self._look: asyncio.TimerHandle | None = None
        self._up, self._ended = False, False
        self._since = self._last = 0  # CLOCK_MONOTONIC ns: the bus came up, a frame was taken
        self._bus = BusCounts()
        self._is_off = False
        self._decode(Batch())  # compiles, or loads, the kernel here and not at the first frame
        self.transmitter = Transmitter(device.name, settings.frames, device.outputs, settings.gap, self._send)

    async def open(self) -> None:
        """Join the channel, which opens the bus and keeps reopening it."""
        self._since = time.monotonic_ns()
        self._channel = join_channel(self._settings.channel, str(self._run_dir), self)

    def take(self, batch: Batch) -> None:
        if self._decode(batch):
            self._last = time.monotonic_ns()
            self._inputs.changed()

    def _decode(self, batch: Batch) -> int:
        frames = (batch.keys, batch.data, batch.lengths, batch.times, batch.count)
        taken: int = decode(*frames, self._tables, self._watch, self._cells, self._scratch)
        return taken

    def went_up(self) -> None:
        """The bus is open. Inputs stay bad until their messages arrive."""
        self._up = True
        self._since = time.monotonic_ns()
        self.transmitter.start()
        self._look_again()

    def went_down(self, reason: str) -> None:
        """The bus is gone; the channel logs why and reopens it."""
        self._up = False
        self.transmitter.stop()
        self._look_no_more()
        forget(self._watch)
        self._mark(self._slots)

    def _mark(self, slots: np.ndarray) -> None:
        self._inputs.quality[slots] = BAD_NO_COMMUNICATION
        self._inputs.changed()

    def _look_again(self) -> None:
        """Set the timer of the time-outs, where there are any."""
        self._look_no_more()
        timeouts = self._watch.rules[:, R_TIMEOUT]
        if (timeouts > 0).any():
            pause = max(int(timeouts[timeouts > 0].min()) * 1e-9 / LOOKS, SHORTEST_LOOK)
            self._look = asyncio.get_running_loop().call_later(pause, self._look_for_overdue)

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_for_overdue(self) -> None:
        """Mark the inputs of messages that are overdue, long before the scan would find them stale."""
        for row in find_overdue(self._watch, time.monotonic_ns(), self._since):
            message = self._tables.messages[row]
            self._mark(self._tables.signals[message[M_FROM] : message[M_TO], C_SLOT])
        self._look_again()

    def _send(self, key: int, data: bytes, fd: bool) -> bool:
        return self._channel is not None and self._channel.send(key, data, fd)

    def write(self) -> None:
        """The outbox holds new outputs: frames that changed go out now."""
        self.transmitter.write(self._outputs.integer)

    def release(self, slots: Sequence[int]) -> None:
        """Send the frames of these no more, until the scan gives them again."""
        self.transmitter.release(slots)

    async def write_safe(self, slots: Sequence[int]) -> None:
        """Send the safe values of these slots now; they are then held and repeated at the messages' periods."""
        before = self.transmitter.refused
        await self.transmitter.flush(self.transmitter.hold_safe(slots))
        while self._up and self._channel is not None and not self._channel.is_idle:  # queued is not sent
            await asyncio.sleep(SHORTEST_LOOK)
        if self.transmitter.refused > before:
            raise ValueError("a safe value does not fit its signal, and was not sent")

    async def close(self) -> None:
        """Leave the channel; the inputs are no longer fed."""
        self.transmitter.stop()
        self._look_no_more()
        if self._channel is not None:
            channel, self._channel = self._channel, None
            await leave_channel(channel, self)
        self._up, self._ended = False, True
        self._mark(self._slots)

    def health(self) -> Health:
        """Whether frames of the device come, whether they are all well, and what was wrong with those that were not."""
        counts = self._watch.seen.sum(axis=0)
        errors = {kind: int(counts[column]) for kind, column in COUNTERS.items()}
        errors["refused_output"] = self.transmitter.refused
        self._look_at_bus()
        errors |= self._bus.errors()
        now = time.monotonic_ns()
        conditions = self._conditions(now)
        state = self._state(conditions, now)
        return Health(state, math.nan, int(counts[E_TAKEN]), self._last, errors, conditions)

    def _look_at_bus(self) -> None:
        """Take the bus's counters; where it lost frames, or was off, what is sent on change only goes out again."""
        lost, was_off = self._bus.errors()["not_sent"], self._is_off
        self._bus.look(self._channel.wire if self._channel is not None else None)
        self._is_off = "bus_off" in self._bus.conditions()
        if self._up and (self._bus.errors()["not_sent"] > lost or (was_off and not self._is_off)):
            self.transmitter.again()

    def _conditions(self, now: int) -> frozenset[str]:
        found, seen = set(self._bus.conditions()), self._watch.seen
        is_missing = now - np.maximum(seen[:, S_LAST], self._since) > self._patience
        if seen[:, S_OVERDUE].any() or (self._up and is_missing.any()):
            found.add("message_missing")
        if seen[:, S_REFUSED].any():
            found.add("frames_refused")
        return frozenset(found)

    def _state(self, conditions: frozenset[str], now: int) -> int:
        if self._channel is None:
            return CLOSED if self._ended else CONNECTING
        heard = max(self._last, self._since) if self._last or self._up else self._since
        is_silent = now - heard > self._silence
        if not self._up:
            return LOST if self._last or is_silent else CONNECTING
        if "bus_off" in conditions:
            return LOST
        if self._device.inputs and (not self._last or now - self._last > self._silence):
            return LOST if is_silent else CONNECTING
        return DEGRADED if conditions else ONLINE

    def status(self) -> Mapping[str, Any]:
        channel = self._channel
        health = self.health()
        return {
            "driver": "can",
            "connected": self._up and channel is not None and channel.state != BUS_OFF,
            "channel": self._settings.channel.name,
            "frames": health.exchanges,
            "frames_sent": channel.frames_out if channel is not None else 0,
            "frame_age_ms": round((time.monotonic_ns() - self._last) / 1e6, 1) if self._last else None,
            "losses": channel.losses if channel is not None else 0,
            "errors": dict(health.errors),
            "conditions": sorted(health.conditions),
            "messages": self._suspects(),
            "last_error": channel.last_error if channel is not None else "",
        }

    def _suspects(self) -> dict[str, dict[str, int]]:
        """The messages with which something was wrong: what and how often, and the frames that were taken."""
        found = {}
        for name, seen in zip(self._messages, self._watch.seen, strict=True):
            wrong = {kind: int(seen[column]) for kind, column in COUNTERS.items() if seen[column]}
            if wrong:
                found[name] = {"frames": int(seen[E_TAKEN]), **wrong}
        return found
