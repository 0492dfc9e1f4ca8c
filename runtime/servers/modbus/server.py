"""The Modbus TCP server: connections over the register image.

Exceptions a client may see: 01 unknown function; 02 an address that is not mapped, not writable (for this client), or half of
a longer value; 03 a wrong count or length, a value out of range or not finite; 04 no scan is running or it is stopped or in
local control; 06 the scan did not answer within a second or too many writes wait; 0B another unit id than the site's.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

import runtime
from runtime.child import ServiceOrder
from runtime.servers.audit import Who
from runtime.servers.modbus.check import load_map
from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map import Entry
from runtime.servers.modbus.protocol import (
    DEVICE_FAILURE,
    IDENTIFY,
    ILLEGAL_FUNCTION,
    NO_SUCH_UNIT,
    READS,
    WRITES,
    FramingError,
    RefusedError,
    WriteRequest,
    answer_identify,
    answer_read,
    answer_write,
    check_read_after_write,
    frame,
    next_request,
    parse_write,
    refuse,
)
from runtime.servers.modbus.settings import ModbusSettings, describe_modbus
from runtime.servers.modbus.write import Wanted, carry_out, check, plan
from runtime.servers.service import Door, ListenError
from runtime.source import Report

log = structlog.get_logger()
LOOK = 1_000_000  # ns: a snapshot is looked for at most this often, however many requests come
A_TURN = 128  # requests of one connection that are answered before the others have their turn
WAITING = 16384  # bytes of requests that may wait behind a write before the connection is no longer read


class ModbusServer:
    """All connections, the register image they read, and the door through which they write."""

    def __init__(self, order: ServiceOrder, settings: ModbusSettings, entries: tuple[Entry, ...], door: Door):
        self.settings, self.door = settings, door
        self.image = RegisterImage(entries, order.region, settings.gaps)
        self.connections: set[Connection] = set()
        self.requests = self.writes = self.turned_away = 0
        self.listening = ""
        self._server: asyncio.Server | None = None
        self._looked = self._encoded = 0
        self._is_stale = True
        self._identity = _identity(order.site)

    async def listen(self) -> None:
        """Start to accept connections. Raises ListenError where the port is taken."""
        host, port = self.settings.host, self.settings.port
        try:
            self._server = await asyncio.get_running_loop().create_server(lambda: Connection(self), host, port)
        except OSError as error:
            raise ListenError(error, host, port) from error
        self.listening = f"modbus-tcp://{host}:{self._server.sockets[0].getsockname()[1]}"

    def current(self, *, now: bool = False) -> RegisterImage:
        """The image of the newest snapshot, encoded once for each. Raises RefusedError where the scan has gone silent."""
        time_now = time.monotonic_ns()
        if now or time_now - self._looked > LOOK:
            self._looked = time_now
            self.door.refresh()
            if self.door.pictures != self._encoded:
                self._encoded = self.door.pictures
                self.image.encode(self.door.snapshot)
            self._is_stale = self.door.is_stale()
        if self._is_stale:
            raise RefusedError(DEVICE_FAILURE)
        return self.image

    def answer(self, unit: int, pdu: bytes, who: Who) -> bytes | tuple[WriteRequest, list[Wanted]]:
        """The answer to a request; or, for a write, what must go to the scan first."""
        self.requests += 1
        function = pdu[0]
        try:
            if self.settings.units is not None and unit not in self.settings.units:
                raise RefusedError(NO_SUCH_UNIT)
            if function in READS:
                return answer_read(pdu, self.current())
            if function in WRITES:
                return self._begin_write(pdu, who)
            if function == IDENTIFY:
                return answer_identify(pdu, self._identity)
            raise RefusedError(ILLEGAL_FUNCTION)
        except RefusedError as refusal:
            return refuse(function, refusal.code)

    def _begin_write(self, pdu: bytes, who: Who) -> tuple[WriteRequest, list[Wanted]]:
        request = parse_write(pdu)
        image = self.current(now=request.masks is not None)
        wanted = plan(request, image)
        check_read_after_write(request, image)
        check(wanted, who, self.door)
        return request, wanted

    async def write(self, pdu: bytes, request: WriteRequest, wanted: list[Wanted], who: Who) -> bytes:
        """Have the scan take the values; the answer says what became of them."""
        self.writes += 1
        try:
            await carry_out(wanted, who, self.door)
            return answer_write(request, pdu, self.current(now=True))
        except RefusedError as refusal:
            return refuse(request.function, refusal.code)

    def role_of(self, address: str) -> Who | None:
        """Who connects from this address, or None where the site does not let it in."""
        host = ipaddress.ip_address(address.partition("%")[0])
        if not any(host in network for network in self.settings.allow):
            return None
        if self.settings.write is None:
            return Who("", self.settings.role, address)
        # the narrowest network that holds the address decides
        matching = [(network.prefixlen, role or self.settings.role) for network, role in self.settings.write if host in network]
        return Who("", max(matching)[1] if matching else "", address)

    def counters(self) -> dict[str, int]:
        return {"clients": len(self.connections), "requests": self.requests, "writes": self.writes, "turned_away": self.turned_away}

    def tick(self) -> None:
        """Close the connections that asked nothing for too long."""
        oldest = time.monotonic() - self.settings.idle
        for connection in [c for c in self.connections if c.last_request < oldest]:
            connection.end("idle")

    async def follow(self, order: ServiceOrder) -> None:
        """Not yet."""
        raise NotImplementedError

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self.connections):
                connection.end("the server stops")
            await self._server.wait_closed()


class Connection(asyncio.Protocol):
    """One client. Its requests are answered in their order; while a write waits for the scan, the next ones wait too."""

    def __init__(self, server: ModbusServer):
        self._server = server
        self._transport: Any = None
        self._who = Who("", "", "")
        self._buffer = b""
        self._writing: asyncio.Task[None] | None = None
        self._is_full = False
        self.last_request = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        address, port = (transport.get_extra_info("peername") or ("0.0.0.0", 0))[:2]
        who = self._server.role_of(address)
        if who is None or len(self._server.connections) >= self._server.settings.clients:
            self._server.turned_away += 1
            log.warning("turned away", peer=address, reason="too many connections" if who else "not in `allow`")
            self._transport.abort()
            return
        self._who = replace(who, peer=f"{address}:{port}")
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._buffer = b""  # a write that is with the scan already is awaited and logged all the same

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._proceed()

    def pause_writing(self) -> None:
        """The client does not fetch its answers: answer no more until it does."""
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._proceed()

    def end(self, reason: str) -> None:
        """Close the connection."""
        log.info("closed", peer=self._who.peer, reason=reason)
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
            answer = self._server.answer(unit, pdu, self._who)
            if isinstance(answer, bytes):
                answers.append(frame(transaction, unit, answer))
            else:
                self._writing = asyncio.get_running_loop().create_task(self._write(transaction, unit, pdu, *answer))
        if at:
            self.last_request = time.monotonic()
            self._buffer = self._buffer[at:]
        self._send(answers)
        self._read_on(len(self._buffer) < WAITING)

    async def _write(self, transaction: int, unit: int, pdu: bytes, request: WriteRequest, wanted: list[Wanted]) -> None:
        answer = await self._server.write(pdu, request, wanted, self._who)
        self._writing = None
        self.last_request = time.monotonic()
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


def _identity(site: str) -> list[bytes]:
    texts = ("bessplc", "bessplc", runtime.__version__, "", "Soft PLC for battery energy storage", "bessplc", site)
    return [text.encode("utf-8")[:100] for text in texts]


async def open_server(order: ServiceOrder, door: Door, _: Any) -> ModbusServer:
    """Read the settings and the map, and listen. Raises SiteError and ListenError."""
    report = Report()
    settings = describe_modbus(order.settings, report)
    entries = load_map(settings, Path(order.root), order.tags, report)
    report.raise_if_any()
    server = ModbusServer(order, settings, entries, door)
    await server.listen()
    return server
