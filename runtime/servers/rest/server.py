"""The REST server: the application behind its guard, its port, its certificate. Raises what keeps it from listening."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import numpy as np
import structlog

from runtime.child import ServiceOrder
from runtime.engine.statistics import ROW, percentile
from runtime.servers.certificates_own import context_of
from runtime.servers.door import Door
from runtime.servers.picture import Picture
from runtime.servers.records.store import Records
from runtime.servers.rest.application import build
from runtime.servers.rest.callers import Callers
from runtime.servers.rest.connection import Lobby
from runtime.servers.rest.guard import Guard
from runtime.servers.rest.room import AT_ONCE, Room
from runtime.servers.rest.settings import NOBODY, RestSettings, describe_rest, is_loopback
from runtime.servers.service import ListenError
from runtime.servers.users import Users
from runtime.source import Report

log = structlog.get_logger()


class RestServer:
    """The listening API: its connections, and the room that its routes share."""

    def __init__(self, settings: RestSettings, room: Room, context: ssl.SSLContext | None):
        self.settings, self.room = settings, room
        self.guard = Guard(build(room, settings), settings, room.callers)
        self.lobby = Lobby(self.guard, settings, context)
        self.listening = ""
        self._socket: socket.socket | None = None
        self._welcoming: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Start to accept connections. Raises ListenError where the port is taken."""
        host, port = self.settings.host, self.settings.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, backlog=256)
        except OSError as error:
            raise ListenError(error, host, port) from error
        self._socket.setblocking(False)
        self._welcoming = asyncio.get_running_loop().create_task(self.lobby.welcome(self._socket))
        scheme = "https" if self.settings.tls else "http"
        shown = f"[{host}]" if ":" in host else host
        self.listening = f"{scheme}://{shown}:{self._socket.getsockname()[1]}"

    def counters(self) -> dict[str, int]:
        return {
            "clients": self.lobby.count,
            "requests": self.guard.requests,
            "writes": self.room.writes,
            "refused": self.guard.refused,
            "streams": self.room.streams,
            "turned_away": self.lobby.turned_away,
        }

    def tick(self) -> None:
        """Close the connections that have taken too long."""
        self.lobby.tick()
        if self._welcoming is not None and self._welcoming.done():
            self._welcoming.result()

    async def follow(self, order: ServiceOrder) -> None:
        """Show the tags of this order; connections and streams stay."""
        self.room.picture.follow(order)

    async def close(self) -> None:
        self.room.is_closing = True
        if self._welcoming is not None and self._socket is not None:
            self._welcoming.cancel()
            self._socket.close()
        await self.lobby.close()
        if self.room.records is not None:
            self.room.records.close()


async def open_server(order: ServiceOrder, door: Door, _: Any) -> RestServer:
    """Read the settings, find the certificate, and listen. Raises SiteError and ListenError."""
    report = Report()
    settings = describe_rest(order.settings, report)
    context = context_of(order, settings.host, "the REST server", report) if settings.tls else None
    report.raise_if_any()
    users = Users(order.users)
    _warn(settings, users)
    records = Records(order.state_dir, is_strict=True) if order.state_dir else None  # to read; the door keeps its own
    callers = Callers(users, settings, door)
    room = Room(
        Picture(order, door), door, callers, records, asyncio.Semaphore(AT_ONCE), most_streams=max(1, settings.clients // 4)
    )
    server = RestServer(settings, room, context)
    server.tick()
    _warm(room)
    await server.listen()
    return server


def _warm(room: Room) -> None:
    """Have what is compiled at its first use compiled before the first client waits for it."""
    room.picture.look()
    percentile(np.zeros(ROW, np.int64), 0, 0.5)


def _warn(settings: RestSettings, users: Users) -> None:
    if not settings.tls and not is_loopback(settings.host):
        log.warning("plain HTTP: values and tokens cross the network in the clear", host=settings.host)
    if users.is_empty() and settings.anonymous == NOBODY:
        log.warning("nobody can log in: `bessplc user add` makes a user, `bessplc user token` gives it a token")
