"""Shows what became of tests of programs: lines for a person, JSON for a script, JUnit for CI servers. It must not run anything."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.columns import Cell, plain
from runtime.language.scenario import Point
from runtime.program_tests import Failure, Outcome
from runtime.source import NOWHERE

SORTS = (("transition", "transitions"), ("mode", "modes"), ("alarm", "alarms"), ("permit", "permits"))


def seconds(ns: int) -> str:
    """A time of a test: `2.34 s`."""
    return f"{ns / 1e9:.3f}".rstrip("0").rstrip(".") + " s"


def line_of(outcome: Outcome, paint: Any = lambda text, _: text) -> str:
    """`ok    protection: the contactors close in order  (312 scans, 3.1 s)`."""
    mark = paint("ok  ", "green") if outcome.passed else paint("FAIL", "red")
    plant = seconds(outcome.scans * outcome.tick)
    return f"{mark}  {outcome.scenario.full_name}  ({outcome.scans} scans, {plant})"


def failure_text(outcome: Outcome, root: Path) -> str:
    """Why a test failed: what was expected and seen, its line, and the values around the moment."""
    failure = outcome.failure
    if failure is None:
        return ""
    lines = [
        f"{failure.at}: {outcome.scenario.full_name}",
        f"  at {seconds(failure.time)} (scan {failure.scan}): expected {failure.expected}",
        f"  {' ' * len(f'at {seconds(failure.time)} (scan {failure.scan}):')} seen {failure.seen}",
        *_source(failure, root),
        *_table(failure),
    ]
    return "\n".join(lines)


def _source(failure: Failure, root: Path) -> list[str]:
    at = failure.at
    if at == NOWHERE or not at.line:
        return []
    try:
        text = (root / at.file).read_text(encoding="utf-8").splitlines()[at.line - 1]
    except (OSError, IndexError):
        return []  # edited since it was read: the place is said all the same
    number = str(at.line)
    width = max(1, min(at.width, len(text) - at.column + 1))
    return [f"  {number} | {text}", f"  {' ' * len(number)} | {' ' * (at.column - 1)}{'^' * width}"]


def _table(failure: Failure) -> list[str]:
    if not failure.rows:
        return []
    heads = ["time", *(f"{cell.name} [{cell.unit}]" if cell.unit and not cell.names else cell.name for cell in failure.cells)]
    rows = [[Cell(seconds(time)), *(Cell(value) for value in values)] for time, values in failure.rows]
    return [f"  {line}" for line in plain(heads, rows).splitlines()]


def summary(outcomes: Sequence[Outcome]) -> str:
    """`12 tests, 1 failed; 4,321 scans (43.2 s of the plant) in 0.12 s: 36,000 scans/s`."""
    failed = sum(not one.passed for one in outcomes)
    scans, took = sum(one.scans for one in outcomes), sum(one.seconds for one in outcomes)
    plant = sum(one.scans * one.tick for one in outcomes)
    said = f"{failed} failed" if failed else "all passed"
    word = "test" if len(outcomes) == 1 else "tests"
    rate = f": {scans / took:,.0f} scans/s" if took > 0 else ""
    return f"{len(outcomes)} {word}, {said}; {scans:,} scans ({seconds(plant)} of the plant) in {took:.2f} s{rate}"


def cover_text(points: Sequence[Point], seen: Sequence[int]) -> str:
    """How many transitions, modes, alarms and permits were exercised, and those that never were, with their places."""
    lines = []
    for sort, word in SORTS:
        of_sort = [(point, count) for point, count in zip(points, seen, strict=True) if point.sort == sort]
        if of_sort:
            done = sum(count > 0 for _, count in of_sort)
            lines.append(f"{word}: {done} of {len(of_sort)}")
            lines += [f"  never  {point.name}  ({_place(point)})" for point, count in of_sort if not count]
    return "\n".join(lines)


def _place(point: Point) -> str:
    return f"{point.at.file}:{point.at.line}"


def as_json(outcomes: Sequence[Outcome], points: Sequence[Point], seen: Sequence[int]) -> dict[str, Any]:
    """Everything, for a script."""
    return {
        "ok": all(one.passed for one in outcomes),
        "tests": [_test_json(one) for one in outcomes],
        "cover": [
            {"sort": p.sort, "name": p.name, "file": p.at.file, "line": p.at.line, "times": count}
            for p, count in zip(points, seen, strict=True)
        ],
    }


def _test_json(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": outcome.scenario.full_name,
        "file": outcome.scenario.file,
        "line": outcome.scenario.at.line,
        "passed": outcome.passed,
        "scans": outcome.scans,
        "simulated_s": outcome.scans * outcome.tick / 1e9,
        "seconds": round(outcome.seconds, 6),
    }
    failure = outcome.failure
    if failure is not None:
        found["failure"] = {
            "file": failure.at.file,
            "line": failure.at.line,
            "column": failure.at.column,
            "time_s": failure.time / 1e9,
            "scan": failure.scan,
            "expected": failure.expected,
            "seen": failure.seen,
            "around": [{"time_s": t / 1e9, **dict(zip([c.name for c in failure.cells], v, strict=True))} for t, v in failure.rows],
        }
    return found


def junit(outcomes: Sequence[Outcome], site: str, root: Path) -> str:
    """JUnit XML as CI servers read it: a suite for each file, a case for each test."""
    suites = ET.Element("testsuites", {"name": f"bessplc {site}", **_counts(outcomes)})
    for file in dict.fromkeys(one.scenario.file for one in outcomes):
        of_file = [one for one in outcomes if one.scenario.file == file]
        suite = ET.SubElement(suites, "testsuite", {"name": file, "skipped": "0", **_counts(of_file)})
        for one in of_file:
            stem = file.removesuffix(".yaml").removesuffix(".test").replace("/", ".")
            case = ET.SubElement(
                suite,
                "testcase",
                name=one.scenario.name,
                classname=stem,
                file=file,
                line=str(one.scenario.at.line),
                time=f"{one.seconds:.6f}",
            )
            if one.failure is not None:
                message = f"expected {one.failure.expected}, seen {one.failure.seen}"
                ET.SubElement(case, "failure", type="expectation", message=_printable(message)).text = _printable(
                    failure_text(one, root)
                )
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    failed = sum(not one.passed for one in outcomes)
    return {"tests": str(len(outcomes)), "failures": str(failed), "errors": "0", "time": f"{sum(o.seconds for o in outcomes):.6f}"}


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 does not hold."""
    return "".join(c for c in text if c in "\n\t" or c >= " ")
