"""Tells the log what became of alarms that no snapshot shows: shelving, suppression and floods. It knows no scan.

Several processes shelve and acknowledge; all of it passes through the file, so whoever follows its events hears of each once.
"""

from __future__ import annotations

import time

import structlog

from runtime.servers.records.file import NotKeptError
from runtime.servers.records.performance import MINUTE, PERIOD, Flood
from runtime.servers.records.states import ACTIVE, SHELVED, SUPPRESSED, UNSHELVED, UNSUPPRESSED, AlarmEvent
from runtime.servers.records.store import Records

log = structlog.get_logger()

A_READING = 1000  # events
LINES = 50  # a call
_LINES = {
    SHELVED: "alarm shelved",
    UNSHELVED: "alarm unshelved",
    SUPPRESSED: "alarm suppressed by the program",
    UNSUPPRESSED: "alarm suppressed no more",
}


class EventFollower:
    """Follows the events in the records. As of the last call of `tell`, `shelved` are the names of the alarms on the shelf, and
    `lately` is how many came in the last ten minutes, eleven standing for more.
    """

    def __init__(self, records: Records):
        self._records = records
        self._last = 0
        self._flood = Flood()
        self.shelved: frozenset[str] = frozenset()
        self.lately = 0

    @property
    def is_flood(self) -> bool:
        """Whether alarms come faster than a person can follow."""
        return bool(self._flood.began)

    def tell(self) -> None:
        """End the shelvings that are over, and give a line to the log for what happened since the last call. Raises NotKeptError.

        At the first call only what the flood's ten minutes need is read.
        """
        try:
            self.shelved = self._records.end_shelvings()
        except NotKeptError:
            self.shelved = frozenset()  # rather is an alarm told too loud than not
            raise
        if not self._last:
            self._begin()
        lines = 0
        while found := self._records.events_after(self._last, A_READING):
            for event in found:
                self._last = event.number
                self._count(event)
                if event.kind in _LINES:
                    lines += 1
                    if lines <= LINES:
                        _say(event)
            if len(found) < A_READING:
                break
        if lines > LINES:
            log.warning("more alarms shelved or suppressed than are logged", left_out=lines - LINES)
        now = time.time_ns()
        self._end_flood(now)
        self.lately = self._flood.lately(now)

    def _begin(self) -> None:
        now = time.time_ns()
        self._last = self._records.newest_event()
        recent = self._records.events(now - PERIOD, now, limit=A_READING)
        for event in reversed(recent):
            if event.number <= self._last and event.kind == ACTIVE and not event.state.shelved:
                self._flood.ended(event.time)
                self._flood.annunciated(event.time)

    def _count(self, event: AlarmEvent) -> None:
        if event.kind == ACTIVE and not event.state.shelved:
            self._end_flood(event.time)
            if self._flood.annunciated(event.time):
                log.warning("alarm flood begins", alarms=self._flood.alarms, in_minutes=PERIOD // MINUTE)

    def _end_flood(self, now: int) -> None:
        began = self._flood.began
        if end := self._flood.ended(now):
            log.warning("alarm flood ends", alarms=self._flood.alarms, lasted_s=round(max(0, end - began) / 1e9))


def _say(event: AlarmEvent) -> None:
    state = event.state
    words = {"id": state.id, "who": event.who, "note": event.note}
    if event.kind in (SHELVED, UNSHELVED):
        words["comment"] = state.comment if event.who else ""
    told = {word: text for word, text in words.items() if text}
    is_back = event.kind == UNSHELVED and state.active  # where it came while shelved, nobody was told louder than by info
    tell = log.info if not is_back else log.warning if state.severity == "warning" else log.error
    tell(_LINES[event.kind], alarm=event.alarm, severity=state.severity, text=state.text, **told)
