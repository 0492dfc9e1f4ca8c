"""The register map: what an engineer may write, and what each mistake is told."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from runtime.fieldbus import drivers
from runtime.language import load_site
from runtime.language.loader import read_yaml
from runtime.model import Tag
from runtime.servers.describe import describe_servers
from runtime.servers.modbus.layout import lay_out
from runtime.servers.modbus.listing import as_yaml
from runtime.servers.modbus.map import Entry
from runtime.servers.modbus.map_common import Common
from runtime.servers.modbus.map_words import describe_map
from runtime.source import NOWHERE, Report
from tests.aids.places import DEMO
from tests.aids.servers_scan import TAGS as ALL
from tests.aids.servers_scan import lay_out_region

TAGS = lay_out_region(ALL)[0]


def read(text: str, tags: tuple[Tag, ...] = TAGS, site: Common | None = None) -> tuple[tuple[Entry, ...], Report]:
    report = Report()
    section = read_yaml("io_maps/scada.yaml", text, report)
    assert section is not None, report.problems
    return describe_map(section, tags, report, site), report


def test_a_line_says_table_address_format_word_order_scale_and_what_bad_looks_like() -> None:
    entries, report = read("bms.soc: {register: input 30, as: int32, words: little, scale: 0.01, bad: nan}")
    assert not report.problems
    (entry,) = entries
    assert (entry.tag.name, entry.table, entry.address, entry.format) == ("bms.soc", "input", 30, "int32")
    assert entry.little and entry.scale == 0.01 and entry.bad == "nan" and not entry.writable
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
    assert [entry.bad for entry in entries] == ["nan", "value"]


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
    ("bms.ok: {register: discrete 0, bad: nan}", "E916", "one bit", 37),
    ("hmi.p_set: {register: holding 0, timeout: 5 s}", "E945", "no fallback", 43),
    ("hmi.p_set: {register: input 0, fallback: 0}", "E945", "no use", 42),
    ("hmi.p_set: {register: holding 0, write: false, fallback: 0}", "E945", "no use", 58),
    ("hmi.p_set: {register: holding 0, fallback: 501}", "E945", "-500 to 500", 44),
    ("hmi.p_set: {register: holding 0, fallback: 1 V}", "E945", "such as `0 kW`", 44),
    ("hmi.p_set: {register: holding 0, fallback: nan}", "E945", "range", 44),
    ("hmi.p_set: {register: holding 0, fallback: 0, timeout: soon}", "E945", "not a time", 44),
    ("hmi.limit: {register: holding 0, fallback: 1.5}", "E945", "whole", 44),
    ("hmi.count: {register: holding 0, fallback: 9223372036854775808}", "E945", "LINT", 44),
    ("hmi.enable: {register: coil 0, fallback: 0}", "E945", "true nor false", 42),
    ("bms.soc: {register: input 0, stride: 4}", "E949", "every rack", 38),
    ("bad: nought\nbms.soc: input 0", "E916", "nought", 6),
    ("qualities: input 10", "E948", "input", 12),
    ("heartbeat: coil 1", "E947", "coil", 12),
    ("heartbeat: [1]", "E947", "section", 12),
    ("heartbeat: {register: input 1, evry: 1 s}", "E912", "evry", 32),
    ("heartbeat: {register: input 1, every: 0 s}", "E947", "every", 39),
    ("expect: {register: input 1}", "E947", "input", 20),
    ("expect: {register: holding 1, status: coil 1}", "E947", "coil", 39),
    ("expect: {register: holding 1, tag: bms.ok}", "E947", "bms.ok", 36),
    ("expect: {register: holding 1, tag: bms.okk}", "E101", "bms.okk", 36),
    ("expect: {within: 5 s}", "E911", "missing", 9),
]


@pytest.mark.parametrize(("text", "code", "says", "column"), MISTAKES)
def test_a_mistake_is_found_where_it_stands(text: str, code: str, says: str, column: int) -> None:
    entries, report = read(text)
    problem = report.errors[0]
    assert (problem.code, problem.at.line, problem.at.column) == (code, 1, column)
    assert says in problem.message
    if code not in ("E916", "E912", "E949") and not text.startswith(("expect", "heartbeat")):
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
    again, report = read(as_yaml(entries))
    assert not report.problems
    assert {(e.name, e.table, e.address, e.format, e.writable) for e in again} == {
        (e.name, e.table, e.address, e.format, e.writable) for e in entries
    }


def test_a_printed_map_keeps_every_option() -> None:
    text = (
        "bms.soc: {register: input 0, as: int32, words: little, scale: 0.01, bad: nan}\n"
        "hmi.p_set: {register: holding 0, as: float32, bad: value, write: false}\n"
    )
    assert as_yaml(read(text)[0]) == text


def test_what_bad_shows_is_said_by_the_line_before_the_map_before_the_site() -> None:
    lines = "bms.soc: {register: input 0, bad: value}\nbms.current: input 2\nbms.ok: discrete 0\n"
    site = Common(bad="exception")
    assert [e.bad for e in read(lines, site=site)[0]] == ["value", "exception", "exception"]
    assert [e.bad for e in read("bad: nan\n" + lines, site=site)[0]] == ["value", "nan", "value"]  # a bit has no nan
    assert [e.bad for e in read(lines)[0]] == ["value", "nan", "value"]


def test_a_fallback_without_a_timeout_has_a_minute() -> None:
    """As OpenEMS: a remote setpoint stands for 60 s."""
    lines = "hmi.p_set: {register: holding 0, fallback: -20 kW}\nhmi.enable: {register: coil 0, fallback: false, timeout: never}\n"
    entries, report = read(lines)
    assert not report.problems
    assert [(e.fallback, e.seconds) for e in entries] == [(-20.0, 60.0), (False, math.inf)]


def test_a_tag_has_one_fallback() -> None:
    _, report = read("hmi.p_set: [{register: holding 0, fallback: 0}, {register: holding 2, fallback: 1}, holding 4]")
    assert [(p.code, "holding 0" in p.hint) for p in report.errors] == [("E945", True)]


def test_a_pulse_has_no_fallback() -> None:
    tags = (Tag("hmi.close", "BOOL", 0, 0, 0, write="operator", pulse=True),)
    assert [p.code for p in read("hmi.close: {register: coil 0, fallback: false}", tags)[1].errors] == ["E945"]


def test_quality_bits_follow_the_map_and_take_each_tag_once() -> None:
    entries, report = read(
        "qualities: discrete 100\nhmi.p_set: [input 9, holding 0]\nbms.cell_v: input 20\nbms.ok.good: discrete 0\n"
    )
    assert not report.problems
    assert [(e.name, e.address) for e in entries if e.at.line == 1] == [("hmi.p_set.good", 100), ("bms.cell_v.good", 101)]
    assert read("qualities: discrete 65535\nbms.soc: input 0\nbms.current: input 2\n")[1].errors[0].code == "E948"


def test_the_servers_own_registers_are_checked_for_overlap_too() -> None:
    text = "heartbeat: {register: input 1, every: 500 ms}\nexpect: {register: holding 0, status: discrete 5}\n"
    tags = "bms.soc: input 0\nhmi.p_set: {register: holding 0, as: int16}\nbms.ok: discrete 5\n"
    assert sorted((p.code, p.at.line) for p in read(text + tags)[1].errors) == [("E919", 1), ("E919", 4), ("E919", 5)]


def test_one_line_names_the_tag_of_every_rack() -> None:
    tags = tuple(Tag(f"rack[{n}].{what}", "LREAL", 0, n, 0, "input") for n in (1, 2, 10) for what in ("soc", "soh"))
    entries, report = read('"rack[*].soc": {register: input 200, as: float32, stride: 10}', tags)
    assert not report.problems
    assert [(e.name, e.address) for e in entries] == [("rack[1].soc", 200), ("rack[2].soc", 210), ("rack[10].soc", 290)]
    assert [e.address for e in read('"rack[*].soh": input 0', tags)[0]] == [0, 2, 18]
    assert [e.part for e in read('"rack[*].soh.quality": input 0', tags)[0]] == ["quality"] * 3
    (problem,) = read('"rack[*].soc": {register: input 200, stride: 1}', tags)[1].errors
    assert problem.code == "E949" and "2 addresses" in problem.hint
    text = '"rack[*].soc": {register: input 200, stride: \u00b2}'  # a digit to Python, and no number
    (problem,) = read(text, tags)[1].errors
    assert (problem.code, problem.at.line, problem.at.column) == ("E949", 1, text.index("\u00b2") + 1)


def test_a_printed_map_says_the_same_to_the_last_field() -> None:
    text = (
        "bad: exception\nqualities: discrete 100\nheartbeat: {register: input 60, every: 250 ms, limit: 255}\n"
        "expect: {register: holding 50, within: 5 s, status: discrete 60, tag: hmi.enable}\n"
        "hmi.p_set: {register: holding 0, as: int16, scale: 0.1, fallback: -2.5, timeout: 90 s}\n"
        "hmi.limit: {register: holding 1, fallback: 3, timeout: never}\nhmi.enable: {register: coil 0, fallback: true}\n"
        "bms.soc: input 0\nbms.current: {register: input 2, bad: nan}\nbms.cycles: {register: input 4, bad: value}\n"
    )

    def facts(entries: tuple[Entry, ...]) -> set[Entry]:
        return {replace(entry, at=NOWHERE) for entry in entries}

    entries, report = read(text)
    again, errors = read(as_yaml(entries))
    assert not report.problems and not errors.problems
    assert facts(again) == facts(entries)


def test_the_demo_sites_servers_have_no_mistake() -> None:
    site, _ = load_site(DEMO / "config/site.yaml", drivers())
    report = Report()
    describe_servers(site.servers, site.schedule.tags, DEMO, report)
    assert not report.problems
    assert site.servers["modbus"]["map"] == "io_maps/scada.yaml"
