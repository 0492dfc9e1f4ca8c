"""`needs:` of tests: sites of several sizes share programs, and a small one leaves out the tests that it has no racks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks import catalogue
from runtime.language import load_site
from runtime.language.scenario import Scenarios
from runtime.language.scenarios import read_scenarios
from runtime.source import Report

SITE = "constants: {racks: RACKS}\ntasks: {main: {interval: 10 ms, programs: [p]}}\ntags:\n"
TAGS = '  hmi.on: {type: "BOOL[$racks]", write: operator}\n  x.on: {type: "BOOL[$racks]"}\n'
PROGRAM = "program: p\noutputs: {x.on: 'hmi.on[*]'}\n"
FIRST = "  first: [{write: {'hmi.on[1]': true}}, {at: 50 ms, expect: {'x.on[1]': true}}]\n"
SECOND = "  second: {needs: $racks >= 2, steps: [{write: {'hmi.on[2]': true}}, {at: 50 ms, expect: {'x.on[2]': true}}]}\n"


def read(folder: Path, racks: int, tests: str) -> tuple[Scenarios, list[str]]:
    files = {
        "config/sites/a.yaml": SITE.replace("RACKS", str(racks)) + TAGS,
        "programs/p.yaml": PROGRAM,
        "programs/p.test.yaml": tests,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    report = Report()
    found = read_scenarios(load_site(folder / "config/sites/a.yaml", {})[0], catalogue(), report)
    return found, [f"{problem.at}: {problem.message}" for problem in report.problems]


@pytest.mark.parametrize(("racks", "names"), [(1, ["first"]), (2, ["first", "second"]), (64, ["first", "second"])])
def test_a_test_runs_where_the_site_is_large_enough(racks: int, names: list[str], tmp_path: Path) -> None:
    found, problems = read(tmp_path, racks, f"tests:\n{FIRST}{SECOND}")
    assert ([test.name for test in found.tests], problems) == (names, [])


def test_a_whole_file_may_need_it_and_is_left_out_with_a_note(tmp_path: Path) -> None:
    found, problems = read(tmp_path, 1, f"needs: [$racks > 0, $racks >= 2]\ngiven: {{}}\ntests:\n{SECOND}")
    assert (found.tests, problems) == ((), [])
    assert found.notes == ("programs/p.test.yaml is left out: it needs `$racks >= 2`, which this site has not",)


@pytest.mark.parametrize("needs", ["$racks", "$racks is 2", "many racks", "$racks >= 2.5"])
def test_what_compares_no_numbers_is_said(needs: str, tmp_path: Path) -> None:
    _, problems = read(tmp_path, 2, f"needs: {needs}\ntests:\n{FIRST}")
    written = needs.replace("$racks", "2")
    assert problems == [f"programs/p.test.yaml:1:8: `{written}` compares no whole numbers"]
