"""The verb `replay`: runs a recorded stretch again, bit for bit, with its own program or an edited one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from runtime.options import EXIT_MISTAKES, EXIT_UNREADABLE, SITE, AnySiteOption, JsonOption, fail, read, the_site
from runtime.records_view import WAYS

EPILOG = (
    "Examples:  bessplc replay --since 03:00 --until 03:10 --show bms.soc,dispatch.clamp.OUT      bessplc replay trip.tape --json"
    "      bessplc replay trip.tape --program edited/config/site.yaml      bessplc replay a.tape --diff b.tape"
)


def replay(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Tape files: an incident, or segments, oldest first.")
    ] = None,
    since: Annotated[str, typer.Option("--since", help=f"From when on, of FILE or of the site's running tape: {WAYS}.")] = "",
    until: Annotated[str, typer.Option("--until", help="Until when, written in the same way.")] = "",
    program: Annotated[Path | None, typer.Option("--program", "-p", help="The site file of an edited program.")] = None,
    show: Annotated[str, typer.Option("--show", help="Tags and pins, with commas between; `*` stands for any letters.")] = "",
    csv: Annotated[Path | None, typer.Option("--csv", help="Write what --show names, every scan a line.")] = None,
    diff: Annotated[Path | None, typer.Option("--diff", help="Another tape: say the first scan that differs, and in what.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="List so many changes at most: the newest of each name.")] = 200,
    site: AnySiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a recorded stretch again, bit for bit: what happened, any tag or pin in any scan, and what an edit would have done."""
    from runtime.engine.replay_run import ReplayError
    from runtime.replay_view import Question, answer, as_text, is_good

    paths = _paths(files or [], since, until, site)
    edited = read(program, warn=False).schedule if program else None
    names = tuple(name.strip() for name in show.split(",") if name.strip())
    if csv is not None and not names:
        fail("--csv writes what --show names: say --show TAG,PIN", 2)
    question = Question(tuple(paths), edited, _moment(since), _moment(until), names, csv, diff, limit)
    try:
        found = answer(question)
    except ReplayError as error:
        fail(str(error), EXIT_UNREADABLE)
    except OSError as error:
        fail(f"{error.filename or 'the tape'}: {error.strerror or error}", EXIT_UNREADABLE)
    except KeyError as error:
        fail(str(error.args[0]), 2)
    typer.echo(json.dumps(found, indent=2) if as_json else as_text(found))
    raise typer.Exit(0 if is_good(found, is_diff_asked=diff is not None) else EXIT_MISTAKES)


def _moment(text: str) -> int:
    from runtime.records_view import moment

    return moment(text) if text else 0


def _paths(files: list[Path], since: str, until: str, given: Path | None) -> list[Path]:
    """The files that were named, or those of the site's running tape for this time."""
    from runtime import rundir
    from runtime.servers.recorder.segments import FOLDER, chosen

    if files:
        for path in files:
            if not path.exists():
                folder = rundir.state_folder_of(given or SITE) / FOLDER / "incidents"
                fail(f"{path}: no such file; incidents are in {folder}", EXIT_UNREADABLE)
        return files
    if not since:
        fail("say a FILE, or --since for the running tape of the site", 2)
    folder = rundir.state_folder_of(the_site(given)) / FOLDER
    found = chosen(folder, _moment(since) / 1e9, _moment(until) / 1e9 if until else float("inf"))
    if not found:
        fail(f"{folder} has no tape of that time: it begins with the first `bessplc run`", EXIT_UNREADABLE)
    return found
