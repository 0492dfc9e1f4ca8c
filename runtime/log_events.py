"""What the scan does, as log lines: its state, overruns, trips, modes. It reads snapshots and pins; the scan knows nothing of it.

It looks a few times a second: of what comes and goes between two looks, only what is counted or latched is told. Alarms are
told by the records.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blocks import catalogue
from runtime.engine.image import ImageError
from runtime.engine.north import Pins, Snapshot
from runtime.model import Schedule, Tag
from runtime.permits import Permits
from runtime.system_tags import STATES

OVERRUNS_EVERY_S = 10.0  # a scan that is always late makes one line in so long, with their number


class ScanEvents:
    """Finds in each new snapshot what happened since the one before, and logs one line for each."""

    def __init__(self, schedule: Schedule, folder: Path, generation: int, log: Any, before: ScanEvents | None = None):
        self._schedule, self._log = schedule, log
        self._pins = Pins(folder, generation, schedule.pins)
        self._counters = {name: schedule.tag(f"plc.{name}") for name in ("overruns", "missed", "not_finite")}
        self._modes = [tag for tag in schedule.tags if tag.names and tag.owner.startswith("program ") and not tag.length]
        self._interlocks = [name for group in schedule.groups if group.block == "INTERLOCK" for name in group.instances]
        self._counted = dict.fromkeys(self._counters, 0)
        self._in_mode: dict[str, int] = {}
        self._armed: dict[str, bool] = {}
        self._scan, self._process, self._state = 0, 0, -1
        self._overruns_due = 0.0
        self._is_broken = False
        self._telling = threading.Lock()
        if before is not None:
            self._go_on(before)

    def _go_on(self, before: ScanEvents) -> None:
        """The same scan runs another program now: what was told is told, and what fell in between is news."""
        self._counted, self._overruns_due = dict(before._counted), before._overruns_due
        self._process, self._state, self._armed = before._process, before._state, dict(before._armed)
        names = {tag.name: tag.names for tag in before._modes}
        same = {tag.name for tag in self._modes if names.get(tag.name) == tag.names}
        self._in_mode = {name: value for name, value in before._in_mode.items() if name in same}

    def look(self, snapshot: Snapshot) -> None:
        """Tell what is new in this snapshot; nothing where it is the one that was looked at last."""
        if snapshot.scan == self._scan or self._is_broken:
            return
        try:
            self._look(snapshot)
        except Exception as error:  # noqa: BLE001 - a log must not stop what it tells of
            self._is_broken = True
            self._log.error("scan events are told no more", error=repr(error), where=traceback.format_exc())

    def _look(self, snapshot: Snapshot) -> None:
        if self._process and snapshot.scan_process() not in (0, self._process):
            self._counted = dict.fromkeys(self._counters, 0)  # a restarted scan counts anew
            self._armed.clear()
        self._process = snapshot.scan_process() or self._process
        self._scan = snapshot.scan
        self._tell_state(snapshot)
        self._tell_counters(snapshot)
        self._tell_modes(snapshot)
        self._tell_trips(snapshot)

    def _tell_state(self, snapshot: Snapshot) -> None:
        if snapshot.state == self._state:
            return
        was, self._state = self._state, snapshot.state
        tell = self._log.error if STATES[self._state] == "safe" else self._log.info
        tell("scan state", was=STATES[was] if was >= 0 else None, state=STATES[self._state], scan=self._scan)

    def _tell_counters(self, snapshot: Snapshot) -> None:
        """Overruns and outputs that were no numbers, counted by the scan: none is missed, and none makes a flood."""
        now = {name: int(snapshot.value(tag)) for name, tag in self._counters.items()}
        grown = {name: count - self._counted[name] for name, count in now.items()}
        if min(grown.values()) < 0:  # somebody reset the statistics
            self._counted = now
            return
        if grown["not_finite"]:
            self._log.error("output not finite", times=grown["not_finite"], scan=self._scan)
            self._counted["not_finite"] = now["not_finite"]
        if (grown["overruns"] or grown["missed"]) and time.monotonic() >= self._overruns_due:
            figures = {name: round(float(snapshot.value(self._schedule.tag(f"plc.{name}"))), 1) for name in _TIMES}
            counts = {"times": grown["overruns"], "missed": grown["missed"], "total": now["overruns"]}
            self._log.warning("overrun", **counts, **figures, scan=self._scan)
            self._counted |= {name: now[name] for name in ("overruns", "missed")}
            self._overruns_due = time.monotonic() + OVERRUNS_EVERY_S

    def _tell_modes(self, snapshot: Snapshot) -> None:
        for tag in self._modes:
            value = int(snapshot.value(tag))
            was = self._in_mode.get(tag.name)
            self._in_mode[tag.name] = value
            if was is not None and was != value:
                self._log.info("mode", tag=tag.name, was=_named(tag, was), now=_named(tag, value), scan=self._scan)

    def _tell_trips(self, snapshot: Snapshot) -> None:
        """The interlocks that fell: their permits, and the tags behind those."""
        if not self._interlocks or not self._pins.attach():
            return
        fallen: dict[str, int] = {}
        for name in self._interlocks:
            try:
                armed, first = bool(self._pins.value(f"{name}.OK")), int(self._pins.value(f"{name}.FIRST"))
            except (ImageError, KeyError):
                break  # the scan went away meanwhile: the next look finds the one after it
            was = self._armed.get(name)
            self._armed[name] = armed
            if was and not armed:
                fallen[name] = first
            elif was is False and armed:
                self._log.info("interlock armed", interlock=name, scan=self._scan)
        if fallen:
            memory = snapshot.memory.copy()
            # in a thread: following the wires of a large program back takes longer than a look may
            threading.Thread(target=self._tell_fallen, args=(fallen, memory, self._scan), daemon=True).start()

    def _tell_fallen(self, fallen: Mapping[str, int], memory: np.ndarray, scan: int) -> None:
        """The permit of each that fell, and the tags behind it; one look after another, or they would starve the supervisor."""
        with self._telling:
            permits = Permits(self._schedule, catalogue(), lambda: memory)
            for name, first in fallen.items():
                try:
                    found = [permit for lock in permits.interlocks((name,)) for permit in lock.permits if permit.number == first]
                except Exception as error:  # noqa: BLE001 - the trip is told all the same, and those of the others
                    self._log.error("trip", interlock=name, permit=first, because=[], scan=scan, error=repr(error))
                else:
                    because = [contact.name for permit in found for contact in permit.contacts]
                    self._log.error("trip", interlock=name, permit=first, because=because, scan=scan)


_TIMES = ("late_max_us", "scan_max_us")


def _named(tag: Tag, value: int) -> str:
    return dict(tag.names).get(value, str(value))
