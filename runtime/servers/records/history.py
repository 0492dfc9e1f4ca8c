"""The history of tags: a ring on disk, bounded in size and age. It knows neither snapshots nor what is worth a sample."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from runtime.model import Tag
from runtime.servers.records.blocks import SAMPLE, pack, unpack, value_of
from runtime.servers.records.file import RecordFile
from runtime.servers.records.states import Sample

log = structlog.get_logger()

SORT_AFTER = 900  # batches, a quarter of an hour of them
SORT_A_TAG = 100  # or so many samples a tag: fewer make poor blocks, more make slow reads of what is not sorted yet
SORT_SAMPLES = 50_000, 1_000_000  # at least and at most so many: a sorting holds 32 bytes each in memory
BLOCK = 4096  # samples of one tag in a block at most
STEP, STEP_PAGES = 200, 2000  # rows that one step of trimming takes at most, and pages that it gives back to the disk
SCHEMA = (
    """
    CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, type TEXT, unit TEXT, recorded INTEGER);
    CREATE INDEX tag_name ON tag (name);
    CREATE TABLE batch (number INTEGER PRIMARY KEY, count INTEGER, first INTEGER, last INTEGER, samples BLOB);
    CREATE TABLE block (number INTEGER PRIMARY KEY, tag INTEGER, first INTEGER, last INTEGER, samples BLOB);
    CREATE INDEX block_tag ON block (tag, last, first);
    """,
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A tag of which there is history: its name, type and unit, and whether it is still being recorded."""

    name: str
    type: str
    unit: str
    is_recorded: bool


def number_of(tag: Tag) -> int:
    """The number of a tag's samples: made of its name and type, so that it is the same in every file."""
    name = f"{tag.name.lower()} {tag.type}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big") >> 2


class History:
    """The history file. One process writes it (`declare`, `write`, `sort`, `trim`), any may read."""

    def __init__(self, folder: Path):
        self.file = RecordFile(folder / "history.sqlite", SCHEMA)

    def declare(self, tags: Sequence[Tag]) -> None:
        """Samples of these tags are written from now on; other tags are recorded no more."""
        with self.file.writing() as connection:
            connection.execute("UPDATE tag SET recorded = 0")
            connection.executemany(
                "INSERT INTO tag (id, name, type, unit, recorded) VALUES (?, ?, ?, ?, 1) "
                "ON CONFLICT (id) DO UPDATE SET recorded = 1, unit = excluded.unit, name = excluded.name",
                [(number_of(tag), tag.name, tag.type, tag.unit) for tag in tags],
            )

    def recorded(self) -> list[Recorded]:
        """Every tag that has history here."""
        with self.file.reading() as connection:
            rows = connection.execute("SELECT name, type, unit, recorded FROM tag ORDER BY name").fetchall()
        return [Recorded(name, kind, unit, bool(is_recorded)) for name, kind, unit, is_recorded in rows]

    def write(self, samples: np.ndarray) -> None:
        """Keep samples (of dtype SAMPLE), in one transaction."""
        row = (len(samples), int(samples["time"].min()), int(samples["time"].max()), pack(samples, 1))
        with self.file.writing() as connection:
            connection.execute("INSERT INTO batch (count, first, last, samples) VALUES (?, ?, ?, ?)", row)

    def sort(self, *, now: bool = False) -> bool:
        """Once there are enough of them, turn batches into blocks of one tag each; whether there was something to do."""
        with self.file.reading() as connection:
            batches, samples = connection.execute("SELECT count(*), total(count) FROM batch").fetchone()
            (tags,) = connection.execute("SELECT count(*) FROM tag WHERE recorded").fetchone()
            enough = min(max(SORT_A_TAG * tags, SORT_SAMPLES[0]), SORT_SAMPLES[1])
            if not batches or (batches < SORT_AFTER and samples < enough and not now):
                return False
            rows = connection.execute("SELECT number, samples FROM batch ORDER BY number LIMIT ?", (SORT_AFTER,)).fetchall()
        joined = np.concatenate([_unpacked("batch", number, blob) for number, blob in rows])
        blocks = [(int(b["tag"][0]), int(b["time"].min()), int(b["time"].max()), pack(b)) for b in _by_tag(joined)]
        with self.file.writing() as connection:
            connection.executemany("INSERT INTO block (tag, first, last, samples) VALUES (?, ?, ?, ?)", blocks)
            connection.execute("DELETE FROM batch WHERE number <= ?", (rows[-1][0],))
        return True

    def trim(self, keep: float, size: int) -> bool:
        """Drop some of the oldest beyond `size` bytes, or older than `keep` seconds; whether more is to be done."""
        oldest = time.time_ns() - int(keep * 1e9)
        gone = 0
        with self.file.writing() as connection:
            pages, free, page = (connection.execute(f"PRAGMA {word}").fetchone()[0] for word in PAGES)
            for table in ("block", "batch"):
                first = connection.execute(f"SELECT min(number) FROM {table}").fetchone()[0]
                if first is None or gone:
                    continue
                too_old = "" if (pages - free) * page > size else f"AND last < {oldest}"
                gone = connection.execute(f"DELETE FROM {table} WHERE number < ? {too_old}", (first + STEP,)).rowcount
        self.file.shrink(STEP_PAGES)
        return gone >= STEP

    def size(self) -> int:
        """Bytes in use."""
        with self.file.reading() as connection:
            pages, free, page = (connection.execute(f"PRAGMA {word}").fetchone()[0] for word in PAGES)
        return int((pages - free) * page)

    def read(self, tag: str, start: int, end: int, limit: int, newest_first: bool = False) -> list[Sample]:
        """At most `limit` samples of a tag from `start` to `end` (both included, ns since 1970 UTC), by time."""
        found: list[Sample] = []
        with self.file.reading() as connection:
            connection.execute("BEGIN")  # one picture: what a sorting moves meanwhile is neither lost nor seen twice
            for number, kind in connection.execute("SELECT id, type FROM tag WHERE name = ?", (tag,)).fetchall():
                samples = _read(connection, number, start, end, limit, newest_first)
                columns = (samples[name].tolist() for name in ("time", "bits", "quality"))
                found += [Sample(t, value_of(bits, kind), quality) for t, bits, quality in zip(*columns, strict=True)]
            connection.execute("COMMIT")
        found.sort(key=lambda sample: sample.time, reverse=newest_first)
        return found[:limit]


PAGES = ("page_count", "freelist_count", "page_size")
_PARTS = """
    SELECT 'block', number, first, last FROM block WHERE tag = :tag AND last >= :start AND first <= :end
    UNION ALL SELECT 'batch', number, first, last FROM batch WHERE last >= :start AND first <= :end
"""


def _read(connection: sqlite3.Connection, tag: int, start: int, end: int, limit: int, newest_first: bool) -> np.ndarray:
    """Samples in time order, from as few blocks and batches as can hold them."""
    parts = connection.execute(_PARTS, {"tag": tag, "start": start, "end": end}).fetchall()
    parts.sort(key=lambda part: -part[3] if newest_first else part[2])
    chosen = np.empty(0, SAMPLE)
    for table, number, first, last in parts:
        if len(chosen) >= limit and (last < chosen["time"][limit - 1] if newest_first else first > chosen["time"][limit - 1]):
            break
        (blob,) = connection.execute(f"SELECT samples FROM {table} WHERE number = ?", (number,)).fetchone()
        samples = _unpacked(table, number, blob)
        inside = samples[(samples["tag"] == tag) & (samples["time"] >= start) & (samples["time"] <= end)]
        if len(inside):
            chosen = np.concatenate([chosen, inside])
            chosen = chosen[np.argsort(-chosen["time"] if newest_first else chosen["time"], kind="stable")]
    return chosen[:limit]


def _unpacked(table: str, number: int, blob: bytes) -> np.ndarray:
    try:
        return unpack(blob)
    except ValueError as error:
        log.error("samples not readable", table=table, number=number, why=str(error))
        return np.empty(0, SAMPLE)


def _by_tag(samples: np.ndarray) -> Iterator[np.ndarray]:
    """The samples of each tag in the order in which they came, in pieces of a block at most."""
    samples = samples[np.argsort(samples["tag"], kind="stable")]
    for one in np.split(samples, np.flatnonzero(np.diff(samples["tag"])) + 1):
        for at in range(0, len(one), BLOCK):
            yield one[at : at + BLOCK]
