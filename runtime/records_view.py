"""How the verbs of the records read times and show tables. It must not know what stands in the records."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, EXIT_UNREADABLE, fail

WAYS = "03:00 (the last one), 2h, 30min, 7d, or 2026-03-01T06:00 (local unless it says its offset)"
SinceOption = Annotated[str, typer.Option("--since", help=f"From when on: {WAYS}.")]
UntilOption = Annotated[str, typer.Option("--until", help="Until when, written in the same way; now where it is left out.")]
UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


@contextmanager
def opened(site: Path) -> Iterator[Any]:
    """The records of the site; exit 75 where it never had any, 74 where they cannot be read: nothing is no quiet night."""
    import structlog

    from runtime import rundir
    from runtime.servers.records.file import NotKeptError
    from runtime.servers.records.store import Records

    if not site.exists():
        fail(f"no site file {site}", EXIT_MISTAKES)
    folder = rundir.state_folder_of(site)
    try:
        if not any(path.name == "records.sqlite" for path in folder.iterdir()):
            raise FileNotFoundError
    except FileNotFoundError:
        fail(f"{site} has no records yet ({folder}): they begin with its first `bessplc run`", EXIT_HELD)
    except OSError as error:
        fail(f"the records in {folder} cannot be read: {error.strerror}; ask as the user that runs the site", EXIT_UNREADABLE)
    # what is wrong with the file goes to stderr: stdout may be a script's
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    records = Records(folder, is_strict=True)
    try:
        yield records
    except NotKeptError as error:
        fail(f"{error}; they are in {folder}", EXIT_UNREADABLE)
    finally:
        records.close()


def span(since: str, until: str) -> tuple[int, int]:
    """From when until when, now where `until` is empty."""
    # a second from now: the scan's clock may be a little ahead of what we read
    return moment(since), moment(until) if until else time.time_ns() + 1_000_000_000


def moment(text: str) -> int:
    """A time in words as ns since 1970 UTC; exit 2 where it is none."""
    now = datetime.now().astimezone()
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    try:
        if text[len(number) :].strip() in UNITS:
            found = now - timedelta(**{UNITS[text[len(number) :].strip()]: float(number)})
        elif len(text) <= 8 and ":" in text:
            clock = datetime.strptime(text, "%H:%M" if text.count(":") == 1 else "%H:%M:%S").time()
            found = datetime.combine(now.date(), clock).astimezone()
            if found > now:
                found = datetime.combine(now.date() - timedelta(days=1), clock).astimezone()
        else:
            found = datetime.fromisoformat(text).astimezone()
        return int(found.timestamp() * 1000) * 1_000_000
    except (ValueError, OverflowError, OSError):
        fail(f"`{text}` is no time: {WAYS}", 2)


def when(at: int) -> str:
    """Local time with its offset, to the millisecond."""
    return datetime.fromtimestamp(at // 1_000_000 / 1000).astimezone().isoformat(" ", "milliseconds") if at else "-"


def number(value: Any) -> str:
    """A value for a table; six digits of a number are enough for a person."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    """JSON knows neither NaN nor infinity."""
    return str(value) if isinstance(value, float) and value - value != 0 else value


def show(site: Path, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> None:
    """Print a table with its title; in colours where a person looks."""
    from runtime import columns, rundir

    title += "" if rundir.holder(site) else " (the site is not running)"
    cells = [[columns.Cell(printable(text), style) for text in row] for row, style in zip(rows, styles, strict=True)]
    if not sys.stdout.isatty():
        typer.echo("\n\n".join([title, columns.plain(heads, cells)] if cells else [title]))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(title))
    if cells:
        console.print()
        console.print(columns.rich_table(heads, cells))


def printable(text: str) -> str:
    """A client's text as it may go to a terminal: no control sequences, one line."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
