"""Brings the snapshot into the OPC UA address space: only what changed, at the publishing rate. It knows no session.

A value goes straight into the node's attribute, and from there to the monitored items (asyncua's own `write_value` costs twice as
much). A DataValue is never changed after it was published, so asyncua's deep copy of each for each item is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import structlog
from asyncua import ua
from asyncua.server.address_space import AddressSpace, AttributeValue
from asyncua.server.monitored_item_service import MonitoredItemValues

from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, is_bad
from runtime.servers.opcua.space import TYPES, node_id
from runtime.servers.opcua.types import null, stamped, variant
from runtime.servers.service import Door

log = structlog.get_logger()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIZES = {"BOOL": 1, "DINT": 4, "LINT": 8, "TIME": 8, "LREAL": 8}


def leave_out_the_copy() -> None:
    """Have monitored items keep the DataValue itself instead of a deep copy; ours are never changed once published."""

    def set_current_datavalue(self: MonitoredItemValues, value: ua.DataValue) -> None:
        self.old_dvalue, self.current_dvalue = self.current_dvalue, value

    MonitoredItemValues.set_current_datavalue = set_current_datavalue  # type: ignore[method-assign, assignment]


class Publisher:
    """Compares snapshots and publishes the tags whose value or quality changed; all of them as without communication when the
    scan has gone silent, and all of them afresh when it is back."""

    def __init__(self, aspace: AddressSpace, tags: Sequence[Tag], door: Door):
        self._door, self._tags = door, tuple(tags)
        self._attributes: list[AttributeValue] = [aspace[node_id(tag)].attributes[ua.AttributeIds.Value] for tag in tags]
        self._starts = np.array([tag.offset for tag in tags], np.intp)
        self._ends = np.array([tag.offset + max(tag.length, 1) * SIZES[tag.type] for tag in tags], np.intp)
        self._rows = np.array([tag.index for tag in tags], np.intp)
        self._last_values = np.zeros(door.snapshot.region.size, np.uint8)
        self._last_qualities = np.zeros(len(tags), np.uint32)
        self._is_silent: bool | None = None  # None: nothing was published yet
        self._seen = self.published = 0
        self._turn = asyncio.Lock()  # a write publishes too: the older picture must not come last

    async def run(self, every: float) -> None:
        """Publish for ever."""
        while True:
            await self.publish()
            await asyncio.sleep(every)

    async def publish(self) -> None:
        """Take the newest snapshot and publish what changed since the last one."""
        async with self._turn:
            await self._publish()

    async def _publish(self) -> None:
        self._door.refresh()
        if self._door.is_stale():
            if self._is_silent is not True:
                self._is_silent = True
                log.warning("the scan is silent: all tags are without communication")
                await self._mark_all(BAD_NO_COMMUNICATION)
            return
        if self._is_silent is not False or self._door.pictures != self._seen:
            await self._publish_changes(everything=self._is_silent is not False)

    async def _publish_changes(self, *, everything: bool) -> None:
        snapshot = self._door.snapshot
        self._seen, self._is_silent = self._door.pictures, False
        values = snapshot.memory.copy()
        qualities = snapshot.qualities[self._rows]
        differs = np.concatenate(([0], np.cumsum(values != self._last_values)))
        changed = (differs[self._ends] > differs[self._starts]) | (qualities != self._last_qualities)
        if everything:
            changed[:] = True
        self._last_values, self._last_qualities = values, qualities
        now = datetime.now(UTC)
        fresh = [(n, self._data_value(self._tags[n], int(qualities[n]), now)) for n in np.flatnonzero(changed).tolist()]
        for n, value in fresh:  # all of one picture, whatever is refreshed while callbacks run
            await self._put(n, value)

    def _data_value(self, tag: Tag, quality: int, now: datetime) -> ua.DataValue:
        snapshot = self._door.snapshot
        read = EPOCH + timedelta(microseconds=snapshot.source_time(tag) // 1000)
        if is_bad(quality):  # a bad value is null (OPC UA part 4, 7.7.1)
            return stamped(null(), quality, read, now)
        return stamped(variant(snapshot.value(tag), TYPES[tag.type], is_array=bool(tag.length)), quality, read, now)

    async def _mark_all(self, quality: int) -> None:
        now = datetime.now(UTC)
        value = stamped(null(), quality, now, now)
        for n in range(len(self._tags)):
            await self._put(n, value)

    async def _put(self, n: int, value: ua.DataValue) -> None:
        attribute: Any = self._attributes[n]
        attribute.value = value
        self.published += 1
        for handle, callback in list(attribute.datachange_callbacks.items()):
            await callback(handle, value)
