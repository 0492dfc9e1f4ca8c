"""The Unix socket at which a simulated panel's wires end: JSON, one object a line, answered in order.

`{"set": {"4": 1, "ESTOP": 0}}` moves wires, `{"get": ["4"]}` or `{"get": "all"}` reads them, `{"watch": true}` has every change of
an output told as `{"changed": {"7": 1}, "at": NS}`. By hand: `socat - UNIX-CONNECT:$RUN/panel.lines`. It must not know what a
wire is.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

LONGEST_LINE = 65536  # bytes
MOST_CLIENTS = 16
MOST_UNREAD = 1_000_000  # bytes: one who watches and does not read is let go
LEAVING = 1.0  # s for the clients to be sent away


class TwinSocket:
    """The door of one simulated panel. Satisfies `gpio_twin.Door`."""

    def __init__(self, path: Path):
        self._path = path
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, bool] = {}  # and whether it watches
        self._serving: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger().bind(socket=str(path))

    async def open(self, obey: Callable[[Any], Mapping[str, Any]]) -> None:
        """Listen; a socket that a crash left is replaced. Only this user and root may connect."""
        self._obey = obey
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            # By way of the folder's descriptor: a socket's path may have 107 bytes only, a run folder's more.
            aside = f"/proc/self/fd/{folder}/.{self._path.name}.{os.getpid()}"
            listening.bind(aside)
            os.chmod(aside, 0o600)
            listening.listen()
            os.replace(aside, self._path)  # whoever sees the name can connect
        finally:
            os.close(folder)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LONGEST_LINE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client until it leaves."""
        if len(self._clients) >= MOST_CLIENTS:
            self._say(writer, {"error": f"{MOST_CLIENTS} clients are connected already"})
            writer.close()
            return
        self._clients[writer] = False
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while line := await reader.readline():
                self._say(writer, self._answer(line, writer))
                await writer.drain()
        except ValueError:
            self._say(writer, {"error": f"a line has {LONGEST_LINE} bytes at most"})
        except ConnectionError as error:
            self._log.info("a client of the simulated lines broke off", reason=str(error))
        finally:
            self._clients.pop(writer, None)
            self._serving.discard(task)
            writer.close()

    def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> Mapping[str, Any]:
        try:
            order = json.loads(line)
        except (ValueError, RecursionError) as error:
            return {"error": f"this is no JSON: {error}"}
        if isinstance(order, dict) and set(order) == {"watch"}:
            if not isinstance(order["watch"], bool):
                return {"error": "`watch` is true or false"}
            self._clients[writer] = order["watch"]
            return {"ok": True}
        return self._obey(order)

    def _say(self, writer: asyncio.StreamWriter, answer: Mapping[str, Any]) -> None:
        writer.write(json.dumps(answer).encode() + b"\n")

    def tell(self, change: Mapping[str, Any]) -> None:
        """Pass a change on to all who watch; never waits."""
        for writer, watches in tuple(self._clients.items()):
            if watches and writer.transport.get_write_buffer_size() > MOST_UNREAD:
                self._log.warning("a client that watches and does not read is let go")
                writer.transport.abort()
            elif watches:
                self._say(writer, change)

    async def close(self) -> None:
        """Send everybody away and remove the socket."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._clients):
                writer.transport.abort()
            if self._serving:
                await asyncio.wait(tuple(self._serving), timeout=LEAVING)
            self._path.unlink(missing_ok=True)
