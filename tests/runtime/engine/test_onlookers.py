"""Recorder, tracers, and services that come and go: none of them costs the scan its descriptors or its life."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.engine import image
from runtime.engine.image import HEADER, WORD_PID, ImageError, Shared
from runtime.engine.plan import C_TAPE
from runtime.engine.tape import W_TAKEN
from runtime.engine.tape_read import TapeReader, records
from runtime.engine.tape_words import A_SCAN, R_SCAN, REQUEST_FILE
from runtime.engine.trace import C_TRACES, QUESTION_BYTES, TRACERS, question_file, ring_file
from runtime.engine.trace_view import Trace, TracerBusyError, channels_of
from tests.aids.engine import GENERATION, Bench
from tests.aids.recorded import first_picture
from tests.aids.site_text import load

PROGRAM = "blocks: {count: {type: ADD, A: last count.OUT, B: 1}}\noutputs: {x.count: count.OUT}\n"
TAGS = "x.count: {type: LREAL}\nhmi.p: {type: LREAL, default: 1, write: operator}\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, load(PROGRAM, TAGS))


def traced(bench: Bench) -> Trace:
    s = bench.schedule
    trace = Trace(bench.folder, "cli", GENERATION, channels_of("x.count", s.tags, s.region, s.pins))
    bench.plc.attach()
    return trace


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def question_of(folder: Path, size: int = QUESTION_BYTES) -> Any:
    """A tracer's file that says it is ready, and nothing that makes sense."""
    found = Shared.create(folder / question_file("cli"), size, GENERATION)
    found.memory[HEADER:][:8] = 1
    return found


def test_rings_and_requests_that_were_replaced_are_let_go(bench: Bench) -> None:
    def come_and_go() -> None:
        ring, reader, trace = bench.commands("cli"), TapeReader(bench.folder, GENERATION), traced(bench)
        bench.restart_fieldbus()
        bench.scan(3)
        ring.close()
        reader.close()
        trace.close()
        bench.plc.attach()

    come_and_go()
    come_and_go()
    before = open_files()
    for _ in range(100):
        come_and_go()
    assert open_files() <= before + 8


def test_a_ring_that_was_replaced_stays_mapped_while_a_scan_may_read_it(bench: Bench) -> None:
    bench.commands("cli")
    bench.scan()
    bench.commands("cli")
    assert len(bench.plc._retired) == 1
    bench.scan()
    bench.plc.attach()
    assert len(bench.plc._retired) == 1
    bench.scan()
    bench.plc.attach()
    assert bench.plc._retired == []


def test_a_file_that_cannot_be_mapped_is_as_one_that_is_not_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: Any, **__: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    ring = bench.commands("cli")
    with monkeypatch.context() as patch:
        patch.setattr(image.mmap, "mmap", no_more)
        with pytest.raises(ImageError, match="Too many open files"):
            Shared.attach(ring.shared.path, GENERATION)


def test_a_full_disk_costs_tape_and_trace_and_never_the_scan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reader, trace = TapeReader(bench.folder, GENERATION), Trace(bench.folder, "cli", GENERATION, [_channel(bench)])

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Shared, "create", full)
        for _ in range(3):
            bench.plc.attach()
            bench.scan()
    control = bench.plc.plan.control
    assert (control[C_TAPE], *control[C_TRACES : C_TRACES + len(TRACERS)]) == (0, 0, 0) and bench.value("x.count") == 3.0
    said = capfd.readouterr().err
    assert said.count("goes on without the recorder") == said.count("goes on without the tracer cli") == 1
    bench.plc.attach()
    bench.scan()
    assert len(reader.take()) and len(trace.read()) == 1, "there is room again"


def _channel(bench: Bench) -> Any:
    return channels_of("x.count", bench.schedule.tags, bench.schedule.region, bench.schedule.pins)[0]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(image.os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        Shared.create(tmp_path / "ring", 64, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [HEADER, HEADER + 3, HEADER + QUESTION_BYTES + 3])
def test_files_of_a_strange_length_are_not_read_past_their_end(bench: Bench, length: int) -> None:
    for path in (question_of(bench.folder).path, Shared.create(bench.folder / REQUEST_FILE, 64, GENERATION).path):
        words = np.fromfile(path, np.uint8)[:length]
        words = np.concatenate([words, np.zeros(length - len(words), np.uint8)])
        words[:HEADER].view(np.int64)[4] = length  # WORD_SIZE
        words.tofile(path)
    bench.plc.attach()
    bench.scan(2)
    assert bench.plc.plan.control[C_TRACES] == 0 and bench.value("x.count") == 2.0
    assert (bench.plc.plan.control[C_TAPE] != 0) == (length >= HEADER + 8)


@pytest.mark.parametrize("pid", [1 << 40, -1, 0, 4_194_304])
def test_the_question_of_a_tracer_that_is_no_process_is_taken_away(bench: Bench, pid: int) -> None:
    question = question_of(bench.folder)
    question.words[WORD_PID] = pid
    bench.plc.attach()
    bench.scan()
    assert bench.plc.plan.control[C_TRACES] == 0 and not question.path.exists()


def test_a_second_tracer_of_the_same_name_is_refused_until_the_first_is_done(bench: Bench) -> None:
    trace = traced(bench)
    with pytest.raises(TracerBusyError, match="another trace runs already"):
        traced(bench)
    bench.scan()
    assert len(trace.read()) == 1
    trace.close()
    traced(bench).close()


def test_the_files_of_tape_and_traces_go_with_the_scan(bench: Bench) -> None:
    TapeReader(bench.folder, GENERATION)
    traced(bench)
    assert (bench.folder / ring_file("cli")).exists()
    bench.plc.remove()
    assert not (bench.folder / ring_file("cli")).exists()


def test_a_recorder_that_follows_another_reads_from_now_on_and_begins_with_a_picture(bench: Bench) -> None:
    first = TapeReader(bench.folder, GENERATION)
    bench.plc.attach()
    bench.scan(10)
    assert _scans(first.take()) == list(range(1, 11))
    second = TapeReader(bench.folder, GENERATION)
    bench.scan(2)
    assert _scans(second.take()) == [], "those are the first one's"
    bench.plc.attach()
    bench.scan(5)
    words = second.take()
    assert _scans(words) == list(range(13, 18)) and first_picture(words) is not None


def test_a_recorder_that_follows_without_a_gap_loses_no_command(bench: Bench) -> None:
    TapeReader(bench.folder, GENERATION)
    bench.plc.attach()
    bench.scan()
    bench.plc.tape._table[W_TAKEN] = 1  # a scan is under way
    TapeReader(bench.folder, GENERATION)
    bench.plc.attach()
    assert bench.plc.tape._table[W_TAKEN] == 1


def _scans(words: np.ndarray) -> list[int]:
    return [int(words[at + R_SCAN]) for at, kind in records(words) if kind == A_SCAN]
