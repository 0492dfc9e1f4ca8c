"""A site with its web page for tests: a scan, alarms, users of every role, and the HMI as its own process over plain HTTP."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from runtime.model import Tag
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_rest import ALARMS, EXTRA, PASSWORD, described
from tests.aids.servers_scan import TAGS, TestScan


class HmiSite:
    """The running site. `client` is a browser without a screen; `live` its WebSocket."""

    def __init__(self, scan: TestScan, folder: Path, server: ServerProcess, port: int):
        self.scan, self.folder, self.server, self.port = scan, folder, server, port
        self.origin = f"http://127.0.0.1:{port}"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def users(self) -> Path:
        return self.folder / "users.yaml"

    def client(self, user: str = "") -> httpx.Client:
        """Somebody who looks, or has logged in as `operator1`, whose role is in the name."""
        client = httpx.Client(base_url=self.origin, headers={"origin": self.origin}, timeout=20)
        if user:
            answer = client.post("/login", data={"name": user, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    def live(self, client: httpx.Client | None = None, **headers: str) -> ClientConnection:
        """The live values, as this browser is told them."""
        cookies = "; ".join(f"{name}={value}" for name, value in (client.cookies.items() if client else ()))
        sent = {"cookie": cookies, **headers} if cookies else headers
        url = f"ws://127.0.0.1:{self.port}/live?generation=0"
        origin: Any = sent.pop("origin", self.origin)
        return connect(url, additional_headers=sent, origin=origin, proxy=None)

    def audit(self) -> list[dict[str, Any]]:
        """The lines of the audit log so far."""
        return [line for line in self.server.lines() if line.get("audit")]


@contextlib.contextmanager
def hmi_site(folder: Path, tags: Iterable[Tag] = (*TAGS, *EXTRA), **settings: Any) -> Iterator[HmiSite]:
    """A running site with its page; ended on the way out."""
    scan = TestScan(folder, tags)
    try:
        said = {"tls": "false", "anonymous": "viewer", **settings}
        order = replace(described(folder, scan, **said).order, service="hmi", alarms=ALARMS)
        with serving(order) as (server, port):
            yield HmiSite(scan, folder, server, port)
    finally:
        scan.stop()


def told(live: ClientConnection, *names: str) -> dict[str, tuple[Any, int]]:
    """Watch these names; the first value and grade of each."""
    live.send(json.dumps({"watch": names}))
    while True:
        news = json.loads(live.recv(timeout=5))
        if "about" in news:
            return {names[place]: (value, grade) for place, value, grade in news["values"]}
