"""What the supervisor says of forces by itself: the end of one by its time, once, in both logs; and it never waits for a disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.engine.force_list import Note, put_force, put_unforce
from runtime.force_watch import ForceWatch, force_end
from runtime.servers.audit import Deed, Who
from runtime.servers.records.store import Records
from runtime.site_audit import SiteAudit
from tests.aids.engine import GENERATION, MS, Bench, wait_for
from tests.aids.site_text import load_all

SITE = 'tasks: {main: {interval: 10 ms, programs: [p]}}\ntags:\n  x.a: {type: LREAL}\n  x.b: {type: "BOOL[3]"}\n'


class Watched:
    """A site scanned by hand, and what is told of its forces."""

    def __init__(self, folder: Path):
        self.bench = Bench(folder, load_all({"config/site.yaml": SITE, "programs/p.yaml": "program: p\n"}))
        self.ring = self.bench.commands("hmi")
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.deeds: list[Deed] = []
        self.watch = self.new_watch()

    def new_watch(self, before: ForceWatch | None = None) -> ForceWatch:
        def tell(_: str, event: str, facts: dict[str, Any]) -> None:
            self.told.append((event, facts))

        return ForceWatch(self.bench.schedule, self.bench.folder, GENERATION, tell, self.deeds.append, before)

    def force(self, name: str, value: Any, lasts: int, element: int = 0, reason: str = "a test") -> None:
        note = Note("eva", "hmi", reason, time.time_ns(), lasts)
        put_force(self.ring, self.bench.folder, self.bench.schedule.tag(name), value, note, "engineer", element)
        self.bench.scan()


@pytest.fixture
def site(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_force_whose_time_is_over_is_told_once_with_who_and_why(site: Watched) -> None:
    site.force("x.b", True, 50 * MS, element=2)
    site.watch.look()
    assert site.told == []
    site.bench.scan(6)
    site.watch.look()
    site.watch.look()
    assert site.told == [
        ("force ended", {"tag": "x.b[3]", "value": True, "why": "time is over", "user": "eva", "reason": "a test"}),
    ]
    [deed] = site.deeds
    assert (deed.action, deed.subject, deed.element, deed.old, deed.who.user) == ("unforce", "x.b", 3, True, "eva")
    assert deed.answer == "time is over (forced by eva: a test)"


def test_one_that_came_and_went_between_two_looks_is_told_too(site: Watched) -> None:
    site.force("x.a", 4.0, 10 * MS)
    site.bench.scan(3)
    site.watch.look()
    assert [facts["tag"] for _, facts in site.told] == ["x.a"]


def test_one_whose_place_another_took_meanwhile_is_told_too(site: Watched) -> None:
    site.force("x.a", 4.0, 30 * MS, reason="the first")
    site.watch.look()
    site.bench.scan(5)
    site.force("x.a", 5.0, 0, reason="the second")
    site.watch.look()
    assert [facts["reason"] for _, facts in site.told] == ["the first"]


def test_what_somebody_lifted_is_left_to_him_to_tell(site: Watched) -> None:
    site.force("x.a", 4.0, 50 * MS)
    site.watch.look()
    put_unforce(site.ring, None, "engineer")
    site.bench.scan(20)
    site.watch.look()
    assert site.told == [] and site.deeds == []


def test_the_watch_over_the_next_program_tells_nothing_twice(site: Watched) -> None:
    site.force("x.a", 4.0, 10 * MS)
    site.bench.scan(3)
    site.watch.look()
    site.new_watch(site.watch).look()
    assert len(site.told) == 1


def test_forces_that_a_new_scan_process_has_no_more_are_told_once(site: Watched) -> None:
    site.force("x.a", 4.0, 0)
    site.watch.look()
    again = Bench(site.bench.folder, site.bench.site)
    for _ in range(3):
        again.scan()
        site.watch.look()
    [(event, facts)] = site.told
    assert (event, facts["tag"], facts["why"], facts["user"]) == ("force ended", "x.a", "the scan was started anew", "eva")
    [deed] = site.deeds
    assert (deed.action, deed.subject, deed.answer) == ("unforce", "x.a", "the scan was started anew (forced by eva: a test)")


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The records, held by a process that writes for a long time."""
    Records(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "records.sqlite", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    yield connection
    connection.close()


def test_the_audit_line_waits_for_the_records_and_the_supervisor_does_not(tmp_path: Path, busy: sqlite3.Connection) -> None:
    audit = SiteAudit(tmp_path)
    for n in range(3):
        audit.keep(force_end("x.a", 0, 4.0, None, f"time {n} is over", Who("eva", "engineer", "local")))
    busy.execute("COMMIT")
    records = Records(tmp_path)
    wait_for(lambda: len(records.deeds()) == 3, 20, "the deeds in the file")
    assert [deed.answer for deed in records.deeds()][-1] == "time 0 is over (forced by somebody unknown)"
    audit.close()
