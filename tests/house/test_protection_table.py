"""programs/PROTECTION.md must say what the programs do: limits, delays, severities, permits, alarms and tests, row by row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "programs"
COLUMNS = ("what", "limits", "delay", "alarms", "severity", "reaction", "permit", "rows", "where", "test")
# 3.55 V, -10 °C, 50 events: a number and the one word behind it
QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?) ?(V|A|K/s|K|°C|Ohm/V|%|ms|s|min|events)(?![\w/])")
NAMED = re.compile(r"v_rack_high|i_rack_max|\$v_rack_low")


@dataclass(frozen=True)
class Row:
    """One line of the table, its cells by the words of the head."""

    cells: dict[str, str]

    def words(self, column: str) -> list[str]:
        return self.cells[column].split()

    @property
    def places(self) -> list[str]:
        return [place.strip() for place in self.cells["where"].split(";")]


def table() -> list[Row]:
    lines = [line for line in (PROGRAMS / "PROTECTION.md").read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert all(len(one) == len(COLUMNS) for one in cells)
    return [Row(dict(zip(COLUMNS, one, strict=True))) for one in cells]


ROWS = table()
IDS = [row.cells["what"] for row in ROWS]


def program(name: str) -> Any:
    """A program's file as it is written: every scalar a text."""
    return yaml.load((PROGRAMS / f"{name}.yaml").read_text(), Loader=yaml.BaseLoader)


def written(place: str) -> list[str]:
    """All texts under `file: words.in.it`."""
    name, path = place.split(": ")
    node = program(name)
    for word in path.split("."):
        node = node[word]
    return list(texts(node))


def texts(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [text for one in (node.values() if isinstance(node, dict) else node) for text in texts(one)]


def alarms() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in sorted(PROGRAMS.glob("*.yaml")):
        if not file.name.endswith(".test.yaml"):
            found |= program(file.stem).get("alarms", {})
    return found


ALARMS = alarms()


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_limits_and_delays_are_those_of_the_program(row: Row) -> None:
    there = " ".join(text for place in row.places for text in written(place))
    known = set(QUANTITY.findall(there)) | {(number, "events") for number in re.findall(r"(?<![\w.])\d+(?![\w.])", there)}
    said = QUANTITY.findall(row.cells["limits"] + " | " + row.cells["delay"])
    assert set(said) <= known, row.cells["where"]
    for name in NAMED.findall(row.cells["limits"]):
        assert name.lstrip("$") in there


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_alarms_exist_and_are_as_severe_as_it_says(row: Row) -> None:
    severities: set[str] = set()
    for name in row.words("alarms"):
        severity = ALARMS[name]["severity"]
        severities |= set(severity.values()) if isinstance(severity, dict) else {severity}
    assert severities - {"error"} <= set(row.words("severity")) <= severities


@pytest.mark.parametrize("row", [row for row in ROWS if row.cells["test"]], ids=lambda row: row.cells["what"])
def test_each_row_has_a_test(row: Row) -> None:
    files = [*PROGRAMS.glob("*.test.yaml"), ROOT / "tests" / "site" / "test_protection.py"]
    assert any(f"  {row.cells['test']}:" in file.read_text() for file in files)


@pytest.mark.parametrize("name", ["safety", "racks"])
def test_no_alarm_is_missing_in_the_table(name: str) -> None:
    told = {alarm for row in ROWS for alarm in row.words("alarms")}
    assert set(program(name)["alarms"]) == told & set(program(name)["alarms"])


@pytest.mark.parametrize(
    ("interlock", "place", "tag"),
    [
        ("site", "safety: blocks.ready.PERMIT", "site.first_permit"),
        ("rack", "rack_protection: blocks.tripped.PERMIT", "racks.first_permit"),
    ],
)
def test_no_permit_is_missing_in_the_table_nor_without_a_name(interlock: str, place: str, tag: str) -> None:
    numbers = set(range(1, len(written(place)) + 1))
    assert {int(row.words("permit")[1]) for row in ROWS if row.words("permit")[:1] == [interlock]} == numbers
    names = yaml.load((ROOT / "config" / "common.yaml").read_text(), Loader=yaml.BaseLoader)["tags"][tag]["names"]
    assert set(map(int, names)) == {0, *numbers}
