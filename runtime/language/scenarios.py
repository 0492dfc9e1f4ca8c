"""Reads the tests of a site's programs: `tests:` in a program, and `programs/NAME.test.yaml` beside it.

It must not know how they run.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blocks.declare import BlockType
from runtime.language.entries import read_text
from runtime.language.needs import missing_of
from runtime.language.scenario import Cell, Check, Scenario, Scenarios, Setting, Step
from runtime.language.scenario_inputs import Inputs
from runtime.language.scenario_names import Names
from runtime.language.scenario_openings import WORD, Openings
from runtime.language.scenario_points import points_of
from runtime.language.scenario_steps import HOPES, Steps
from runtime.language.words import as_section, check_words, section_of
from runtime.model import Site
from runtime.source import Listing, Position, Report, Section, Text, did_you_mean, place_of

FILE_WORDS = ("description", "needs", "given", "always", "never", WORD, "tests")
TEST_WORDS = ("description", "needs", "given", "clock", "steps", "always", "never")
SUFFIX = ".test.yaml"
FIRST_CLOCK = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z, where a test says nothing
MOST_SHOWN = 12


def read_scenarios(site: Site, catalogue: Mapping[str, BlockType], report: Report) -> Scenarios:
    """All tests of the programs that this site runs; the mistakes of all files are in the report."""
    root = Path(site.root)
    programs = [name for task in site.schedule.tasks for name in task.programs]
    sections = {name: section for name in programs if (section := _read(site, f"programs/{name}.yaml", report)) is not None}
    found: list[Scenario] = []
    notes: list[str] = []
    for name, section in sections.items():
        if "tests" in section:
            found += _tests(
                section, f"programs/{name}.yaml", Names(site.schedule, site.devices, catalogue, name, sections, report), root
            )
    for path in sorted((root / "programs").glob(f"*{SUFFIX}")):
        file, name = f"programs/{path.name}", path.name.removesuffix(SUFFIX)
        if name not in programs and (root / f"programs/{name}.yaml").exists():
            notes.append(f"{file} is left out: no task of this site runs the program {name}")
            continue
        section = _read(site, file, report)
        if section is None:
            continue
        if name not in programs:
            hint = did_you_mean(name, programs)
            report.error(
                Position(file, 0, 0),
                "E960",
                f"no program is named `{name}`",
                hint,
                "the file's name says whose tests it holds: `programs/NAME.test.yaml`",
            )
            continue
        check_words(section, FILE_WORDS, "a file of tests", report)
        if missing := missing_of(section, report):
            notes.append(f"{file} is left out: it needs `{missing}`, which this site has not")
            continue
        found += _tests(section, file, Names(site.schedule, site.devices, catalogue, name, sections, report), root)
    return Scenarios(tuple(found), points_of(site.schedule, sections), tuple(notes))


def _read(site: Site, file: str, report: Report) -> Section | None:
    try:
        text = (Path(site.root) / file).read_bytes().decode("utf-8").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError) as error:
        report.error(Position(file, 0, 0), "E004", f"the file {file} cannot be read: {error}")
        return None
    return read_text(file, text, site.constants, report)


def _tests(section: Section, file: str, names: Names, root: Path) -> list[Scenario]:
    """The tests of one file; `given`, `always` and `never` beside `tests` hold for each of them."""
    report = names.report
    is_own = file.endswith(SUFFIX)
    steps = Steps(names, Inputs(names, root), Openings(section if is_own else Section(), report))
    given = steps.settings(section, "given") if is_own else ()
    guards = _guards(steps, section) if is_own else ()
    tests = section_of(section, "tests", "`tests`", report)
    if not tests:
        report.error(section.key_at("tests"), "E007", f"{file} holds no test", "`tests:` gives each test its name and its `steps:`")
    found = []
    for name, words in tests.items():
        body = (
            Section([(Text("steps", name.at), words)], name.at)
            if isinstance(words, Listing)
            else as_section(words, name.at, f"the test `{name}`", report)
        )
        if body is None:
            continue
        check_words(body, TEST_WORDS, "a test", report)
        if missing_of(body, report):
            continue
        if "steps" not in body:
            report.error(name.at, "E007", f"the test `{name}` has no `steps`", "")
            continue
        mistakes = len(report.errors)
        first = Step(name.at, settings=(*given, *steps.settings(body, "given")))
        rest = steps.read(body["steps"], name)
        always = (*guards, *_guards(steps, body))
        if not always and not any(_looks(step) for step in rest if not steps.is_shared(step)) and len(report.errors) == mistakes:
            help = f"the words for that are {', '.join(HOPES)}, always and never"
            report.error(name.at, "E965", f"the test `{name}` expects nothing", "", help)
        made = Scenario(str(name), file, name.at, (first, *rest), always, _clock(body, report), _shown(rest, always, names))
        found.append(made)
    return found


def _looks(step: Step) -> bool:
    """Whether the step can fail for what the programs do: it expects something, or that a command is refused."""
    return bool(step.checks) or any(write.is_refused for write in step.writes)


def _guards(steps: Steps, body: Section) -> tuple[Check, ...]:
    return (*steps.conditions_of(body, "always", True), *steps.conditions_of(body, "never", False))


def _clock(body: Section, report: Report) -> int:
    """The wall clock at the start: `clock: 2026-06-01T12:00:00Z`."""
    value: Any = body.get("clock")
    if value is None:
        return FIRST_CLOCK
    try:
        found = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        report.error(place_of(value), "E010", f"`{value}` is no date and time", "`2026-06-01T12:00:00Z`")
        return FIRST_CLOCK
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return int(found.timestamp()) * 1_000_000_000


def _shown(steps: tuple[Step, ...], always: tuple[Check, ...], names: Names) -> tuple[Cell, ...]:
    """The cells that the test names, each once: what it expects first, then what it gives."""
    found: dict[str, Cell] = {}
    for check in [*(check for step in steps for check in step.checks), *always]:
        for cell in check.cells:
            found.setdefault(cell.name, cell)
    given: list[Setting] = [setting for step in steps for setting in step.settings]
    for name in [*(setting.name for setting in given), *(ramp.name for step in steps for ramp in step.ramps)]:
        tag = names.tag(name)
        if tag is not None:
            found.setdefault(tag.name, Cell(tag.name, tag.type, tag.offset, tag.unit, tag.names, True, tag.length))
    return tuple(cell for cell in found.values() if not cell.elements)[:MOST_SHOWN]
