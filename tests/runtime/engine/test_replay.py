"""A taped run is run again bit for bit; a tape that was cut is good up to the cut; an edited program shows what it had done."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.engine import tape_attach, tape_program
from runtime.engine.force_list import Note, put_force, put_unforce
from runtime.engine.plan import C_TAPE
from runtime.engine.replay_cells import cells_like
from runtime.engine.replay_diff import CHUNK, compare
from runtime.engine.replay_run import TapeRun
from runtime.engine.tape_file import TapeFile
from runtime.engine.tape_program import ProgramError, from_text
from runtime.engine.tape_read import records
from runtime.engine.tape_words import A_PICTURE, R_CHANGES, R_SCAN
from runtime.replay_view import Question, answer, as_text
from tests.aids.engine import Bench
from tests.aids.recorded import DemoBench, TapedBench, demo, first_picture, first_scan_of
from tests.aids.site_text import load_all
from tests.runtime.engine.test_determinism import play, real_site

LIMIT = ("programs/protection.yaml", "bms.t_cell_max < 55 °C", "bms.t_cell_max < 80 °C")


@dataclass(frozen=True)
class Night:
    """A taped run with everything in it, its tape as a file, and the bench at its end."""

    bench: TapedBench
    path: Path


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    bench = TapedBench(folder, real_site())
    for number, _ in enumerate(play(bench, 7, 600)):
        if number in (200, 450):
            bench.reader.ask()
    return Night(bench, bench.tape(folder / "night.tape"))


def test_a_taped_night_is_run_again_bit_for_bit(night: Night) -> None:
    run = TapeRun([night.path])
    scans = np.concatenate([rows.scans for rows in run.rows()])
    assert scans.tolist() == list(range(2, 601)), "all but the first, after which the first picture was made"
    assert run.facts.pictures == 2
    assert run.facts.is_equal and not run.facts.gaps


def test_at_the_end_all_memory_is_the_same(night: Night) -> None:
    run = TapeRun([night.path])
    for _ in run.rows():
        continue
    assert run._player is not None
    assert np.array_equal(run._player.plan.memory, night.bench.plc.plan.memory), "timing tags too"


def test_any_tag_and_pin_is_known_in_any_scan(night: Night) -> None:
    run = TapeRun([night.path])
    seen = [rows.cells[0].value(int(bits)) for rows in run.rows(lambda s: cells_like(s, "x.closes")) for bits in rows.bits[:, 0]]
    assert seen == sorted(seen) and seen[-1] == night.bench.value("x.closes") > 5
    assert [cell.name for cell in cells_like(night.bench.schedule, "BMS.cell")] == [f"bms.cell[{i}]" for i in range(1, 6)]
    assert [cell.name for cell in cells_like(night.bench.schedule, "bms.cell[2]")] == ["bms.cell[2]"]
    assert [cell.name for cell in cells_like(night.bench.schedule, "control.ramp.OUT")] == ["control.ramp.OUT"]


def test_what_was_taken_in_otherwise_is_seen_at_once(night: Night, tmp_path: Path) -> None:
    """One reading of the tape is another: outputs or memory say so, and the two runs differ from there on."""
    words = night.bench.words
    at = next(at for at, kind in records(words) if kind != A_PICTURE and words[at + R_SCAN] == 300 and words[at])
    following = next(a for a, k in records(words) if a >= at and k != A_PICTURE and words[a + 24] > 2)
    words[following + int(words[following]) - 1] ^= 1 << 51  # its last value
    bench = night.bench
    bench_parts, bench._parts = bench._parts, [words]
    try:
        forged = bench.tape(tmp_path / "forged.tape")
    finally:
        bench._parts = bench_parts
    run = TapeRun([forged])
    for _ in run.rows():
        continue
    assert not run.facts.is_equal
    compared = compare(TapeRun([night.path], chunk=CHUNK), TapeRun([forged], chunk=CHUNK), same_tape=True)
    assert compared.first is not None and compared.first.scan == int(words[following + R_SCAN])


def tape_of(night: Night, path: Path, *segments: np.ndarray) -> Path:
    """A tape of these words, a block each."""
    kept, night.bench._parts = night.bench._parts, list(segments)
    try:
        return night.bench.tape(path)
    finally:
        night.bench._parts = kept


def test_a_hole_between_segments_is_named(night: Night, tmp_path: Path) -> None:
    """The second segment begins with its picture, so that no scan jumps."""
    words = night.bench.words
    picture = [at for at, kind in records(words) if kind == A_PICTURE][-1]
    at = next(at for at, kind in records(words) if words[at + R_SCAN] == 300)
    first = TapeRun([tape_of(night, tmp_path / "a.tape", words[:at])])
    assert max(int(rows.scans[-1]) for rows in first.rows()) == 299 and not first.facts.gaps
    asked = (tmp_path / "a.tape", tape_of(night, tmp_path / "b.tape", words[picture:]))
    found, scan = answer(Question(asked)), int(words[picture + R_SCAN])
    assert found["gaps"] == [{"after": 299, "before": scan + 1}]
    assert f"gap: scans 300 to {scan:,} are not replayed" in as_text(found)
    later = next(at for at, kind in records(words) if words[at + R_SCAN] == 350)
    run = TapeRun([tape_of(night, tmp_path / "c.tape", np.concatenate([words[:at], words[later:]]))])
    assert sum(len(rows.scans) for rows in run.rows()) == 298 + 600 - scan
    assert run.facts.gaps == [(299, scan + 1)], "up to the picture, from which on it is known again"


def test_another_tape_that_differs_or_has_no_common_scan_is_no_success(night: Night, tmp_path: Path) -> None:
    words = night.bench.words
    picture = [at for at, kind in records(words) if kind == A_PICTURE][-1]
    at = next(at for at, kind in records(words) if words[at + R_SCAN] == 300)
    first = str(tape_of(night, tmp_path / "a.tape", words[:at]))
    second = str(tape_of(night, tmp_path / "b.tape", words[picture:]))
    forged = words.copy()
    changed = next(a for a, k in records(words) if a > picture and k != A_PICTURE and words[a + R_CHANGES] > 0)
    forged[changed + int(words[changed]) - 1] ^= 1 << 51
    other = str(tape_of(night, tmp_path / "c.tape", forged[picture:]))
    for one, diff, code, said in (
        (first, str(night.path), 0, "no difference in"),
        (first, second, 1, "nothing to compare: the two have no scan in common"),
        (second, other, 1, "first difference: scan"),
    ):
        done = CliRunner().invoke(app, ["replay", one, "--diff", diff])
        assert (done.exit_code, said in done.output) == (code, True), done.output


def test_a_tape_that_was_cut_anywhere_is_good_up_to_the_cut(night: Night, tmp_path: Path) -> None:
    whole, path = night.path.read_bytes(), tmp_path / "cut.tape"
    ends = [len(list(_blocks(whole[:n], path))) for n in _cuts(len(whole))]
    assert ends == sorted(ends)
    path.write_bytes(whole[:-3])
    run = TapeRun([path])
    scans = sum(len(rows.scans) for rows in run.rows())
    assert 400 <= scans < 599 and run.facts.is_equal
    assert "cut off" in run.facts.cuts[0]


def _cuts(size: int) -> list[int]:
    return sorted(random.Random(5).sample(range(size), 60))


def _blocks(data: bytes, path: Path) -> Iterator[object]:
    path.write_bytes(data)
    return TapeFile(path).blocks()


def test_a_damaged_block_ends_the_tape_and_is_said(night: Night, tmp_path: Path) -> None:
    data = bytearray(night.path.read_bytes())
    data[-200] ^= 0x10
    (tmp_path / "bad.tape").write_bytes(data)
    file = TapeFile(tmp_path / "bad.tape")
    assert len(list(file.blocks())) == len(list(TapeFile(night.path).blocks())) - 1
    assert "damaged (checksum)" in file.cut


def test_nobody_records_and_it_costs_a_word(tmp_path: Path) -> None:
    bench = Bench(tmp_path, real_site())
    bench.scan(3)
    assert bench.plc.plan.control[C_TAPE] == 0
    assert not (tmp_path / "scan.tape").exists()


def test_a_recorder_that_goes_ends_the_tape_and_one_that_comes_begins_with_a_picture(tmp_path: Path) -> None:
    bench = TapedBench(tmp_path, real_site())
    bench.scan(3)
    bench.reader.close()
    bench.plc.attach()
    assert bench.plc.plan.control[C_TAPE] == 0
    Bench.scan(bench, 5)
    again = type(bench.reader)(tmp_path, bench.reader._generation)
    bench.plc.attach()
    again.take()
    Bench.scan(bench, 2)
    words = again.take()
    at = first_picture(words)
    assert at is not None and words[at + R_SCAN] == 9


def test_a_recorder_that_is_lapped_notices_and_asks_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape_attach, "LEAST_WORDS", 1 << 10)
    bench = TapedBench(tmp_path, real_site())
    bench.scan(2)
    Bench.scan(bench, 2000)
    assert len(bench.reader.take()) == 0 and bench.reader.gaps == 1
    bench.scan(3)
    words = bench.reader._tape is not None and bench._parts[-3]
    at = first_picture(words)
    assert at is not None and words[at + R_SCAN] == 2003, "the next scan made it"


def test_a_program_survives_as_text_and_nothing_else_is_read() -> None:
    schedule = real_site().schedule
    again = from_text(tape_program.as_text(schedule))
    assert tape_program.as_text(again) == tape_program.as_text(schedule)
    assert again.tags == schedule.tags and again.pins == schedule.pins and again.tasks == schedule.tasks
    for text in ("{", "[1]", '{"is": "Popen"}', '{"is": "Schedule"}'):
        with pytest.raises(ProgramError):
            from_text(text)


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The demo's interlock is armed; then the cells warm up until it trips: the tape, and the scan."""
    folder = tmp_path_factory.mktemp("trip")
    bench = DemoBench(folder, demo(folder / "site"))
    ring = bench.commands("hmi")
    bench.pass_time(50)
    ring.write(bench.schedule.tag("hmi.reset"), True, "operator")
    bench.pass_time(80)
    assert bench.value("site.ready"), "armed"
    bench.reader.ask()
    while bench.value("site.ready"):
        bench.values["bms.t_cell_max"] += 0.25
        bench.pass_time(1)
    at = int(bench.value("plc.scan"))
    assert bench.value("site.first_permit") == 9
    bench.pass_time(100)
    bench.reader.ask()
    bench.pass_time(1)
    return bench.tape(folder / "trip.tape"), at


def ready_of(run: TapeRun) -> list[tuple[int, bool]]:
    """When `site.ready` changed, and to what."""
    found: list[tuple[int, bool]] = []
    for rows in run.rows(lambda s: cells_like(s, "site.ready")):
        for scan, bits in zip(rows.scans.tolist(), rows.bits[:, 0].tolist(), strict=True):
            if not found or found[-1][1] != bool(bits):
                found.append((scan, bool(bits)))
    return found


def test_the_replay_of_the_demo_trips_in_the_same_scan(trip: tuple[Path, int]) -> None:
    path, at = trip
    run = TapeRun([path])
    assert ready_of(run)[-1] == (at, False)
    assert run.facts.is_equal and run.facts.pictures == 2


def test_with_an_edited_limit_it_does_not_trip(trip: tuple[Path, int], tmp_path: Path) -> None:
    path, at = trip
    edited = demo(tmp_path / "edited", LIMIT).schedule
    assert [value for _, value in ready_of(TapeRun([path], edited))] == [False, True]
    compared = compare(TapeRun([path], chunk=CHUNK), TapeRun([path], edited, chunk=CHUNK), same_tape=True)
    assert [(was, says) for _, was, says in compared.edited] == [(55.0, 80.0)]
    assert compared.first is not None and compared.first.scan == at
    assert ("protection.ready.OK", False, True) in compared.first.cells


def test_a_program_that_is_edited_elsewhere_does_as_before(trip: tuple[Path, int], tmp_path: Path) -> None:
    """A comment and another text change nothing: inputs, commands and state are given by name."""
    edited = demo(tmp_path / "edited", ("programs/protection.yaml", "text: Cell too hot", "text: Too hot")).schedule
    compared = compare(TapeRun([trip[0]], chunk=CHUNK), TapeRun([trip[0]], edited, chunk=CHUNK), same_tape=True)
    assert compared.first is None and compared.scans > 200


SUM = "program: p\nblocks: {{add: {{type: ADD, A: plc.scan, B: {}}}}}\noutputs: {{x.sum: add.OUT}}\n"


def test_a_force_before_a_gap_holds_nothing_after_it_in_an_edited_program(tmp_path: Path) -> None:
    site = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags: {x.sum: {type: LINT}}\n"
    recorded, edited = (load_all({"config/site.yaml": site, "programs/p.yaml": SUM.format(add)}) for add in (1000, 2000))
    bench = TapedBench(tmp_path, recorded)
    ring, tag = bench.commands("hmi"), recorded.schedule.tag("x.sum")
    bench.scan(3)
    put_force(ring, tmp_path, tag, 40, Note("eva", "hmi", "a test", 0), "engineer")
    bench.scan(5)
    known = len(bench._parts)
    put_unforce(ring, tag, "engineer")
    bench.scan(5)
    del bench._parts[known:]  # what the recorder missed
    bench.reader.ask()
    bench.scan(3)
    run = TapeRun([bench.tape(tmp_path / "x.tape")], edited.schedule)
    seen = {scan: bits for rows in run.rows(lambda s: cells_like(s, "x.sum")) for scan, [bits] in zip(rows.scans, rows.bits)}
    assert run.facts.gaps and (seen[8], seen[16]) == (40, 2016)


def test_what_a_person_reads(trip: tuple[Path, int], tmp_path: Path) -> None:
    path, at = trip
    table = tmp_path / "trip.csv"
    found = answer(Question((path,), names=("site.first_permit", "protection.ready.OK"), csv=table))
    text = as_text(found)
    assert "bit for bit: all outputs of every replayed scan, and all memory at 2 pictures, are as recorded" in text
    assert first_scan_of(text, "alarm.cell_low_l") == 101, "its delay is a second"
    assert [(one["scan"], one["value"]) for one in found["shown"] if one["name"] == "site.first_permit"][-1] == (at, 9)
    lines = table.read_text().splitlines()
    assert lines[0] == "scan,time,site.first_permit,protection.ready.OK"
    assert lines[1 + at - 2].startswith(f"{at},") and lines[1 + at - 2].endswith(",9,False")
    assert len(lines) == 1 + found["scans"]
    edited = as_text(answer(Question((path,), demo(tmp_path / "edited", LIMIT).schedule)))
    assert "edited: protection.ready.PERMIT#lt.IN2 55 -> 80" in edited
    assert f"first difference: scan {at}, " in edited and "protection.ready.OK: false | true" in edited
    assert "an edited program: what it did is not what was recorded" in edited


def test_a_name_that_nothing_has_is_said_with_what_was_meant(trip: tuple[Path, int]) -> None:
    with pytest.raises(KeyError, match=r"site\.first_permit"):
        answer(Question((trip[0],), names=("site.frst_permit",)))


def test_a_noisy_measurement_does_not_hide_the_one_fall_of_the_interlock(trip: tuple[Path, int]) -> None:
    path, at = trip
    found = answer(Question((path,), names=("bms.t_cell_max", "protection.ready.OK"), limit=20))
    hot = [one["scan"] for one in found["shown"] if one["name"] == "bms.t_cell_max"]
    assert (len(hot), hot[-1]) == (10, at), "its share, the newest"
    assert (found["shown"][-1]["name"], found["shown"][-1]["scan"]) == ("protection.ready.OK", at)
    assert found["left_out"] > 50 and "which were earlier" in as_text(found)
