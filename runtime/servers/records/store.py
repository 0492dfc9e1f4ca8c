"""The records of a site: who did what, what became of each alarm, and the history of tags. Several processes have them open.

Calls are short but wait for the disk: a server makes them in a thread, except `keep` and `events_after`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from runtime.servers.audit import Deed, Who
from runtime.servers.records import states
from runtime.servers.records.file import NotKeptError, RecordFile
from runtime.servers.records.history import History, Recorded
from runtime.servers.records.states import AlarmEvent, AlarmState, Change, Sample, name_of
from runtime.servers.records.tables import (
    DEED_COLUMNS,
    SCHEMA,
    STATE_COLUMNS,
    clean,
    deed_of,
    event_of,
    row_of_deed,
    row_of_state,
    state_of,
)
from runtime.servers.records.writer import Writer

__all__ = ["AlarmEvent", "AlarmState", "Change", "Records", "Sample", "name_of"]

log = structlog.get_logger()

ROOM = 10_000  # deeds that may wait for the disk
GATHER_S = 0.02
STEP = 500  # rows that one step of trimming takes at most
YEAR_S = 365 * 86400.0
MOST = 1_000_000
_ONES = ", ".join("?" for _ in DEED_COLUMNS.split(","))
_KEEP = f"INSERT INTO deed ({DEED_COLUMNS.removeprefix('number, ')}) VALUES ({_ONES.removesuffix(', ?')})"
_LAST = f"INSERT OR REPLACE INTO last_write ({DEED_COLUMNS}) VALUES ({_ONES})"
_EVENT = "INSERT INTO event (time, alarm, kind, state, who, note) VALUES (?, ?, ?, ?, ?, ?)"
_STATE_ONES = ", ".join("?" for _ in STATE_COLUMNS.split(","))
_STATE = f"UPDATE alarm SET ({STATE_COLUMNS}) = ({_STATE_ONES}) WHERE name = ?"
_RENEWED = ", ".join(f'"{word}" = excluded."{word}"' for word in ("name", "place", "severity", "text", "of", "limit"))
_LISTED = f"SELECT {STATE_COLUMNS} FROM alarm WHERE name = ? AND place >= 0"
_EVENT_COLUMNS = "number, time, alarm, kind, state, who, note"
_EVENTS = f"SELECT {_EVENT_COLUMNS} FROM event WHERE number > ? ORDER BY number LIMIT ?"

Found = TypeVar("Found")


class Records:
    """The records in a site's state folder, created where there are none.

    What cannot be read is empty and what cannot be written is refused or dropped; the log says why, at most once a minute. Where
    `is_strict`, what cannot be read raises NotKeptError instead: for whoever would take an empty list for a quiet night.
    """

    def __init__(self, folder: Path | str, *, is_strict: bool = False):
        self.file = RecordFile(Path(folder) / "records.sqlite", SCHEMA)
        self._folder, self._is_strict = Path(folder), is_strict
        self._deeds: Writer[Deed] = Writer("audit log", self._write_deeds, room=ROOM, gather=GATHER_S)
        self._history: History | None = None

    # ------------------------------------------------------------------------------------------ audit

    def keep(self, deed: Deed) -> None:
        """Write the deed into the audit log soon. Never blocks: where too many wait for the disk, it is dropped and counted."""
        self._deeds.give(deed)

    @property
    def dropped(self) -> int:
        """How many deeds this process could not keep."""
        return self._deeds.dropped

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until every deed given so far is in the file; whether it was in time."""
        return self._deeds.flush(timeout)

    def deeds(
        self,
        *,
        since: int = 0,
        until: int | None = None,
        subject: str | None = None,
        user: str | None = None,
        limit: int = 1000,
        taken: bool | None = None,
    ) -> list[Deed]:
        """The newest deeds, newest first. `subject` may hold `*`; times are ns since 1970 UTC."""
        terms, values = ["time >= ?"], [since]  # type: tuple[list[str], list[Any]]
        asked = (("time <= ?", until), ("lower(subject) GLOB ?", _glob(subject)), ("user = ?", user), ("taken = ?", taken))
        for term, value in asked:
            if value is not None:
                terms.append(term)
                values.append(value)
        query = f"SELECT {DEED_COLUMNS} FROM deed WHERE {' AND '.join(terms)} ORDER BY number DESC LIMIT ?"
        return [deed_of(row) for row in self._rows(query, (*values, limit))]

    def deeds_after(self, number: int, limit: int = 1000) -> list[tuple[int, Deed]]:
        """The deeds after that number with their own, oldest first."""
        query = f"SELECT {DEED_COLUMNS} FROM deed WHERE number > ? ORDER BY number LIMIT ?"
        return [(row[0], deed_of(row)) for row in self._rows(query, (number, limit))]

    def last_writes(self) -> dict[str, Deed]:
        """The newest write of each tag that was taken, however old."""
        return {row[7]: deed_of(row) for row in self._rows(f"SELECT {DEED_COLUMNS} FROM last_write")}

    def _write_deeds(self, deeds: Sequence[Deed]) -> None:
        with self.file.writing() as connection:
            for deed in deeds:
                row = row_of_deed(deed)
                number = connection.execute(_KEEP, row).lastrowid
                if deed.taken and deed.action == "write":
                    connection.execute(_LAST, (number, *row))

    # ------------------------------------------------------------------------------------------ alarms

    def alarms(self) -> list[AlarmState]:
        """Every alarm of the program, in the order in which the site declares them."""
        return [state_of(row) for row in self._rows(f"SELECT {STATE_COLUMNS} FROM alarm WHERE place >= 0 ORDER BY place")]

    def events_after(self, number: int, limit: int = 1000) -> list[AlarmEvent]:
        """What happened to alarms after the event of that number, oldest first."""
        return [event_of(row) for row in self._rows(_EVENTS, (number, limit))]

    def events(self, since: int, until: int, alarm: str | None = None, limit: int = 1000) -> list[AlarmEvent]:
        """The newest events between two times, newest first. `alarm` may hold `*`."""
        named, values = ("", ()) if alarm is None else ("AND lower(alarm) GLOB ?", (_glob(alarm),))
        query = f"SELECT {_EVENT_COLUMNS} FROM event WHERE time >= ? AND time <= ? {named} ORDER BY number DESC LIMIT ?"
        return [event_of(row) for row in self._rows(query, (since, until, *values, limit))]

    def newest_event(self) -> int:
        """The number of the newest event, from where `events_after` goes on."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return int(rows[0][0]) if rows else 0

    def acknowledge(self, alarm: str, who: Who, comment: str = "", event: int = 0) -> str:
        """Somebody has seen the alarm. Empty, or why it was refused. `event` is the event that was seen, 0 for the newest."""

        def acknowledged(state: AlarmState, needs_confirm: bool) -> AlarmState:
            said, by = clean(comment) or state.comment, clean(who.user or who.peer)
            return replace(state, acked=True, confirmed=not needs_confirm, acked_at=time.time_ns(), acked_by=by, comment=said)

        return self._answer(alarm, who, event, states.ACKNOWLEDGED, states.why_not_acknowledged, acknowledged)

    def confirm(self, alarm: str, who: Who, comment: str = "", event: int = 0) -> str:
        """Somebody has seen to the alarm's cause. Empty, or why it was refused."""

        def confirmed(state: AlarmState, _: bool) -> AlarmState:
            return replace(state, confirmed=True, comment=clean(comment) or state.comment)

        return self._answer(alarm, who, event, states.CONFIRMED, states.why_not_confirmed, confirmed)

    def comment(self, alarm: str, who: Who, comment: str, event: int = 0) -> str:
        """Somebody has something to say of the alarm. Empty, or why it was refused."""
        return self._answer(
            alarm, who, event, states.COMMENT, lambda _: "", lambda state, _: replace(state, comment=clean(comment))
        )

    def _answer(
        self,
        alarm: str,
        who: Who,
        event: int,
        kind: str,
        why_not: Callable[[AlarmState], str],
        after: Callable[[AlarmState, bool], AlarmState],
    ) -> str:
        """Change an alarm's state because of somebody; the transaction sees to it that of two only one does."""
        try:
            with self.file.writing() as connection:
                row = connection.execute(_LISTED, (alarm,)).fetchone()
                if row is None:
                    return f"no alarm named {alarm}"
                state = state_of(row)
                known = connection.execute("SELECT 1 FROM event WHERE number = ? AND alarm = ?", (event, alarm)).fetchone()
                refusal = states.why_no_event(state, event, is_known=known is not None) or why_not(state)
                if not refusal:
                    needs_confirm = connection.execute("SELECT value FROM word WHERE name = 'confirm'").fetchone() == ("1",)
                    _enter(connection, kind, after(state, needs_confirm), time.time_ns(), clean(who.user or who.peer), "")
                return refusal
        except NotKeptError as error:
            return str(error)

    def declare(self, alarms: Iterable[AlarmState], *, confirm: bool) -> None:
        """The alarms of the program that runs now, and whether they must be confirmed.

        One that the program has no more leaves the list; its events stay. Raises NotKeptError.
        """
        alarms = list(alarms)
        with self.file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO word VALUES ('confirm', ?)", (str(int(confirm)),))
            listed = {row[0].lower() for row in connection.execute("SELECT name FROM alarm WHERE place >= 0")}
            for name in listed - {state.name.lower() for state in alarms}:
                state = state_of(connection.execute(_LISTED, (name,)).fetchone())
                if state.retained:
                    _enter(connection, states.REMOVED, states.removed(state), time.time_ns(), "", "")
            connection.execute("UPDATE alarm SET place = -1")
            connection.executemany(
                f"INSERT INTO alarm ({STATE_COLUMNS}, place) VALUES ({_STATE_ONES}, ?) ON CONFLICT (name) DO UPDATE SET {_RENEWED}",
                [(*row_of_state(state), place) for place, state in enumerate(alarms)],
            )

    def change(self, changes: Sequence[Change]) -> list[tuple[str, AlarmState, str]]:
        """Enter what the watch saw, in one transaction; returns the events that this made: kind, state after it, note.

        Raises NotKeptError.
        """
        made = []
        with self.file.writing() as connection:
            for change in changes:
                row = connection.execute(_LISTED, (change.name,)).fetchone()
                for kind, state in states.changed(state_of(row), change) if row else ():
                    made.append((kind, _enter(connection, kind, state, change.time, "", change.note), change.note))
        return made

    # ------------------------------------------------------------------------------------------ history

    @property
    def past(self) -> History:
        """The history file, opened when first asked for: most processes never do."""
        if self._history is None:
            self._history = History(self._folder)
        return self._history

    def history(self, tag: str, start: int, end: int, limit: int, newest_first: bool = False) -> list[Sample]:
        """At most `limit` samples of a tag between two times (both included, ns since 1970 UTC), in the order of time."""
        try:
            return self.past.read(tag, start, end, limit, newest_first)
        except NotKeptError as error:
            return self._unread(error)

    def recorded(self) -> frozenset[str]:
        """The tags that are being recorded, as the site writes them."""
        return frozenset(tag.name for tag in self.known_tags() if tag.is_recorded)

    def known_tags(self) -> list[Recorded]:
        """Every tag that has a history here."""
        try:
            return self.past.recorded()
        except NotKeptError as error:
            return self._unread(error)

    # ------------------------------------------------------------------------------------------

    def trim(self, *, age: float = YEAR_S, most: int = MOST) -> bool:
        """Drop some of the oldest deeds and events beyond `age` seconds or `most` of each; whether more is to be done."""
        oldest, gone = time.time_ns() - int(age * 1e9), 0
        with self.file.writing() as connection:
            for table in ("deed", "event"):
                # two questions: asked for both at once, SQLite reads the whole table
                first, last = (connection.execute(f"SELECT {end}(number) FROM {table}").fetchone()[0] for end in ("min", "max"))
                if first is not None:
                    old = f"DELETE FROM {table} WHERE number < ? AND (time < ? OR number <= ?)"
                    gone = max(gone, connection.execute(old, (first + STEP, oldest, last - most)).rowcount)
        self.file.shrink(STEP)
        return gone >= STEP

    def close(self) -> None:
        """Write what waits and close the files."""
        self._deeds.close()
        self.file.close()
        if self._history is not None:
            self._history.file.close()

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            with self.file.reading() as connection:
                return connection.execute(query, values).fetchall()
        except NotKeptError as error:
            return self._unread(error)

    def _unread(self, error: NotKeptError) -> list[Any]:
        """What a reading that failed gives: nothing, or its error, which the log has already."""
        if self._is_strict:
            raise error
        return []


def _enter(connection: Any, kind: str, state: AlarmState, at: int, who: str, note: str) -> AlarmState:
    """Write an event and the state after it, which bears the event's number."""
    number = connection.execute(_EVENT, (at, state.name, kind, "", who, note)).lastrowid
    state = replace(state, event=number, occurrence=number if kind == states.ACTIVE else state.occurrence)
    row = row_of_state(state)
    connection.execute("UPDATE event SET state = ? WHERE number = ?", (json.dumps(row), number))
    connection.execute(_STATE, (*row, state.name))
    return state


def _glob(pattern: str | None) -> str | None:
    """The pattern for SQLite's GLOB: only `*` stands for any letters, and case does not count."""
    return None if pattern is None else pattern.lower().replace("[", "[[]").replace("?", "[?]")
