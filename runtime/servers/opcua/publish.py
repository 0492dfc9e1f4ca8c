"""Brings the snapshot to OPC UA clients: what they read, and what they monitor, at the publishing rate. It knows no session.

Nothing is made for a tag that nobody monitors: a read takes its value from the picture, when it comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import structlog
from asyncua import ua
from asyncua.server.address_space import AttributeValue

from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.servers.door import Door
from runtime.servers.opcua.types import named, null, stamped
from runtime.servers.opcua.wire import Picture, sealed
from runtime.servers.opcua.wire_items import Item, Rate, Read
from runtime.servers.opcua.wire_read import name_bytes

PATIENCE = 1.0  # s: as long as a snapshot may be old
log = structlog.get_logger()
Find = Callable[[ua.NodeId], Read | None]


class Publisher:
    """Compares snapshots and offers the tags whose value or quality changed to the items that monitor them; all of them as without
    communication when the scan has gone silent, and all of them afresh when it is back.

    `attributes` are the value attributes of the tags by name. They hold no value: they call back here when somebody reads them.
    `every` is the shortest sampling interval in seconds; `published` counts the values offered.
    """

    def __init__(self, attributes: Mapping[str, AttributeValue], tags: Sequence[Tag], door: Door, every: float = 0.1):
        self._attributes, self._door, self.every = attributes, door, every
        self._finders: list[Find] = []
        self._rates: dict[int, Rate] = {}
        self._items: dict[Item, None] = {}
        self._is_silent: bool | None = None  # None: nothing was published yet
        self._seen = self.published = self._turn = self.kept = 0
        self._patience = 0.0
        self._show(tags)

    def _show(self, tags: Sequence[Tag]) -> None:
        self.picture = Picture(tags, self._door.snapshot.region.size)
        self.rows = {named(tag.name): row for row, tag in enumerate(self.picture.tags)}
        self.names = {name_bytes(node): row for node, row in self.rows.items()}
        for tag in tags:
            self._attributes[tag.name].value_callback = self._read

    def follow(self, tags: Sequence[Tag]) -> None:
        """Show these tags from now on: another program runs, and the door follows it already, and so do the attributes.

        Items go on by name. An item whose tag or pin is gone is told so, once, and wakes where the tag comes back.
        """
        self._show(tags)
        self._rates.clear()
        self._is_silent, self.kept = None, 0
        self._patience = time.monotonic() + PATIENCE  # the new scan's first picture is on its way: no tag is lost meanwhile
        gone = sealed(stamped(null(), int(ua.StatusCodes.BadNodeIdUnknown)), time.time_ns())
        for item in self._items:
            row, was_there = self.rows.get(item.node, -1), item.row >= 0 or item.read is not None
            item.row = row
            item.tag = self.picture.tags[row] if row >= 0 else None
            item.read = self.finder(item.node) if row < 0 else None
            if was_there and row < 0 and item.read is None:
                item.offer(gone)
            self._enlist(item)
        self._publish()

    def also(self, find: Find) -> None:
        """Have nodes sampled that are no tags: pins. `find` says how such a node is read now, None where it is not one of its own.

        What it returns is called once in each sampling interval of each item that monitors the node, and never otherwise; it
        returns a new DataValue, or the same one as long as nothing changed.
        """
        self._finders.append(find)

    def finder(self, node: ua.NodeId) -> Read | None:
        """How a node that is no tag is read, None where nobody knows it."""
        return next((read for find in self._finders if (read := find(node)) is not None), None)

    def is_tag(self, node: ua.NodeId) -> bool:
        """Whether this is a tag's variable."""
        return node in self.rows

    def is_ours(self, node: ua.NodeId) -> bool:
        """Whether values of this node are published here."""
        return node in self.rows or self.finder(node) is not None

    def _read(self, node: ua.NodeId, _: ua.AttributeIds) -> ua.DataValue:
        return self.value(node)

    def value(self, node: ua.NodeId) -> ua.DataValue:
        """A tag's value as it is published now."""
        row = self.rows.get(node)
        if row is None:  # the node outlived its tag
            return stamped(null(), int(ua.StatusCodes.BadNodeIdUnknown))
        return self.picture.data_value(row)

    def add(self, item: Item) -> None:
        """Sample for this item from now on; it has its first value at once."""
        self._items[item] = None
        self._enlist(item)
        self.refresh(item)

    def remove(self, item: Item) -> None:
        """Sample for this item no more."""
        if self._items.pop(item, self) is None:
            self._delist(item)

    def _enlist(self, item: Item) -> None:
        self.kept += item.size
        if item.mode != ua.MonitoringMode.Disabled:
            self._rate(item.turns).add(item)

    def _delist(self, item: Item) -> None:
        self.kept -= item.size
        if item.mode != ua.MonitoringMode.Disabled:
            self._rate(item.turns).remove(item)

    def change(self, item: Item, alter: Callable[[], int]) -> int:
        """Alter an item's interval, mode or queue. Returns what `alter` returned."""
        self._delist(item)
        try:
            return alter()
        finally:
            self._enlist(item)

    def _rate(self, turns: int) -> Rate:
        return self._rates.setdefault(turns, Rate(len(self.picture.tags)))

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def refresh(self, item: Item) -> None:
        """Offer an item its value as it stands now."""
        if item.mode == ua.MonitoringMode.Disabled:
            return
        if item.row >= 0:
            item.offer(self.picture.encoded(item.row))
        elif item.read is not None:
            item.offer(sealed(item.read(), time.time_ns()))

    async def run(self) -> None:
        """Publish for ever, at whole multiples of the interval."""
        due = 0.0
        while True:
            now = time.monotonic()
            due = max(due + self.every, now // self.every * self.every)  # a timer may fire early, and a turn may be missed
            await asyncio.sleep(due - now)
            self._turn += 1
            self._publish(self._turn)

    async def publish(self) -> None:
        """Publish what the newest snapshot changed, between two turns: a client shall read back what it wrote."""
        self._publish()

    def _publish(self, turn: int = 0) -> None:
        self._door.refresh()
        self._take()
        for turns, rate in self._rates.items():
            if turns == 1 or (turn and turn % turns == 0):
                self._sample(rate)

    def _take(self) -> None:
        rows = len(self.picture.tags)
        if self._door.is_stale():
            if self._is_silent is True or time.monotonic() < self._patience:
                return
            self._is_silent = True
            log.warning("the scan is silent: all tags are without communication", status=f"0x{BAD_NO_COMMUNICATION:08X}")
            self.picture.silence(time.time_ns())
            self._note(np.ones(rows, bool), np.ones(rows, bool))
        elif self._is_silent is not False or self._door.pictures != self._seen:
            changed, stamped_anew = self.picture.take(self._door.snapshot, time.time_ns())
            if self._is_silent is not False:
                changed[:] = True
            self._seen, self._is_silent = self._door.pictures, False
            self._note(changed, stamped_anew)

    def _note(self, changed: np.ndarray, stamped_anew: np.ndarray) -> None:
        for rate in self._rates.values():
            rate.note(changed, stamped_anew)

    def _sample(self, rate: Rate) -> None:
        rows = rate.due()
        if rows.size:
            self.published += rate.offer(rows, self.picture.encode(rows))
        if rate.others:
            self._sample_others(rate.others)

    def _sample_others(self, items: Iterable[Item]) -> None:
        now = time.time_ns()
        for item in items:
            if item.read is not None:
                item.offer(sealed(item.read(), now))
                self.published += 1
