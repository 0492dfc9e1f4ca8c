"""The recorder's files on a disk that is full or fails, and what becomes of trips then and over an online change."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import resource
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from runtime.engine.plan import RUNNING, SAFE
from runtime.engine.tape_file import DATA, PROGRAM, Span, TapeFile
from runtime.servers.recorder import server
from runtime.servers.recorder.segments import Segments
from runtime.servers.recorder.server import Recorder
from runtime.servers.recorder.settings import RecorderSettings
from tests.aids.engine import Bench
from tests.runtime.engine.test_determinism import real_site
from tests.runtime.servers.recorder.test_recorder import order_of

BASE = 1_700_000_000
BLOCK = os.urandom(200_000)


def fill(state: Path, *digests: str) -> Segments:
    """A segment a minute, each of the program that is named."""
    segments = Segments(state)
    for minute, digest in enumerate(digests):
        segments.begin({"digest": digest, "session": 7}, "{}", (BASE + 60 * minute) * 1_000_000_000)
        segments.write(BLOCK, Span(minute, minute))
    return segments


def note_of(why: str = "plc.state safe", second: int = 0, digest: str = "d") -> dict[str, object]:
    return {"why": why, "wall": (BASE + second) * 1_000_000_000, "digest": digest}


@contextlib.contextmanager
def full_at(size: int) -> Iterator[None]:
    """No file takes more bytes than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_tape_leaves_the_disk_its_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segments = fill(tmp_path, *"dddd")
    held = sum(path.stat().st_size for path in segments.segments())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10_000_000, free=1_000_000 - held // 2))
    assert segments.trim(1e9, 10**10) == 2, "a tenth of a small disk is left"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=10**9 + 1))
    assert segments.trim(1e9, 10**10) == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=0))
    assert segments.trim(1e9, 10**10) == 1 and segments.segments() == [segments.path]
    segments.end()


def test_a_disk_that_is_full_leaves_whole_blocks_and_no_empty_segment(tmp_path: Path) -> None:
    segments = fill(tmp_path, "d")
    first = segments.segments()[0]
    size = first.stat().st_size
    with full_at(size + 100), pytest.raises(OSError, match="too large"):
        segments.write(BLOCK, Span(1, 1))
    assert first.stat().st_size == size, "half a block would hide what follows it in an incident"
    with full_at(10), pytest.raises(OSError, match="too large"):
        segments.begin({"digest": "d", "session": 7}, "{}", (BASE + 60) * 1_000_000_000)
    assert segments.segments() == [first]
    with full_at(10), pytest.raises(OSError, match="too large"):
        segments.freeze(note_of(), 0.0, most=2)
    assert not list((tmp_path / "tape/incidents").iterdir()), "nor half an incident"


def test_what_was_left_half_made_is_cleared(tmp_path: Path) -> None:
    fill(tmp_path, "d").end()
    for name in ("incidents/.x.tape.1", "programs/.d.program.1"):
        (tmp_path / "tape" / name).write_bytes(b"half")
    Segments(tmp_path)
    assert sorted(path.name for path in (tmp_path / "tape").rglob(".*")) == []


def test_an_incident_has_the_programs_of_all_its_segments_and_is_not_the_one_removed(tmp_path: Path) -> None:
    segments = fill(tmp_path, "b", "a", "a")
    kept = [segments.freeze(note_of(second=s, digest="a"), 0.0, most=2) for s in (300, 360, 0)]
    assert not kept[0].exists() and kept[1].exists() and kept[2].exists(), "a clock that was set back"
    blocks = [block.kind for block in TapeFile(kept[2]).blocks()]
    assert blocks.count(PROGRAM) == 2 and blocks.count(DATA) == 3
    segments.end()


def test_a_segment_that_a_power_cut_ended_hides_nothing_of_an_incident(tmp_path: Path) -> None:
    segments = fill(tmp_path, *"ddd")
    os.truncate(segments.segments()[1], 1000)
    kept = TapeFile(segments.freeze(note_of(second=300), 0.0, most=2))
    assert [block.span.first for block in kept.blocks() if block.kind == DATA] == [0, 2] and not kept.cut
    segments.end()


def test_a_program_that_no_segment_is_of_goes_when_it_is_old(tmp_path: Path) -> None:
    segments = fill(tmp_path, "a", "b", "c")
    segments.segments()[0].unlink()
    for digest in "ab":
        os.utime(tmp_path / f"tape/programs/{digest}.program", (1.0, 1.0))
    segments.trim(1000.0, 10**10)
    assert sorted(path.stem for path in (tmp_path / "tape/programs").iterdir()) == ["b", "c"]
    segments.end()


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A recorder whose thread does nothing: the test looks."""
    monkeypatch.setattr(Recorder, "_work", lambda self: None)
    monkeypatch.setattr(server, "AGAIN_S", 0.0)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    found = Recorder(order_of(Bench(run_dir, real_site()), tmp_path), RecorderSettings(after=0.0, before=0.05))
    yield found
    asyncio.run(found.close())


def incidents(recorder: Recorder) -> list[str]:
    return sorted(path.name.partition("-")[2] for path in (recorder.segments.folder / "incidents").glob("*.tape"))


def test_another_trip_after_a_frozen_one_has_a_file_and_the_same_has_none_so_soon(recorder: Recorder) -> None:
    for why in ("one", "two", "one"):
        recorder._tripped(why, 1, BASE * 1_000_000_000)
        if recorder._trip is not None:
            recorder._freeze()
    assert incidents(recorder) == ["one.tape", "two.tape"] and recorder.incidents == 2
    time.sleep(0.06)
    recorder._tripped("one", 1, BASE * 1_000_000_000)
    assert recorder._trip is not None, "later it has"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The recorder's clock, which the test sets."""
    now = [1000.0]
    monkeypatch.setattr(server, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_an_incident_without_room_waits_and_neither_the_tape_nor_another_trip_waits_with_it(
    recorder: Recorder, clock: list[float]
) -> None:
    recorder.segments.begin({"digest": "d", "session": 7}, "{}", BASE * 1_000_000_000)
    recorder._is_open, segment = True, recorder.segments.path
    for why in ("one", "two"):
        recorder._tripped(why, 1, BASE * 1_000_000_000)
        assert recorder._trip is not None, "the one before is no hindrance"
        with capture_logs() as said, full_at(10):
            recorder._freeze()
        assert [one["event"] for one in said] == ["an incident file cannot be written"]
    assert recorder._is_open and recorder.segments.path == segment, "the tape goes on"
    assert incidents(recorder) == [] and recorder.counters()["failed"] == 2
    clock[0] += 2 * server.FREEZE_AGAIN_S
    recorder.look()
    assert incidents(recorder) == ["one.tape", "two.tape"] and recorder.incidents == 2


def test_a_disk_without_room_for_an_incident_is_asked_ever_more_rarely(
    recorder: Recorder, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def freeze(*_: object) -> Path:
        asked.append(clock[0])
        raise OSError("no space left")

    monkeypatch.setattr(recorder.segments, "freeze", freeze)
    recorder._tripped("one", 1, BASE * 1_000_000_000)
    recorder._freeze()
    for _ in range(3600):
        clock[0] += 1.0
        recorder.look()
    assert [int(after - before) for before, after in itertools.pairwise(asked)] == [30, 60, 120, 240, 480, 600, 600, 600, 600]


def test_a_full_disk_is_trimmed_and_counted(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed: list[float] = []

    def trim(keep: float, size: int) -> int:
        trimmed.append(keep)
        raise OSError("still full")

    monkeypatch.setattr(recorder.segments, "trim", trim)
    recorder._say_broken(OSError("full"))
    assert trimmed and recorder.counters()["failed"] == 1


def test_a_program_that_an_online_change_makes_safe_is_a_trip(recorder: Recorder) -> None:
    recorder._notice(7, RUNNING, 0)
    recorder._turn_to(replace(recorder._order, settings={}))
    recorder._notice(8, SAFE, BASE * 1_000_000_000)
    assert recorder._trip is not None and recorder._trip["why"] == "plc.state safe"


def test_a_change_that_cannot_be_followed_yet_is_tried_again(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tried: list[object] = []

    def turn_to(order: object) -> None:
        tried.append(order)
        if len(tried) == 1:
            raise OSError("no space")
        recorder._order = order  # type: ignore[assignment]
        recorder._stop.set()

    monkeypatch.setattr(server, "AGAIN_S", 0.0)
    monkeypatch.setattr(recorder, "_turn_to", turn_to)
    order = replace(recorder._order, settings={})
    asyncio.run(recorder.follow(order))
    recorder._work()
    assert tried == [order, order]
