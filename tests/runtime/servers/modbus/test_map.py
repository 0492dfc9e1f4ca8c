"""The register map: what an engineer may write, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.fieldbus import drivers
from runtime.language import load_site
from runtime.language.loader import read_yaml
from runtime.model import Tag
from runtime.servers.describe import describe_servers
from runtime.servers.modbus.layout import lay_out, show
from runtime.servers.modbus.map import Entry, describe_map
from runtime.source import Report
from tests.aids.servers_scan import TAGS

ROOT = Path(__file__).parents[4]


def read(text: str, tags: tuple[Tag, ...] = TAGS) -> tuple[tuple[Entry, ...], Report]:
    report = Report()
    section = read_yaml("io_maps/scada.yaml", text, report)
    assert section is not None, report.problems
    return describe_map(section, tags, report), report


def test_a_line_says_table_address_format_word_order_scale_and_what_bad_looks_like() -> None:
    entries, report = read("bms.soc: {register: input 30, as: int32, words: little, scale: 0.01, bad: nan}")
    assert not report.problems
    (entry,) = entries
    assert (entry.tag.name, entry.table, entry.address, entry.format) == ("bms.soc", "input", 30, "int32")
    assert entry.little and entry.scale == 0.01 and entry.nan_when_bad and not entry.writable
    assert entry.end == 32


@pytest.mark.parametrize(
    ("tag", "format", "width"),
    [
        ("bms.soc", "float32", 2),
        ("bms.cycles", "int32", 2),
        ("grid.energy", "int64", 4),
        ("bms.ok", "uint16", 1),
    ],
)
def test_the_format_follows_the_tags_type_where_the_map_does_not_say(tag: str, format: str, width: int) -> None:
    entries, _ = read(f"{tag}: input 4")
    assert (entries[0].format, entries[0].width) == (format, width)


def test_floats_show_nan_when_bad_and_integers_their_value() -> None:
    entries, _ = read("bms.soc: input 0\nbms.cycles: input 2\n")
    assert [entry.nan_when_bad for entry in entries] == [True, False]


def test_an_array_takes_its_elements_in_a_row_and_one_element_can_be_named() -> None:
    entries, report = read('bms.cell_v: {register: input 0, as: uint16, scale: 0.001}\n"bms.cell_v[8]": input 100\n')
    assert not report.problems
    assert (entries[0].count, entries[0].end) == (8, 8)
    assert (entries[1].element, entries[1].count) == (7, 1)


def test_quality_is_a_number_and_good_a_bit() -> None:
    entries, report = read("bms.soc.quality: input 0\nbms.ok.quality: {register: input 1, as: uint32}\nbms.soc.good: discrete 3\n")
    assert not report.problems
    assert [(e.part, e.format) for e in entries] == [("quality", "uint16"), ("quality", "uint32"), ("good", "bool")]


def test_a_list_puts_a_tag_at_several_places() -> None:
    entries, report = read("hmi.p_set: [input 0, {register: holding 0, as: int16, scale: 0.1}]")
    assert not report.problems
    assert [(e.table, e.format, e.writable) for e in entries] == [("input", "float32", False), ("holding", "int16", True)]


def test_names_are_compared_without_case() -> None:
    assert read("BMS.Soc: input 0")[0][0].tag.name == "bms.soc"


MISTAKES = [
    ("bms.sok: input 0", "E101", "bms.sok", 1),
    ("bms.soc: input", "E911", "place", 10),
    ("bms.soc: {as: int16}", "E911", "missing", 1),
    ("bms.soc: inputs 4", "E911", "inputs", 10),
    ("bms.soc: input 65536", "E913", "65536", 10),
    ("bms.soc: input 65535", "E913", "65536", 10),
    ("bms.soc: {register: input 0, az: int16}", "E912", "az", 30),
    ("bms.soc: {register: input 0, as: int17}", "E915", "int17", 34),
    ("bms.soc: coil 0", "E915", "BOOL", 1),
    ("bms.soc.good: input 0", "E915", "bit", 1),
    ("bms.soc: {register: input 0, words: swapped}", "E916", "swapped", 37),
    ("bms.soc: {register: input 0, scale: 0}", "E917", "scale: 0", 37),
    ("bms.soc: {register: input 0, scale: nan}", "E917", "nan", 37),
    ("bms.ok: {register: input 0, scale: 2}", "E917", "bms.ok", 36),
    ("bms.soc: holding 0", "E918", "nobody may write", 1),
    ("bms.ok: coil 0", "E918", "nobody may write", 1),
    ("'bms.cell_v[9]': input 0", "E208", "element 9", 1),
    ("'bms.cell_v[0]': input 0", "E208", "element 0", 1),
    ("'bms.soc[1]': input 0", "E208", "element 1", 1),
    ("bms.soc: [1]", "E911", "place", 11),
]


@pytest.mark.parametrize(("text", "code", "says", "column"), MISTAKES)
def test_a_mistake_is_found_where_it_stands(text: str, code: str, says: str, column: int) -> None:
    entries, report = read(text)
    problem = report.errors[0]
    assert (problem.code, problem.at.line, problem.at.column) == (code, 1, column)
    assert says in problem.message
    if code != "E916" and code != "E912":
        assert not entries


def test_a_misspelt_tag_names_the_nearest() -> None:
    assert "bms.current" in read("bms.curent: input 0")[1].errors[0].hint


def test_an_overlap_names_the_other_place() -> None:
    _, report = read("bms.soc: input 0\nbms.current: input 1\n")
    (problem,) = report.errors
    assert (problem.code, problem.at.line) == ("E919", 2)
    assert "io_maps/scada.yaml:1" in problem.help[0] and "2 is free" in problem.help[0]


def test_a_long_entry_overlaps_all_that_it_covers() -> None:
    _, report = read("bms.cell_v: input 0\nbms.soc: input 4\nbms.current: input 10\ngrid.energy: input 16\n")
    assert [(p.code, p.at.line) for p in report.errors] == [("E919", 2), ("E919", 3)]


def test_the_same_address_in_two_tables_is_no_overlap() -> None:
    assert not read("bms.soc: input 0\nhmi.p_set: holding 0\nbms.ok: discrete 0\nhmi.enable: coil 0\n")[1].problems


def test_a_read_only_tag_may_stand_in_holding_registers_where_the_map_says_so() -> None:
    entries, report = read("bms.soc: {register: holding 0, write: false}")
    assert not report.problems and not entries[0].writable


def test_a_range_that_does_not_fit_the_number_is_a_warning() -> None:
    _, report = read("bms.current: {register: input 0, as: int16, scale: 0.01}")  # +-1000 A are +-100,000 counts
    (problem,) = report.problems
    assert (problem.code, problem.severity) == ("W920", "warning")
    assert not read("bms.current: {register: input 0, as: int16, scale: 0.1}")[1].problems


def test_all_mistakes_are_told_in_one_go() -> None:
    assert len(read("bms.sok: input 0\nbms.soc: inputs 1\nbms.ok: coil 3\n")[1].errors) == 3


def test_the_automatic_map_follows_the_names_and_can_be_read_back() -> None:
    entries = lay_out(TAGS)
    inputs = [e for e in entries if e.table == "input" and e.part == "value"]
    assert [e.tag.name for e in inputs] == sorted(t.name for t in TAGS if t.type != "BOOL")
    assert [e.tag.name for e in entries if e.table == "coil"] == ["hmi.enable"]
    holding = [e.tag.name for e in entries if e.table == "holding"]
    assert holding == ["hmi.count", "hmi.delay", "hmi.limit", "hmi.p_set", "hmi.steps"]
    assert lay_out(reversed(TAGS)) == entries
    again, report = read(show(entries))
    assert not report.problems
    assert {(e.name, e.table, e.address, e.format, e.writable) for e in again} == {
        (e.name, e.table, e.address, e.format, e.writable) for e in entries
    }


def test_a_printed_map_keeps_every_option() -> None:
    text = (
        "bms.soc: {register: input 0, as: int32, words: little, scale: 0.01, bad: nan}\n"
        "hmi.p_set: {register: holding 0, as: float32, bad: value, write: false}\n"
    )
    assert show(read(text)[0]) == text


def test_the_demo_sites_servers_have_no_mistake() -> None:
    site, _ = load_site(ROOT / "config/site.yaml", drivers())
    report = Report()
    describe_servers(site.servers, site.schedule.tags, ROOT, report)
    assert not report.problems
    assert site.servers["modbus"]["map"] == "io_maps/scada.yaml"
