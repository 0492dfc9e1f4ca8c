"""What the verbs of the command line share: options, exit codes, and how a site's mistakes are shown. It must not know a verb."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from runtime.rundir import holder
from runtime.site_files import CONFIG, SITES, root_of, sites_of
from runtime.source import did_you_mean

SITE = Path("config/site.yaml")
EXIT_MISTAKES, EXIT_HELD = 1, 75  # 75: EX_TEMPFAIL, another run holds the site; or none does, where one is needed
EXIT_UNREADABLE = os.EX_IOERR  # files that cannot be read or written
BY_NAME = "The site: its file, or the name of one in config/sites/."
ENVIRONMENT = "BESSPLC_SITE"
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Refresh on a terminal until Ctrl-C.")]


def the_site(given: Path | None, *, among_running: bool = True) -> Path:
    """The site that is meant: a file as it is, a name in `config/sites/`; without one the usual file or the one that runs.

    Exit 2 with a list of the sites where that cannot be told.
    """
    sites = sites_of(Path.cwd())
    if given is None:
        running = [site for site in sites if holder(site)] if among_running and not SITE.exists() else []
        if SITE.exists() or not sites:
            return SITE
        if len(running) != 1:
            why = f"{len(running)} sites run here" if running else f"there is no {SITE} here"
            fail(f"{why}: say which site is meant, as --site {sites[0].stem} or in ${ENVIRONMENT}\n{_listed(sites)}", 2)
        return running[0].relative_to(Path.cwd())
    if given.is_file() or given.suffix or given.name != str(given):
        return given
    found = next((path for folder in (SITES, CONFIG) if (path := Path(folder, f"{given}.yaml")).is_file()), None)
    if found is None:
        near = did_you_mean(str(given), [site.stem for site in sites])
        fail(f"no site is named {given} here: {near or f'there is no {SITES}/{given}.yaml'}\n{_listed(sites)}".rstrip(), 2)
    return found


def _listed(sites: list[Path]) -> str:
    """The sites, a line each."""
    from runtime.language.loader import read_yaml
    from runtime.source import Report

    lines = []
    for site in sites:
        section = read_yaml(site.name, site.read_text(encoding="utf-8", errors="replace"), Report())
        said = "it cannot be read: `bessplc check` says why" if section is None else str(section.get("description", ""))
        lines.append(f"  {site.stem:<14}{'runs now; ' if holder(site) else ''}{' '.join(said.split())}".rstrip())
    return "\n".join(lines)


def _named(context: typer.Context, parameter: typer.CallbackParam, value: Path) -> Path:
    if context.resilient_parsing:
        return value
    source = context.get_parameter_source(str(parameter.name))
    is_said = source is not None and source.name != "DEFAULT"
    return the_site(value if is_said else None, among_running=context.info_name != "run")


SiteOption = Annotated[
    Path, typer.Option("--site", "-s", help=BY_NAME, show_default=True, envvar=ENVIRONMENT, show_envvar=False, callback=_named)
]
# of verbs that may do without a site: they ask `the_site` when they need one
AnySiteOption = Annotated[
    Path | None, typer.Option("--site", "-s", help=BY_NAME, show_default=str(SITE), envvar=ENVIRONMENT, show_envvar=False)
]


def _folder_named(value: Path) -> Path:
    """The file of a name, without asking which site is meant: these verbs take all files of the root."""
    return value if value == SITE else the_site(value)


# of verbs that take all files of a folder, whatever its sites are
FolderOption = Annotated[
    Path,
    typer.Option("--site", "-s", help="A site: all files of its folder.", show_default=True, callback=_folder_named),
]
SiteArgument = Annotated[Path, typer.Argument(help=BY_NAME, envvar=ENVIRONMENT, show_envvar=False, callback=_named)]


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
        print_problems(error.problems, root_of(site))
        typer.echo(f"\n{count_of(error.problems)}; nothing was started", err=True)
        raise typer.Exit(EXIT_MISTAKES) from None
    if warnings and warn:
        print_problems(warnings, root_of(site))
    return found
