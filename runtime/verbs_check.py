"""The verb `check`: every mistake of a site's files and of its programs' tests, and starts nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from runtime.options import EXIT_MISTAKES, SITE, JsonOption, SiteOption, count_of, print_problems
from runtime.site_files import root_of

EPILOG = "Examples:  bessplc check --site grid      bessplc check --site other/config/site.yaml --json"


def check(site: SiteOption = SITE, as_json: JsonOption = False) -> None:
    """Check all files of a site, the tests of its programs too, and print every mistake; exit 1 if there is one."""
    from runtime.app import read_site
    from runtime.source import SiteError

    problems: tuple[Any, ...] = ()
    facts: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    try:
        found, problems = read_site(site)
        tests, notes, of_tests = _tests_of(found)
        problems = tuple(sorted({*problems, *of_tests}))
        schedule = found.schedule
        facts = {
            "site": found.name,
            "digest": schedule.digest,
            "tags": len(schedule.tags),
            "instances": sum(g.rows for g in schedule.groups),
            "groups": len(schedule.groups),
            "tests": tests,
        }
    except SiteError as error:  # the tests name tags and pins of a program: without one nothing can be said of them
        problems = error.problems
    failed = any(p.severity == "error" for p in problems)
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "problems": [p.as_json() for p in problems], **facts}, indent=2))
    else:
        _show(problems, facts, notes, site, failed=failed)
    raise typer.Exit(EXIT_MISTAKES if failed else 0)


def _tests_of(site: Any) -> tuple[int, tuple[str, ...], tuple[Any, ...]]:
    """How many tests the programs have, what is left out of them, and their mistakes."""
    from blocks import catalogue
    from runtime.language.scenarios import read_scenarios
    from runtime.source import Report

    report = Report()
    found = read_scenarios(site, catalogue(), report)
    return len(found.tests), found.notes, tuple(report.problems)


def _show(problems: tuple[Any, ...], facts: dict[str, Any], notes: tuple[str, ...], site: Path, *, failed: bool) -> None:
    if problems:
        print_problems(problems, root_of(site))
        typer.echo(err=True)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    done = ""
    if not failed:
        tests = f", {facts['tests']} test{'' if facts['tests'] == 1 else 's'}" if facts["tests"] else ""
        done = f"{facts['tags']} tags, {facts['instances']} block instances in {facts['groups']} groups{tests}: "
    typer.echo(f"{done}{count_of(problems)}", err=failed)
