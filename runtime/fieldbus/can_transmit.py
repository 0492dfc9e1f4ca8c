"""Sends a device's command frames: each at its period, and at once when the scan changed it. It knows no bus.

A frame is first sent once all outputs in it have a value: bytes that nobody asked for are never put on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import structlog

from runtime.fieldbus.can_kernel import encode
from runtime.fieldbus.can_tables import CanFrame, belongs, encoding, put_bits
from runtime.fieldbus.safe import safe_bits
from runtime.model import Point

NS = 1e-9
WRITTEN, TO_WRITE = 1, 2
SLACK = 0.0006  # s: timers of uvloop count whole milliseconds and may come early
RETRY = 0.005  # s: a full bus has room again after a few frames


class Transmitter:
    """The frames of one device; `send(key, data, fd)` puts one on the wire and says whether it got there."""

    def __init__(
        self, device: str, frames: Sequence[CanFrame], points: Sequence[Point], gap: int, send: Callable[[int, bytes, bool], bool]
    ):
        self.frames, self.points = tuple(frames), tuple(points)
        self._send, self._gap = send, gap * NS
        self._tables = encoding(self.frames, self.points)
        count = len(self.frames)
        self._current = self._tables.template.copy()
        self._complete = np.zeros(count, np.uint8)
        self._changed = np.zeros(count, np.uint8)
        self._known = np.zeros(len(self.points), np.uint8)
        self._refused = np.zeros(len(self.points), np.int64)
        self._said = np.zeros(len(self.points), np.int64)
        self._values = np.zeros(len(self.points), np.int64)
        self._slots = np.array([p.slot for p in self.points], np.int64)
        self._place = {p.slot: i for i, p in enumerate(self.points)}
        self._safe = np.array([safe_bits(p) for p in self.points], np.int64)
        self._alive: dict[int, int] = {}
        self._cycle = [0.0] * count
        self._last = [-1e9] * count
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._log = structlog.get_logger().bind(device=device)
        self._encode()  # compiles, or loads, the kernel here and not at the first output

    @property
    def refused(self) -> int:
        """Values that no signal could carry, since the start."""
        return int(self._refused.sum())

    def start(self) -> None:
        """The bus is up: begin all periods, spread so that the frames do not go out in one burst."""
        now = asyncio.get_running_loop().time()
        for f, frame in enumerate(self.frames):
            self._cycle[f] = now + frame.every * NS * f / len(self.frames)
        self._running = True
        self._arm()

    def stop(self) -> None:
        """The bus is down, or the device is done: send nothing more."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def write(self, cells: np.ndarray) -> None:
        """Take the outputs of a new outbox; frames that changed go out at once, but no closer than the gap."""
        if self.points:
            self._values[:] = cells[self._slots]
            self._known |= TO_WRITE
        self._encode()
        if self._running and self._changed.any():
            self._service()

    def hold_safe(self, slots: Sequence[int]) -> list[int]:
        """Put the safe values of these slots into their frames; returns the frames that carry them."""
        places = [self._place[slot] for slot in slots]
        self._values[places] = self._safe[places]
        self._known[places] |= TO_WRITE
        self._encode()
        if self._running:
            self._arm()  # a frame that became complete has its period from now on
        wanted = {self.points[place] for place in places}
        return [f for f, frame in enumerate(self.frames) if any(belongs(p.address, frame) for p in wanted)]

    async def flush(self, frames: Sequence[int]) -> None:
        """Send these frames now; returns once each was sent, or when the bus is down."""
        waiting = [f for f in frames if self._complete[f]]
        while self._running:
            waiting = [f for f in waiting if not self._transmit(f)]
            if not waiting:
                return
            await asyncio.sleep(RETRY)

    def _encode(self) -> None:
        encode(self._values, self._tables, self._known, self._refused, self._current, self._complete, self._changed)
        if (self._refused != self._said).any():
            self._say_refused()

    def _say_refused(self) -> None:
        """Say once for each output that its signal cannot carry the value; the counter tells the rest."""
        for place in np.flatnonzero((self._said == 0) & (self._refused > 0)):
            point = self.points[place]
            value = self._values[place : place + 1].view(np.float64)[0] if point.type == "LREAL" else self._values[place]
            self._log.error(
                "output does not fit its signal: the old value stays",
                tag=point.tag,
                value=float(value),
                signal=f"{point.address.message}.{point.address.name}",
                minimum=point.address.minimum,
                maximum=point.address.maximum,
            )
        self._said[:] = self._refused

    def _due(self, f: int) -> float:
        """When the frame must go out: at its period, or earlier for a change, but never inside the gap."""
        wanted = 0.0 if self._changed[f] else self._cycle[f]
        return max(wanted, self._last[f] + self._gap)

    def _service(self) -> None:
        """Send what is due and set the timer for what comes next."""
        now = asyncio.get_running_loop().time()
        try:
            self._send_due(now)
        finally:
            self._arm()  # whatever happened, the next period comes: a silent controller is a stopped plant

    def _send_due(self, now: float) -> None:
        for f in range(len(self.frames)):
            if self._complete[f] and self._due(f) <= now + SLACK:
                self._transmit(f)
            if self._cycle[f] <= now + SLACK:
                period = self.frames[f].every * NS
                # On the grid: periods that a stalled process missed are skipped, not sent in a row.
                self._cycle[f] += period * (1 + max(0.0, now - self._cycle[f]) // period)

    def _arm(self) -> None:
        due = [self._due(f) for f in range(len(self.frames)) if self._complete[f]]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running and due:
            self._timer = asyncio.get_running_loop().call_at(min(due), self._service)

    def _transmit(self, f: int) -> bool:
        """Send one frame with its next alive count."""
        frame = self.frames[f]
        data = self._current[f, : frame.size].tobytes()
        if frame.alive is not None:
            counted = bytearray(data)
            put_bits(counted, frame.alive, self._alive.get(frame.key, 0))
            data = bytes(counted)
        self._last[f] = asyncio.get_running_loop().time()
        if not self._send(frame.key, data, frame.fd):
            return False
        if frame.alive is not None:  # one count a message, also where it has several frames
            self._alive[frame.key] = (self._alive.get(frame.key, 0) + 1) % (1 << frame.alive.length)
        self._changed[f] = 0
        return True
