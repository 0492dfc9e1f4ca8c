"""The recorder: what a scan takes in is on disk within seconds, bounded, and the minutes before a trip are kept as one file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runtime.child import ServiceOrder
from runtime.engine.plan import S_STATE, SAFE
from runtime.engine.replay_run import TapeRun
from runtime.engine.tape_file import DATA, NOTE, Span, TapeFile, pack
from runtime.servers.recorder.segments import Segments, chosen
from runtime.servers.recorder.server import Recorder
from runtime.servers.recorder.settings import RecorderSettings, check_on, describe_recorder
from runtime.source import Report
from tests.aids.engine import GENERATION, Bench, wait_for
from tests.runtime.engine.test_determinism import play, real_site


def order_of(bench: Bench, state: Path) -> ServiceOrder:
    schedule = bench.schedule
    return ServiceOrder(
        service="recorder",
        site="night",
        run_dir=str(bench.folder),
        root="",
        generation=GENERATION,
        tags=schedule.tags,
        region=schedule.region,
        alarms=schedule.alarms,
        settings={},
        state_dir=str(state),
        schedule=schedule,
    )


def test_a_trip_leaves_an_incident_file_that_replays_bit_for_bit(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    bench = Bench(run_dir, real_site())
    recorder = Recorder(order_of(bench, tmp_path), RecorderSettings(after=0.0))
    bench.plc.attach()
    for _ in play(bench, 3, 150):
        continue
    wait_for(lambda: recorder.scans == 150, 20, "all scans are taken")
    bench.plc.plan.state[S_STATE] = SAFE
    bench.scan()
    found = wait_for(lambda: scans_on_until(bench, tmp_path), 20, "an incident file")
    asyncio.run(recorder.close())
    run = TapeRun([found])
    scans = [int(scan) for rows in run.rows() for scan in rows.scans]
    assert scans[0] == 2 and scans[-1] >= 151
    assert run.facts.is_equal and run.facts.pictures >= 1
    assert [(note["why"], note["scan"]) for note in run.facts.notes] == [("plc.state safe", 151)]
    assert recorder.counters()["lost"] == 0


def test_an_alarm_of_a_single_scan_makes_an_incident(tmp_path: Path) -> None:
    """A tag of `on:` that is true in one scan and false in the next, between two looks: it is in a picture that still stands."""
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    bench = Bench(run_dir, real_site())
    recorder = Recorder(order_of(bench, tmp_path), RecorderSettings(after=0.0, on=("hmi.close",)))
    bench.plc.attach()
    bench.scan(3)
    wait_for(lambda: recorder.scans == 3, 20, "the tape")
    wait_for(lambda: recorder._trips._active is not None, 20, "a first look")
    rose = int(bench.value("plc.scan")) + 1
    bench.ask(bench.commands("hmi"), "hmi.close", True)
    bench.scan(2)
    wait_for(lambda: recorder._trip is not None or recorder.incidents, 20, "the rise was seen")
    found = wait_for(lambda: scans_on_until(bench, tmp_path), 20, "an incident file")
    asyncio.run(recorder.close())
    run = TapeRun([found])
    assert sum(len(rows.scans) for rows in run.rows()) > 0
    assert [(note["why"], note["scan"]) for note in run.facts.notes] == [("hmi.close", rose)]


def scans_on_until(bench: Bench, state: Path) -> Path | None:
    """The scan goes on, safe, until the incident is there."""
    bench.scan()
    return next(iter((state / "tape/incidents").glob("*.tape")), None)


def test_the_running_tape_is_bounded_and_incidents_are_not_touched_by_it(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    head = {"digest": "d", "session": 7}
    for minute in range(8):
        segments.begin(head, "{}", (1_700_000_000 + 60 * minute) * 1_000_000_000)
        segments.write(bytes(range(256)) * 4000, Span(minute, minute))
    note = {"why": "plc.state safe", "wall": 1_700_000_450 * 1_000_000_000, "digest": "d"}
    kept = segments.freeze(note, 1_700_000_290, most=2)
    assert [block.span.first for block in TapeFile(kept).blocks() if block.kind == DATA] == [4, 5, 6, 7], "from the one before on"
    assert next(iter(TapeFile(kept).blocks())).kind == NOTE
    size = sum(path.stat().st_size for path in segments.segments())
    assert segments.trim(1e9, size // 2) == 4
    assert len(segments.segments()) == 4 and segments.path in segments.segments()
    assert segments.trim(-1.0, 0) == 3 and segments.segments() == [segments.path], "the one that is written stays"
    assert kept.exists()
    for minute in range(3):
        segments.freeze({**note, "wall": note["wall"] + minute * 60_000_000_000}, 0.0, most=2)
    assert len(list((tmp_path / "tape/incidents").glob("*.tape"))) == 2
    segments.end()


def test_the_segments_of_a_time_begin_with_the_one_that_holds_its_start(tmp_path: Path) -> None:
    for name in ("20260101T000000.000-0001", "20260101T000500.000-0001", "20260101T001000.000-0001"):
        (tmp_path / f"{name}.tape").write_bytes(pack(DATA, b""))
    start = 1_767_225_600.0
    assert [path.name[9:13] for path in chosen(tmp_path, start + 400, start + 500)] == ["0005"]
    assert [path.name[9:13] for path in chosen(tmp_path, start + 400)] == ["0005", "0010"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"keep": "3 weeks"}, "keep"),
        ({"size": "10"}, "size"),
        ({"size": "10 G\nB"}, "not written like `10 GB`"),
        ({"size": "9 MB"}, "10 MB at least"),
        ({"sise": "10 GB"}, "sise"),
        ({"on": ["bms.vv"]}, "bms.vv"),
        ({"on": ["bms.v"]}, "no BOOL"),
    ],
)
def test_a_mistake_in_the_section_is_said(section: dict[str, object], said: str) -> None:
    report = Report()
    check_on(describe_recorder(section, report).on, real_site().schedule.tags, report)
    assert said in str(report.problems)


def test_the_words_of_the_section_are_read() -> None:
    report = Report()
    words = {"keep": "2 d", "size": "1 GB", "before": "5 min", "after": "10 s", "incidents": "3", "on": ["hmi.close"]}
    assert describe_recorder(words, report) == RecorderSettings(172800.0, 1_000_000_000, 300.0, 10.0, 3, ("hmi.close",))
    assert not report.problems
