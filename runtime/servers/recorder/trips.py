"""Sees the rise of any critical alarm and of the tags of `on:`, in whatever scan it was, in a thread that waits for no disk."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from runtime.child import ServiceOrder
from runtime.engine.every_scan import EveryScan
from runtime.model import Tag
from runtime.servers.recorder.settings import RecorderSettings

SLOWEST_S, QUICKEST_S = 0.05, 0.005  # between two looks: a tick, within these


@dataclass(frozen=True, slots=True)
class Rise:
    """What turned true first, and in which scan."""

    why: str
    scan: int
    wall: int


@dataclass(frozen=True)
class _Watched:
    names: tuple[str, ...]
    scans: EveryScan
    pause: float


class TripWatch:
    """Puts each rise into `rises`. It outlives an online change: a trip that the change itself causes is one."""

    def __init__(self) -> None:
        self.rises: queue.SimpleQueue[Rise] = queue.SimpleQueue()
        self._watched: _Watched | None = None
        self._active: frozenset[str] | None = None
        self._missed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trips", daemon=True)
        self._thread.start()

    def turn_to(self, order: ServiceOrder, settings: RecorderSettings) -> None:
        """Watch this order's program from now on."""
        tags = watched_tags(order, settings)
        scans = EveryScan(Path(order.run_dir), order.generation, order.region.size, list(tags.values()))
        if self._watched is not None:
            self._missed += self._watched.scans.missed
        self._watched = _Watched(tuple(tags), scans, min(max(order.tick / 1e9, QUICKEST_S), SLOWEST_S))

    @property
    def unseen(self) -> int:
        """Scans in which a rise could have come and gone unseen: the machine was too busy to look in time."""
        return self._missed + (self._watched.scans.missed if self._watched is not None else 0)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        pause = SLOWEST_S
        while not self._stop.wait(pause):
            watched = self._watched
            if watched is not None:
                pause = watched.pause
                self._look(watched)

    def _look(self, watched: _Watched) -> None:
        for seen in watched.scans.take():
            active = frozenset(name for name, state in zip(watched.names, seen.states, strict=True) if state)
            fresh = active - self._active if self._active is not None else frozenset()
            self._active = active
            if fresh:
                self.rises.put(Rise(min(fresh), seen.scan, seen.wall))

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(1.0)


def watched_tags(order: ServiceOrder, settings: RecorderSettings) -> dict[str, Tag]:
    """The BOOL tags whose rise is a trip, by the name that an incident gets."""
    by_name = {tag.name.lower(): tag for tag in order.tags}
    found = {alarm.name: by_name[alarm.active.lower()] for alarm in order.alarms if alarm.severity == "critical"}
    found |= {name: by_name[name.lower()] for name in settings.on if name.lower() in by_name}
    return found
