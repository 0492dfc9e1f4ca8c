"""The verb `load`: puts edited files into the running site between two scans, shows what changes, and takes it back."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, SITE, JsonOption, SiteOption, wants_colour

EPILOG = "Examples:  bessplc load --dry-run      bessplc load --no-jump '5 kW' --yes      bessplc load --undo"
PATIENCE_S = 90.0
SHOWN = 60
COLOURS = {"+": "green", "-": "red", "~": "yellow"}


def load(
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Check, compare and try; load nothing.")] = False,
    no_jump: Annotated[
        list[str] | None,
        typer.Option("--no-jump", help="Refuse where an output in this unit would jump further: '5 kW'. May be given again."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Go back to the program that ran before the last load.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="On a terminal: do not ask.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Load the edited files into the running site: no scan is missed, and values go over by name and type.

    While the tag that the site's `runtime: changes:` names is false, only what is bumpless is loaded: no output jumps, no value
    is lost, no force ends. Nothing overrides that here.
    """
    verb = "undo" if undo else "load"
    asked: dict[str, Any] = {"verb": verb, "no_jump": list(no_jump or ())}
    _check_limits(asked["no_jump"])
    if dry_run or (not yes and not as_json and sys.stdin.isatty() and sys.stdout.isatty()):
        answer = ask(site, {**asked, "trial": True, "meant": not dry_run})
        _show(answer, as_json)
        can_load = answer["ok"] and (answer.get("differences") or answer.get("text", "").startswith("tried"))
        if dry_run or not can_load:
            raise typer.Exit(0 if answer["ok"] else EXIT_MISTAKES)
        if not typer.confirm("load it now?"):
            raise typer.Exit(0)
        asked["expect"] = answer.get("digest", "")  # what is confirmed is what is loaded
    answer = ask(site, asked)
    if undo and answer.get("swapped"):
        answer["text"] = f"undone: the program before runs again, {answer['text']}; --undo once more goes forward again"
    _show(answer, as_json)
    raise typer.Exit(0 if answer["ok"] else EXIT_MISTAKES)


def _check_limits(limits: list[str]) -> None:
    from runtime.control import limit_of

    for text in limits:
        try:
            limit_of(text)
        except ValueError as error:
            typer.echo(f"error: --no-jump {error}", err=True)
            raise typer.Exit(2) from None


def ask(site: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The running site's answer to a request; exit 75 where none runs."""
    from runtime.control import address_in
    from runtime.rundir import folder_of

    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(PATIENCE_S)
    with link:
        try:
            with address_in(folder_of(site)) as address:
                link.connect(address)
        except OSError:
            typer.echo(f"error: no run of {site} is up: `bessplc run` starts it", err=True)
            raise typer.Exit(EXIT_HELD) from None
        try:
            link.sendall(json.dumps(asked).encode() + b"\n")
            line = link.makefile("rb").readline()
        except OSError as error:
            typer.echo(f"error: the running site gave no answer: {error}", err=True)
            raise typer.Exit(os.EX_IOERR) from None
    if not line:
        typer.echo("error: the running site ended before it answered", err=True)
        raise typer.Exit(EXIT_HELD)
    answer: dict[str, Any] = json.loads(line)
    return answer


def _show(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    if answer.get("rendered"):
        typer.echo(answer["rendered"], err=True)
        typer.echo(err=True)
    colour = wants_colour(sys.stdout)
    for text in _cut(answer.get("differences", ())):
        typer.echo(typer.style(text, fg=COLOURS.get(text[:1])) if colour else text)
    for title, key in (("not carried over:", "dropped"), ("outputs that jump:", "jumps"), ("forces that end:", "lifted")):
        if answer.get(key):
            typer.echo(f"{title}")
            for text in _cut(answer[key]):
                typer.echo(f"  {text}")
    typer.echo(f"{answer['text']} ({answer.get('seconds', 0):.2f} s)", err=not answer["ok"])


def _cut(texts: Any) -> list[str]:
    more = len(texts) - SHOWN
    return [*texts[:SHOWN], *([f"... and {more} more"] if more > 0 else [])]
