"""The Modbus server: where it listens, and who stays connected. What is answered is decided in `answers`."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from runtime.child import ServiceOrder
from runtime.servers.audit import Deed, Who
from runtime.servers.door import Door
from runtime.servers.modbus.access import Access
from runtime.servers.modbus.answers import Answers
from runtime.servers.modbus.check import load_map
from runtime.servers.modbus.connection import Connection
from runtime.servers.modbus.guard import Guard
from runtime.servers.modbus.map import Entry
from runtime.servers.modbus.rtu import SerialLine
from runtime.servers.modbus.settings import ModbusSettings, describe_modbus
from runtime.servers.modbus.tls import Tls
from runtime.servers.records.store import Records
from runtime.servers.service import ListenError
from runtime.servers.users import Users
from runtime.source import Report, SiteError

log = structlog.get_logger()
HANDSHAKE = 5.0  # s for a TLS client to say hello and show its certificate
FILES = 4096  # open at once, those of clients that are turned away among them
TELL_AGAIN, MOST_TOLD = 10.0, 20  # s, hosts: those that are turned away again and again do not fill the log
# A client whose machine or cable is gone without a word is found after 30 s at the latest, whatever `idle` says.
KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)


class ModbusServer:
    """All listeners and connections; Connection's house."""

    def __init__(
        self, order: ServiceOrder, settings: ModbusSettings, entries: tuple[Entry, ...], door: Door, written: Mapping[str, Deed]
    ):
        self.settings, self.door = settings, door
        self.users = Users(order.users)
        self.access = Access(settings, self.users)
        self.answers = Answers(order, settings, entries, door, self.access)
        self.guard = Guard(door, written)
        self.guard.follow(self.answers.image)
        self.connections: dict[Connection, str] = {}  # each with its host
        self.turned_away = 0
        self.listening = ""
        self._hosts: Counter[str] = Counter()
        self._told: set[str] = set()
        self._told_since = 0.0
        self._listeners: list[asyncio.Server] = []
        self._tls: Tls | None = None
        self._lines = [SerialLine(line, self.answers, line.role or settings.role) for line in settings.serial]

    async def listen(self, tls: Tls | None) -> None:
        """Start to accept connections. Raises ListenError where a port is taken: what falls back falls back even so."""
        self.answers.look()
        await self.guard.look()
        where = []
        if self.settings.port is not None:
            where.append(await self._listen("modbus-tcp", self.settings.port))
        if tls is not None and self.settings.tls is not None:
            self._tls = tls
            where.append(await self._listen("modbus-tls", self.settings.tls.port, ssl=tls.context, ssl_handshake_timeout=HANDSHAKE))
        for line in self._lines:
            line.open()
            where.append(line.name)
        self.listening = " ".join(where)
        self.guard.start()

    async def _listen(self, scheme: str, port: int, **options: Any) -> str:
        host = self.settings.host
        try:
            listener = await asyncio.get_running_loop().create_server(lambda: Connection(self), host, port, **options)
        except OSError as error:
            raise ListenError(error, host, port) from error
        self._listeners.append(listener)
        for sock in listener.sockets:
            for option in KEEP_ALIVE:  # what is accepted from it inherits them
                sock.setsockopt(*option)
        return f"{scheme}://{host}:{listener.sockets[0].getsockname()[1]}"

    def welcome(self, connection: Connection, transport: Any) -> Who | None:
        """Who connects, or None where the site does not let it in or there is no room."""
        host, port = (transport.get_extra_info("peername") or ("0.0.0.0", 0))[:2]
        why, certificate = "", None
        if not self.access.admits(host):
            why = "not in `allow`"
        elif len(self.connections) >= self.settings.clients:
            why = "too many connections (`clients`)"
        elif self._hosts[host] >= self.settings.clients_per_address:
            why = "too many connections of this address (`clients_per_address`)"
        elif self._tls is not None:
            why, certificate = self._tls.judge(transport)
        if why:
            self._turn_away(host, why)
            return None
        self.connections[connection] = host
        self._hosts[host] += 1
        connection.quiet_since = time.monotonic()
        return self.access.who(host, f"{host}:{port}", certificate)

    def bid_farewell(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        host = self.connections.pop(connection, None)
        if host is not None:
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    def _turn_away(self, host: str, why: str) -> None:
        self.turned_away += 1
        now = time.monotonic()
        if now - self._told_since >= TELL_AGAIN:
            self._told_since = now
            self._told.clear()
        if host not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(host)
            log.warning("turned away", peer=host, reason=why, so_far=self.turned_away)

    def counters(self) -> dict[str, int]:
        return {
            "clients": len(self.connections),
            "requests": self.answers.requests,
            "writes": self.answers.writes,
            "turned_away": self.turned_away,
            "fallbacks": self.guard.fallbacks,
        }

    def tick(self) -> None:
        """Close the connections that asked nothing for too long; look after certificates and serial lines."""
        self.answers.look()
        now, users = time.monotonic(), self.users.names()
        for connection in list(self.connections):
            if connection.who.user and connection.who.user not in users:
                connection.end("its user was removed")
            elif connection.has_asked:
                connection.has_asked, connection.quiet_since = False, now
            elif now - connection.quiet_since > self.settings.idle:
                connection.end("idle")
        self.guard.tick()
        if self._tls is not None and self._tls.refresh():
            for connection in list(self.connections):
                if connection.is_refused_by(self._tls):
                    connection.end("its certificate is no longer trusted")
        for line in self._lines:
            line.open()

    async def follow(self, order: ServiceOrder) -> None:
        """Answer from the tags and the map of this order; connections stay. Raises SiteError for a map that does not fit them."""
        try:
            settings, entries = _read(order)
        except SiteError:
            self._follow(order, self.settings, ())  # the old map would write into tags of the new program that it does not mean
            raise
        self._follow(order, settings, entries)

    def _follow(self, order: ServiceOrder, settings: ModbusSettings, entries: tuple[Entry, ...]) -> None:
        self.settings = settings
        self.access = Access(settings, self.users)
        self.answers.follow(order, settings, entries, self.access)
        self.guard.follow(self.answers.image)

    async def close(self) -> None:
        await self.guard.stop()
        for listener in self._listeners:
            listener.close()
        for line in self._lines:
            line.close()
        for connection in list(self.connections):
            connection.end("the server stops")
        await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.end("the server stops")
        for listener in self._listeners:
            await listener.wait_closed()


def _read(order: ServiceOrder) -> tuple[ModbusSettings, tuple[Entry, ...]]:
    report = Report()
    settings = describe_modbus(order.settings, report)
    entries = load_map(settings, Path(order.root), order.tags, report, state_dir=order.state_dir, keep=True)
    report.raise_if_any()
    return settings, entries


async def open_server(order: ServiceOrder, door: Door, _: Any) -> ModbusServer:
    """Read the settings and the map, and listen. Raises SiteError and ListenError."""
    settings, entries = _read(order)
    _allow_files(FILES + settings.clients)
    written = await asyncio.to_thread(_last_writes, order.state_dir)
    server = ModbusServer(order, settings, entries, door, written)
    tls = None
    if settings.tls is not None:
        tls = await asyncio.to_thread(Tls, settings.tls, settings.host, order)  # a key of RSA 3072 may take a second to make
    await server.listen(tls)
    return server


def _last_writes(state_dir: str) -> Mapping[str, Deed]:
    if not state_dir:
        return {}
    records = Records(state_dir)
    try:
        return records.last_writes()
    finally:
        records.close()


def _allow_files(count: int) -> None:
    """Ask for room for so many open files: a client beyond the cap is accepted before it is turned away."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
