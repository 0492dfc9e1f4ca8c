"""What the site may say about its records, and what the checker says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.language.loader import read_yaml
from runtime.servers.records.check import check
from runtime.servers.records.settings import choose, describe_records
from runtime.source import Report, render
from tests.aids.servers_scan import TAGS


def said(text: str) -> list[tuple[str, str]]:
    report = Report()
    section: Any = read_yaml("config/site.yaml", text, report)
    check(section, TAGS, Path(), report, {})
    return [(problem.code, render([problem], Path())) for problem in report.problems]


def test_a_whole_section_is_understood() -> None:
    report = Report()
    section = read_yaml(
        "s",
        """
        history: {bms.soc: {every: 100 ms, deadband: 0.1 %}, hmi.*: {deadband: 2, at_least: 5 min}, bms.*: }
        keep: 7 d
        size: 500 MB
        every: 2 s
        audit: 2 y
        confirm: true
        """,
        report,
    )
    settings = describe_records(section, report)
    assert report.problems == []
    assert (settings.keep, settings.size, settings.audit, settings.confirm) == (7 * 86400, 500_000_000, 2 * 365 * 86400, True)
    chosen = {choice.tag.name: (choice.every, choice.at_least, choice.deadband) for choice in choose(settings, TAGS)}
    assert chosen["bms.soc"] == (0.1, 600, pytest.approx(0.1)), "0.1 % of 0 to 100 %"
    assert chosen["hmi.p_set"] == (2, 300, 2) and chosen["bms.current"] == (2, 600, 0)
    assert "bms.cell_v" not in chosen and "hmi.steps" not in chosen, "arrays are not recorded"
    assert "pcs.state" not in chosen


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("history: [bms.socc]", "E931", "did you mean `bms.soc`?"),
        ("history: [bms.cell_v]", "E932", "only single values are recorded"),
        ("history: [bms.cell*]", "W932", "only single values are recorded"),
        ("history: [nix.*]", "W931", "no tag fits `nix.*`"),
        ("history: {bms.ok: {deadband: 1 %}}", "E933", "`bms.ok` has no range"),
        ("history: {bms.soc: {evry: 1 s}}", "E902", "`evry` is no word of a recorded tag"),
        ("history: {bms.soc: 1 s}", "E902", "come words such as"),
        ("deadband: -1", "E902", "not 0 or more"),
        ("size: 2 XB", "E902", "not written like `2 GB`"),
        ('size: "2 G\\nB"', "E902", "not written like `2 GB`"),
        ("size: 0.9 MB", "E902", "is too little: 1 MB at least"),
        (f"size: {'9' * 400} TB", "E902", "too much"),
        ("keep: 59 min", "E902", "the units are h, d, y"),
        ("keep: ever", "E902", "not written like `30 d`"),
        ("keep: 1.2.3 d", "E902", "not written like `30 d`"),
        ("confirm: maybe", "E902", "none of true, false"),
        ("histroy: [bms.soc]", "E901", "did you mean `history`?"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, code: str, words: str) -> None:
    ((found, shown),) = said(text)
    assert found == code and words in shown and shown.startswith("config/site.yaml:1:")


def test_a_good_section_has_no_problems() -> None:
    assert said("history: [bms.*, HMI.P_SET]") == []
