"""The Modbus lines that are open in this process: each once, shared by the devices on it, one request at a time.

It knows units and requests, no tags. A line is opened when a request needs it; where that fails, or where the far end breaks
it off, every device on it is lost. After a fault it is replaced (TCP) or falls silent (RTU), and only who asked is lost: a late
or damaged answer must never be taken for another's.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, fields
from time import monotonic
from typing import Protocol

from runtime.fieldbus.modbus_errors import GATEWAY_CODES, LostError, RefusedError
from runtime.fieldbus.modbus_frame import CRC, Request, check_answer, judge_rest, rtu_frame, take_rtu, take_tcp, tcp_frame
from runtime.fieldbus.modbus_settings import KEEP, RTU, LineSettings
from runtime.fieldbus.modbus_transport import Aside, Wire, open_wire
from runtime.fieldbus.modbus_turns import Silence, Turns
from runtime.fieldbus.tend import Backoff

NS = 1e-9
CONNECT_LIMIT, LOOK_UP_LIMIT = 2.0, 1.0  # s
FIRST_PAUSE, MOST_PAUSE = 0.1, 5.0  # s between attempts to connect
POLL_GRACE = 0.05  # s: with `per_poll`, the requests of one round follow each other within this time
DRAIN, DRAIN_LIMIT = 0.03, 1.0  # s: silence after a fault on RTU (USB adapters deliver every 16 ms), and how long to wait for it
FAST, FAST_SILENCE = 19200, 0.00175  # above this baud rate the silence is fixed (MODBUS over Serial Line V1.02, 2.5.1.1)


class Member(Protocol):
    """A device on a line."""

    unit: int
    lost: LostError | None  # set by the line when it is lost for all

    @property
    def is_up(self) -> bool: ...


class Line:
    """One connection, or one serial port, and the devices on it."""

    def __init__(self, settings: LineSettings):
        self.settings = settings
        self.members: list[Member] = []
        self.silence = Silence()
        self.round_trip = math.nan  # s
        self._turns = Turns()
        self._aside = Aside()
        self._wire: Wire | None = None
        self._opening: asyncio.Task[None] | None = None
        self._backoff = Backoff(FIRST_PAUSE, MOST_PAUSE)
        self._not_before = 0.0
        self._transaction = 0
        self._rest_until = 0.0
        self._is_soiled = False
        self._due_until = 0.0  # on a serial line: the answer to a request that was given up may come until then
        self._idle: asyncio.TimerHandle | None = None
        self._bit = (9 + settings.stopbits + (settings.parity != "none")) / settings.baud  # one character, s
        self._silence = 3.5 * self._bit if settings.baud <= FAST else FAST_SILENCE

    async def up(self) -> None:
        """Have the line open. Raises LostError; one attempt serves all who wait."""
        while self._wire is None:
            if self._opening is None:
                self._opening = asyncio.get_running_loop().create_task(self._open())
            opening = self._opening
            try:
                await asyncio.shield(opening)
            except LostError as lost:
                raise LostError(lost.kind, str(lost)) from None
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not opening.cancelled() or (task is not None and task.cancelling()):
                    raise
                raise LostError("closed", "the line was given up while it was being opened") from None

    async def _open(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._not_before - monotonic()))
            async with asyncio.timeout(CONNECT_LIMIT + LOOK_UP_LIMIT):
                wire = await open_wire(self.settings, self._aside, self._gone, CONNECT_LIMIT)
            if wire.reason is not None:  # a device without a free socket takes the connection and ends it
                raise wire.reason
            self._wire = wire
        except TimeoutError:
            raise self._fail(LostError("unresolved", f"the way to {self.settings.place} is not found in time")) from None
        except LostError as lost:
            raise self._fail(lost) from None
        finally:
            if self._opening is asyncio.current_task():
                self._opening = None

    def _fail(self, lost: LostError) -> LostError:
        self._not_before = monotonic() + self._backoff.pause()
        self._lose(lost)
        return lost

    def _gone(self, wire: Wire, reason: LostError) -> None:
        """The far end has broken off: whoever is on the line may have restarted."""
        if wire is self._wire:
            self._wire = None
            self._lose(reason)

    def _lose(self, reason: LostError) -> None:
        for member in self.members:
            if member.is_up:
                member.lost = LostError(reason.kind, str(reason))

    def _drop(self) -> None:
        """Close the connection by our own decision; the next request opens another."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    async def admit(self, member: Member) -> None:
        """Wait until this device may be asked, where its unit has kept silent."""
        others = any(m.is_up and not self.silence.is_silent(m.unit) for m in self.members if m.unit != member.unit)
        await self.silence.admit(member.unit, others)

    async def ask(self, member: Member, request: Request, limit: float) -> bytes:
        """The checked answer to a request that may take `limit` seconds. Raises LostError or RefusedError."""
        await self._turns.take(request.is_write)
        try:
            if member.lost is not None:
                raise member.lost
            await self.up()
            await self._fall_silent()
            return await self._exchange(request, limit)
        finally:
            self._rest_until = monotonic() + self.settings.pause * NS
            self._turns.give()
            self._set_idle()

    async def _fall_silent(self) -> None:
        """Wait for the pause between requests, and on RTU until the line has been silent for long enough."""
        while (rest := max(self._rest_until, self._due_until) - monotonic()) > 0:
            await asyncio.sleep(rest)
        if self.settings.transport != RTU or self._wire is None:
            return
        silence, begun = max(DRAIN, self._silence) if self._is_soiled else self._silence, monotonic()
        while self._wire is not None and (rest := self._wire.heard + silence - monotonic()) > 0:
            if monotonic() - begun > DRAIN_LIMIT:
                raise LostError("extra", "the line never falls silent")
            await asyncio.sleep(rest)
        self._is_soiled = False

    async def _exchange(self, request: Request, limit: float) -> bytes:
        wire = self._wire
        if wire is None:
            raise LostError("closed", "the connection was lost before the request was sent")
        began = monotonic()
        try:
            answer = check_answer(request, await self._answer(wire, request, limit))
        except RefusedError as refused:
            self._take_refusal(request, refused, monotonic() - began)
            raise
        except LostError as lost:
            self._spoil()
            if self.settings.transport == RTU and not lost.is_overdue:
                self._due_until = began + limit + self._wire_time(len(request.pdu) + 3, request)
            if lost.is_overdue:
                self.silence.missed(request.unit, monotonic() - began, monotonic(), self.settings.is_rtu)
            raise
        except BaseException:  # cancelled: the answer is still to come
            self._spoil()
            self.silence.missed(request.unit, 0.0, monotonic(), self.settings.is_rtu)
            raise
        self._take_answer(request, monotonic() - began)
        return answer

    def _take_answer(self, request: Request, seconds: float) -> None:
        self.round_trip = seconds
        self._backoff.reset()
        self.silence.answered(request.unit)

    def _take_refusal(self, request: Request, refused: RefusedError, seconds: float) -> None:
        """An exception is an answer; that of a gateway says that the unit is silent, and costs what its own time-out is."""
        if refused.code not in GATEWAY_CODES:
            self._take_answer(request, seconds)
            return
        self.silence.missed(request.unit, seconds, monotonic(), may_come_late=False)
        if self.silence.is_silent(request.unit) and len(self.members) > 1:
            raise LostError(refused.kind, "the gateway does not reach the device")

    def _spoil(self) -> None:
        """What comes next on this connection may belong to the request that failed."""
        self._is_soiled = True
        if self.settings.transport != RTU:
            self._drop()

    async def _answer(self, wire: Wire, request: Request, limit: float) -> bytes:
        """Send the request and collect its answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        is_rtu = self.settings.is_rtu
        self._transaction = self._transaction % 0xFFFF + 1
        transaction = self._transaction
        frame = rtu_frame(request) if is_rtu else tcp_frame(request, transaction)

        def listen() -> None:
            if not answer.done():
                try:
                    pdu = take_rtu(wire.data, request) if is_rtu else take_tcp(wire.data, request, transaction)
                except LostError as lost:
                    answer.set_exception(lost)
                else:
                    if pdu is not None:
                        answer.set_result(pdu)

        def end() -> None:
            if not answer.done():
                answer.set_exception(judge_rest(wire.data, request, is_rtu))

        def watch(reason: LostError) -> None:
            if not answer.done():
                answer.set_exception(LostError("short", f"{reason} in the middle of an answer") if wire.data else reason)

        wire.listen(listen, watch)
        timer = loop.call_later(limit + self._wire_time(len(frame), request), end)
        try:
            wire.send(frame)
            return await answer
        finally:
            timer.cancel()
            wire.listen(None, None)

    def _wire_time(self, sent: int, request: Request) -> float:
        """The seconds that request and answer spend on a serial line itself."""
        return (sent + 1 + request.answer + CRC) * self._bit if self.settings.transport == RTU else 0.0

    def _set_idle(self) -> None:
        """Let the connection go after its idle time, where the io_map says so."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self.settings.idle != KEEP and self._turns.is_idle and self._wire is not None:
            seconds = max(self.settings.idle * NS, POLL_GRACE)
            self._idle = asyncio.get_running_loop().call_later(seconds, self._let_go)

    def _let_go(self) -> None:
        if self._turns.is_idle:
            self._drop()

    def leave(self, member: Member) -> None:
        """A device is done; the last one closes the line. What is known of its units stays for when it comes back."""
        if member in self.members:
            self.members.remove(member)
        if not self.members:
            if self._idle is not None:
                self._idle.cancel()
            if self._opening is not None:
                self._opening.cancel()
                self._opening = None  # who joins now opens it anew
            self._drop()


@dataclass
class _Place:
    """The lines to one host and port, or one serial port, and on which of them each unit stands."""

    settings: LineSettings
    lines: list[Line] = field(default_factory=list)
    homes: dict[int, int] = field(default_factory=dict)


_PLACES: dict[tuple[asyncio.AbstractEventLoop, str], _Place] = {}


def join_line(settings: LineSettings, member: Member) -> Line:
    """The process's line for this device. Raises LostError where another device describes the same line differently."""
    loop = asyncio.get_running_loop()
    for closed in [key for key in _PLACES if key[0].is_closed()]:
        del _PLACES[closed]
    key = (loop, settings.place)
    place = _PLACES.get(key)
    if place is None or (place.settings != settings and not any(line.members for line in place.lines)):
        place = _PLACES[key] = _Place(settings, [Line(settings) for _ in range(settings.connections)])
    if place.settings != settings:
        raise LostError(
            "conflict", f"{settings.place} is shared, and another device says otherwise: {_differences(settings, place.settings)}"
        )
    line = place.lines[place.homes.setdefault(member.unit, len(place.homes) % len(place.lines))]
    line.members.append(member)
    return line


def _differences(one: LineSettings, other: LineSettings) -> str:
    words = [f.name for f in fields(LineSettings) if f.compare and getattr(one, f.name) != getattr(other, f.name)]
    return ", ".join(f"`{word}` {getattr(one, word)!r} and {getattr(other, word)!r}" for word in words)
