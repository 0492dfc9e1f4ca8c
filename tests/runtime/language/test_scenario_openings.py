"""What tests begin with: an opening stands for its steps, and a mistake in one is told once, at its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.language.scenario import Scenario
from runtime.source import NOWHERE
from tests.aids.program_tests import outcomes, read, said

OPENINGS = """openings:
  shut:
    - {at: 100 ms, set: {bms.soc: 50 %}, write: {hmi.close: true}}
    - {within: 50 ms, expect: {door: shut}}
  powered:
    - {begin: shut}
    - {at: 1 s, write: {hmi.p: 50 kW}}
"""


def scenario(root: Path, text: str) -> Scenario:
    _, found, report = read(root, text)
    assert report.problems == []
    return found.tests[-1]


def plain(one: Scenario) -> list[object]:
    """The steps without where they stand."""
    return [replace(step, at=NOWHERE, checks=tuple(c.text for c in step.checks), writes=len(step.writes)) for step in one.steps]


def test_a_test_that_begins_with_an_opening_is_the_test_with_its_steps_written_out(tmp_path: Path) -> None:
    """Also through an opening that begins with another; `at` counts from the first step of all."""
    short = scenario(tmp_path / "short", OPENINGS + "tests:\n  t:\n    - {begin: powered}\n    - {at: 2 s, expect: {door: shut}}\n")
    lines = (
        *("{at: 100 ms, set: {bms.soc: 50 %}, write: {hmi.close: true}}", "{within: 50 ms, expect: {door: shut}}"),
        *("{at: 1 s, write: {hmi.p: 50 kW}}", "{at: 2 s, expect: {door: shut}}"),
    )
    whole = scenario(tmp_path / "whole", "tests:\n  t:\n" + "".join(f"    - {line}\n" for line in lines))
    assert plain(short) == plain(whole)


def test_an_opening_that_fails_is_shown_where_it_is_written(tmp_path: Path) -> None:
    text = (
        OPENINGS.replace("door: shut", "door: jammed")
        + "tests:\n  t:\n    - {begin: shut}\n    - {after: 1 s, expect: {door: shut}}\n"
    )
    (found,) = outcomes(tmp_path, text)
    assert not found.passed and found.failure is not None
    assert found.failure.at.line == 4


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{begin: shutt}", "6:15: error[E969]: no opening is named `shutt`"),
        ("{begin: shut, at: 1 s}", "6:8: error[E965]: `begin` stands alone in its step"),
        ("{at: 1 s}\n    - {begin: shut}", "7:8: error[E965]: `begin` is the first step, or none"),
        ("{begin: shut}\n    - {at: 120 ms, expect: {door: shut}}", "7:12: error[E962]: time goes backwards"),
        ("{begin: shut}", "5:3: error[E965]: the test `t` expects nothing"),
    ],
)
def test_a_mistake_about_an_opening_is_told_with_its_place(tmp_path: Path, steps: str, message: str) -> None:
    opening = "openings:\n  shut:\n    - {at: 100 ms, within: 50 ms, expect: {door: shut}}\n"
    assert f"programs/p.test.yaml:{message}" in said(tmp_path, f"{opening}tests:\n  t:\n    - {steps}\n")


def test_a_wrong_name_is_answered_with_the_one_that_was_meant(tmp_path: Path) -> None:
    text = said(tmp_path, OPENINGS + "tests:\n  t:\n    - {begin: power}\n    - {after: 1 s, expect: {door: shut}}\n")
    assert "did you mean `powered`?\n = help: there are: shut, powered" in text


def test_openings_that_begin_with_each_other_are_drawn(tmp_path: Path) -> None:
    openings = "openings:\n  a:\n    - {begin: b}\n  b:\n    - {begin: a}\n"
    text = f"{openings}tests:\n  t:\n    - {{begin: a}}\n    - {{after: 1 s, expect: {{door: shut}}}}\n"
    assert "5:15: error[E971]: an opening cannot begin with itself: `a` begins with `b` begins with `a`" in said(tmp_path, text)


def test_a_mistake_inside_an_opening_is_told_once_for_all_tests(tmp_path: Path) -> None:
    tests = "".join(f"  t{i}:\n    - {{begin: shut}}\n    - {{after: 1 s, expect: {{door: shut}}}}\n" for i in range(3))
    _, _, report = read(tmp_path, OPENINGS.replace("bms.soc: 50 %", "bms.soc: 50 kW") + "tests:\n" + tests)
    assert [(one.code, one.at.line) for one in report.problems] == [("E201", 3)]


def test_an_opening_is_a_list_of_steps(tmp_path: Path) -> None:
    text = said(tmp_path, "openings:\n  a: {at: 1 s}\ntests:\n  t:\n    - {begin: a}\n    - {after: 1 s, expect: {door: shut}}\n")
    assert text.count("error[") == 1 and "[E005]: the opening `a` is a list of steps" in text
