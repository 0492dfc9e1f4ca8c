"""The verb `graph`: a program as a picture, with the values of the site where it runs. It writes one file, nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, EXIT_UNREADABLE, SITE, SiteOption, fail, print_problems
from runtime.site_files import root_of

EVERY_S = 1.0
EPILOG = (
    "Examples:  bessplc graph dispatch      bessplc graph protection --svg - > protection.svg"
    "      bessplc graph dispatch --live --svg /tmp/dispatch.svg   (rewritten every second, until Ctrl-C)"
)


def graph(
    program: Annotated[str, typer.Argument(metavar="PROGRAM", help="A program that a task of the site runs.")],
    site: SiteOption = SITE,
    file: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Where to write it; `-` is standard output. [default: PROGRAM.svg]")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Rewrite the file with new values every second, until Ctrl-C.")] = False,
    values: Annotated[bool, typer.Option("--values/--no-values", help="Show values where the site runs.")] = True,
) -> None:
    """Draw a program as SVG: blocks, wires, modes, sequences; with live values and qualities where the site runs."""
    draft, model = _read(site)
    found = draft.programs.get(program.lower())
    if found is None:
        from runtime.source import did_you_mean

        known = [one.name for one in draft.programs.values()]
        hint = did_you_mean(program, known) or f"the programs are {', '.join(known)}"
        fail(f"no program named {program}: {hint}", 2)
    target = file or Path(f"{found.name}.svg")
    if live and str(target) == "-":
        fail("--live rewrites a file: name one with --svg FILE", 2)
    seen = _running(model, site, must=live) if values or live else None
    _write(target, _drawn(draft, model, program, seen))
    if str(target) != "-":
        typer.echo(f"wrote {target}{f' ({seen.title})' if seen else ''}{', again every second until Ctrl-C' if live else ''}")
    if live:
        _rewrite(target, site, program, draft, model, seen)


def _drawn(draft: Any, model: Any, program: str, seen: Any) -> str:
    from runtime.graph_read import draw_program
    from runtime.graph_svg import svg

    return svg(draw_program(draft.programs[program.lower()], draft, model), seen)


def _rewrite(target: Path, site: Path, program: str, draft: Any, model: Any, seen: Any) -> None:
    """A new picture every second until Ctrl-C; after an online change, of the files as they are then."""
    from runtime.fieldbus import drivers
    from runtime.language.site import load_draft
    from runtime.source import SiteError

    while True:
        try:
            time.sleep(EVERY_S)
        except KeyboardInterrupt:
            return  # the way to end it
        seen.refresh()
        if seen.is_silent:
            try:
                new_draft, new_model = load_draft(site, drivers())
            except SiteError:
                new_draft = None  # somebody is editing: the old picture says that it is old
            again = _running(new_model, site, must=False) if new_draft and program.lower() in new_draft.programs else None
            if again is not None:
                draft, model, seen = new_draft, new_model, again
        _write(target, _drawn(draft, model, program, seen))


def _read(site: Path) -> tuple[Any, Any]:
    """The network and the site; all mistakes, and exit 1."""
    from runtime.fieldbus import drivers
    from runtime.language.site import load_draft
    from runtime.source import SiteError

    try:
        return load_draft(site, drivers())
    except SiteError as error:
        print_problems(error.problems, root_of(site))
        raise typer.Exit(EXIT_MISTAKES) from None


def _running(model: Any, file: Path, must: bool) -> Any:
    """The values of the running site; None, or exit 75, where none runs."""
    from runtime.graph_values import Values
    from runtime.onlooker import NotRunningError, Onlooker

    seen = Onlooker(model, file)
    try:
        seen.attach(as_in_files=True)
    except NotRunningError as error:
        if not must:
            return None
        fail(str(error), EXIT_HELD)
    return Values(seen)


def _write(target: Path, text: str) -> None:
    """Aside, then renamed: a viewer never reads half a picture. Exit 74 where it cannot be written."""
    if str(target) == "-":
        typer.echo(text, nl=False)
        return
    from runtime.engine.cache import write_aside

    try:
        write_aside(target, text)
    except OSError as error:
        fail(f"{target} cannot be written: {error.strerror}", EXIT_UNREADABLE)
