"""The automatic register map: nothing overlaps, and no tag that stays ever moves, whatever comes and goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.model import Tag
from runtime.servers.modbus.check import load_map
from runtime.servers.modbus.layout import lay_out
from runtime.servers.modbus.map import Entry, overlaps
from runtime.servers.modbus.map_common import Common
from runtime.servers.modbus.openplc import lay_out_as_openplc
from runtime.servers.modbus.places import FILE, Places, Shelf, read_places
from runtime.servers.modbus.settings import ModbusSettings
from runtime.source import Report
from tests.aids.servers_scan import TAGS

TYPES = ("BOOL", "DINT", "LINT", "TIME", "LREAL")


def tag(name: str, type: str = "LREAL", length: int = 0, kind: str = "input", write: str = "", **more: object) -> Tag:
    return Tag(name, type, length, 0, 0, kind, write=write, **more)  # type: ignore[arg-type]


def indexed(tags: list[Tag]) -> list[Tag]:
    return [replace(one, index=n) for n, one in enumerate(tags)]


def places_of(entries: tuple[Entry, ...]) -> dict[tuple[str, str, str, str, int], int]:
    return {(e.tag.name, e.tag.type, e.part, e.table, e.tag.length): e.address for e in entries}


some_tags = st.lists(
    st.builds(
        tag,
        st.sampled_from([f"a.t{n}" for n in range(12)]),
        st.sampled_from(TYPES),
        st.sampled_from([0, 0, 0, 1, 4, 200, 700]),
        st.sampled_from(["input", "output", "memory", "system"]),
        st.sampled_from(["", "operator"]),
        minimum=st.sampled_from([None, 0.0, -1e6]),
        maximum=st.sampled_from([None, 100.0, 1e6]),
    ),
    max_size=12,
    unique_by=lambda one: one.name,
).map(indexed)


def standing(entries: tuple[Entry, ...]) -> dict[tuple[object, ...], int]:
    """Addresses of what SCADA would take for the same: tag, type, direction, who may write, and the number format."""
    return {(e.tag.name, e.tag.type, e.tag.length, e.tag.kind, e.tag.write, e.part, e.table, e.format): e.address for e in entries}


@settings(max_examples=150, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(st.lists(some_tags, min_size=1, max_size=6), st.sampled_from([lay_out, lay_out_as_openplc]), st.booleans())
def test_whatever_comes_and_goes_nothing_overlaps_and_what_stays_stays(history: list[list[Tag]], lay: object, bits: bool) -> None:
    places, before = Places(), dict[tuple[object, ...], int]()
    common = Common(qualities=("discrete", 40000)) if bits else Common()
    for tags in history:
        entries = lay(tags, places, common)  # type: ignore[operator]
        assert not overlaps(entries)
        assert all(0 <= entry.address and entry.end <= 65536 for entry in entries)
        now = standing(entries)
        assert {key: now[key] for key in now.keys() & before.keys()} == {key: before[key] for key in now.keys() & before.keys()}
        before = now


def test_without_a_past_it_follows_the_names_whatever_their_order() -> None:
    assert lay_out(reversed(TAGS)) == lay_out(TAGS)
    numbers = [e.tag.name for e in lay_out(TAGS) if e.table == "input" and e.part == "value"]
    assert numbers == sorted(one.name for one in TAGS if one.type != "BOOL")


def test_a_new_tag_goes_to_the_end_though_its_name_comes_first() -> None:
    places = Places()
    first = places_of(lay_out(TAGS, places))
    second = places_of(lay_out([*TAGS, tag("aaa.first")], places))
    end = max(e.end for e in lay_out(TAGS) if e.table == "input" and e.part == "value")
    assert second["aaa.first", "LREAL", "value", "input", 0] == end
    assert {key: second[key] for key in first} == first


def test_a_tag_that_went_leaves_a_hole_and_finds_it_again() -> None:
    places = Places()
    whole = places_of(lay_out(TAGS, places))
    without = [one for one in TAGS if one.name != "bms.current"]
    assert places_of(lay_out([*without, tag("new.tag")], places))["new.tag", "LREAL", "value", "input", 0] > 0
    assert {k: v for k, v in places_of(lay_out(TAGS, places)).items() if k in whole} == whole


def test_a_tag_of_another_type_is_another_tag() -> None:
    places = Places()
    lay_out([tag("a.a", "DINT"), tag("a.b", "DINT")], places)
    entries = lay_out([tag("a.a", "LREAL"), tag("a.b", "DINT")], places)
    assert [(e.tag.name, e.address) for e in entries if e.part == "value"] == [("a.b", 2), ("a.a", 4)]


def test_only_a_full_shelf_gives_a_hole_to_another() -> None:
    places, shelf = Places(), Shelf("input", 0, 10)
    assert places.allot(shelf, [("a", 4), ("b", 4)]) == {"a": 0, "b": 4}
    assert places.allot(shelf, [("b", 4), ("c", 2)]) == {"b": 4, "c": 8}
    assert places.allot(shelf, [("b", 4), ("c", 2), ("d", 3)]) == {"b": 4, "c": 8, "d": 0}
    assert places.allot(shelf, [("a", 4), ("b", 4), ("c", 2), ("d", 3)]) == {"b": 4, "c": 8, "d": 0}, "a has lost its place to d"


def test_the_servers_own_registers_are_left_free() -> None:
    places, shelf = Places(), Shelf("input", 0, 100)
    assert places.allot(shelf, [("a", 4), ("b", 4)], [(5, 6)]) == {"a": 0, "b": 6}


def load(folder: Path, tags: tuple[Tag, ...] = TAGS, *, keep: bool = True, **words: object) -> tuple[tuple[Entry, ...], Report]:
    report = Report()
    return load_map(ModbusSettings(**words), folder, tags, report, state_dir=str(folder), keep=keep), report  # type: ignore[arg-type]


def test_the_addresses_outlive_the_server(tmp_path: Path) -> None:
    first, _ = load(tmp_path)
    more = (*TAGS, tag("aaa.first"))
    assert places_of(first).items() <= places_of(load(tmp_path, more)[0]).items()
    assert load(tmp_path, more, keep=False)[0] == load(tmp_path, more)[0]


def test_who_only_looks_writes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, keep=False)[0] == load(tmp_path, keep=False)[0] == lay_out(TAGS)
    assert not (tmp_path / FILE).exists()


def test_both_layouts_share_the_file_without_touching_each_other(tmp_path: Path) -> None:
    automatic, _ = load(tmp_path)
    openplc, _ = load(tmp_path, map="openplc")
    assert automatic != openplc
    assert load(tmp_path)[0] == automatic and load(tmp_path, map="openplc")[0] == openplc


BROKEN = [
    "",
    "{",
    "[]",
    '{"format": 2, "shelves": {}}',
    '{"format": 1}',
    '{"format": 1, "shelves": {"input": []}}',
    '{"format": 1, "shelves": {"input": {"a LREAL": [2, 0]}}}',
    '{"format": 1, "shelves": {"input": {"a LREAL": [0, 65537]}}}',
    '{"format": 1, "shelves": {"input": {"a LREAL": [true, 2]}}}',
    '{"format": 1, "shelves": {"input": {"a LREAL": [0, 2], "b LREAL": [1, 3]}}}',
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_an_error_and_never_other_addresses(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    entries, report = load(tmp_path)
    assert not entries
    (problem,) = report.errors
    assert problem.code == "E946" and str(tmp_path / FILE) == problem.at.file and "backup" in problem.help[0]
    assert (tmp_path / FILE).read_text() == text


def test_a_file_that_an_editor_saved_in_another_encoding_is_still_read_and_written(tmp_path: Path) -> None:
    first, _ = load(tmp_path)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_text().encode("utf-16"))
    again, report = load(tmp_path)
    assert again == first and not report.problems
    assert read_places(tmp_path / FILE).shelves


def test_two_processes_that_write_at_once_leave_a_whole_file_that_moves_no_tag_of_both(tmp_path: Path) -> None:
    first, _ = load(tmp_path)
    code = "import sys; from pathlib import Path; from tests.runtime.servers.modbus.test_layout import load, tag, TAGS; "
    code += "[load(Path(sys.argv[1]), (*TAGS, *(tag(f'z.{sys.argv[2]}{n}') for n in range(k)))) for k in range(40)]"
    root = Path(__file__).parents[4]
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), who], cwd=root) for who in "ab"]
    while any(one.poll() is None for one in both):
        read_places(tmp_path / FILE)
    assert [one.wait(30) for one in both] == [0, 0]
    assert places_of(first).items() <= places_of(load(tmp_path)[0]).items()
    assert not list(tmp_path.glob(".*"))


def test_the_file_is_written_whole_and_only_where_it_changes(tmp_path: Path) -> None:
    load(tmp_path)
    before = (tmp_path / FILE).stat()
    load(tmp_path)
    assert (tmp_path / FILE).stat().st_mtime_ns == before.st_mtime_ns and (tmp_path / FILE).stat().st_ino == before.st_ino
    assert json.loads((tmp_path / FILE).read_text())["format"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert read_places(tmp_path / FILE).shelves["coil"] == {"hmi.enable BOOL": (0, 1)}


def test_a_disk_that_takes_nothing_does_not_stop_the_server_but_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f".{FILE}.{os.getpid()}").mkdir()  # where it would be written aside; root may write everywhere else
    entries, report = load(tmp_path)
    assert entries and not report.errors
    assert "not kept" in capsys.readouterr().out


def test_a_heartbeat_that_comes_later_moves_no_tag_but_is_refused_where_one_stands(tmp_path: Path) -> None:
    load(tmp_path)
    _, report = load(tmp_path, heartbeat="input 2")
    (problem,) = report.errors
    assert problem.code == "E919" and "is free next" in problem.help[0]
    assert not load(tmp_path, heartbeat="input 40000")[1].problems


def test_what_finds_no_room_is_told(tmp_path: Path) -> None:
    entries, report = load(tmp_path, tuple(indexed([tag("a.big", "LINT", 20000), tag("b.small")])))
    assert [e.tag.name for e in entries if e.part == "value"] == ["b.small"]
    (problem,) = report.problems
    assert (problem.code, problem.severity) == ("W945", "warning") and "a.big" in problem.message


def test_quality_bits_keep_their_places_as_well() -> None:
    places, common = Places(), Common(qualities=("discrete", 10000))
    first = {e.tag.name: e.address for e in lay_out(TAGS, places, common) if e.part == "good"}
    assert sorted(first.values()) == list(range(10000, 10000 + len(TAGS)))
    tags = indexed([*TAGS[3:], tag("aaa.first")])
    second = {e.tag.name: e.address for e in lay_out(tags, places, common) if e.part == "good"}
    assert {name: second[name] for name in second if name in first} == {name: first[name] for name in second if name in first}
    assert second["aaa.first"] == 10000 + len(TAGS)
