"""Alarms as the pages show them: one reading for all pages, and the one to look at first. It knows no page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from runtime.servers.picture import Picture
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.states import AlarmState
from runtime.servers.standing import all_of

FRESH = 0.5  # s: pages that ask within this time are told the same
RANKS = {"warning": 1, "error": 2, "critical": 3}
log = structlog.get_logger()


class Alarms:
    """The alarms of a site, read at most twice a second whatever number of pages ask. `known` asks the records."""

    def __init__(self, picture: Picture, known: Callable[[], Awaitable[Sequence[AlarmState]]]):
        self._picture, self._known = picture, known
        self._read = float("-inf")
        self._items: list[dict[str, Any]] = []
        self._lock = asyncio.Lock()

    async def items(self) -> list[dict[str, Any]]:
        """Every alarm, as the HTTP API shows it, those first that must be looked at first."""
        async with self._lock:
            if time.monotonic() - self._read > FRESH:
                try:
                    known = await self._known()
                except NotKeptError as error:
                    log.warning("alarms without their records", why=str(error))  # which are active is shown all the same
                    known = []
                self._items = sorted(all_of(self._picture, known), key=_urgency)
                self._read = time.monotonic()
            return self._items

    async def banner(self) -> dict[str, Any]:
        """What the bar of every page says: how many alarms, how many that nobody has seen, and the one to look at first."""
        items = [item for item in await self.items() if not item["shelved"] and not item["suppressed"]]
        active = [item for item in items if item["active"]]
        unseen = [item for item in items if item["acknowledged"] is False]
        first = next(iter([item for item in unseen if item["active"]] or active or unseen), None)
        words = ("name", "severity", "text", "active", "acknowledged", "active_at")
        return {
            "active": len(active),
            "unseen": len(unseen),
            "shelved": sum(bool(item["shelved"]) for item in await self.items()),
            "first": {word: first[word] for word in words} if first else None,
        }

    def forget(self) -> None:
        """Read anew when next asked: somebody has just changed something."""
        self._read = float("-inf")


def _urgency(item: dict[str, Any]) -> tuple[Any, ...]:
    since = item["active_at"] or ""
    return (not item["active"], item["acknowledged"] is not False, -RANKS.get(item["severity"], 0), since, item["name"])
