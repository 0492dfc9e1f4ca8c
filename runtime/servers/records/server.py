"""The process that keeps the records: it watches every snapshot, and writes what became of alarms and of recorded tags.

It writes nothing to the scan. That the disk is slow, full or broken is its own trouble: the watch never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from runtime.child import ServiceOrder
from runtime.model import Alarm
from runtime.quality import name as name_of_quality
from runtime.servers.door import Door
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.follow import EventFollower
from runtime.servers.records.settings import RecordsSettings, choose, describe_records
from runtime.servers.records.states import CLEARED, Change, declared
from runtime.servers.records.store import Records
from runtime.servers.records.watch import AlarmWatch, Sampler
from runtime.servers.records.writer import Writer
from runtime.source import Report

log = structlog.get_logger()

EVERY = 0.02  # s
ROOM_CHANGES = 10_000
ROOM_SAMPLES = 2_000_000  # 64 MB of samples may wait for the disk
HISTORY_EVERY = 1.0  # s: the disk's wear is bounded by a transaction a second
LINES_A_SECOND = 50  # of alarms, in the log
TRIM_STEPS, TRIM_PAUSE = 20, 0.02


class RecordsServer:
    """Watches the scan through the door and writes to the records. `listening` is the file that it keeps."""

    def __init__(self, order: ServiceOrder, settings: RecordsSettings, door: Door):
        self.door, self.settings = door, settings
        self.records = Records(Path(order.state_dir))
        self.listening = str(self.records.file.path)
        self.events = self.samples = self.samples_dropped = self._samples_waiting = 0
        self._changes: Writer[Change] = Writer("alarms", self._write_changes, room=ROOM_CHANGES, gather=0.0)
        self._samples: Writer[np.ndarray] = Writer("history", self._write_samples, room=ROOM_SAMPLES, gather=HISTORY_EVERY)
        self._order = order
        self._choices = choose(settings, order.tags)
        self._sampler = Sampler(self._choices)
        self._program = 0  # counts the programs that are followed
        self._alarms_in = self._history_in = -1, (0, 0)  # of which program each file knows what it has, and which file that is
        self._declaring = threading.Lock()  # the chores do not see half of what another program declares
        self._is_silent = False
        self._lines = self._lines_left_out = 0
        self._aside = ThreadPoolExecutor(1, "chores")
        self._chores: Future[None] | None = None
        self.watch = AlarmWatch(order, door.pins)
        self._told = EventFollower(self.records)

    async def begin(self) -> None:
        """Declare what this program has, and watch from now on."""
        await self._declare()
        with contextlib.suppress(NotKeptError):  # why has been said
            await asyncio.to_thread(self._told.tell)
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _declare(self) -> None:
        """Tell the files which alarms and tags there are; where they cannot be written now, `tick` tries again."""
        with contextlib.suppress(NotKeptError):  # why has been said
            await asyncio.to_thread(self._declare_now)

    def _declare_now(self) -> None:
        """Declare what a file does not know: of another program, or since a broken one was set aside. Raises NotKeptError."""
        with self._declaring:
            program, records, past = self._program, self.records, self.records.past
            if self._alarms_in != (program, records.file.identity()):
                records.declare(map(declared, self._order.alarms), confirm=self.settings.confirm)
                file = records.file.identity()
                if file != self._alarms_in[1]:
                    self.watch.forget()  # what was told before is not in this one
                self._alarms_in = program, file  # from here on alarms are watched, whatever becomes of the history
            if self._history_in != (program, past.file.identity()):
                past.declare([choice.tag for choice in self._choices])
                self._history_in = program, past.file.identity()

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """Look at the newest snapshot, if there is one."""
        door = self.door
        if door.refresh():
            self._hear(False)
            if self._alarms_in[0] == self._program:  # otherwise the records do not know the alarms yet
                for alarm, change in self.watch.look(door.snapshot, self._changes.room):
                    self._say(alarm, change)
                    self._changes.give(change)
            self._take(self._sampler.look(door.snapshot))
        elif door.is_stale():
            self._hear(True)

    def _hear(self, is_silent: bool) -> None:
        if is_silent != self._is_silent:
            self._is_silent = is_silent
            if is_silent:
                log.warning("the scan is silent: alarms stay as they were last seen")
                self._take(self._sampler.silence(time.time_ns()))
            else:
                log.info("the scan is heard")

    def _take(self, samples: np.ndarray) -> None:
        if not len(samples):
            return
        if self._samples_waiting + len(samples) > ROOM_SAMPLES:
            self.samples_dropped += len(samples)
            return
        self._samples_waiting += len(samples)
        self._samples.give(samples)

    def _write_changes(self, changes: Sequence[Change]) -> None:
        made = self.records.change(changes)
        self.events += len(made)
        for kind, state, note in made:
            if note and kind == CLEARED:
                words = {"id": state.id} if state.id else {}
                log.info("alarm cleared", alarm=state.name, severity=state.severity, text=state.text, note=note, **words)

    def _write_samples(self, parts: Sequence[np.ndarray]) -> None:
        samples = np.concatenate(parts)
        self.records.past.write(samples)
        self.samples += len(samples)
        self._samples_waiting -= len(samples)

    def _say(self, alarm: Alarm, change: Change) -> None:
        """A line in the log, unless there were too many in this second."""
        if change.only_suppression or (change.note and change.active is False):
            return  # most have been inactive all the time; whoever writes knows which were not
        self._lines += 1
        if self._lines > LINES_A_SECOND:
            self._lines_left_out += 1
            return
        words: dict[str, Any] = {"alarm": change.name, "severity": alarm.severity, "text": alarm.text}
        is_shelved = change.name in self._told.shelved
        words |= {word: value for word, value in (("id", alarm.id), ("shelved", is_shelved)) if value}
        if change.note:
            words["note"] = change.note
        if change.active is None:
            tell = log.info if is_shelved else log.warning
            tell("alarm not judged: it stays as it was", quality=name_of_quality(change.quality), **words)
        elif change.active:
            tell = log.info if is_shelved else log.warning if alarm.severity == "warning" else log.error
            tell("alarm active", of=alarm.of, limit=alarm.limit, value=change.value, **words)
        else:
            log.info("alarm judged again: it is not active" if change.was_bad else "alarm cleared", **words)

    def counters(self) -> dict[str, int]:
        return {
            "active": self.watch.active(),
            "suppressed": self.watch.suppressed(),
            "shelved": len(self._told.shelved),
            "flood": int(self._told.is_flood),
            "lately": self._told.lately,
            "events": self.events,
            "recorded": len(self._choices),
            "samples": self.samples,
            "dropped": self.records.dropped + self.samples_dropped + self._samples.dropped + self._changes.dropped,
            "held_back": self.watch.held_back,
        }

    def tick(self) -> None:
        """Once a second: end with the watch, and do the chores in a thread."""
        if self._watching.done():
            self._watching.result()
        if self._lines_left_out:
            log.warning("more alarms than are logged", left_out=self._lines_left_out)
        self._lines = self._lines_left_out = 0
        if self._chores is None or self._chores.done():
            if self._chores is not None:
                self._chores.result()
            self._chores = self._aside.submit(self._do_chores)

    def _do_chores(self) -> None:
        with contextlib.suppress(NotKeptError):  # why has been said; the rest is done all the same
            self._told.tell()
        try:
            self._declare_now()
            past, settings = self.records.past, self.settings
            past.sort()
            for _ in range(TRIM_STEPS):
                if not (self.records.trim(age=settings.audit) | past.trim(settings.keep, settings.size)):
                    break
                time.sleep(TRIM_PAUSE)  # the other processes want to write too
        except NotKeptError:
            return  # why has been said; the next second tries again

    async def follow(self, order: ServiceOrder) -> None:
        """Watch the alarms and tags of this program from now on; what both programs have goes on as it was."""
        report = Report()
        self.settings = describe_records(order.settings, report)
        self._order, self._choices = order, choose(self.settings, order.tags)
        self._sampler = Sampler(self._choices)
        before, self.watch = self.watch, AlarmWatch(order, self.door.pins, self.watch)
        self.watch.held_back = before.held_back
        self._program += 1  # last: whoever declares has read the rest by then, or declares again
        await self._declare()

    async def close(self) -> None:
        """Write what is still to be written: that nothing more is known, too."""
        self._watching.cancel()
        self._take(self._sampler.silence(time.time_ns()))
        self._aside.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._changes.close()
        self._samples.close()
        self.records.close()


async def open_server(order: ServiceOrder, door: Door, _: Any) -> RecordsServer:
    """Open the records and watch. Raises SiteError."""
    report = Report()
    settings = describe_records(order.settings, report)
    report.raise_if_any()
    server = RecordsServer(order, settings, door)
    await server.begin()
    return server
