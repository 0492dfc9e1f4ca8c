"""The verb `test`: runs the tests of a site's programs in simulated time. It needs no running site and touches no device."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import (
    EXIT_MISTAKES,
    EXIT_UNREADABLE,
    SITE,
    JsonOption,
    SiteOption,
    count_of,
    fail,
    print_problems,
    read,
    wants_colour,
)

EPILOG = (
    "Examples:  bessplc test      bessplc test protection --site grid      bessplc test -k contactors --cover"
    "      bessplc test --junit build/programs.xml      bessplc test --json | jq '.tests[] | select(.passed | not)'"
)
COLOURS = {"green": "32", "red": "31"}


def check_programs(
    programs: Annotated[
        list[str] | None, typer.Argument(metavar="[PROGRAM]...", help="Only the tests of these programs.", show_default=False)
    ] = None,
    site: SiteOption = SITE,
    only: Annotated[list[str] | None, typer.Option("-k", help="Only the tests whose name has this text in it.")] = None,
    cover: Annotated[
        bool, typer.Option("--cover", help="Say which transitions, modes, alarms and permits no test went through.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write the results as JUnit XML.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the tests of a site's programs (programs/NAME.test.yaml) in simulated time; exit 1 if one fails."""
    found = read(site, warn=False)
    scenarios = _scenarios(found)
    chosen = _of_programs(scenarios.tests, programs or [])
    chosen = [one for one in chosen if not only or any(text.lower() in one.full_name.lower() for text in only)]
    if not chosen:
        known = (
            f"none of the {len(scenarios.tests)} tests has `{'` or `'.join(only)}` in its name"
            if only
            else "the programs have no tests"
        )
        typer.echo(f"error: {known}", err=True)
        raise typer.Exit(2 if only else EXIT_MISTAKES)
    outcomes, seen = _run(found, scenarios, chosen, quiet=as_json)
    root = Path(found.root)
    if junit is not None:
        _write(junit, outcomes, found.name, root)
    _show(outcomes, scenarios, seen, root, as_json=as_json, cover=cover)
    raise typer.Exit(0 if all(one.passed for one in outcomes) else EXIT_MISTAKES)


def _scenarios(site: Any) -> Any:
    """The tests; or all their mistakes, and exit 1."""
    from blocks import catalogue
    from runtime.language.scenarios import read_scenarios
    from runtime.source import Report

    report = Report()
    found = read_scenarios(site, catalogue(), report)
    problems = tuple(sorted(dict.fromkeys(report.problems)))
    if problems:
        print_problems(problems, Path(site.root))
    if report.errors:
        typer.echo(f"\n{count_of(problems)}; no test was run", err=True)
        raise typer.Exit(EXIT_MISTAKES)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    return found


def _of_programs(tests: Any, programs: list[str]) -> list[Any]:
    """The tests of these programs, all where none is named; exit 2 where one of them has none here."""
    from runtime.source import did_you_mean

    known = {test.program for test in tests}
    for name in programs:
        if name not in known:
            fail(
                f"this site has no tests of a program {name}: {did_you_mean(name, known) or ', '.join(sorted(known)) or 'none'}", 2
            )
    return [test for test in tests if not programs or test.program in programs]


def _run(site: Any, scenarios: Any, chosen: Any, *, quiet: bool) -> tuple[Any, Any]:
    """Run them, a line each as it ends; on a terminal what goes on before the first is shown too."""
    from runtime.program_tests import run_tests
    from runtime.program_tests_report import line_of
    from runtime.program_tests_stand import stand

    colour = wants_colour(sys.stdout)

    def paint(text: str, name: str) -> str:
        return f"\x1b[{COLOURS[name]}m{text}\x1b[0m" if colour else text

    if sys.stderr.isatty():
        typer.echo(f"{len(chosen)} tests; laying out the site ...\r", err=True, nl=False)
    with stand(site, scenarios.points) as made:
        if sys.stderr.isatty():
            typer.echo(" " * 60 + "\r", err=True, nl=False)
        outcomes = run_tests(made, chosen, (lambda _: None) if quiet else lambda outcome: typer.echo(line_of(outcome, paint)))
        return outcomes, made.seen()


def _show(outcomes: Any, scenarios: Any, seen: Any, root: Path, *, as_json: bool, cover: bool) -> None:
    from runtime import program_tests_report as report

    if as_json:
        typer.echo(json.dumps(report.as_json(outcomes, scenarios.points, seen), indent=2))
        return
    for outcome in outcomes:
        if not outcome.passed:
            typer.echo(f"\n{report.failure_text(outcome, root)}")
    if cover:
        typer.echo(f"\n{report.cover_text(scenarios.points, seen)}")
    typer.echo(f"\n{report.summary(outcomes)}")


def _write(path: Path, outcomes: Any, site: str, root: Path) -> None:
    """The JUnit file; exit 74 where it cannot be written."""
    from runtime.program_tests_report import junit

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(junit(outcomes, site, root), encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}", EXIT_UNREADABLE)
