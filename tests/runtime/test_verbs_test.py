"""The verb `test`: the demo's own tests pass; what fails is told on a line, in JSON and in JUnit; nothing is left behind."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from runtime.cli import app
from tests.aids.places import DEMO
from tests.aids.program_tests import outcomes, read, steps

SITE = """site: small
tasks:
  main: {interval: 10 ms, programs: [p]}
tags:
  hmi.p: {type: LREAL, unit: kW, range: -500..500, write: operator}
  site.p: {type: LREAL, unit: kW}
"""
PROGRAM = """program: p
blocks:
  slow: {type: RAMP, IN: hmi.p, UP: 100 kW/s, DOWN: 100 kW/s}
modes:
  BIG: {when: slow.OUT > 50 kW, X: true}
  SMALL: {X: false}
outputs: {site.p: slow.OUT}
alarms:
  much: {of: site.p, H: 90 kW, severity: warning, text: Much power}
"""
TESTS = """tests:
  the power rises:
    - {write: {hmi.p: 60 kW}}
    - {at: 1 s, expect: {site.p: 60 kW, mode: BIG}}
  the power <jumps> & falls:
    - {at: 20 ms, write: {hmi.p: 10 kW}}
    - {within: 30 ms, expect: {site.p: 10 kW}}
"""


def write_small(root: Path, tests: str = TESTS) -> None:
    for name, text in {"config/site.yaml": SITE, "programs/p.yaml": PROGRAM, "programs/p.test.yaml": tests}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    write_small(root)
    return root


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["test", "--site", str(root / "config/site.yaml"), *arguments])


def test_a_line_a_test_then_why_it_failed_and_exit_1(small: Path) -> None:
    done = run(small, "--cover")
    assert done.exit_code == 1 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:2] == ["ok    p: the power rises  (101 scans, 1.01 s)", "FAIL  p: the power <jumps> & falls  (6 scans, 0.06 s)"]
    assert lines[3:9] == [
        "programs/p.test.yaml:7:40: p: the power <jumps> & falls",
        "  at 0.05 s (scan 6): expected site.p: 10 kW within 30 ms",
        "                      seen site.p 4 kW",
        "  7 |     - {within: 30 ms, expect: {site.p: 10 kW}}",
        "    |                                        ^^^^^",
        "  time    site.p [kW]",
    ]
    assert "modes: 2 of 2\n" in done.stdout
    assert "alarms: 0 of 1\n  never  much.H  (programs/p.yaml:9)\n" in done.stdout
    assert "2 tests, 1 failed; 107 scans (1.07 s of the plant) in " in lines[-1]


def test_k_chooses_and_a_text_in_no_name_is_exit_2(small: Path) -> None:
    done = run(small, "-k", "RISES")
    assert done.exit_code == 0 and "1 test, all passed" in done.stdout
    none = run(small, "-k", "falls over")
    assert none.exit_code == 2 and "none of the 2 tests has `falls over` in its name" in none.stderr


def test_a_program_is_chosen_by_its_name_and_a_slip_is_exit_2(small: Path) -> None:
    assert "2 tests, 1 failed" in run(small, "p").stdout
    wrong = run(small, "pp")
    assert wrong.exit_code == 2 and "no tests of a program pp: did you mean `p`?" in wrong.stderr


def test_json_and_junit_say_the_same(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "out" / "programs.xml"
    done = run(small, "--json", "--junit", str(file))
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["ok"] is False and [one["passed"] for one in said["tests"]] == [True, False]
    failure = said["tests"][1]["failure"]
    assert (failure["line"], failure["time_s"], failure["seen"]) == (7, 0.05, "site.p 4 kW")
    assert {one["name"]: one["times"] for one in said["cover"]} == {"p.mode: BIG": 1, "p.mode: SMALL": 2, "much.H": 0}
    suites = ET.parse(file).getroot()
    assert (suites.tag, suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("testsuites", "2", "1", "0")
    (suite,) = suites
    good, bad = suite
    assert (suite.get("name"), good.get("classname")) == ("programs/p.test.yaml", "programs.p")
    assert [case.get("name") for case in suite] == ["the power rises", "the power <jumps> & falls"]
    assert len(good) == 0 and bad[0].tag == "failure" and "seen site.p 4 kW" in str(bad[0].get("message"))


def test_mistakes_are_told_with_carets_and_no_test_is_run(tmp_path: Path) -> None:
    write_small(tmp_path, "tests:\n  t:\n    - {expect: {site.q: 1 kW}}\n")
    done = run(tmp_path)
    assert done.exit_code == 1 and done.stdout == ""
    assert "programs/p.test.yaml:3:17: error[E101]: no tag named `site.q`" in done.stderr
    assert done.stderr.endswith("1 error; no test was run\n")
    (tmp_path / "programs/p.test.yaml").unlink()
    assert "error: the programs have no tests" in run(tmp_path).stderr


def test_coverage_counts_transitions_modes_alarms_and_permits(tmp_path: Path) -> None:
    from runtime.program_tests import run_tests
    from runtime.program_tests_stand import stand

    tests = steps(
        "at: 100 ms, write: {hmi.close: true}", "at: 1 s, set: {bms.t: 61 °C}", "at: 2 s, set: {bms.ok: false}", "at: 3 s"
    )
    site, found, _ = read(tmp_path, tests)
    with stand(site, found.points) as made:
        run_tests(made, found.tests)
        seen = {point.name: count for point, count in zip(found.points, made.seen(), strict=True)}
    assert seen == {
        "p.door: open -> shut": 1,
        "p.door: shut -> open": 1,
        "p.door: shut -> jammed": 0,
        "p.door: jammed -> open": 0,
        "p.mode: STOP": 1,
        "p.mode: GO": 1,
        "p.ready: 1 bms.ok": 0,
        "p.ready: 2 bms.ok.good": 0,
        "p.ready: 3 bms.t < 60 °C": 1,
        "hot.H": 1,
        "hot.HH": 0,
        "jam": 0,
    }
    assert {point.at.file for point in found.points} == {"programs/p.yaml"}


def test_nothing_is_left_in_memory(tmp_path: Path) -> None:
    from runtime.program_tests_stand import stand

    site, found, _ = read(tmp_path, steps("at: 1 s"))
    with stand(site, found.points) as made:
        folder = made.plc.folder
        assert folder.exists()
    assert not folder.exists()
    assert outcomes(tmp_path, steps("at: 1 s, expect: {door: open}"))[0].passed


def test_the_demos_programs_pass_their_own_tests_and_every_transition_and_mode_is_gone_through() -> None:
    done = run(DEMO, "--json")
    said = json.loads(done.stdout)
    assert [one["name"] for one in said["tests"] if not one["passed"]] == []
    assert done.exit_code == 0 and len(said["tests"]) >= 30
    assert [one["name"] for one in said["cover"] if one["sort"] in ("transition", "mode") and not one["times"]] == []
