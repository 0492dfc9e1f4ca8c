"""The verb `fmt`: orders and aligns the YAML of a site, and keeps what it says. It starts nothing."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from runtime.options import EXIT_MISTAKES, SITE, FolderOption, print_problems
from runtime.site_files import root_of

EPILOG = (
    "Examples:  bessplc fmt      bessplc fmt programs/dispatch.yaml --diff      bessplc fmt --check      bessplc fmt - < a.yaml"
)
FOLDERS = ("config", "programs", "io_maps")


def fmt(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="These files; `-` formats standard input to standard output.")
    ] = None,
    site: FolderOption = SITE,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where a file would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change, and write nothing.")] = False,
) -> None:
    """Order and align the YAML of a site; comments, quotes and meaning stay. Without FILE: all of the site."""
    root = root_of(site)
    if files and Path("-") in files:
        if len(files) > 1 or check or diff:
            typer.echo("error: `-` stands alone: it formats standard input to standard output", err=True)
            raise typer.Exit(2)
        _filter()
        return
    chosen = files or sorted(p for folder in FOLDERS for p in (root / folder).rglob("*.yaml") if not p.name.endswith("users.yaml"))
    if not chosen:
        typer.echo(f"error: no YAML in {', '.join(f'{root}/{folder}' for folder in FOLDERS)}", err=True)
        raise typer.Exit(os.EX_IOERR)
    results = [_format(path, writes=not (check or diff), diff=diff) for path in chosen]
    changed = results.count("changed")
    would = "would change" if check or diff else "formatted"
    typer.echo(f"{changed} {would}, {results.count('good')} already good" + _failed(results), err=diff)
    if "unreadable" in results:
        raise typer.Exit(os.EX_IOERR)
    raise typer.Exit(EXIT_MISTAKES if "wrong" in results or (check and changed) else 0)


def _failed(results: list[str]) -> str:
    wrong = len(results) - results.count("changed") - results.count("good")
    return f", {wrong} left as they are" if wrong else ""


def _format(path: Path, *, writes: bool, diff: bool) -> str:
    """One file: changed, good, wrong (it has mistakes) or unreadable."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        typer.echo(f"error: {path} cannot be read: {error.strerror}", err=True)
        return "unreadable"
    except UnicodeDecodeError as error:
        typer.echo(f"error: {path} is not UTF-8 text: {error.reason} at byte {error.start}", err=True)
        return "wrong"
    made = _made(str(path), text)
    if made is None or made == text:
        return "wrong" if made is None else "good"
    if diff:
        lines = difflib.unified_diff(text.splitlines(True), made.splitlines(True), f"{path}", f"{path} (formatted)")
        typer.echo("".join(lines), nl=False)
        return "changed"
    if writes:
        try:
            write_aside(path.resolve(), made)
        except OSError as error:
            typer.echo(f"error: {path} cannot be written: {error.strerror}", err=True)
            return "unreadable"
    typer.echo(f"{'formatted' if writes else 'would format'} {path}")
    return "changed"


def _made(name: str, text: str) -> str | None:
    """The formatted text; None where it has mistakes, which are shown."""
    from runtime.formatting import MeaningError, format_text
    from runtime.source import SiteError

    try:
        return format_text(name, text)
    except SiteError as error:
        print_problems(error.problems, Path())
    except MeaningError:
        typer.echo(f"error: {name} is left as it is: formatted, it would say something else (please tell us)", err=True)
    return None


def _filter() -> None:
    """For editors: standard input to standard output; nothing is printed where there is a mistake."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        typer.echo(f"error: this is not UTF-8 text: {error.reason} at byte {error.start}", err=True)
        raise typer.Exit(EXIT_MISTAKES) from None
    made = _made("-", text)
    if made is None:
        raise typer.Exit(EXIT_MISTAKES)
    sys.stdout.buffer.write(made.encode("utf-8"))


def write_aside(path: Path, text: str) -> None:
    """Into a new file beside this one, with its mode and owner, then in its place: a power cut leaves the old or the new one."""
    state = path.stat()
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8"))
            out.flush()
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(out.fileno(), state.st_uid, state.st_gid)
            os.fchmod(out.fileno(), state.st_mode & 0o7777)
            os.fsync(out.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
