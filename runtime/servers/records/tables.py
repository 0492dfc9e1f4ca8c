"""The tables of the records and how a row becomes a deed, an alarm's state or an event. It opens no file."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from runtime.servers.audit import Deed, Who
from runtime.servers.records.states import AlarmEvent, AlarmState

_DEED = "number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, service TEXT, user TEXT, role TEXT, peer TEXT, action TEXT, \
subject TEXT COLLATE NOCASE, answer TEXT, taken INTEGER, element INTEGER, old TEXT, new TEXT, scan INTEGER"
# The numbers of a new file go on above all that a broken one before it can have given: they begin at the milliseconds since 1970.
_FIRST = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
SCHEMA = (
    f"""
    CREATE TABLE deed ({_DEED});
    CREATE INDEX deed_time ON deed (time);
    CREATE INDEX deed_subject ON deed (subject, number);
    CREATE TABLE last_write ({_DEED.replace("number INTEGER PRIMARY KEY AUTOINCREMENT", "number INTEGER")}, UNIQUE (subject));
    CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, alarm TEXT COLLATE NOCASE, kind TEXT, state TEXT,
        who TEXT, note TEXT);
    CREATE TABLE alarm ("name" TEXT PRIMARY KEY COLLATE NOCASE, "severity", "text", "of", "limit", "active", "acked", "confirmed",
        "active_at", "cleared_at", "acked_at", "acked_by", "comment", "count", "event", "value", "occurrence", "quality",
        place INTEGER);
    CREATE TABLE word (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
    INSERT INTO sqlite_sequence (name, seq) VALUES ('deed', {_FIRST}), ('event', {_FIRST});
    """,
    """
    ALTER TABLE alarm ADD COLUMN "id" DEFAULT '';
    ALTER TABLE alarm ADD COLUMN "source" DEFAULT '';
    ALTER TABLE alarm ADD COLUMN "shelve_most" DEFAULT 0;
    ALTER TABLE alarm ADD COLUMN "suppressed" DEFAULT 0;
    ALTER TABLE alarm ADD COLUMN "shelved" DEFAULT '';
    ALTER TABLE alarm ADD COLUMN "shelved_until" DEFAULT 0;
    ALTER TABLE alarm ADD COLUMN "shelved_by" DEFAULT '';
    INSERT INTO word SELECT 'begun', coalesce((SELECT time FROM event ORDER BY number LIMIT 1),
        CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000000);
    CREATE TABLE shelf (alarm TEXT PRIMARY KEY COLLATE NOCASE, length INTEGER, wall INTEGER, boot TEXT, running INTEGER);
    """,
)
DEED_COLUMNS = "number, time, service, user, role, peer, action, subject, answer, taken, element, old, new, scan"
STATE_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(AlarmState))
_STATES = tuple(field.name for field in fields(AlarmState))
_FLAGS = tuple(_STATES.index(name) for name in ("active", "acked", "confirmed", "suppressed"))
TEXT = 1000  # characters: a client's text must not fill the disk


def row_of_deed(deed: Deed) -> tuple[Any, ...]:
    """The deed without its number."""
    who = deed.who
    said = (deed.service, who.user, who.role, who.peer, deed.action, deed.subject, deed.answer)
    values = (_plain(deed.old), _plain(deed.new))
    return (deed.time, *(clean(str(word)) for word in said), int(deed.taken), deed.element, *values, deed.scan)


def deed_of(row: tuple[Any, ...]) -> Deed:
    """A deed as it was kept."""
    _, time, service, user, role, peer, action, subject, answer, taken, element, old, new, scan = row
    who = Who(user, role, peer)
    return Deed(service, who, action, subject, answer, bool(taken), element, json.loads(old), json.loads(new), scan, time)


def row_of_state(state: AlarmState) -> list[Any]:
    """The columns of a state, which JSON and SQLite can both hold."""
    return [int(v) if isinstance(v, bool) else v for v in (getattr(state, name) for name in _STATES)]


def state_of(row: tuple[Any, ...] | list[Any]) -> AlarmState:
    """A state as it was kept; columns that a newer version added take their defaults."""
    values = list(row)
    for at in _FLAGS:
        if at < len(values):
            values[at] = bool(values[at])
    return AlarmState(*values)


def event_of(row: tuple[Any, ...]) -> AlarmEvent:
    """An event as it was kept."""
    number, time, alarm, kind, state, who, note = row
    return AlarmEvent(number, time, alarm, kind, state_of(json.loads(state)), who, note)


def clean(text: str) -> str:
    """The text as it may be kept: not endless, and no half of a surrogate pair, which SQLite refuses."""
    return text[:TEXT].encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any) -> str:
    """JSON of a value; what JSON cannot hold, or what is too long, is kept as its text."""
    try:
        made = json.dumps(value)
    except (TypeError, ValueError):
        return json.dumps(repr(value)[:TEXT])
    return made if len(made) <= 4 * TEXT else json.dumps(made[:TEXT])
