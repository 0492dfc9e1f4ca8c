"""The verb `blocks`: the block catalogue in the terminal, as JSON, or as pages for a browser. It opens no device."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from runtime.options import JsonOption

EPILOG = (
    "Examples:  bessplc blocks      bessplc blocks PID      bessplc blocks grid      bessplc blocks --json      "
    "bessplc blocks --html build/blocks"
)
NARROWEST, WIDEST = 60, 160


def blocks(
    name: Annotated[str, typer.Argument(help="One block to describe in full, or one family to list.")] = "",
    as_json: JsonOption = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the reference as pages into this folder.")] = None,
) -> None:
    """List the function blocks by family, or describe one: law, source, pins, an example and its timing diagram."""
    import blocks as library
    from runtime.reference.catalogue import as_dict, describe, list_all
    from runtime.reference.html_pages import write_html
    from runtime.source import did_you_mean

    known, families = library.catalogue(), library.families()
    chosen = {n: b for n, b in known.items() if not name or n == name.upper() or b.family == name.lower()}
    if not chosen:
        hint = did_you_mean(name, [*known, *families]) or "`bessplc blocks` lists them all"
        typer.echo(f"error: no block named {name}: {hint}", err=True)
        raise typer.Exit(2)
    if html is not None:
        try:
            pages = write_html(html, chosen, families)
        except OSError as error:
            typer.echo(f"error: {html}: {error.strerror}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{pages} pages: {html / 'index.html'}")
    elif as_json:
        typer.echo(json.dumps([as_dict(b) for b in chosen.values()], indent=2))
    elif name and name.upper() in chosen:
        width = min(max(shutil.get_terminal_size((WIDEST, 0)).columns, NARROWEST), WIDEST)
        typer.echo(describe(chosen[name.upper()], width))
    else:
        typer.echo(list_all(chosen.values(), families))
