"""`bessplc map`: the register map as the SCADA engineer reads it, and as their tools do."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.language.loader import read_yaml
from runtime.model import Tag
from runtime.servers.modbus.check import load_map
from runtime.servers.modbus.listing import list_map, modicon
from runtime.servers.modbus.map_words import describe_map
from runtime.servers.modbus.places import FILE
from runtime.servers.modbus.settings import ModbusSettings
from runtime.source import Report
from tests.aids.places import DEMO

SITE = """site: bad
tasks:
  control: {interval: 10 ms, programs: [main]}
tags:
  bms.soc: {type: LREAL, unit: "%", range: 0..100, default: 50, text: 'State of charge, "usable" | all racks'}
  hmi.p_set: {type: LREAL, unit: kW, range: -500..500, default: 0, write: operator, text: Setpoint}
  hmi.enable: {type: BOOL, default: false, write: operator}
  x.p: {type: LREAL, unit: kW, default: 0}
servers:
  modbus: MODBUS
"""
MAP = """heartbeat: {register: input 9998, every: 1 s}
bms.soc: [{register: input 0, as: uint16, scale: 0.01, bad: nan}, {register: input 9999, words: little, bad: exception}]
hmi.p_set: {register: holding 0, as: int16, scale: 0.1, fallback: 0 kW, timeout: 30 s}
x.p: {register: holding 10, as: float64, write: false}
hmi.enable: coil 7
hmi.enable.quality: input 3
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)


def site(folder: Path, modbus: str = "{map: io_maps/scada.yaml}", text: str = MAP) -> Path:
    program = "program: main\noutputs: {x.p: hmi.p_set}\n"
    files = {"config/site.yaml": SITE.replace("MODBUS", modbus)}
    for name, content in {**files, "programs/main.yaml": program, "io_maps/scada.yaml": text}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return folder / "config/site.yaml"


def bessplc(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["map", "--site", str(file), *arguments])


@pytest.mark.parametrize(
    ("table", "address", "number"),
    [
        ("coil", 0, "00001"),
        ("discrete", 0, "10001"),
        ("input", 9, "30010"),
        ("holding", 0, "40001"),
        ("holding", 9998, "49999"),
        ("holding", 9999, "410000"),
        ("input", 65535, "365536"),
        ("coil", 9999, "010000"),
    ],
)
def test_a_modicon_number_counts_from_one_and_has_six_digits_where_five_do_not_do(table: str, address: int, number: str) -> None:
    """NUMBERS.md: Modicon 40001 is wire address 0."""
    assert modicon(table, address) == number


def test_json_has_one_object_a_block_with_all_that_scada_needs(tmp_path: Path) -> None:
    done = bessplc(site(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    found = {(line["tag"], line["address"]): line for line in json.loads(done.stdout)}
    assert found["hmi.p_set", 0] == {
        "table": "holding",
        "address": 0,
        "modicon": "40001",
        "read": "3",
        "write": "6, 16, 22, 23",
        "registers": 1,
        "type": "int16",
        "words": "",
        "scale": "0.1",
        "unit": "kW",
        "low": -500.0,
        "high": 500.0,
        "access": "write: operator",
        "tag": "hmi.p_set",
        "text": "Setpoint",
        "bad": "value",
        "fallback": "0 after 30 s",
        "located": "",
    }
    soc = found["bms.soc", 9999]
    assert (soc["modicon"], soc["registers"], soc["words"], soc["bad"]) == ("310000", 2, "little", "exception 04")
    assert found["bms.soc", 0]["bad"] == "0xFFFF"
    assert (found["x.p", 10]["write"], found["x.p", 10]["access"], found["x.p", 10]["registers"]) == ("", "read", 4)
    assert found["hmi.enable", 7]["write"] == "5, 15"
    assert "scan lives" in found["(heartbeat)", 9998]["text"]


def test_csv_is_read_back_by_a_csv_reader_with_quotes_commas_and_crlf(tmp_path: Path) -> None:
    done = bessplc(site(tmp_path), "--csv")
    assert done.stdout_bytes.count(b"\r\n") == 8 and done.stdout_bytes.count(b"\n") == 8  # RFC 4180, 2.1
    rows = list(csv.DictReader(io.StringIO(done.stdout_bytes.decode(), newline="")))
    assert len(rows) == 7
    soc = next(row for row in rows if row["tag"] == "bms.soc")
    assert soc["description"] == 'State of charge, "usable" | all racks'
    assert (soc["range"], soc["scale"], soc["read FC"]) == ("0..100", "0.01", "4")


def test_markdown_has_the_same_columns_in_every_row(tmp_path: Path) -> None:
    lines = bessplc(site(tmp_path), "--markdown").stdout.splitlines()
    assert len(lines) == 9
    bars = {len(line.replace("\\|", "").split("|")) for line in lines}
    assert len(bars) == 1 and set(lines[1]) == set("| -")
    assert any('usable" \\| all racks' in line for line in lines)


def test_names_and_a_table_choose(tmp_path: Path) -> None:
    file = site(tmp_path)
    assert {line["tag"] for line in json.loads(bessplc(file, "hmi.*", "--json").stdout)} == {
        "hmi.p_set",
        "hmi.enable",
        "hmi.enable.quality",
    }
    assert {line["table"] for line in json.loads(bessplc(file, "--table", "coil", "--json").stdout)} == {"coil"}
    assert bessplc(file, "HMI.*").exit_code == 0 and bessplc(file, "hmi.p_se?").exit_code == 2, "`*` is all that is special"
    wrong = bessplc(file, "bms.sok")
    assert wrong.exit_code == 2 and "did you mean `bms.soc`" in wrong.stderr
    wrong = bessplc(file, "-t", "holdings")
    assert wrong.exit_code == 2 and "did you mean `holding`" in wrong.stderr
    assert bessplc(file, "--csv", "--yaml").exit_code == 2


def test_a_person_sees_a_table_without_empty_columns(tmp_path: Path) -> None:
    heads = bessplc(site(tmp_path, text="hmi.enable: coil 7\n")).stdout.splitlines()[0].split()
    assert "scale" not in heads and "fallback" not in heads and {"table", "address", "modicon", "tag"} <= set(heads)


def test_yaml_pins_the_automatic_map(tmp_path: Path) -> None:
    file = site(tmp_path, "{qualities: discrete 10000, bad: exception}")
    automatic = json.loads(bessplc(file, "--json").stdout)
    pinned = bessplc(file, "--yaml").stdout
    assert len(automatic) > 8
    again = site(tmp_path, text=pinned)
    assert json.loads(bessplc(again, "--json").stdout) == automatic


def test_it_shows_what_the_server_serves_also_after_tags_came(tmp_path: Path) -> None:
    """The server keeps the addresses; whoever only looks finds them, and changes nothing."""
    file = site(tmp_path, "{port: 5020}")
    first = bessplc(file, "--json")
    assert "no server has run yet" in first.stderr
    folder = rundir.state_folder_of(file)
    assert not folder.exists()
    tags = tuple(Tag(one["tag"], "LREAL", 0, n, 0) for n, one in enumerate(json.loads(first.stdout)) if one["tag"] == "x.p")
    load_map(ModbusSettings(), tmp_path, tags, Report(), state_dir=str(folder), keep=True)  # as a server whose site had x.p only
    before = (folder / FILE).read_text()
    found = bessplc(file, "--json")
    assert found.stderr == "" and (folder / FILE).read_text() == before
    assert next(one["address"] for one in json.loads(found.stdout) if one["tag"] == "x.p") == 0
    assert bessplc(file, "--json", "--state", str(folder)).stdout == found.stdout


def test_lost_addresses_are_an_error(tmp_path: Path) -> None:
    file = site(tmp_path, "{port: 5020}")
    folder = rundir.state_folder_of(file)
    folder.mkdir(parents=True)
    (folder / FILE).write_text("{")
    done = bessplc(file)
    assert done.exit_code == 1 and "error[E946]" in done.stderr and "backup" in done.stderr and done.stdout == ""


def test_openplcs_map_has_a_column_with_its_names(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(bessplc(site(tmp_path, "{map: openplc}"), "--csv").stdout)))
    assert {row["tag"]: row["OpenPLC"] for row in rows}["hmi.enable"] == "%QX0.0"
    assert {row["tag"]: (row["OpenPLC"], row["modicon"]) for row in rows}["bms.soc"] == ("%MD0", "42049")


def test_a_site_without_a_modbus_server_is_told_how_to_have_one(tmp_path: Path) -> None:
    file = site(tmp_path)
    file.write_text(file.read_text().partition("servers:")[0])
    done = bessplc(file)
    assert done.exit_code == 1 and "servers: {modbus:" in done.stderr


def test_what_finds_no_room_in_the_map_is_told(tmp_path: Path) -> None:
    file = site(tmp_path, "{map: openplc}")
    file.write_text(file.read_text().replace("  x.p:", '  x.many: {type: "LREAL[1025]", default: 0}\n  x.p:'))
    done = bessplc(file, "--json")
    assert done.exit_code == 0 and "warning[W945]" in done.stderr and "x.many" in done.stderr


def test_the_help_has_examples() -> None:
    help = " ".join(CliRunner().invoke(app, ["map", "--help"]).stdout.split())
    assert "Examples: bessplc map" in help and "bessplc map --yaml > io_maps/scada.yaml" in help


def test_the_demo_site_has_a_map() -> None:
    done = bessplc(DEMO / "config/site.yaml", "--json")
    assert done.exit_code == 0 and any(line["tag"] == "hmi.p_set" for line in json.loads(done.stdout))


def test_enumerations_and_pulses_are_explained() -> None:
    tags = (
        Tag("pcs.state", "DINT", 0, 0, 0, "input", "", "State", names=((0, "off"), (1, "on"))),
        Tag("hmi.close", "BOOL", 0, 1, 0, text="Close", write="operator", pulse=True),
    )
    section = read_yaml("m.yaml", "pcs.state: {register: input 0, as: uint16}\nhmi.close: coil 0\n", Report())
    assert section is not None
    assert [line.text for line in list_map(describe_map(section, tags, Report()))] == [
        "Close; true for one scan",
        "State; 0 off, 1 on",
    ]
