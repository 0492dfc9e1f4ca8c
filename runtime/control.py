"""The control socket of a running site: takes requests of the same user as JSON lines, and gives each its answer.

It lives in the supervisor's loop and never waits: for a client that reads nothing its answer is dropped. It knows no plant.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import socket
import struct
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.app import App
from runtime.control_load import Loader, Request
from runtime.language.quantities import Quantity, QuantityError, quantity

SOCKET = "control"
LONGEST = 65536  # bytes of a request
MOST_CLIENTS = 16
CALM_S = 0.5  # an editor saves several files, or one in several steps: they have rested so long before they are loaded


class Control:
    """Listens in the run folder. `attend` is called now and then by whoever keeps the site up."""

    def __init__(self, app: App, *, watch_files: bool = False):
        self._app = app
        self.loader = Loader(app)
        self._files = Files(app.read_at) if watch_files else None
        self._path = app.folder / SOCKET
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address_in(app.folder) as address:
            self._socket.bind(address)
        self._path.chmod(0o600)
        self._socket.listen(MOST_CLIENTS)
        self._socket.setblocking(False)
        self._clients: dict[socket.socket, bytearray] = {}
        self._said = ""  # the mistake of ours that was told last: one that comes again and again is told once
        app.supervisor.hear(self._socket, self._accept)

    def attend(self) -> None:
        """Load what an editor saved, where the site watches its files: once it can, so that no change is lost."""
        try:
            self.loader.attend()
            if self._files is not None and self.loader.is_ready and self._files.are_new(self._app.site):
                self.load_files("the watch over the files")
        except Exception as error:  # noqa: BLE001 - a mistake of ours costs the load, never the plant
            self._tell_mistake(error)

    def load_files(self, who: str) -> None:
        """Load the site's files as they are now, for nobody who waits for an answer: the log tells it."""
        self.loader.begin(Request(who, "local", is_unattended=True), self._tell)

    def _tell(self, answer: dict[str, Any]) -> None:
        for problem in answer.get("problems", ()):  # a load that did not even begin has none
            self._app.tell("runtime", "problem", {"problem": problem})

    def _tell_mistake(self, error: Exception) -> None:
        if repr(error) != self._said:
            self._said = repr(error)
            self._app.tell("runtime", "internal error", {"error": repr(error), "where": traceback.format_exc()})

    def close(self) -> None:
        self.loader.close()
        for client in list(self._clients):
            self._drop(client)
        self._app.supervisor.unhear(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return  # it has gone already
        uid = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        if uid not in (0, os.geteuid()) or len(self._clients) >= MOST_CLIENTS:
            client.close()
            return
        client.setblocking(False)
        self._clients[client] = bytearray()
        self._app.supervisor.hear(client, lambda: self._hear(client, uid))

    def _hear(self, client: socket.socket, uid: int) -> None:
        held = self._clients.get(client)
        if held is None:
            return  # it was dropped for something else that came at the same moment
        try:
            data = client.recv(LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        held += data
        if not data or len(held) > LONGEST:
            self._drop(client)
            return
        while b"\n" in held and client in self._clients:
            line, _, rest = bytes(held).partition(b"\n")
            held[:] = rest
            self._obey(client, line, uid)

    def _obey(self, client: socket.socket, line: bytes, uid: int) -> None:
        def answer(facts: dict[str, Any]) -> None:
            self._answer(client, facts)

        try:
            request = request_of(json.loads(line), _name_of(uid))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            answer({"ok": False, "text": f"refused: {error}"})
            return
        except Exception as error:  # noqa: BLE001 - such as the RecursionError of a thousand brackets
            self._tell_mistake(error)
            answer({"ok": False, "text": f"refused: internal error: {error!r}"})
            return
        self.loader.begin(request, answer)

    def _answer(self, client: socket.socket, facts: dict[str, Any]) -> None:
        if client not in self._clients:
            return  # whoever asked has not waited
        try:
            client.setblocking(True)
            client.settimeout(0.2)
            client.sendall(json.dumps(facts).encode() + b"\n")
            client.setblocking(False)
        except OSError:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        if self._clients.pop(client, None) is not None:
            self._app.supervisor.unhear(client)
            client.close()


@contextlib.contextmanager
def address_in(folder: Path) -> Iterator[str]:
    """The address of the control socket in this run folder: a socket's path may have 107 bytes, a folder's many more.

    Raises OSError where there is no such folder.
    """
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def request_of(asked: dict[str, Any], who: str) -> Request:
    """A request as it came. Raises ValueError, in words for whoever asked."""
    verb = asked.get("verb")
    if verb not in ("load", "undo"):
        raise ValueError(f"this site knows no request {verb!r}")
    limits = tuple(limit_of(str(text)) for text in asked.get("no_jump", ()))
    return Request(
        who,
        "local",
        bool(asked.get("trial")),
        verb == "undo",
        limits,
        expect=str(asked.get("expect") or ""),
        is_meant=bool(asked.get("meant")),
    )


def limit_of(text: str) -> Quantity:
    """`5 kW`. Raises ValueError where it is no quantity with a unit."""
    try:
        found = quantity(text)
    except QuantityError as error:
        raise ValueError(f"`{text}`: {error}") from None
    if found is None or found.unit is None:
        raise ValueError(f"`{text}` is no quantity with a unit, such as `5 kW`")
    return found


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


class Files:
    """The files of a site, and whether an editor has saved some since they were looked at last and has come to rest.

    `read_at` (ns since 1970) is when the site began to read them: what was saved while it started is new.
    """

    def __init__(self, read_at: int) -> None:
        self._read_at = read_at
        self._seen: dict[str, tuple[int, int]] | None = None
        self._new: dict[str, tuple[int, int]] | None = None
        self._since = 0.0

    def are_new(self, running: Any) -> bool:
        """Whether there is something new to load; once for every change."""
        now = _stamps(Path(running.root), running.files)
        if self._seen is None and any(saved > self._read_at for saved, _ in now.values()):
            self._seen = {}
        if self._seen is None or now == self._seen:
            self._seen, self._new = now, None
            return False
        if now != self._new:
            self._new, self._since = now, time.monotonic()
            return False
        if time.monotonic() - self._since < CALM_S:
            return False
        self._seen, self._new = now, None
        return True


def _stamps(root: Path, files: Any) -> dict[str, tuple[int, int]]:
    """When each file changed last, with all YAML files of its folder: a new one may be named by an old one."""
    paths = {root / name for name in files}
    paths |= {path for folder in {p.parent for p in paths} for path in folder.glob("*.yaml")}
    found = {}
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue  # it is being saved, or gone: that differs from before too
        found[str(path)] = (stat.st_mtime_ns, stat.st_size)
    return found
