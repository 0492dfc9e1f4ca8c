"""Sees trips: an interlock that falls, and the rise of any critical alarm and of the tags of `on:`, in whatever scan it was.

It looks in a thread that waits for no disk.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from runtime.child import ServiceOrder
from runtime.engine.every_scan import EveryScan, Seen
from runtime.engine.image import ImageError
from runtime.engine.north import Pins
from runtime.model import Schedule, Tag
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
    interlocks: dict[str, str]  # the pin that says that it holds -> the interlock
    pins: Pins
    pause: float


class TripWatch:
    """Puts each rise into `rises`. It outlives an online change: a trip that the change itself causes is one."""

    def __init__(self) -> None:
        self.rises: queue.SimpleQueue[Rise] = queue.SimpleQueue()
        self._watched: _Watched | None = None
        self._active: frozenset[str] | None = None
        self._holding: frozenset[str] = frozenset()
        self._missed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trips", daemon=True)
        self._thread.start()

    def turn_to(self, order: ServiceOrder, settings: RecorderSettings) -> None:
        """Watch this order's program from now on."""
        tags = watched_tags(order, settings)
        is_next = self._watched is not None  # all scans of the next program are ours to see
        scans = EveryScan(Path(order.run_dir), order.generation, order.region.size, list(tags.values()), from_first=is_next)
        if self._watched is not None:
            self._missed += self._watched.scans.missed
        assert order.schedule is not None
        pins = Pins(Path(order.run_dir), order.generation, order.schedule.pins)
        pause = min(max(order.tick / 1e9, QUICKEST_S), SLOWEST_S)
        self._watched = _Watched(tuple(tags), scans, interlocks_of(order.schedule), pins, pause)

    @property
    def unseen(self) -> int:
        """Scans in which a rise could have come and gone unseen: the machine was too busy to look in time."""
        return self._missed + (self._watched.scans.missed if self._watched is not None else 0)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        pause, before = SLOWEST_S, None
        while not self._stop.wait(pause):
            watched = self._watched
            if before is not None and watched is not before:
                self._look(before)  # its last scans
            if watched is not None:
                pause = watched.pause
                self._look(watched)
            before = watched

    def _look(self, watched: _Watched) -> None:
        taken = watched.scans.take()
        for seen in taken:
            active = frozenset(name for name, state in zip(watched.names, seen.states, strict=True) if state)
            fresh = active - self._active if self._active is not None else frozenset()
            self._active = active
            if fresh:
                self.rises.put(Rise(min(fresh), seen.scan, seen.wall))
        if taken and watched.interlocks:
            self._look_at_interlocks(watched, taken[-1])

    def _look_at_interlocks(self, watched: _Watched, newest: Seen) -> None:
        """One that fell stays so until somebody resets it: it need not be looked at in every scan."""
        try:
            watched.pins.attach()
            holding = frozenset(name for pin, name in watched.interlocks.items() if watched.pins.value(pin))
        except ImageError:
            return  # the scan went away meanwhile: its restart is a trip of its own
        fallen = self._holding.intersection(watched.interlocks.values()) - holding
        self._holding = holding
        if fallen:
            self.rises.put(Rise(min(fallen), newest.scan, newest.wall))

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(1.0)


def watched_tags(order: ServiceOrder, settings: RecorderSettings) -> dict[str, Tag]:
    """The BOOL tags whose rise is a trip, by the name that an incident gets."""
    by_name = {tag.name.lower(): tag for tag in order.tags}
    found = {alarm.full_name: by_name[alarm.active.lower()] for alarm in order.alarms if alarm.severity == "critical"}
    found |= {name: by_name[name.lower()] for name in settings.on if name.lower() in by_name}
    return found


def interlocks_of(schedule: Schedule) -> dict[str, str]:
    """The interlocks of the program: the pin that is true while one holds, and its name."""
    names = [name for group in schedule.groups if group.block == "INTERLOCK" for name in group.instances]
    return {f"{name}.OK": name for name in names}
