"""A site with an HTTP API for tests: a scan, alarms, users of every role, clients that trust its certificate only."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np

from runtime.child import FIELDBUS_STATUS, ServiceOrder
from runtime.model import ROLES, Alarm, Tag, Task
from runtime.servers.records.blocks import SAMPLE
from runtime.servers.records.history import number_of
from runtime.servers.records.states import Change, declared
from runtime.servers.records.store import Records
from runtime.servers.users import add_token, add_user
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_scan import TAGS, TestScan

PASSWORD = "correct horse battery"
EXTRA = (
    Tag("alarm.cell_hot_h", "BOOL", 0, 0, 0, "memory"),
    Tag("alarm.door", "BOOL", 0, 0, 0, "memory"),
    Tag("rack[1].soc", "LREAL", 0, 0, 0, "input", "%", "Of a rack", 0.0, 100.0, owner="device rack1", write="operator"),
    Tag("hmi.service", "DINT", 0, 0, 0, "memory", "", "For the maker only", owner="operator", write="admin"),
    Tag("device.rack1.state", "DINT", 0, 0, 0, "input"),
    Tag("device.rack1.lost", "BOOL", 0, 0, 0, "input"),
    Tag("device.rack1.round_trip", "LREAL", 0, 0, 0, "input", "ms"),
    Tag("device.rack1.exchanges", "LINT", 0, 0, 0, "input"),
    Tag("device.rack1.errors", "LINT", 0, 0, 0, "input"),
    Tag("device.rack1.last_good", "LINT", 0, 0, 0, "input", "ns"),
    Tag("plc.overruns", "LINT", 0, 0, 0, "system"),
)
ALARMS = (
    Alarm("cell_hot", "alarm.cell_hot_h", "bms.soc", "H", "critical", "Cell too hot"),
    Alarm("door", "alarm.door", "", "", "warning", "A door is open"),
)


class RestSite:
    """The running site. `client` speaks as a role; `tokens` has a token for each role by the role's name."""

    def __init__(self, scan: TestScan, order: ServiceOrder, tokens: dict[str, str]):
        self.scan, self.order, self.tokens = scan, order, tokens
        self.state = Path(order.state_dir)
        self.server: ServerProcess
        self.port = 0

    @property
    def context(self) -> ssl.SSLContext:
        """Trusts the site's own certificate and no other."""
        der = (self.state / "pki" / "own" / "certificate.der").read_bytes()
        return ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))

    def client(self, role: str = "", **options: Any) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=self.context, headers=headers, timeout=20, **options)

    def socket(self) -> ssl.SSLSocket:
        """A bare TLS connection."""
        return self.context.wrap_socket(self.plain(), server_hostname="127.0.0.1")

    def plain(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def audit(self) -> list[dict[str, Any]]:
        """The lines of the audit log so far."""
        return [line for line in self.server.lines() if line.get("audit")]


@contextlib.contextmanager
def rest_site(folder: Path, tags: Iterable[Tag] = (*TAGS, *EXTRA), **settings: Any) -> Iterator[RestSite]:
    """A running site; ended on the way out."""
    scan = TestScan(folder, tags)
    try:
        with at_scan(folder, scan, **settings) as site:
            yield site
    finally:
        scan.stop()


@contextlib.contextmanager
def at_scan(folder: Path, scan: TestScan, **settings: Any) -> Iterator[RestSite]:
    """The API over a scan that runs already."""
    site = described(folder, scan, **settings)
    with serving(site.order) as (site.server, site.port):
        yield site


def described(folder: Path, scan: TestScan, **settings: Any) -> RestSite:
    """A site with users, whose API does not run yet."""
    users, tokens = folder / "users.yaml", {}
    for role in ROLES:
        add_user(users, f"{role}1", role, PASSWORD if role == "operator" else None)
        tokens[role] = add_token(users, f"{role}1", 30)
    order = replace(
        scan.order("rest", **settings),
        users=str(users),
        state_dir=str(folder / "state"),
        alarms=ALARMS,
        tasks=(Task("control", 5, 0, 0, 0, 0, 0),),
    )
    return RestSite(scan, order, tokens)


class Recorded(Protocol):
    """A site whose scan a test drives, and the folder of its records."""

    scan: TestScan

    @property
    def state(self) -> Path: ...


def raise_alarm(site: Recorded, name: str, *, at: int = 1_700_000_000_000_000_000, value: float = 51.5) -> None:
    """An alarm comes, and the process `records` does what it does then."""
    site.scan.set(f"alarm.{name}", 1)
    records = Records(site.state)
    records.declare(map(declared, ALARMS), confirm=False)
    records.change([Change(name, at, False)])
    records.change([Change(name, at + 1, True, value=value)])
    records.close()


def say_fieldbus(folder: Path) -> None:
    """What the fieldbus process says of itself."""
    status = {"pid": 1, "outputs": "live", "devices": {"rack1": {"driver": "can", "state": "online"}}}
    (folder / FIELDBUS_STATUS).write_text(json.dumps(status))


def record(site: RestSite, name: str, samples: list[tuple[int, float]]) -> None:
    """What the process `records` does with the samples (time, value) of a tag."""
    tag = site.scan.by_name[name]
    rows = np.zeros(len(samples), SAMPLE)
    rows["tag"], rows["time"] = number_of(tag), [time for time, _ in samples]
    rows["bits"] = np.array([value for _, value in samples]).view(np.int64)
    records = Records(site.state)
    records.past.declare([tag])
    records.past.write(rows)
    records.close()
