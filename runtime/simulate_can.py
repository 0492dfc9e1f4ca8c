"""The CAN bus of a simulation: the plant's frames into the controller's inputs, its outputs into frames for the plant, no wire.

It walks the tables that the CAN driver walks (`can_tables`, `can_supervise`) with the driver's own kernels, at simulated times. It
must not know which plant or which program stands at either end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from runtime.contract import CONNECTING, LOST, ONLINE
from runtime.fieldbus.can_kernel import decode, encode, scratch
from runtime.fieldbus.can_rules import CHANGE, CYCLIC, REQUEST, put_crc
from runtime.fieldbus.can_supervise import R_TIMEOUT, find_overdue, watch_messages
from runtime.fieldbus.can_tables import (
    C_SLOT,
    EXTENDED,
    M_FROM,
    M_TO,
    CanSettings,
    belongs,
    decoding,
    encoding,
    put_bits,
)
from runtime.fieldbus.can_wire import BATCH, Batch
from runtime.model import Device
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.simulation.slcan import Frame

Cells = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # LREAL, integer, quality, source time (ns) of the inputs' slots
WRITTEN, TO_WRITE = 1, 2


class CanWire:
    """The bus: the plant's end of it. Satisfies `runtime.simulation.canlinks.Link`; frames wait in `batch` until they are taken."""

    def __init__(self) -> None:
        self.sent = self.dropped = self.received = 0
        self.now = 0  # simulated CLOCK_MONOTONIC, ns
        self.batch = Batch()
        self.seats: list[CanSeat] = []
        self._receive: Callable[[Frame], None] | None = None

    def prepare(self, ids: np.ndarray) -> np.ndarray:
        return np.asarray(ids, np.int64)

    def send(self, prepared: np.ndarray, payload: np.ndarray) -> None:
        size = len(payload)
        if self.batch.count + size > BATCH:
            self.deliver()
        batch, first = self.batch, self.batch.count
        part = slice(first, first + size)
        batch.keys[part] = prepared
        batch.data[part, : payload.shape[1]] = payload
        batch.lengths[part] = payload.shape[1]
        batch.times[part] = self.now
        batch.count += size
        self.sent += size

    def flush(self) -> None:
        """Nothing waits here: `deliver` hands the frames over."""

    def listen(self, loop: asyncio.AbstractEventLoop, receive: Callable[[Frame], None]) -> None:
        self.answer(receive)

    def answer(self, receive: Callable[[Frame], None]) -> None:
        """Say who takes the controller's frames."""
        self._receive = receive

    def close(self) -> None:
        self._receive = None

    def deliver(self) -> None:
        """Let every device of the controller take the frames that wait, in the order in which they were sent."""
        if self.batch.count:
            for seat in self.seats:
                seat.take(self.batch, self.now)
            self.batch.count = 0

    def hand_over(self, key: int, data: bytes) -> None:
        """A frame of the controller, for the plant."""
        if self._receive is not None:
            self.received += 1
            self._receive(Frame(key & ~EXTENDED, data, bool(key & EXTENDED), False))


class CanSeat:
    """One CAN device of the site on this bus: what the driver's connection is on a real one."""

    def __init__(self, device: Device, cells: Cells, wire: CanWire):
        settings: CanSettings = device.settings
        self.device, self._wire, self._cells = device, wire, cells
        self._tables = decoding(device.inputs)
        names = {point.address.key: point.address.message for point in device.inputs}
        self._watch = watch_messages([names[key] for key in sorted(names)], {rule.message: rule for rule in settings.rules})
        self._has_timeouts = bool((self._watch.rules[:, R_TIMEOUT] > 0).any())
        self._scratch = scratch()
        self._begun = self._last = 0
        self._sender = Sender(device, settings, wire)
        wire.seats.append(self)

    def begin(self, now: int) -> None:
        """The bus comes up at this time (ns)."""
        self._begun = now
        self._sender.begin(now)

    def take(self, batch: Batch, now: int) -> None:
        """Decode the frames of this batch that are this device's."""
        frames = (batch.keys, batch.data, batch.lengths, batch.times, batch.count)
        if decode(*frames, self._tables, self._watch, self._cells, self._scratch):
            self._last = now

    def work(self, now: int, outputs: np.ndarray) -> None:
        """Judge what is overdue, and send what is due. `outputs` are the cells of the outbox."""
        if self._has_timeouts:
            for row in find_overdue(self._watch, now, self._begun):
                message = self._tables.messages[row]
                self._cells[2][self._tables.signals[message[M_FROM] : message[M_TO], C_SLOT]] = BAD_NO_COMMUNICATION
        self._sender.work(now, outputs)

    def state(self, now: int) -> int:
        """How the device's diagnosis shows it: online while its frames come."""
        if not self._last:
            return CONNECTING if now - self._begun <= self.device.stale else LOST
        return LOST if now - self._last > self.device.stale else ONLINE


class Sender:
    """The frames that a device is sent: at their period, at once where an output changed, or on request; never inside the gap."""

    def __init__(self, device: Device, settings: CanSettings, wire: CanWire):
        self._wire, self._frames, self._gap = wire, settings.frames, settings.gap
        points = device.outputs
        self._tables = encoding(self._frames, points)
        count = len(self._frames)
        self._slots = np.array([point.slot for point in points], np.int64)
        self._values = np.zeros(len(points), np.int64)
        self._known = np.zeros(len(points), np.uint8)
        self._refused = np.zeros(len(points), np.int64)
        self._current = self._tables.template.copy()
        self._complete, self._changed = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
        self._alive: dict[int, int] = {}
        self._next = [0] * count
        self._last = [-self._gap] * count
        self._switches = [
            [place for place, p in enumerate(points) if p.type == "BOOL" and belongs(p.address, frame)]
            if frame.rules.send == REQUEST
            else []
            for frame in self._frames
        ]
        self._first, self._waits, self._soonest = True, False, 0

    def begin(self, now: int) -> None:
        """Each frame at its own place in its period, spread evenly over it where the io_map names none."""
        for f, frame in enumerate(self._frames):
            phase = frame.rules.phase if frame.rules.phase is not None else f * frame.every // max(len(self._frames), 1)
            self._next[f] = now + phase % max(frame.every, 1)

    def work(self, now: int, outputs: np.ndarray) -> None:
        """Take the outputs, and send what is due now."""
        before, self._values = self._values, outputs[self._slots]
        is_new = self._first or bool((self._values != before).any())
        if not is_new and not self._waits and now < self._soonest:
            return
        if is_new:
            self._known |= TO_WRITE
            encode(self._values, self._tables, self._known, self._refused, self._current, self._complete, self._changed)
        self._waits = False
        for f, frame in enumerate(self._frames):
            if not self._complete[f]:
                continue
            way = frame.rules.send
            asked = bool(self._changed[f])
            if way == REQUEST:
                asked = not self._first and any(self._values[p] and not before[p] for p in self._switches[f])
            is_due = asked or (way == CYCLIC and self._next[f] <= now)
            if is_due and (now - self._last[f] >= self._gap or way == REQUEST):
                self._transmit(f, now)
            elif is_due:
                self._waits = True  # inside the gap: in a later turn
            while way not in (CHANGE, REQUEST) and self._next[f] <= now:
                self._next[f] += frame.every
        self._soonest = min((at for f, at in enumerate(self._next) if self._frames[f].rules.send == CYCLIC), default=now)
        self._first = False

    def _transmit(self, f: int, now: int) -> None:
        frame, rules = self._frames[f], self._frames[f].rules
        data = bytearray(self._current[f, : frame.size].tobytes())
        if rules.alive is not None:
            count = self._alive.get(frame.key, 0)
            put_bits(data, rules.alive.bits, count)
            self._alive[frame.key] = rules.alive.next(count)
        if rules.crc is not None:
            whole = data[: frame.length]
            put_crc(whole, rules.crc)
            data[: frame.length] = whole
        self._last[f], self._changed[f] = now, 0
        self._wire.hand_over(frame.key, bytes(data))
