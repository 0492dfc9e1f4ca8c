"""The verb `log`: what the processes of a site said, running or stopped; at once or as it comes."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, EXIT_UNREADABLE, SITE, JsonOption, SiteOption, fail, wants_colour
from runtime.records_view import WAYS, UntilOption, span

EPILOG = (
    "Examples:  bessplc log --since 03:00 --level warning      bessplc log --tag bms --follow"
    "      bessplc log --process fieldbus --since 2h --json | jq .event"
)
EVERY_S = 0.25
AT_FIRST = 20  # lines that --follow begins with
USUAL, MOST = "24h", 1000


def log(
    since: Annotated[str, typer.Option("--since", help=f"From when on: {WAYS}; {USUAL} where it is left out.")] = "",
    until: UntilOption = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", "-t", help="Only about this tag, device or alarm; `*` stands for any letters.")
    ] = None,
    level: Annotated[
        str, typer.Option("--level", "-l", help="At least so bad: debug (status lines too), info, warning, error, critical.")
    ] = "info",
    process: Annotated[str, typer.Option("--process", "-p", help="Only of this process.")] = "",
    event: Annotated[str, typer.Option("--event", "-e", help="Only events with this in their words.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come, until Ctrl-C.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help=f"The newest so many; {MOST} as a rule.")] = None,
    site: SiteOption = SITE,
    state: Annotated[
        Path | None, typer.Option("--state", help="The state folder of the site, where it is another user's (systemd).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened and what the processes of a site said, oldest first: trips, overruns, modes, devices, clients."""
    from runtime import log_view
    from runtime.log_read import Log, Wanted

    found = Log(_folder(site, state))
    start, end = span(since or USUAL, until)
    end = 2**63 - 1 if follow and not until else end
    wanted = Wanted(start, end, _level(level), _process(process, found), event, tuple(tag or ()))
    colour = wants_colour(sys.stdout)
    show = log_view.as_json if as_json else lambda line: log_view.as_text(line, colour=colour)
    most = limit or (AT_FIRST if follow and not since else MOST)
    try:
        _show(found, wanted, most, show)
        if follow:
            _follow(found, wanted, show)
    except PermissionError as error:
        fail(f"{error.filename} cannot be read: ask as the user that runs the site", EXIT_UNREADABLE)


def _show(found: Any, wanted: Any, most: int, show: Any) -> None:
    """The newest lines of those that are wanted."""
    count, newest = 0, deque[Any](maxlen=most)
    for line in found.lines(wanted.since):
        if wanted.takes(line):
            count += 1
            newest.append(line)
    if count > most:
        typer.echo(f"only the newest {most} of {count}; --limit shows more", err=True)
    for line in newest:
        typer.echo(show(line))
    sys.stdout.flush()


def _follow(found: Any, wanted: Any, show: Any) -> None:
    try:
        while time.time_ns() <= wanted.until:
            for line in found.news():
                if wanted.takes(line):
                    typer.echo(show(line))
            sys.stdout.flush()
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return  # the way to end it


def _folder(site: Path, state: Path | None) -> Path:
    """Where the log is; exit 75 where there is none yet: nothing is no quiet night."""
    from runtime import rundir
    from runtime.journal import SUFFIX, log_folder_of

    if not site.exists():
        fail(f"no site file {site}", EXIT_MISTAKES)
    folder = log_folder_of(state or rundir.state_folder_of(site))
    try:
        if not any(SUFFIX in path.name for path in folder.iterdir()):
            raise FileNotFoundError
    except FileNotFoundError:
        fail(f"{site} has no log yet ({folder}): it begins with its first `bessplc run`; --state names another place", EXIT_HELD)
    except OSError as error:
        fail(f"the log in {folder} cannot be read: {error.strerror}; ask as the user that runs the site", EXIT_UNREADABLE)
    return folder


def _level(text: str) -> str:
    from runtime.log_read import LEVELS
    from runtime.source import did_you_mean

    if text.lower() not in LEVELS:
        fail(f"no level named {text}: {did_you_mean(text, LEVELS) or 'there are ' + ', '.join(LEVELS)}", 2)
    return text.lower()


def _process(text: str, found: Any) -> str:
    """A process that the log knows: one with a file, or one that the supervisor speaks of."""
    from runtime.servers.describe import SERVERS
    from runtime.source import did_you_mean

    known = {*found.processes(), *SERVERS, "scan", "fieldbus", "plant"}
    if text and text.lower() not in known:
        fail(f"no process named {text}: {did_you_mean(text, known) or 'there are ' + ', '.join(sorted(known))}", 2)
    return text
