"""Monitored items: which values a subscription is told, at which rate, and what waits for it. It knows no snapshot and no socket.

Values come here as bytes, encoded once for all items (wire.py). asyncua's own items cost ten times as much, compare a deadband with
the last sample instead of the last value sent, and know no overflow, no sampling interval, no percent deadband and no index range.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

import numpy as np
from asyncua import ua
from asyncua.ua.uaprotocol_auto import DataChangeFilter, EventFilter

from runtime.model import Tag
from runtime.servers.opcua.wire import TAIL, TIMES, overflowed, part, timed

DEEPEST = 100  # values that one item may keep
ROOM = 1_000_000  # values that all items of the server may keep, at some 70 bytes each; beyond it each keeps one
STEPS = tuple(step * 10**power for power in range(5) for step in (1, 2, 5))  # sampling intervals, in turns of the publisher
_STATUS, _STATUS_VALUE, _STATUS_VALUE_TIME = ua.DataChangeTrigger
_CODES = ua.StatusCodes

Read = Callable[[], ua.DataValue]


class Item:
    """One monitored item: the values that wait in it, and what counts as a change.

    `row` is its tag's row in the picture, -1 where it has none; `read` brings the value of a node that is no tag.
    """

    __slots__ = (
        "_last",
        "_sent",
        "deadband",
        "discards_oldest",
        "handle",
        "mode",
        "node",
        "number",
        "queue",
        "range",
        "read",
        "ready",
        "row",
        "size",
        "tag",
        "times",
        "trigger",
        "turns",
    )  # fmt: skip

    def __init__(self, number: int, node: ua.NodeId, tag: Tag | None, ready: dict[int, Item]):
        self.number, self.node, self.tag, self.ready = number, node, tag, ready
        self.handle, self.row, self.turns, self.size = b"", -1, 1, 1
        self.read: Read | None = None
        self.mode, self.discards_oldest = ua.MonitoringMode.Reporting, True
        self.trigger, self.deadband = _STATUS_VALUE, 0.0
        self.times = ua.TimestampsToReturn.Both
        self.range: tuple[int, int] | None = None
        self.queue: list[bytes] = []
        self._last = self._sent = b""

    def offer(self, data: bytes) -> None:
        """Take a sample, and keep it where it is a change."""
        if self.range is not None and self.tag is not None:
            data = part(data, self.tag, *self.range)
        last = self._last
        if self.trigger is _STATUS_VALUE:
            if data[:-TIMES] == last[:-TIMES]:
                return
        elif self.trigger is _STATUS:
            if data[-TAIL:-TIMES] == last[-TAIL:-TIMES]:
                return
        elif data[:-8] == last[:-8]:
            return
        self._last = data
        if self.deadband:
            if not self._exceeds(data):
                return
            self._sent = data
        queue = self.queue
        if len(queue) >= self.size:
            data = self._drop(data)
        queue.append(data)
        self.ready[self.number] = self

    def _drop(self, data: bytes) -> bytes:
        """Make room in a full queue; what stands where values are missing says so, except in a queue of one."""
        if self.size == 1:
            self.queue.clear()
            return data
        if self.discards_oldest:
            del self.queue[0]
            self.queue[0] = overflowed(self.queue[0])
            return data
        del self.queue[-1]
        return overflowed(data)

    def _exceeds(self, data: bytes) -> bool:
        """Whether the value left the deadband around the value that was sent last; another status always counts."""
        sent = self._sent
        if len(data) != len(sent) or data[-TAIL:-TIMES] != sent[-TAIL:-TIMES] or data[1] == 0:
            return True
        now, then = _numbers(data), _numbers(sent)
        with np.errstate(invalid="ignore", over="ignore"):
            return not bool(np.all((now == then) | (np.abs(now - then) <= self.deadband)))

    def restart(self) -> None:
        """Forget what was told: the next sample counts whatever it is."""
        self._last = self._sent = b""

    def resize(self, size: int) -> None:
        """Keep so many values from now on."""
        self.size = size
        if len(self.queue) > size:
            del self.queue[slice(len(self.queue) - size) if self.discards_oldest else slice(size, None)]

    def drain(self, most: int) -> list[bytes]:
        """Take out what waits, `most` values at most, each as a MonitoredItemNotification."""
        taken, handle = self.queue[:most], self.handle
        del self.queue[: len(taken)]
        if self.times != ua.TimestampsToReturn.Both:
            taken = [timed(data, self.times) for data in taken]
        return [handle + data for data in taken]


def _numbers(data: bytes) -> np.ndarray:
    """The numbers of a DataValue as doubles: one, or an array's."""
    kind = data[1] & 0x3F
    start = 6 if data[1] & 0x80 else 2
    code = {1: "?", 6: "<i4", 8: "<i8", 10: "<f4", 11: "<f8"}[kind]
    return np.frombuffer(data[start:-TAIL], code).astype(float)


class Rate:
    """All items of one sampling interval."""

    def __init__(self, rows: int):
        self.items: dict[int, list[Item]] = {}
        self.others: list[Item] = []
        self._is_watched = np.zeros(rows, bool)
        self._is_dirty = np.zeros(rows, bool)
        self._by_time = np.zeros(rows, bool)

    def add(self, item: Item) -> None:
        if item.row < 0:
            self.others.append(item)
            return
        self.items.setdefault(item.row, []).append(item)
        self._is_watched[item.row] = True
        self._by_time[item.row] |= item.trigger is _STATUS_VALUE_TIME

    def remove(self, item: Item) -> None:
        among = self.others if item.row < 0 else self.items[item.row]
        among.remove(item)
        if item.row >= 0 and not among:
            del self.items[item.row]
            self._is_watched[item.row] = self._by_time[item.row] = False

    def note(self, changed: np.ndarray, stamped: np.ndarray) -> None:
        """Remember what changed, until the next sample is due."""
        self._is_dirty |= changed
        self._is_dirty |= stamped & self._by_time

    def due(self) -> np.ndarray:
        """The rows that changed since the last sample and that somebody watches."""
        rows = np.flatnonzero(self._is_dirty & self._is_watched)
        self._is_dirty[:] = False
        return rows

    def offer(self, rows: np.ndarray, values: Sequence[bytes]) -> int:
        """Give each item of these rows its value; how many were given."""
        items, count = self.items, 0
        for row, data in zip(rows.tolist(), values, strict=True):
            for item in items[row]:
                item.offer(data)
                count += 1
        return count


def configure(item: Item, wanted: ua.MonitoringParameters, turns: int, room: int) -> int:
    """Set an item up as the client wants it, within our limits. Returns why not as a status code, 0 where it is set up."""
    trigger, deadband = _STATUS_VALUE, 0.0
    if isinstance(wanted.Filter, DataChangeFilter):
        refused, deadband = _deadband(item.tag, wanted.Filter)
        if refused:
            return refused
        trigger = wanted.Filter.Trigger
    elif isinstance(wanted.Filter, EventFilter):
        return int(_CODES.BadFilterNotAllowed)
    elif wanted.Filter:
        return int(_CODES.BadMonitoredItemFilterUnsupported)
    item.handle, item.turns = struct.pack("<I", wanted.ClientHandle), turns
    item.trigger, item.deadband = ua.DataChangeTrigger(trigger), deadband
    item.discards_oldest = bool(wanted.DiscardOldest)
    item.resize(max(1, min(int(wanted.QueueSize), DEEPEST, room)))
    return 0


def _deadband(tag: Tag | None, wanted: DataChangeFilter) -> tuple[int, float]:
    """Why this filter cannot be (0 where it can), and the deadband in the tag's own unit."""
    value = float(wanted.DeadbandValue)
    if wanted.DeadbandType == ua.DeadbandType.None_:
        return 0, 0.0
    if tag is None or tag.type == "BOOL":
        return int(_CODES.BadFilterNotAllowed), 0.0
    if not math.isfinite(value) or value < 0:
        return int(_CODES.BadDeadbandFilterInvalid), 0.0
    if wanted.DeadbandType == ua.DeadbandType.Absolute:
        return 0, value
    if tag.minimum is None or tag.maximum is None or value > 100:  # percent of EURange (part 8, 6.2)
        return int(_CODES.BadDeadbandFilterInvalid), 0.0
    return 0, value / 100 * (float(tag.maximum) - float(tag.minimum))


def turns_for(interval: float, every: float, publishing: float) -> int:
    """How many turns of `every` ms an item waits between samples: the longest of our steps within what it asked for.

    A negative interval is the subscription's, 0 is as fast as can be (part 4, 7.21).
    """
    wanted = publishing if interval < 0 else interval
    if not math.isfinite(wanted):
        return 1
    return max((step for step in STEPS if step * every <= wanted * 1.001), default=1)
