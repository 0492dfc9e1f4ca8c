"""Connections of the web page: those of the HTTP API, that may turn into WebSockets and then stay."""

from __future__ import annotations

import ssl
from typing import Any

import h11
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from hmi.settings import HmiSettings
from runtime.servers.rest.connection import Connection, Limits, Lobby


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that tells its connection when it is closed."""

    connection: HmiConnection | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.connection is not None:
            self.connection.left()


class HmiConnection(Connection):
    """One browser's connection; a WebSocket holds its place until it closes, or until the browser fetches nothing any more."""

    def __init__(self, lobby: Lobby, address: str):
        super().__init__(lobby, address)
        self._is_live = False
        self._socket: Socket | None = None

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._is_live = True
        super().handle_websocket_upgrade(event)
        socket = self.transport.get_protocol()
        if isinstance(socket, Socket):
            self._socket, socket.connection = socket, self

    def left(self) -> None:
        """The WebSocket is closed."""
        self._lobby.left(self)

    def wind_up(self) -> None:
        if self._socket is not None:
            self._socket.shutdown()
        else:
            super().wind_up()

    def is_idle(self) -> bool:
        return not self._is_live and super().is_idle()

    def is_overdue(self, now: float, settings: Limits) -> str:
        if not self._is_live:
            return super().is_overdue(now, settings)
        if not self.transport.get_write_buffer_size():
            self._sending_since = now
        return "it does not fetch what is sent" if now - self._sending_since > settings.patience else ""


class HmiLobby(Lobby):
    """All connections of the web page."""

    def __init__(self, app: Any, settings: HmiSettings, context: ssl.SSLContext | None):
        limits = _Limits(settings)
        super().__init__(app, limits, context, HmiConnection, Socket)


class _Limits:
    """A browser keeps its connections for the next request; a minute without one is enough."""

    idle = 60.0

    def __init__(self, settings: HmiSettings):
        self.allow, self.clients, self.patience = settings.allow, settings.clients, settings.patience
