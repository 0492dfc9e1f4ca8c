"""The HMI server: pages behind their gate, the port, the certificate. Raises what keeps it from listening."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import structlog

from hmi.connection import HmiLobby
from hmi.gate import Gate
from hmi.hall import Hall
from hmi.sessions import Sessions, Visitors
from hmi.settings import HmiSettings, describe_hmi
from runtime.child import ServiceOrder
from runtime.servers.certificates_own import context_of
from runtime.servers.door import Door
from runtime.servers.picture import Picture
from runtime.servers.reception import listen_on
from runtime.servers.records.store import Records
from runtime.servers.rest.settings import NOBODY
from runtime.servers.service import ListenError
from runtime.servers.users import Users
from runtime.source import Report

STAND_BACK = 5  # of niceness: drawing pages must not make the fieldbus or another server late
log = structlog.get_logger()


class HmiServer:
    """The listening web page."""

    def __init__(self, hall: Hall, application: Any, context: Any):
        self._hall, self._application = hall, application
        self._gate = Gate(application.app, hall.settings, hall.visitors)
        self._lobby = HmiLobby(self._gate, hall.settings, context)
        self.listening = ""
        self._sockets: list[socket.socket] = []
        self._welcoming: list[asyncio.Task[None]] = []
        self._living = contextlib.AsyncExitStack()

    async def listen(self) -> None:
        """Start to accept connections. Raises ListenError where the port is taken."""
        settings = self._hall.settings
        try:
            self._sockets = listen_on(settings.host, settings.port)
        except OSError as error:
            raise ListenError(error, settings.host, settings.port) from error
        app = self._application.app
        await self._living.enter_async_context(app.router.lifespan_context(app))
        self._welcoming = [asyncio.ensure_future(self._lobby.welcome(one)) for one in self._sockets]
        self._welcoming.append(asyncio.ensure_future(self._application.begin()))
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        scheme = "https" if settings.tls else "http"
        self.listening = f"{scheme}://{shown}:{self._sockets[0].getsockname()[1]}"

    def counters(self) -> dict[str, int]:
        return {
            "clients": self._application.live.count,
            "requests": self._gate.requests,
            "writes": self._hall.writes,
            "refused": self._gate.refused,
            "logins": len(self._hall.visitors.sessions),
            "turned_away": self._lobby.turned_away,
        }

    def tick(self) -> None:
        """Close the connections that have taken too long, and forget logins that have ended."""
        self._lobby.tick()
        self._hall.visitors.sessions.tick()
        for task in self._welcoming:
            if task.done():
                task.result()

    async def follow(self, order: ServiceOrder) -> None:
        """Show the tags of this order; open pages load themselves anew, logins stay."""
        self._hall.follow(order)

    async def close(self) -> None:
        for task in self._welcoming:
            task.cancel()
        for one in self._sockets:
            one.close()
        await self._lobby.close()
        await self._living.aclose()
        self._hall.close()


async def prepare() -> Any:
    """Import NiceGUI while the supervisor still makes our order: it takes a second. Returns what builds the application."""
    os.nice(STAND_BACK)
    # NiceGUI keeps its users' storage in the working directory; ours is in memory, and this folder stays empty
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(Path(tempfile.gettempdir()) / f"bessplc-hmi-{os.getuid()}"))
    from hmi.application import Application

    return Application


async def open_server(order: ServiceOrder, door: Door, application: Any) -> HmiServer:
    """Read the settings, find the certificate, and listen. Raises SiteError and ListenError."""
    report = Report()
    settings = describe_hmi(order.settings, report)
    context = context_of(order, settings.host, "the HMI", report) if settings.tls else None
    report.raise_if_any()
    hall = hall_of(order, door, settings)
    if hall.users.is_empty():
        log.warning("nobody can log in to the HMI: `bessplc user add NAME --role operator` makes a user")
    hall.picture.look()
    server = HmiServer(hall, application(hall), context)
    await server.listen()
    return server


def hall_of(order: ServiceOrder, door: Door, settings: HmiSettings) -> Hall:
    """What the pages of this order are given."""
    users = Users(order.users)
    sessions = Sessions(users, settings.session, settings.idle)
    visitors = Visitors(sessions, "" if settings.anonymous == NOBODY else settings.anonymous)
    records = Records(order.state_dir, is_strict=True) if order.state_dir else None  # to read; the door keeps its own
    return Hall(settings, Picture(order, door), door, users, visitors, records)
