"""The recorder process: takes the tape as the scan writes it, packs it into segments, and freezes the minutes before a trip.

A thread of its own reads and writes: a disk that is slow or full costs scans of the tape, which is said, and never the plant.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from runtime import __version__
from runtime.child import ServiceOrder
from runtime.engine.plan import SAFE
from runtime.engine.tape_file import Span
from runtime.engine.tape_program import as_text, blocks_of
from runtime.engine.tape_read import TapeReader, records
from runtime.engine.tape_words import A_PICTURE, A_SCAN, R_SCAN, R_STATE, R_WALL
from runtime.model import Schedule
from runtime.servers.door import Door
from runtime.servers.recorder.segments import Segments
from runtime.servers.recorder.settings import RecorderSettings, describe_recorder
from runtime.servers.recorder.trips import TripWatch
from runtime.source import Report

log = structlog.get_logger()

LOOK_S = 0.05
BLOCK_S = 2.0  # what a power cut may cost, beside what the disk itself holds back
BLOCK_BYTES = 4_000_000
SEGMENT_S = 300.0
TRIM_S = 30.0
LAST_PICTURE_S = 0.2
AGAIN_S = 5.0
FREEZE_AGAIN_S, FREEZE_RARELY_S = 30.0, 600.0  # a disk without room for an incident is asked again so soon, then ever more rarely
SAID_S = 30.0  # an alarm that chatters is said so often


class Recorder:
    """One site's recorder. `listening` is the folder that it writes."""

    def __init__(self, order: ServiceOrder, settings: RecorderSettings):
        self.settings = settings
        self.segments = Segments(Path(order.state_dir))
        self.listening = str(self.segments.folder)
        self.scans = self.lost = self.incidents = self.failed = 0
        self._is_broken = False
        self._next = order
        self._stop = threading.Event()
        # These outlive an online change: a trip that the change itself causes is one, and what led to it is before the change.
        self._last = self._was_state = 0
        self._trip: dict[str, Any] | None = None
        self._freeze_due, self._is_last_asked = 0.0, False
        self._unmade: deque[dict[str, Any]] = deque(maxlen=settings.incidents)  # trips whose file is to be made: no more are kept
        self._make_due, self._make_again = 0.0, FREEZE_AGAIN_S
        self._frozen_for, self._said_of = dict[str, float](), dict[str, float]()  # when, by what tripped
        self._trips = TripWatch()
        self._turn_to(order)
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def _turn_to(self, order: ServiceOrder) -> None:
        """Record this order's program from now on. Raises OSError, with nothing turned."""
        assert order.schedule is not None
        schedule: Schedule = order.schedule
        self._reader = TapeReader(Path(order.run_dir), order.generation)
        self._schedule, self._program = schedule, as_text(schedule)
        self._blocks = blocks_of(schedule)
        self._trips.turn_to(order, self.settings)
        self._waiting: list[np.ndarray] = []
        self._due = self._segment_due = self._trim_due = 0.0
        self._gaps = self._session = 0
        self._is_open = False
        self._order = order

    def _work(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                if self._next is not self._order:  # until it succeeded
                    self._end_segment()
                    self._turn_to(self._next)
                self.look()
            except OSError as error:
                self._say_broken(error)
        try:
            self._reader.ask()
            time.sleep(LAST_PICTURE_S)
            self.look()
            self._end_segment()
            if self._trip is not None:
                self._freeze()
            elif self._unmade:
                self._make_incidents()
        except OSError as error:
            self._say_broken(error)

    def _say_broken(self, error: OSError) -> None:
        """What cannot be written is lost; the next picture begins a new segment, where a full disk is trimmed."""
        is_new, self._is_broken = not self._is_broken, True
        if is_new:
            log.error("the tape cannot be written", why=str(error))
        self.failed += 1
        self._waiting, self._is_open = [], False
        try:
            self._trim()
        except OSError as trouble:
            if is_new:
                log.error("the tape cannot be trimmed", why=str(trouble))
        self._reader.ask()
        self._stop.wait(AGAIN_S)

    def _trim(self) -> None:
        self.segments.trim(self.settings.keep, self.settings.size)

    def look(self) -> None:
        """Take what came, write what is due, and notice a trip."""
        words, now = self._reader.take(), time.monotonic()
        if self._reader.gaps != self._gaps:
            self._gaps = self._reader.gaps
            self._flush()
            self._is_open = False
        if len(words):
            self._sort(words, now)
        while not self._trips.rises.empty():
            rise = self._trips.rises.get()
            self._tripped(rise.why, rise.scan, rise.wall)
        if now >= self._due or sum(part.nbytes for part in self._waiting) > BLOCK_BYTES:
            self._flush()
            self._due = now + BLOCK_S
        if self._is_open and now >= self._segment_due:
            self._segment_due = now + 5.0  # asked again, should this picture be lost
            self._reader.ask()
        if self._trip is not None and now >= self._freeze_due:
            if self._is_last_asked:
                self._freeze()
            else:  # an incident ends with a picture, which proves the replay of it
                self._reader.ask()
                self._is_last_asked, self._freeze_due = True, now + LAST_PICTURE_S
        if self._unmade and now >= self._make_due:
            self._make_incidents()
        if now >= self._trim_due:
            self._trim_due = now + TRIM_S
            self._trim()

    def _sort(self, words: np.ndarray, now: float) -> None:
        """Records into the open segment; a picture begins the next where one is due."""
        start = 0
        if self._session not in (0, self._reader.session):  # another scan process: its picture is its first word
            self._flush()
            self._is_open = False
        for at, kind in records(words):
            scan = int(words[at + R_SCAN])
            if kind == A_SCAN:
                self._notice(scan, int(words[at + R_STATE]), int(words[at + R_WALL]))
                self.scans += 1
            elif kind == A_PICTURE and (not self._is_open or now >= self._segment_due - 5.0):
                self._keep(words[start:at])
                self._flush()
                self._begin(int(words[at + R_WALL]), scan)
                self._segment_due, start = now + SEGMENT_S, at
        self._keep(words[start:])

    def _keep(self, words: np.ndarray) -> None:
        if self._is_open and len(words):
            self._waiting.append(words)

    def _notice(self, scan: int, state: int, wall: int) -> None:
        if self._last and scan > self._last + 1:
            self.lost += scan - self._last - 1
        if self._session not in (0, self._reader.session):
            self._tripped("scan restarted", scan, wall)
        if state == SAFE and self._was_state not in (0, SAFE):
            self._tripped("plc.state safe", scan, wall)
        self._session, self._was_state, self._last = self._reader.session, state, scan

    def _tripped(self, why: str, scan: int, wall: int) -> None:
        """Freeze what led to this, a little later; a trip that follows until then is in the same file.

        An alarm that chatters would push all other incidents out: the same trip has no second file within `before`.
        """
        now = time.monotonic()
        if self._trip is not None or now - self._frozen_for.get(why, -math.inf) < self.settings.before:
            if now - self._said_of.get(why, -math.inf) >= SAID_S:
                self._said_of[why] = now
                log.warning("a trip that gets no file of its own, since one is young", why=why, scan=scan)
            return
        digest = self._schedule.digest
        self._trip = {"why": why, "scan": scan, "wall": wall, "site": self._order.site, "digest": digest}
        self._freeze_due, self._is_last_asked = now + self.settings.after, False
        self._reader.ask()
        log.warning("a trip: the tape will be frozen", why=why, scan=scan, after_s=self.settings.after)

    def _freeze(self) -> None:
        """Make the incident file. Raises OSError where the tape cannot be written; the trip then waits for the next attempt."""
        note = self._trip
        assert note is not None
        self._flush()
        self._trip = None
        self._frozen_for[note["why"]] = time.monotonic()
        self._unmade.append(note)
        self._make_incidents()

    def _make_incidents(self) -> None:
        """Make the files that are to be made. One that the disk has no room for is tried again later, ever more rarely.

        It is no mishap of the tape, which goes on meanwhile, and holds what the file will be made of; other trips are noticed.
        """
        while self._unmade:
            note = self._unmade[0]
            facts = {"why": note["why"], "scan": note["scan"]}
            try:
                path = self.segments.freeze(note, note["wall"] / 1e9 - self.settings.before, self.settings.incidents)
            except OSError as error:
                self.failed += 1
                log.error("an incident file cannot be written", **facts, error=str(error), again_s=self._make_again)
                self._make_due = time.monotonic() + self._make_again
                self._make_again = min(2 * self._make_again, FREEZE_RARELY_S)
                return
            self._unmade.popleft()
            self._make_again = FREEZE_AGAIN_S
            self.incidents += 1
            log.warning("incident recorded", **facts, file=str(path), help=f"bessplc replay {path}")

    def _begin(self, wall: int, scan: int) -> None:
        head = {
            "format": 1,
            "bessplc": __version__,
            "site": self._order.site,
            "digest": self._schedule.digest,
            "tick": self._schedule.tick,
            "session": self._reader.session,
            "scan": scan,
            "blocks": self._blocks,
        }
        self._trim()
        self.segments.begin(head, self._program, wall)
        self._is_open, self._is_broken = True, False

    def _flush(self) -> None:
        """Write what waits as one block."""
        if not self._waiting:
            return
        words, self._waiting = np.concatenate(self._waiting), []
        places = [at for at, _ in records(words)]
        first, last = words[places[0] :], words[places[-1] :]
        span = Span(int(first[R_SCAN]), int(last[R_SCAN]), int(first[R_WALL]), int(last[R_WALL]))
        self.segments.write(words.tobytes(), span)

    def _end_segment(self) -> None:
        self._reader.close()
        self._flush()
        self.segments.end()

    def counters(self) -> dict[str, int]:
        return {
            "scans": self.scans,
            "lost": self.lost,
            "gaps": self._reader.gaps,
            "written": self.segments.written,
            "incidents": self.incidents,
            "failed": self.failed,
            "unseen": self._trips.unseen,
        }

    def tick(self) -> None:
        """Once a second: end with the thread that does the work."""
        if not (self._thread.is_alive() and self._trips.is_alive):
            raise RuntimeError("a thread of the recorder has ended")

    async def follow(self, order: ServiceOrder) -> None:
        """Record this order's program from now on, in segments of its own."""
        self._next = order

    async def close(self) -> None:
        """Write what is still to be written."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, 5.0)
        self._trips.close()


async def open_server(order: ServiceOrder, door: Door, _: Any) -> Recorder:
    """Begin to record. Raises SiteError."""
    report = Report()
    settings = describe_recorder(order.settings, report)
    report.raise_if_any()
    door.close()
    return await asyncio.to_thread(Recorder, order, settings)
