"""The snapshot as the API reads it: many tags in one pass over memory, each selection laid out once. It knows no HTTP."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from runtime import quality
from runtime.child import ServiceOrder
from runtime.model import Tag
from runtime.servers.door import Door
from runtime.source import pattern_of
from runtime.system_tags import STATES

LOOK = 1_000_000  # ns: a snapshot is looked for at most this often, however many requests come
KEPT = 64  # selections that are remembered: clients ask for the same ones again and again
_NUMPY = {"BOOL": np.uint8, "DINT": np.int32, "LINT": np.int64, "TIME": np.int64, "LREAL": np.float64}


class Selection:
    """Some tags, with where their values, qualities and times stand in the snapshot."""

    def __init__(self, tags: Sequence[Tag]):
        self.tags = tuple(tags)
        self.names = tuple(tag.name for tag in tags)
        self.rows = np.array([tag.index for tag in tags], np.intp)
        self._scalars: list[tuple[str, np.ndarray, np.ndarray]] = []
        for kind in _NUMPY:
            places = [n for n, tag in enumerate(tags) if tag.type == kind and not tag.length]
            if places:
                offsets = np.array([tags[n].offset for n in places], np.intp)
                self._scalars.append((kind, np.array(places, np.intp), offsets))
        self._arrays = [(n, tag) for n, tag in enumerate(tags) if tag.length]

    def values(self, door: Door) -> list[Any]:
        """The value of every tag: a bool, int or float, a list of them for an array."""
        found = np.empty(len(self.tags), object)
        memory = door.snapshot.memory
        for kind, places, offsets in self._scalars:
            width = np.dtype(_NUMPY[kind]).itemsize
            cells = memory[: len(memory) // width * width].view(_NUMPY[kind])[offsets // width]
            found[places] = cells.astype(bool) if kind == "BOOL" else cells
        listed = found.tolist()
        for n, tag in self._arrays:
            listed[n] = door.snapshot.value(tag)
        return listed


class Picture:
    """All tags of the running program, and the newest snapshot of them."""

    def __init__(self, order: ServiceOrder, door: Door):
        self.door = door
        self._looked = 0
        self.follow(order)

    def follow(self, order: ServiceOrder) -> None:
        """Show the tags of this order from now on."""
        self.order = order
        self.tags = order.tags
        self._by_name = {tag.name.lower(): tag for tag in order.tags}
        self._selections: OrderedDict[Any, Selection] = OrderedDict()

    def look(self) -> None:
        """Take the newest snapshot, unless that was done in this millisecond."""
        now = time.monotonic_ns()
        if now - self._looked > LOOK:
            self._looked = now
            self.door.refresh()

    def tag(self, name: str) -> Tag | None:
        """The tag of this name, compared without case."""
        return self._by_name.get(name.lower())

    def select(self, match: str = "", kind: str = "") -> Selection:
        """The tags whose name fits the pattern (`*`, `?`; without case) and that are of this kind."""
        key = (None, match.lower(), kind)  # tuples of names are remembered beside these, and no name is None
        return self._remembered(key) or self._remember(key, _fitting(self.tags, match.lower(), kind))

    def pick(self, names: tuple[str, ...]) -> Selection:
        """The tags of these names, in this order. Raises KeyError with the first that there is not."""
        return self._remembered(names) or self._remember(names, [self._by_name[name.lower()] for name in names])

    def _remembered(self, key: Any) -> Selection | None:
        found = self._selections.get(key)
        if found is not None:
            self._selections.move_to_end(key)
        return found

    def _remember(self, key: Any, tags: list[Tag]) -> Selection:
        made = self._selections[key] = Selection(tags)
        while len(self._selections) > KEPT:
            self._selections.popitem(last=False)
        return made

    def values(self, selection: Selection) -> list[Any]:
        """The values of the snapshot in hand; None each where no scan has shown any yet."""
        return selection.values(self.door) if self.has_any() else [None] * len(selection.tags)

    def qualities(self, selection: Selection) -> list[int]:
        """The qualities; nothing is good any more once the scan is silent."""
        if not self.has_any():
            return [quality.BAD_WAITING_FOR_INITIAL_DATA] * len(selection.tags)
        found: list[int] = self.door.snapshot.qualities[selection.rows].tolist()
        if self.door.is_stale():
            return [quality.UNCERTAIN_LAST_USABLE if quality.is_good(code) else code for code in found]
        return found

    def times(self, selection: Selection) -> list[str]:
        """When each value was read from its device, or computed: RFC 3339 in UTC."""
        snapshot = self.door.snapshot
        read = snapshot.times[selection.rows]
        wall = np.where(read != 0, snapshot.wall - (snapshot.monotonic - read), snapshot.wall)
        told: list[str] = np.datetime_as_string((wall // 1000).astype("datetime64[us]"), timezone="UTC").tolist()
        return told

    def has_any(self) -> bool:
        """Whether a scan has ever shown values since we follow this program."""
        return self.door.snapshot.scan > 0

    def stamp(self) -> dict[str, Any]:
        """Which scan the values are of, and what that scan is doing: `no scan` where it says nothing any more."""
        snapshot = self.door.snapshot
        return {"scan": snapshot.scan, "time": when(snapshot.wall), "state": self.state}

    @property
    def state(self) -> str:
        """The scan's own word, or that there is none."""
        return "no scan" if self.door.is_stale() else STATES[self.door.snapshot.state]


def when(nanoseconds: int) -> str:
    """A wall clock time as RFC 3339 in UTC."""
    return str(np.datetime_as_string(np.datetime64(nanoseconds // 1000, "us"), timezone="UTC"))


def _fitting(tags: Sequence[Tag], match: str, kind: str) -> list[Tag]:
    pattern = pattern_of(match or "*", has_one=True)
    return [tag for tag in tags if (not kind or tag.kind == kind) and pattern.match(tag.name)]
