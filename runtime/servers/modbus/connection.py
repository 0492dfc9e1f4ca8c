"""One client of the Modbus server over TCP or TLS: bytes in, answers out, in their order. It knows no tags."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import structlog

from runtime.servers.audit import Who
from runtime.servers.modbus.answers import Answers, Writing
from runtime.servers.modbus.protocol import FramingError, frame, next_request
from runtime.servers.modbus.tls import Tls
from runtime.servers.users import User

log = structlog.get_logger()
A_TURN = 128  # requests of one connection that are answered before the others have their turn
WAITING = 16384  # bytes of requests that may wait behind a write before the connection is no longer read
READ = 12  # bytes of a read request, and of a write of one value


class House(Protocol):
    """Where a connection belongs to: it decides who may stay."""

    answers: Answers

    def welcome(self, connection: Connection, transport: Any) -> Who | None:
        """Who that is, or None for one that must go."""

    def bid_farewell(self, connection: Connection) -> None:
        """Forget it."""


class Connection(asyncio.Protocol):
    """One client. While a write waits for the scan, what the client asks after it waits too."""

    def __init__(self, house: House, host: str):
        self._house, self._answers, self.host = house, house.answers, host
        self._transport: Any = None
        self._buffer = b""
        self._writing: asyncio.Task[None] | None = None
        self._is_full = False
        self._is_ending = False
        self.who = Who("", "", "")
        self.user: User | None = None  # whom its certificate names
        self.has_asked = True  # since the house last looked
        self.quiet_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        who = self._house.welcome(self, transport)
        if who is None:
            self._transport.abort()
        else:
            self.who = who

    def connection_lost(self, exc: Exception | None) -> None:
        self._house.bid_farewell(self)
        self._buffer = b""  # a write that is with the scan already is awaited and logged all the same

    def data_received(self, data: bytes) -> None:
        if len(data) == READ and not self._buffer and self._writing is None and not self._is_full:
            answer = self._answers.ready(data[2:])
            if answer is not None:
                self._transport.write(data[:2] + answer)
                self.has_asked = True
                return
        self._buffer += data
        self._proceed()

    def pause_writing(self) -> None:
        """The client does not fetch its answers: answer no more until it does."""
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._proceed()

    def is_refused_by(self, tls: Tls) -> bool:
        """Whether its certificate would not be let in any more."""
        return bool(tls.judge(self._transport)[0])

    def end(self, reason: str) -> None:
        """Close the connection; a second call does not wait until the client has fetched what is on its way."""
        if self._is_ending:
            self._transport.abort()
            return
        self._is_ending = True
        log.info("closed", peer=self.who.peer, reason=reason)
        self._transport.close()

    def _proceed(self) -> None:
        """Answer what has come completely, up to the next write."""
        at, answers = 0, list[bytes]()
        while self._writing is None and not self._is_full:
            if len(answers) == A_TURN:  # others want to be answered too, and the client to fetch what there is
                asyncio.get_running_loop().call_soon(self._proceed)
                break
            try:
                found = next_request(self._buffer, at)
            except FramingError as error:
                self._buffer = b""
                self._send(answers)
                self.end(str(error))
                return
            if found is None:
                break
            transaction, unit, pdu, at = found
            answer = self._answers.answer(unit, pdu, self.who)
            if isinstance(answer, bytes):
                answers.append(frame(transaction, unit, answer))
            else:
                self._writing = asyncio.get_running_loop().create_task(self._write(transaction, unit, pdu, answer))
        if at:
            self.has_asked = True
            self._buffer = self._buffer[at:]
        self._send(answers)
        self._read_on(len(self._buffer) < WAITING)

    async def _write(self, transaction: int, unit: int, pdu: bytes, writing: Writing) -> None:
        answer = await self._answers.write(pdu, writing)
        self._writing = None
        self.has_asked = True
        if not self._transport.is_closing():
            self._send([frame(transaction, unit, answer)])
            self._proceed()

    def _send(self, answers: list[bytes]) -> None:
        if answers:
            self._transport.write(b"".join(answers))

    def _read_on(self, wanted: bool) -> None:
        if self._transport.is_closing() or wanted == self._transport.is_reading():
            return
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
