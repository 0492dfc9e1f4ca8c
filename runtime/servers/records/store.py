"""The records of a site: who did what, what became of each alarm, and the history of tags. Several processes have them open.

Calls are short but wait for the disk: a server makes them in a thread, except `keep` and `events_after`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from runtime.servers.audit import Deed
from runtime.servers.records.alarms import AlarmRecords, glob_of
from runtime.servers.records.file import NotKeptError, RecordFile
from runtime.servers.records.history import History, Recorded
from runtime.servers.records.states import AlarmEvent, AlarmState, Change, Sample, name_of
from runtime.servers.records.tables import DEED_COLUMNS, SCHEMA, deed_of, row_of_deed
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
_BEGUN = "UPDATE word SET value = coalesce((SELECT time FROM event ORDER BY number LIMIT 1), value) WHERE name = 'begun'"


class Records(AlarmRecords):
    """The records in a site's state folder, created where there are none.

    What cannot be read is empty and what cannot be written is refused or dropped; the log says why, at most once a minute. Where
    `is_strict`, what cannot be read raises NotKeptError instead: for whoever would take an empty list for a quiet night.
    """

    def __init__(self, folder: Path | str, *, is_strict: bool = False):
        super().__init__(RecordFile(Path(folder) / "records.sqlite", SCHEMA), is_strict)
        self._folder = Path(folder)
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
        terms: list[str] = ["time >= ?"]
        values: list[object] = [since]
        asked = (("time <= ?", until), ("lower(subject) GLOB ?", glob_of(subject)), ("user = ?", user), ("taken = ?", taken))
        for term, value in asked:
            if value is not None:
                terms.append(term)
                values.append(value)
        query = f"SELECT {DEED_COLUMNS} FROM deed WHERE {' AND '.join(terms)} ORDER BY number DESC LIMIT ?"
        return [deed_of(row) for row in self._rows(query, (*values, limit))]

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
                    dropped = connection.execute(old, (first + STEP, oldest, last - most)).rowcount
                    if dropped and table == "event":
                        connection.execute(_BEGUN)
                    gone = max(gone, dropped)
        self.file.shrink(STEP)
        return gone >= STEP

    def close(self) -> None:
        """Write what waits and close the files."""
        self._deeds.close()
        self.file.close()
        if self._history is not None:
            self._history.file.close()
