"""The verb `check` reads the tests of the programs too: their mistakes stand with the others, and `run` does not wait for them."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from runtime.app import read_site
from runtime.cli import app

ROOT = Path(__file__).parents[2]
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
outputs: {site.p: slow.OUT}
"""
TESTS = """tests:
  the power rises:
    - {write: {hmi.p: 60 kW}}
    - {at: 1 s, expect: {site.p: 60 kW}}
"""
WRONG = """tests:
  the power rises:
    - {write: {hmi.pp: 60 kW}}
    - {at: 1 s, expct: {site.p: 60 kW}}
    - {after: 1 s, expect: {site.p: 60 V}}
"""


def check(root: Path, tests: str, *words: str, program: str = PROGRAM, name: str = "p.test.yaml") -> Result:
    for file, text in {"config/site.yaml": SITE, "programs/p.yaml": program, f"programs/{name}": tests}.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text)
    return CliRunner().invoke(app, ["check", "--site", str(root / "config/site.yaml"), *words])


def test_a_good_test_is_counted(tmp_path: Path) -> None:
    done = check(tmp_path, TESTS)
    assert done.exit_code == 0 and done.stdout.rstrip().endswith(" groups, 1 test: no problems")
    assert json.loads(check(tmp_path, TESTS, "--json").stdout)["tests"] == 1


def test_every_mistake_of_a_test_has_its_place_and_run_does_not_read_it(tmp_path: Path) -> None:
    done = check(tmp_path, WRONG)
    assert done.exit_code == 1
    places = [line.split(": error")[0] for line in done.stderr.splitlines() if ": error" in line]
    assert places == ["programs/p.test.yaml:3:16", "programs/p.test.yaml:4:17", "programs/p.test.yaml:5:37"], done.stderr
    assert "did you mean `hmi.p`?" in done.stderr and "did you mean `expect`?" in done.stderr
    assert read_site(tmp_path / "config/site.yaml")[0].name == "small"


def test_a_mistake_of_the_site_comes_first_without_those_of_the_tests(tmp_path: Path) -> None:
    done = check(tmp_path, WRONG, "--json", program=PROGRAM.replace("hmi.p,", "hmi.q,"))
    assert done.exit_code == 1
    assert [one["file"] for one in json.loads(done.stdout)["problems"] if one["severity"] == "error"] == ["programs/p.yaml"]


def test_tests_of_no_program_are_a_mistake(tmp_path: Path) -> None:
    done = check(tmp_path, TESTS, name="q.test.yaml")
    assert done.exit_code == 1 and "E960" in done.stderr
