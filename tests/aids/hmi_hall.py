"""A hall of the HMI for tests, without a process and a browser: a scan, records, users of every role, and its data over ASGI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from hmi.data import data_routes
from hmi.hall import Hall, Visit
from hmi.server import hall_of
from hmi.settings import describe_hmi
from runtime.servers.audit import Deed
from runtime.servers.door import Door
from runtime.servers.records.store import Records
from runtime.servers.rest.problems import ProblemError, told
from runtime.source import Report
from tests.aids.servers_rest import ALARMS, EXTRA, described
from tests.aids.servers_scan import TAGS, TestScan


class TestHall:
    """The hall over a scan of its own."""

    __test__ = False

    def __init__(self, scan: TestScan, hall: Hall, tokens: dict[str, str]):
        self.scan, self.hall, self._tokens = scan, hall, tokens
        self._app = FastAPI()
        self._app.add_exception_handler(ProblemError, told)
        self._app.include_router(data_routes(hall))

    def visit(self, role: str) -> Visit:
        """Somebody of this role; a viewer has not logged in."""
        if role == "viewer":
            return Visit(self.hall, "", "test")
        user = self.hall.users.by_token(self._tokens[role])
        assert user is not None
        return Visit(self.hall, self.hall.visitors.sessions.begin(user), "test")

    def get(self, path: str, role: str = "viewer", **headers: str) -> httpx.Response:
        """What a browser of somebody of this role is answered."""
        visit = self.visit(role)

        async def gate(scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = {"who": visit.who, "token": visit.token, "peer": visit.peer}
            await self._app(scope, receive, send)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://hmi") as client:
                return await client.get(path, headers=headers)

        self.hall.picture.look()
        return asyncio.run(ask())

    def deeds(self, action: str) -> list[Deed]:
        """What the audit log has of this action, newest first."""
        keeper, records = self.hall.door.keep[-1], self.hall.records
        assert records is not None
        keeper.__self__.flush()  # type: ignore[attr-defined]
        return [deed for deed in records.deeds() if deed.action == action]


@contextlib.contextmanager
def hall_over(folder: Path, *, has_records: bool = True) -> Iterator[TestHall]:
    """A hall; ended on the way out."""
    scan = TestScan(folder, (*TAGS, *EXTRA))
    site = described(folder, scan, tls="false", anonymous="viewer")
    state = site.order.state_dir if has_records else ""
    order = replace(site.order, service="hmi", alarms=ALARMS, root=str(folder), state_dir=state)
    door = Door(order)
    kept = Records(order.state_dir) if order.state_dir else None
    if kept is not None:
        door.keep.append(kept.keep)
    hall = hall_of(order, door, describe_hmi(order.settings, Report()))
    hall.picture.look()
    try:
        yield TestHall(scan, hall, site.tokens)
    finally:
        hall.close()
        if kept is not None:
            kept.close()
        scan.stop()
