"""Reads the history of some tags as a chart needs it: few points, but every spike, every bad value and every gap is among them.

It reads block by block and keeps of each stretch of time (a pixel or so) what a line would touch, so that a week of samples is
never in memory at once. Reading is bounded in time, too: the deadline is looked at between two blocks.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from runtime.quality import GOOD_LOCAL_OVERRIDE
from runtime.servers.records.blocks import unpack
from runtime.servers.records.store import Records

GOOD, UNCERTAIN, BAD, FORCED = 0, 1, 2, 3
KEPT_OF_A_BUCKET = 5  # its first, last, least, greatest and first bad sample
FOLD = 200_000  # samples that are gathered before they are thinned out
SILENT = 1_200_000_000_000  # ns: twice as long as even what stands still is left unrecorded, unless a site says otherwise
POINT = np.dtype([("time", "<i8"), ("value", "<f8"), ("grade", "<i8")])
log = structlog.get_logger()


class TooSlowError(Exception):
    """The records took longer to read than anybody waits."""


@dataclass(frozen=True, slots=True)
class Question:
    """From when to when (ns since 1970 UTC), into how many points at most, and until when it must be answered (monotonic s)."""

    start: int
    end: int
    points: int
    deadline: float

    @property
    def buckets(self) -> int:
        return max(self.points // KEPT_OF_A_BUCKET, 1)

    def bucket_of(self, times: np.ndarray) -> np.ndarray:
        """Which stretch of the time asked for each of these falls into."""
        width = max((self.end - self.start) // self.buckets, 1)
        return np.minimum((times - self.start) // width, self.buckets - 1)


@dataclass(frozen=True, slots=True)
class Line:
    """The points of one tag: `value` is NaN where it was bad, or where nobody recorded."""

    unit: str
    points: np.ndarray


def lines(records: Records, names: Sequence[str], question: Question) -> dict[str, Line]:
    """The history of those of these tags that have one. Raises NotKeptError and TooSlowError."""
    known = {tag.name.lower(): tag for tag in records.known_tags()}
    found = {name: known[name.lower()] for name in names if name.lower() in known}
    if not found:
        return {}
    gathered = _gathered(records, [tag.name for tag in found.values()], question)
    now = time.time_ns()
    return {name: Line(tag.unit, _told(records, tag.name, gathered[tag.name], now)) for name, tag in found.items()}


def thinned(points: np.ndarray, question: Question) -> np.ndarray:
    """Of too many points those that a line drawn through all of them would touch. To thin out twice changes nothing."""
    points = points[np.argsort(points["time"], kind="stable")]
    if len(points) <= question.points:
        return points
    buckets = question.bucket_of(points["time"])
    kept = [*_ends(buckets), len(points) - 1]
    usable = np.flatnonzero(np.isfinite(points["value"]))
    if len(usable):
        by_value = usable[np.lexsort((points["value"][usable], buckets[usable]))]
        kept += [*by_value[_ends(buckets[by_value])].tolist(), int(by_value[-1])]
    bad = np.flatnonzero(~np.isfinite(points["value"]))
    if len(bad):
        kept += bad[np.flatnonzero(np.diff(buckets[bad], prepend=-1))].tolist()
    return points[np.unique(kept)]


def _ends(buckets: np.ndarray) -> list[int]:
    """Where each run of equal numbers begins and where it ends."""
    begins = np.flatnonzero(np.diff(buckets, prepend=-1))
    return [*begins.tolist(), *(begins[1:] - 1).tolist()]


def with_gaps(points: np.ndarray, question: Question, now: int, *, is_whole: bool = True) -> np.ndarray:
    """The points, and where nobody recorded for long (the power was off, the process was killed) a value that is none.

    What stands still is recorded rarely: how rarely is seen by what this tag's samples are usually apart. Unless the line
    `is_whole`, samples between two points of one stretch have been left out, and only what is between stretches tells.
    """
    if not len(points):
        return points
    times = np.append(points["time"], max(min(question.end, now), points["time"][-1]))
    apart = np.diff(times)
    patience = max(SILENT, 2 * int(np.median(apart[:-1])) if len(apart) > 1 else 0)
    buckets = question.bucket_of(times)
    is_gap = (apart > patience) & ((np.diff(buckets) > 0) | is_whole)
    at = np.flatnonzero(is_gap & np.isfinite(points["value"]))
    nothing = np.zeros(len(at), POINT)
    nothing["time"], nothing["value"], nothing["grade"] = points["time"][at] + 1_000_000, np.nan, BAD
    return np.insert(points, at + 1, nothing)


class _Gathered:
    """The samples of one tag as they come out of the file, thinned out before they become too many."""

    def __init__(self, question: Question):
        self.question, self.is_whole = question, True
        self._parts: list[np.ndarray] = []
        self._count = 0

    def take(self, samples: np.ndarray, kind: str) -> None:
        inside = samples[(samples["time"] >= self.question.start) & (samples["time"] <= self.question.end)]
        if len(inside):
            self._parts.append(_points(inside, kind))
            self._count += len(inside)
        if self._count > FOLD:
            self._parts = [self.thin()]
            self._count = len(self._parts[0])

    def thin(self) -> np.ndarray:
        points = thinned(np.concatenate([np.zeros(0, POINT), *self._parts]), self.question)
        self.is_whole &= len(points) == self._count
        return points


def _gathered(records: Records, names: Sequence[str], question: Question) -> dict[str, _Gathered]:
    """All samples between the two times, in one look at the file: what a sorting moves meanwhile is seen once."""
    found = {name: _Gathered(question) for name in names}
    with records.past.file.reading() as connection:
        connection.execute("BEGIN")
        numbers: dict[int, tuple[str, _Gathered]] = {}
        for name in names:
            for number, kind in connection.execute("SELECT id, type FROM tag WHERE name = ?", (name,)).fetchall():
                numbers[number] = kind, found[name]
                for samples in _parts(connection, "block", question, "tag = ? AND ", (number,)):
                    found[name].take(samples, kind)
        for samples in _parts(connection, "batch", question):
            for number in np.intersect1d(samples["tag"], list(numbers)).tolist():
                kind, gathered = numbers[number]
                gathered.take(samples[samples["tag"] == number], kind)
        connection.execute("COMMIT")
    return found


def _parts(
    connection: sqlite3.Connection, table: str, question: Question, of: str = "", values: tuple[int, ...] = ()
) -> Iterator[np.ndarray]:
    within = (*values, question.start, question.end)
    rows = connection.execute(f"SELECT number FROM {table} WHERE {of}last >= ? AND first <= ?", within).fetchall()
    for (number,) in rows:
        if time.monotonic() > question.deadline:
            raise TooSlowError(f"{len(rows)} parts are too many to read now")
        (blob,) = connection.execute(f"SELECT samples FROM {table} WHERE number = ?", (number,)).fetchone()
        try:
            yield unpack(blob)
        except ValueError as error:
            log.error("samples not readable", table=table, number=number, why=str(error))


def _told(records: Records, name: str, gathered: _Gathered, now: int) -> np.ndarray:
    """The points with the value that the line begins with, its gaps, and its last value held to the end."""
    question = gathered.question
    before = records.past.read(name, 0, question.start - 1, 2, True)
    carried = np.zeros(len(before), POINT)
    for at, sample in enumerate(reversed(before)):
        carried[at] = _point(sample.time, sample.value, sample.quality)
    points = np.concatenate([carried, gathered.thin()])
    line = with_gaps(points, question, now, is_whole=gathered.is_whole)
    outside = np.flatnonzero(line["time"] < question.start)
    line = line[outside[-1] :] if len(outside) else line
    if len(outside):
        line["time"][0] = question.start
    until = min(question.end, now)
    if len(line) and line["time"][-1] < until:
        line = np.append(line, line[-1:])
        line["time"][-1] = until
    return line


def _point(at: int, value: object, quality: int) -> tuple[int, float, int]:
    grade = int(_grades(np.array([quality]))[0])
    return at, float("nan") if grade == BAD else float(value), grade  # type: ignore[arg-type]


def _grades(codes: np.ndarray) -> np.ndarray:
    """Qualities as a page shows them: hmi/live.py says what the numbers mean."""
    severity = (codes >> 30) & 3
    found = np.where(severity == 0, GOOD, np.where(severity >= 2, BAD, UNCERTAIN))
    return np.where(codes == GOOD_LOCAL_OVERRIDE, FORCED, found)


def _points(samples: np.ndarray, kind: str) -> np.ndarray:
    points = np.zeros(len(samples), POINT)
    bits = np.ascontiguousarray(samples["bits"])
    points["time"], points["grade"] = samples["time"], _grades(samples["quality"])
    with np.errstate(invalid="ignore"):
        points["value"] = bits.view(np.float64) if kind == "LREAL" else bits
    points["value"][(points["grade"] == BAD) | ~np.isfinite(points["value"])] = np.nan
    return points
