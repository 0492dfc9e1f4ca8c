"""The alarms of a site and what became of them, in the records' file. It knows neither the scan nor who may do what.

Several processes have the file open. Each change is one transaction, which enters an event and the state after it: of two that
want the same, one does it and the other is told why not.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from runtime.servers.audit import Who
from runtime.servers.records import states
from runtime.servers.records.file import NotKeptError, RecordFile
from runtime.servers.records.performance import PERIOD, Happened, performance_of
from runtime.servers.records.shelf import Clocks, Shelving, clocks, told_anew
from runtime.servers.records.states import AlarmEvent, AlarmState, Change
from runtime.servers.records.tables import STATE_COLUMNS, clean, event_of, row_of_state, state_of

_EVENT = "INSERT INTO event (time, alarm, kind, state, who, note) VALUES (?, ?, ?, ?, ?, ?)"
_STATE_ONES = ", ".join("?" for _ in STATE_COLUMNS.split(","))
_STATE = f"UPDATE alarm SET ({STATE_COLUMNS}) = ({_STATE_ONES}) WHERE name = ?"
_DECLARED = ("name", "place", "severity", "text", "of", "limit", "id", "source", "shelve_most")
_DECLARE = f"INSERT INTO alarm ({STATE_COLUMNS}, place) VALUES ({_STATE_ONES}, ?) ON CONFLICT (name) DO UPDATE SET " + ", ".join(
    f'"{word}" = excluded."{word}"' for word in _DECLARED
)
_SHELF = "length, wall, boot, running"
_STATES = f"SELECT {STATE_COLUMNS}, {_SHELF} FROM alarm LEFT JOIN shelf ON shelf.alarm = alarm.name WHERE place >= 0"
_ON_SHELF = f"SELECT {STATE_COLUMNS}, {_SHELF} FROM shelf JOIN alarm ON alarm.name = shelf.alarm WHERE place >= 0"
_EVENT_COLUMNS = "number, time, alarm, kind, state, who, note"
_HAPPENED = (
    f"SELECT {_EVENT_COLUMNS} FROM event WHERE number > ? AND time >= ? "
    f"AND kind IN ('{states.ACTIVE}', '{states.CLEARED}', '{states.SHELVED}') ORDER BY number LIMIT ?"
)
A_PAGE = 5000  # events
_EVENTS = f"SELECT {_EVENT_COLUMNS} FROM event WHERE number > ? ORDER BY number LIMIT ?"


class AlarmRecords:
    """The alarms' part of the records."""

    def __init__(self, file: RecordFile, is_strict: bool):
        self.file = file
        self._is_strict = is_strict

    def alarms(self) -> list[AlarmState]:
        """Every alarm of the program, in the order in which the site declares them."""
        now = clocks()
        return [_shown(row, now) for row in self._rows(f"{_STATES} ORDER BY place")]

    def events_after(self, number: int, limit: int = 1000) -> list[AlarmEvent]:
        """What happened to alarms after the event of that number, oldest first."""
        return [event_of(row) for row in self._rows(_EVENTS, (number, limit))]

    def events(self, since: int, until: int, alarm: str | None = None, limit: int = 1000) -> list[AlarmEvent]:
        """The newest events between two times, newest first. `alarm` may hold `*`."""
        named, values = ("", ()) if alarm is None else ("AND lower(alarm) GLOB ?", (glob_of(alarm),))
        query = f"SELECT {_EVENT_COLUMNS} FROM event WHERE time >= ? AND time <= ? {named} ORDER BY number DESC LIMIT ?"
        return [event_of(row) for row in self._rows(query, (since, until, *values, limit))]

    def newest_event(self) -> int:
        """The number of the newest event, from where `events_after` goes on."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return int(rows[0][0]) if rows else 0

    def performance(self, since: int, until: int) -> dict[str, Any]:
        """How the alarms performed between two times (ns), or since the records begin, by the metrics of ISA-18.2."""
        begun = self._rows("SELECT CAST(value AS INTEGER) FROM word WHERE name = 'begun'")
        since = max(since, min(begun[0][0], until - PERIOD)) if begun else since
        standing = {state.name: state.active_at for state in self.alarms() if state.active and not state.shelved}
        return performance_of(self._happened(since), since, until, standing)

    def _happened(self, since: int) -> Iterator[Happened]:
        """The events since a time, a page after another, so that neither memory nor other processes suffer from many."""
        last = 0
        while page := self._rows(_HAPPENED, (last, since, A_PAGE)):
            for event in map(event_of, page):  # not by SQLite's json_extract, which refuses the NaN of a dead sensor
                state = event.state
                said = (state.severity, state.active_at, bool(state.shelved))
                yield Happened(event.time, event.alarm, event.kind, *said, event.note)
            last = page[-1][0]

    def acknowledge(self, alarm: str, who: Who, comment: str = "", event: int = 0) -> str:
        """Somebody has seen the alarm. Empty, or why it was refused. `event` is the event that was seen, 0 for the newest."""

        def acknowledged(state: AlarmState, connection: sqlite3.Connection) -> AlarmState:
            needs_confirm = connection.execute("SELECT value FROM word WHERE name = 'confirm'").fetchone() == ("1",)
            said, by = clean(comment) or state.comment, _name(who)
            return replace(state, acked=True, confirmed=not needs_confirm, acked_at=time.time_ns(), acked_by=by, comment=said)

        return self._answer(alarm, who, event, states.ACKNOWLEDGED, states.why_not_acknowledged, acknowledged)

    def confirm(self, alarm: str, who: Who, comment: str = "", event: int = 0) -> str:
        """Somebody has seen to the alarm's cause. Empty, or why it was refused."""

        def confirmed(state: AlarmState, _: sqlite3.Connection) -> AlarmState:
            return replace(state, confirmed=True, comment=clean(comment) or state.comment)

        return self._answer(alarm, who, event, states.CONFIRMED, states.why_not_confirmed, confirmed)

    def comment(self, alarm: str, who: Who, comment: str, event: int = 0) -> str:
        """Somebody has something to say of the alarm. Empty, or why it was refused."""
        return self._answer(
            alarm, who, event, states.COMMENT, lambda _: "", lambda state, _: replace(state, comment=clean(comment))
        )

    def shelve(self, alarm: str, who: Who, seconds: float | None, comment: str = "") -> str:
        """Somebody takes the alarm out of sight for so many seconds. Empty, or why it was refused.

        None: until it clears, or until the most that the site allows is over. The process does not see it: the alarm's tag and
        what it stops stay as they are.
        """

        def shelved(state: AlarmState, connection: sqlite3.Connection) -> AlarmState:
            now, kind = clocks(), states.ONE_SHOT if seconds is None else states.TIMED
            length = state.shelve_most if seconds is None else int(seconds * 1e9)
            row = (state.name, length, now.wall, now.boot, now.running)
            connection.execute("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?, ?, ?)", row)
            said = clean(comment) or state.comment
            return replace(state, shelved=kind, shelved_until=now.wall + length, shelved_by=_name(who), comment=said)

        def why_not(state: AlarmState) -> str:
            return states.why_not_shelved(state, seconds)

        note = states.ONE_SHOT if seconds is None else f"for {states.time_text(seconds)}"
        return self._answer(alarm, who, 0, states.SHELVED, why_not, shelved, note)

    def unshelve(self, alarm: str, who: Who, comment: str = "") -> str:
        """Somebody takes the alarm off the shelf: where it stands, it waits to be acknowledged. Empty, or why it was refused."""

        def unshelved(state: AlarmState, connection: sqlite3.Connection) -> AlarmState:
            return replace(_off_the_shelf(connection, state), comment=clean(comment) or state.comment)

        return self._answer(alarm, who, 0, states.UNSHELVED, states.why_not_unshelved, unshelved)

    def end_shelvings(self) -> frozenset[str]:
        """Enter the end of every shelving whose time is over; returns the alarms that stay shelved. Raises NotKeptError."""
        now = clocks()
        with self.file.reading() as connection:
            left = {row[0]: _left(row, now) for row in connection.execute(_ON_SHELF).fetchall()}
        over = [name for name, time_left in left.items() if time_left <= 0]
        if over:
            with self.file.writing() as connection:
                for name in over:
                    _load(connection, name, now)
        return frozenset(left) - frozenset(over)

    def _answer(
        self,
        alarm: str,
        who: Who,
        event: int,
        kind: str,
        why_not: Callable[[AlarmState], str],
        after: Callable[[AlarmState, sqlite3.Connection], AlarmState],
        note: str = "",
    ) -> str:
        """Change an alarm's state because of somebody; the transaction sees to it that of two only one does."""
        try:
            with self.file.writing() as connection:
                state = _load(connection, alarm, clocks())
                if state is None:
                    return f"no alarm named {alarm}"
                known = connection.execute("SELECT 1 FROM event WHERE number = ? AND alarm = ?", (event, alarm)).fetchone()
                refusal = states.why_no_event(state, event, is_known=known is not None) or why_not(state)
                if not refusal:
                    _enter(connection, kind, after(state, connection), time.time_ns(), _name(who), note)
                return refusal
        except NotKeptError as error:
            return str(error)

    def declare(self, alarms: Iterable[AlarmState], *, confirm: bool) -> None:
        """The alarms of the program that runs now, and whether they must be confirmed.

        One that the program has no more leaves the list; its events stay. Raises NotKeptError.
        """
        alarms, now = list(alarms), clocks()
        with self.file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO word VALUES ('confirm', ?)", (str(int(confirm)),))
            listed = {row[0].lower() for row in connection.execute("SELECT name FROM alarm WHERE place >= 0")}
            for name in listed - {state.name.lower() for state in alarms}:
                state = _load(connection, name, now)
                if state is not None and (gone := states.removed(state)) != state:
                    connection.execute("DELETE FROM shelf WHERE alarm = ?", (name,))
                    _enter(connection, states.REMOVED, gone, now.wall, "", "")
            connection.execute("UPDATE alarm SET place = -1")
            connection.executemany(_DECLARE, [(*row_of_state(state), place) for place, state in enumerate(alarms)])

    def change(self, changes: Sequence[Change]) -> list[tuple[str, AlarmState, str]]:
        """Enter what the watch saw, in one transaction; returns the events that this made: kind, state after it, note.

        Raises NotKeptError.
        """
        made, now = [], clocks()
        with self.file.writing() as connection:
            for change in changes:
                state = _load(connection, change.name, now)
                for kind, after in states.changed(state, change) if state else ():
                    made.append((kind, _enter(connection, kind, after, change.time, "", change.note), change.note))
                    if kind == states.CLEARED and after.shelved == states.ONE_SHOT:
                        kind, after = states.UNSHELVED, _off_the_shelf(connection, made[-1][1])
                        made.append((kind, _enter(connection, kind, after, change.time, "", states.IT_CLEARED), states.IT_CLEARED))
        return made

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


def glob_of(pattern: str | None) -> str | None:
    """The pattern for SQLite's GLOB: only `*` stands for any letters, and case does not count."""
    return None if pattern is None else pattern.lower().replace("[", "[[]").replace("?", "[?]")


def _name(who: Who) -> str:
    return clean(who.user or who.peer)


def _left(row: tuple[Any, ...], now: Clocks) -> int:
    """How much is left of the shelving in a row of `_STATES`; 0 where it is over, or the file does not say for how long it was."""
    length, *at = row[-4:]
    return 0 if length is None else Shelving(length, Clocks(*at)).left(now, state_of(row[:-4]).shelve_most)


def _shown(row: tuple[Any, ...], now: Clocks) -> AlarmState:
    """The state for whoever reads: a shelving that is over is not shown, whether or not somebody has entered its end yet."""
    state = state_of(row[:-4])
    if not state.shelved:
        return state
    left = _left(row, now)
    return told_anew(state, left, now) if left > 0 else states.unshelved(state)


def _load(connection: sqlite3.Connection, name: str, now: Clocks) -> AlarmState | None:
    """The state for whoever changes it: the end of a shelving that is over is entered first, so that it is entered once."""
    row = connection.execute(f"{_STATES} AND name = ?", (name,)).fetchone()
    if row is None:
        return None
    state = state_of(row[:-4])
    if not state.shelved:
        return state
    left = _left(row, now)
    if left > 0:
        return told_anew(state, left, now)
    return _enter(connection, states.UNSHELVED, _off_the_shelf(connection, state), now.wall, "", states.TIME_IS_OVER)


def _off_the_shelf(connection: sqlite3.Connection, state: AlarmState) -> AlarmState:
    connection.execute("DELETE FROM shelf WHERE alarm = ?", (state.name,))
    return states.unshelved(state)


def _enter(connection: sqlite3.Connection, kind: str, state: AlarmState, at: int, who: str, note: str) -> AlarmState:
    """Write an event and the state after it, which bears the event's number."""
    number = connection.execute(_EVENT, (at, state.name, kind, "", who, note)).lastrowid or 0
    state = replace(state, event=number, occurrence=number if kind == states.ACTIVE else state.occurrence)
    row = row_of_state(state)
    connection.execute("UPDATE event SET state = ? WHERE number = ?", (json.dumps(row), number))
    connection.execute(_STATE, (*row, state.name))
    return state
