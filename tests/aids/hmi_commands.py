"""A site for tests of commands: a hall over a scan of its own, visits of every role, and what was noted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nicegui import core

from hmi.hall import Hall, Visit
from hmi.server import hall_of
from hmi.settings import HmiSettings
from runtime.engine.image import STAMP_SCAN
from runtime.model import Tag
from runtime.servers.audit import Deed
from runtime.servers.door import Door
from tests.aids.servers_process import eventually
from tests.aids.servers_rest import described
from tests.aids.servers_scan import TAGS, TestScan

MODES = ((0, "PASSIVE"), (9, "TEST"))
MORE = (
    Tag("set.p_test", "LREAL", 0, 0, 0, "memory", "kW", "Power in mode test", -80.0, 80.0, 0.0, "operator", "engineer"),
    Tag("site.mode", "DINT", 0, 0, 0, "memory", "", "Mode", names=MODES),
    Tag("cmd.GoToState_Running", "BOOL", 0, 0, 0, "memory", "", "Run", write="operator", pulse=True),
    Tag("own.setting", "LREAL", 0, 0, 0, "memory", "kW", "A site's own", write="operator"),
)


class Site:
    """A hall over a scan, what was noted, and visits of any role."""

    def __init__(self, scan: TestScan, hall: Hall, tokens: dict[str, str]):
        self.scan, self.hall, self._tokens, self.deeds = scan, hall, tokens, list[Deed]()
        hall.door.keep = [self.deeds.append]

    def visit(self, role: str) -> Visit:
        user = self.hall.users.by_token(self._tokens[role]) if role != "viewer" else None
        return Visit(self.hall, self.hall.visitors.sessions.begin(user) if user else "", "127.0.0.1:5")

    def clear(self) -> None:
        """Nothing is written yet, and whoever waited for an answer waits no more."""
        self.hall.door.follow(self.hall.order)
        for tag in self.scan.tags:
            self.scan.set(tag.name, 0)
        before = int(self.scan.stamps[STAMP_SCAN]) + 1  # what is set now is in the picture of the scan after this one
        eventually(lambda: self.hall.door.refresh() and self.hall.door.snapshot.scan > before, 20)
        self.scan.taken.clear()
        self.deeds.clear()


@contextlib.contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Its scan is ended on the way out."""
    scan = TestScan(folder, (*TAGS, *MORE))
    made = described(folder, scan)
    order = replace(made.order, service="hmi", alarms=(), state_dir="")
    hall = hall_of(order, Door(order), replace(HmiSettings(), anonymous="viewer"))
    with contextlib.closing(hall):
        yield Site(scan, hall, made.tokens)
    scan.stop()


def run(site: Site, deed: Awaitable[Any]) -> Any:
    """What becomes of it, once the scan has published something."""

    async def begun() -> Any:
        core.loop = asyncio.get_running_loop()
        while site.hall.door.is_stale():
            await asyncio.sleep(0.01)
            site.hall.picture.look()
        return await deed

    return asyncio.run(begun())
