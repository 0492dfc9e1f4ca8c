"""BOOL tags as they were in every scan, read from the pictures that still stand: none is missed by who looks every two scans."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.engine.every_scan import EveryScan, Seen
from runtime.engine.image import SLOTS
from tests.aids.engine import GENERATION, Bench
from tests.aids.site_text import load_all

SITE = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags:\n  x.odd: {type: BOOL}\n  x.never: {type: BOOL}\n"
PROGRAM = "program: p\nblocks: {odd: {type: EQ, IN1: (plc.scan mod 2), IN2: 1}}\noutputs: {x.odd: odd.OUT}\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, load_all({"config/site.yaml": SITE, "programs/p.yaml": PROGRAM}))


@pytest.fixture
def scans(bench: Bench) -> EveryScan:
    tags = [bench.schedule.tag("x.odd"), bench.schedule.tag("x.never")]
    return EveryScan(bench.folder, GENERATION, bench.schedule.region.size, tags)


def facts(seen: list[Seen]) -> list[tuple[int, tuple[bool, ...]]]:
    return [(one.scan, one.states) for one in seen]


def test_each_scan_is_seen_once_and_in_order(bench: Bench, scans: EveryScan) -> None:
    assert scans.take() == []
    bench.scan()
    assert facts(scans.take()) == [(1, (True, False))] and scans.take() == []
    bench.scan(3)
    assert facts(scans.take()) == [(2, (False, False)), (3, (True, False)), (4, (False, False))]
    assert scans.missed == 0


def test_what_was_overwritten_is_counted(bench: Bench, scans: EveryScan) -> None:
    bench.scan()
    scans.take()
    bench.scan(20)
    assert [one.scan for one in scans.take()] == list(range(22 - SLOTS, 22))
    assert scans.missed == 20 - SLOTS


def test_another_scan_process_is_found_and_nothing_of_the_old_one_is_taken_for_it(bench: Bench, scans: EveryScan) -> None:
    bench.scan(5)
    scans.take()
    again = Bench(bench.folder, bench.site)
    assert scans.take() == [] and scans.take() == []
    again.scan(2)
    assert [one.scan for one in scans.take()] == [1, 2]
    bench.plc.remove()
    again.plc.remove()
    assert scans.take() == [] and scans.take() == []


def test_of_a_program_that_took_over_all_scans_are_to_be_seen_and_of_the_first_those_from_now_on(bench: Bench) -> None:
    bench.scan(20)
    region = bench.schedule.region.size
    first, following = (EveryScan(bench.folder, GENERATION, region, [], from_first=it) for it in (False, True))
    assert len(first.take()) == len(following.take()) == SLOTS
    assert (first.missed, following.missed) == (0, 20 - SLOTS)
