"""Connections of the HTTP API: who may open one, TLS, and how long each may be slow. uvicorn speaks HTTP on them.

When all places are taken, whoever holds the most connections loses the one that has been idle longest: a rude client costs itself.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import sys
import time
from collections import Counter
from email.utils import formatdate
from typing import Any, Protocol

import h11
import structlog
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from runtime.servers.peers import address_of
from runtime.servers.reception import receive, seat
from runtime.servers.rest.guard import HEAD, HEADERS
from runtime.servers.rest.problems import PROBLEM_JSON, ProblemError, body_of
from runtime.servers.words import Network

UNSENT = 256 * 1024  # bytes of answers that the kernel keeps for a client that does not fetch them
log = structlog.get_logger()


class Limits(Protocol):
    """Who may connect, how many at once, and for how long (s) they may be silent or slow."""

    @property
    def allow(self) -> tuple[Network, ...]: ...
    @property
    def clients(self) -> int: ...
    @property
    def idle(self) -> float: ...
    @property
    def patience(self) -> float: ...


class Connection(H11Protocol):
    """One client, with a limit to how long each part of a conversation may take."""

    def __init__(self, lobby: Lobby, address: str):
        super().__init__(lobby.config, lobby.state, {})
        self._lobby, self.address = lobby, address
        self.since = time.monotonic()
        self._phase: tuple[Any, ...] = ()
        self._sending_since = self.since
        self.answered = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._lobby.seated(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lobby.left(self)

    def on_response_complete(self) -> None:
        self.answered += 1
        super().on_response_complete()

    def is_idle(self) -> bool:
        """Whether nothing is being asked or answered."""
        return self.conn.their_state is not h11.SEND_BODY and (self.cycle is None or self.cycle.response_complete)

    def wind_up(self) -> None:
        """Close it once the request in hand is answered."""
        if self.is_idle():
            self.transport.close()
        elif self.cycle is not None:
            self.cycle.keep_alive = False

    def is_overdue(self, now: float, settings: Limits) -> str:
        """Why this connection has taken too long, or nothing."""
        unsent = self.transport.get_write_buffer_size()
        begun = bool(self.conn.trailing_data[0]) or not self.answered
        phase = (self.conn.their_state, self.conn.our_state, self.answered, begun, unsent)
        if phase != self._phase:
            self._phase, self.since = phase, now
        waited = now - self.since
        if not unsent:
            self._sending_since = now
        if self.conn.their_state is h11.IDLE and not begun:
            return "idle" if waited > settings.idle else ""
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            return "its request does not arrive" if waited > settings.patience else ""
        is_slow = now - self._sending_since > 3 * settings.patience  # a byte now and then is no fetching
        return "it does not fetch its answer" if unsent and (waited > settings.patience or is_slow) else ""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; called by uvicorn while it looks at what was wrong."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        error = sys.exc_info()[1]
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        body = body_of(ProblemError(status, "invalid-request", f"this is no HTTP request that we understand: {error or msg}"))
        length = (b"content-length", str(len(body)).encode())
        headers = [(b"content-type", PROBLEM_JSON.encode()), length, (b"connection", b"close"), *HEADERS]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Lobby:
    """All connections, each a `connection`. Counts those still in their TLS handshake too.

    `sockets` is the protocol of WebSockets, as uvicorn takes it; none: there are none.
    """

    def __init__(
        self,
        app: Any,
        settings: Limits,
        context: ssl.SSLContext | None,
        connection: type[Connection] = Connection,
        sockets: Any = "none",
    ):
        self.settings, self._context, self._connection = settings, context, connection
        self.state = ServerState()
        # no access log, no banner, no signal, nothing of the environment: the process has its own log and its own end
        self.config = Config(
            app,
            http=connection,
            ws=sockets,
            ws_max_size=UNSENT,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=int(settings.idle) + 1,
            h11_max_incomplete_event_size=HEAD,
        )
        self.config.load()
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._doorsteps: dict[Connection, asyncio.Task[None]] = {}
        self._seated: dict[Connection, None] = {}
        self.turned_away = 0

    @property
    def count(self) -> int:
        return len(self._doorsteps) + len(self._seated)

    async def welcome(self, listening: socket.socket) -> None:
        """Take connections as they come, for as long as we live."""
        await receive(listening, self._arrived)

    def _arrived(self, accepted: socket.socket, address: str) -> None:
        host = address_of(address)
        if not any(host in network for network in self.settings.allow):
            self._turn_away(accepted, address, "not in `allow`")
        elif self.count >= self.settings.clients and not self._make_room():
            self._turn_away(accepted, address, "too many connections")
        else:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT)
            connection = self._connection(self, address)
            self._doorsteps[connection] = asyncio.get_running_loop().create_task(self._seat(connection, accepted))

    async def _seat(self, connection: Connection, accepted: socket.socket) -> None:
        try:
            await seat(connection, accepted, connection.address, self._context)
        finally:
            self._doorsteps.pop(connection, None)

    def _turn_away(self, accepted: socket.socket, address: str, reason: str) -> None:
        accepted.close()
        self.turned_away += 1
        if self.turned_away & (self.turned_away - 1) == 0:  # the 1st, 2nd, 4th, 8th ...: a hostile client must not fill the log
            log.warning("turned away", peer=address, reason=reason, times=self.turned_away)

    def _make_room(self) -> bool:
        """Close one idle connection of the address that holds the most; whether there was one.

        Those that never asked anything go first, then those that have been silent longest.
        """
        held = Counter(connection.address for connection in (*self._seated, *self._doorsteps))
        found = [connection for connection in (*self._seated, *self._doorsteps) if connection.is_idle()]
        if not found:
            return False
        victim = max(found, key=lambda c: (held[c.address], not c.answered, -c.since))
        task = self._doorsteps.pop(victim, None)
        if task is not None:
            task.cancel()
        else:
            del self._seated[victim]
            victim.transport.abort()
        return True

    def seated(self, connection: Connection) -> None:
        """Its TLS stands."""
        self._doorsteps.pop(connection, None)
        self._seated[connection] = None

    def left(self, connection: Connection) -> None:
        """It is closed."""
        self._seated.pop(connection, None)

    def tick(self) -> None:
        """Close the connections that have taken too long."""
        now = time.monotonic()
        self.state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        for connection in list(self._seated):
            if connection.is_overdue(now, self.settings):
                connection.transport.abort()

    async def close(self) -> None:
        """Close every connection, those with a request in hand after a moment to answer it."""
        for connection in list(self._seated):
            connection.wind_up()
        if self.state.tasks:
            await asyncio.wait(self.state.tasks, timeout=1.5)
        for connection in list(self._seated):
            connection.transport.abort()
        for task in list(self._doorsteps.values()):
            task.cancel()
