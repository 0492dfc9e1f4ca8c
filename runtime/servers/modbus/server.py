"""The Modbus server: where it listens, and who stays connected. What is answered is decided in `answers`."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
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
from runtime.servers.peers import peer_of
from runtime.servers.reception import listen_on, receive, seat
from runtime.servers.records.store import Records
from runtime.servers.service import ListenError
from runtime.servers.users import Users
from runtime.source import Report, SiteError

log = structlog.get_logger()
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
        self.settings, self.door, self._words = settings, door, order.settings
        self.users = Users(order.users)
        self.access = Access(settings, self.users)
        self.answers = Answers(order, settings, entries, door, self.access)
        self.guard = Guard(door, written)
        self.guard.follow(self.answers.image)
        self.connections: dict[Connection, None] = {}
        self.turned_away = 0
        self.listening = ""
        self._places: set[Connection] = set()  # those still in their handshake among them
        self._hosts: Counter[str] = Counter()  # places by address
        self._told: set[str] = set()
        self._told_since = 0.0
        self._listeners: list[tuple[socket.socket, asyncio.Task[None]]] = []
        self._doorsteps: dict[Connection, asyncio.Task[None]] = {}
        self._tls: Tls | None = None
        self._lines = [SerialLine(line, self.answers, line.role or settings.role) for line in settings.serial]

    async def listen(self, tls: Tls | None) -> None:
        """Start to accept connections. Raises ListenError where a port is taken: what falls back falls back even so."""
        self.answers.look()
        await self.guard.look()
        where = []
        if self.settings.port is not None:
            where.append(self._listen("modbus-tcp", self.settings.port, None))
        if tls is not None and self.settings.tls is not None:
            self._tls = tls
            where.append(self._listen("modbus-tls", self.settings.tls.port, tls.context))
        for line in self._lines:
            line.open()
            where.append(line.name)
        self.listening = " ".join(where)
        self.guard.start()

    def _listen(self, scheme: str, port: int, context: ssl.SSLContext | None) -> str:
        host = self.settings.host
        try:
            sockets = listen_on(host, port)
        except OSError as error:
            raise ListenError(error, host, port) from error
        for sock in sockets:
            for option in KEEP_ALIVE:  # what is accepted from it inherits them
                sock.setsockopt(*option)
            receiving = receive(sock, lambda accepted, address: self._arrived(accepted, address, context))
            self._listeners.append((sock, asyncio.get_running_loop().create_task(receiving)))
        return f"{scheme}://{host}:{sockets[0].getsockname()[1]}"

    def _arrived(self, accepted: socket.socket, host: str, context: ssl.SSLContext | None) -> None:
        """Send away whom the site does not let in, or has no room for, before any handshake; have the others seated."""
        why = ""
        if not self.access.admits(host):
            why = "not in `allow`"
        elif len(self._places) >= self.settings.clients:
            why = "too many connections (`clients`)"
        elif self._hosts[host] >= self.settings.clients_per_address:
            why = "too many connections of this address (`clients_per_address`)"
        if why:
            accepted.close()
            self._turn_away(host, why)
            return
        connection = Connection(self, host)
        self._places.add(connection)
        self._hosts[host] += 1
        self._doorsteps[connection] = asyncio.get_running_loop().create_task(self._seat(connection, accepted, context))

    async def _seat(self, connection: Connection, accepted: socket.socket, context: ssl.SSLContext | None) -> None:
        is_seated = False
        try:
            is_seated = await seat(connection, accepted, connection.host, context)
        finally:
            self._doorsteps.pop(connection, None)
            if not is_seated:
                self.bid_farewell(connection)

    def welcome(self, connection: Connection, transport: Any) -> Who | None:
        """Who connects, or None for a certificate that the site does not take."""
        host, port = connection.host, (transport.get_extra_info("peername") or ("", 0))[1]
        why, certificate = self._tls.judge(transport) if self._tls is not None else ("", None)
        if why:
            self._turn_away(host, why)
            return None
        self.connections[connection] = None
        connection.quiet_since = time.monotonic()
        connection.user = self.users.by_certificate(certificate) if certificate is not None else None
        return self.access.who(host, peer_of(host, port), certificate)

    def bid_farewell(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self.connections.pop(connection, None)
        if connection in self._places:
            self._places.remove(connection)
            self._hosts -= Counter((connection.host,))

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
        now = time.monotonic()
        for connection in list(self.connections):
            if connection.user is not None and not self.users.still(connection.user):
                connection.end("its user was removed, or has another role or certificate now")
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
        for _, receiving in self._listeners:
            if receiving.done():
                receiving.result()

    async def follow(self, order: ServiceOrder) -> None:
        """Answer from this order's tags and the map read anew; connections stay, and the settings until the next start.

        Raises SiteError for a map that does not fit the tags.
        """
        try:
            settings, entries = _read(replace(order, settings=self._words))
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
        for sock, receiving in self._listeners:
            receiving.cancel()
            sock.close()
        for seating in self._doorsteps.values():
            seating.cancel()
        for line in self._lines:
            line.close()
        for connection in list(self.connections):
            connection.end("the server stops")
        await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.end("the server stops")


def _read(order: ServiceOrder) -> tuple[ModbusSettings, tuple[Entry, ...]]:
    report = Report()
    settings = describe_modbus(order.settings, report)
    entries = load_map(
        settings, Path(order.root), order.tags, report, state_dir=order.state_dir, keep=True, constants=order.constants
    )
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
