"""Sends a device's command frames: at their period, at once when the scan changed them, or on request. It knows no bus.

A frame is first sent once all outputs in it have a value, and none before the outputs are released by a first write:
bytes that nobody asked for are never put on the wire.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np
import structlog

from runtime.fieldbus.can_kernel import encode
from runtime.fieldbus.can_rules import CHANGE, CYCLIC, REQUEST, put_crc
from runtime.fieldbus.can_tables import CanFrame, belongs, encoding, put_bits
from runtime.fieldbus.safe import safe_bits
from runtime.model import Point

NS = 1e-9
WRITTEN, TO_WRITE = 1, 2
SLACK = 0.0006  # s: timers of uvloop count whole milliseconds and may come early
RETRY = 0.005  # s: a full bus has room again after a few frames
GOLDEN = 0.6180339887498949  # steps of this part of a period never come close to each other, however many there are
_TURNS: defaultdict[int, Iterator[int]] = defaultdict(count)  # by period: the frames of all devices share it out


class Transmitter:
    """The frames of one device; `send(key, data, fd)` puts one on the wire and says whether it got there."""

    def __init__(
        self, device: str, frames: Sequence[CanFrame], points: Sequence[Point], gap: int, send: Callable[[int, bytes, bool], bool]
    ):
        self.frames, self.points = tuple(frames), tuple(points)
        self._send, self._gap = send, gap * NS
        self._tables = encoding(self.frames, self.points)
        size = len(self.frames)
        self._current = self._tables.template.copy()
        self._complete = np.zeros(size, np.uint8)
        self._changed = np.zeros(size, np.uint8)
        self._known = np.zeros(len(self.points), np.uint8)
        self._refused = np.zeros(len(self.points), np.int64)
        self._said = np.zeros(len(self.points), np.int64)
        self._values = np.zeros(len(self.points), np.int64)
        self._slots = np.array([p.slot for p in self.points], np.int64)
        self._place = {p.slot: i for i, p in enumerate(self.points)}
        self._safe = np.array([safe_bits(p) for p in self.points], np.int64)
        self._requests = {f: self._switches(frame) for f, frame in enumerate(self.frames) if frame.rules.send == REQUEST}
        self._asked: np.ndarray | None = None  # the values when requests were last looked for
        self._requested: dict[int, bytes] = {}  # frames that wait to be sent once, as they were when they were asked for
        self._alive: dict[int, int] = {}
        self._phase = [_phase_of(frame) for frame in self.frames]
        self._cycle = [math.inf] * size
        self._last = [-1e9] * size
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._released = False  # somebody has said what the outputs are
        self._log = structlog.get_logger().bind(device=device)
        self._encode()  # compiles, or loads, the kernel here and not at the first output

    def _switches(self, frame: CanFrame) -> list[int]:
        return [place for place, p in enumerate(self.points) if p.type == "BOOL" and belongs(p.address, frame)]

    @property
    def refused(self) -> int:
        """Values that no signal could carry, since the start."""
        return int(self._refused.sum())

    def start(self) -> None:
        """The bus is up: begin all periods, each at its phase of one clock, so that frames keep their distance.

        What is sent on change only is sent again: nobody knows what the other side heard before.
        """
        now = asyncio.get_running_loop().time()
        for f, frame in enumerate(self.frames):
            if frame.rules.send == CYCLIC:
                self._cycle[f] = now + (self._phase[f] - now) % (frame.every * NS)
            elif frame.rules.send == CHANGE:
                self._changed[f] = 1
        self._running = True
        self._arm()

    def again(self) -> None:
        """The bus swallowed frames: what is sent on change only is sent again, for nobody knows which of them it was."""
        for f, frame in enumerate(self.frames):
            if frame.rules.send == CHANGE:
                self._changed[f] = 1
        self._arm()

    def stop(self) -> None:
        """The bus is down, or the device is done: send nothing more."""
        self._running = False
        self._requested.clear()  # a request of before the loss must not act after it
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def write(self, cells: np.ndarray) -> None:
        """Take the outputs of a new outbox; frames that changed go out at once, but no closer than the gap."""
        if self.points:
            self._values[:] = cells[self._slots]
            self._known |= TO_WRITE
        self._encode()
        self._note_requests()
        if not self._released:
            self._released = True
            self._arm()
        if self._running and (self._changed.any() or self._requested):
            self._service()

    def _note_requests(self) -> None:
        """Note the frames of which a switch has turned true; one that was true before us was asked for before us."""
        asked = self._values if self._asked is None else self._asked
        for f, switches in self._requests.items():
            self._changed[f] = 0  # only a request sends it
            if self._running and self._complete[f] and any(self._values[p] and not asked[p] for p in switches):
                self._requested[f] = self._bytes_of(f)
        self._asked = self._values.copy()

    def hold_safe(self, slots: Sequence[int]) -> list[int]:
        """Put the safe values of these slots into their frames; returns the frames that carry them."""
        self._released = True
        places = [self._place[slot] for slot in slots]
        self._values[places] = self._safe[places]
        self._known[places] |= TO_WRITE
        self._encode()
        wanted = {self.points[place] for place in places}
        frames = [f for f, frame in enumerate(self.frames) if any(belongs(p.address, frame) for p in wanted)]
        for f in self._requests:
            self._changed[f] = 0
            if f in frames:
                self._requested.pop(f, None)
        if self._running:
            self._arm()  # a frame that became complete has its period from now on
        return frames

    def release(self, slots: Sequence[int]) -> None:
        """Forget what these outputs shall be: their frames are sent no more, until the scan gives them again."""
        places = [self._place[slot] for slot in slots]
        self._known[places] = 0
        for f, frame in enumerate(self.frames):
            if any(belongs(self.points[place].address, frame) for place in places):
                self._complete[f] = self._changed[f] = 0
                self._requested.pop(f, None)
        if self._running:
            self._arm()

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
        """When the frame must go out: at its period, or earlier for a change or a request, but never inside the gap."""
        wanted = 0.0 if self._changed[f] or f in self._requested else self._cycle[f]
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
                self._transmit(f, self._requested.get(f))
            if self._cycle[f] <= now + SLACK:
                period = self.frames[f].every * NS
                # On the grid: periods that a stalled process missed are skipped, not sent in a row.
                self._cycle[f] += period * (1 + max(0.0, now - self._cycle[f]) // period)

    def _arm(self) -> None:
        due = [self._due(f) for f in range(len(self.frames)) if self._complete[f]]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running and self._released and due and min(due) < math.inf:
            self._timer = asyncio.get_running_loop().call_at(min(due), self._service)

    def _bytes_of(self, f: int) -> bytes:
        return self._current[f, : self.frames[f].size].tobytes()

    def _transmit(self, f: int, data: bytes | None = None) -> bool:
        """Send one frame with its next alive count and its CRC."""
        frame, rules = self.frames[f], self.frames[f].rules
        filled = bytearray(self._bytes_of(f) if data is None else data)
        if rules.alive is not None:
            put_bits(filled, rules.alive.bits, self._alive.get(frame.key, 0))
        if rules.crc is not None:
            whole = filled[: frame.length]
            put_crc(whole, rules.crc)
            filled[: frame.length] = whole
        now = asyncio.get_running_loop().time()
        self._last[f] = now
        if not self._send(frame.key, bytes(filled), frame.fd):
            self._last[f] += max(0.0, RETRY - self._gap)  # a full bus is not asked in every turn of the loop
            return False
        if rules.alive is not None:  # one count a message, also where it has several frames
            self._alive[frame.key] = rules.alive.next(self._alive.get(frame.key, 0))
        self._changed[f] = 0
        self._requested.pop(f, None)
        return True


def _phase_of(frame: CanFrame) -> float:
    """Where in its period the frame goes out (s): as the io_map says, else far from the others of this period."""
    if frame.rules.phase is not None:
        return frame.rules.phase * NS
    return next(_TURNS[frame.every]) * GOLDEN % 1.0 * frame.every * NS
