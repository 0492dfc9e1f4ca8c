"""What the verbs of the command line share: options, exit codes, and how a site's mistakes are shown. It must not know a verb."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

SITE = Path("config/site.yaml")
EXIT_MISTAKES, EXIT_HELD = 1, 75  # 75: EX_TEMPFAIL, another run holds the site; or none does, where one is needed
EXIT_UNREADABLE = os.EX_IOERR  # files that cannot be read or written
SiteOption = Annotated[Path, typer.Option("--site", "-s", help="The site file.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Refresh on a terminal until Ctrl-C.")]


def fail(why: str, code: int) -> NoReturn:
    """End with an error for people and an exit code for scripts."""
    typer.echo(f"error: {why}", err=True)
    raise typer.Exit(code)


def wants_colour(stream: Any) -> bool:
    """Whether a person looks, who did not ask for plain text."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def print_problems(problems: Any, root: Path) -> None:
    """The problems with their carets, to standard error."""
    from runtime.source import render

    typer.echo(render(problems, root, colour=wants_colour(sys.stderr)), err=True)


def count_of(problems: Any) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(p.severity == "error" for p in problems)
    warnings = len(problems) - errors
    return (
        ", ".join(f"{n} {word}{'s' if n != 1 else ''}" for n, word in ((errors, "error"), (warnings, "warning")) if n)
        or "no problems"
    )


def read(site: Path, *, warn: bool = True) -> Any:
    """The site, with warnings shown; or all its mistakes, and exit 1."""
    from runtime.app import read_site
    from runtime.source import SiteError

    try:
        found, warnings = read_site(site)
    except SiteError as error:
        print_problems(error.problems, site.resolve().parent.parent)
        typer.echo(f"\n{count_of(error.problems)}; nothing was started", err=True)
        raise typer.Exit(EXIT_MISTAKES) from None
    if warnings and warn:
        print_problems(warnings, site.resolve().parent.parent)
    return found
