"""The verbs that look at a running site: `devices` and `io`. They start, stop and write nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, SITE, JsonOption, SiteOption, WatchOption, read

EVERY_S = 0.5
DEVICES_EPILOG = "Examples:  bessplc devices      bessplc devices --watch      bessplc devices --json | jq '.devices[].state'"
IO_EPILOG = "Examples:  bessplc io      bessplc io --device rack1 --watch      bessplc io 'bms.cell_v[*]' pcs.p --json"


def devices(site: SiteOption = SITE, as_json: JsonOption = False, watch: WatchOption = False) -> None:
    """List the devices of a running site: state, round-trip, errors by kind, conditions."""
    from runtime import devices_view

    seen = _attach(site, with_devices=True)
    _show(seen, watch, as_json, lambda: devices_view.as_json(seen), lambda: (devices_view.HEADS, devices_view.as_rows(seen)))


def io(
    tags: Annotated[
        list[str] | None, typer.Argument(metavar="[TAG]...", help="Only these tags; `*` stands for any letters.")
    ] = None,
    device: Annotated[list[str] | None, typer.Option("--device", "-d", help="Only the points of this device.")] = None,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
    watch: WatchOption = False,
) -> None:
    """List the points of a running site: value, raw value, quality, age, address."""
    from runtime import io_view

    seen = _attach(site, with_devices=True)
    try:
        points = io_view.choose(seen, device or [], tags or [])
    except io_view.UnknownNameError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    _show(seen, watch, as_json, lambda: io_view.as_json(seen, points), lambda: (io_view.HEADS, io_view.as_rows(seen, points)))


def _attach(file: Path, *, with_devices: bool = False) -> Any:
    """The running site of this file; exit 75 where there is none."""
    from runtime.onlooker import NotRunningError, Onlooker

    seen = Onlooker(read(file, warn=False), file)
    try:
        seen.attach(with_devices=with_devices)
    except NotRunningError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_HELD) from None
    return seen


def _show(seen: Any, watch: bool, as_json: bool, facts: Callable[[], Any], table: Callable[[], tuple[Any, Any]]) -> None:
    """JSON once, a plain table once on a pipe, a coloured one on a terminal: once, or again and again."""
    from runtime import columns

    title = lambda: f"{seen.site.name}: {seen.state}, scan {seen.snapshot.scan}, outputs {seen.outputs}"  # noqa: E731
    if as_json:
        typer.echo(json.dumps(facts(), indent=2))
    elif not sys.stdout.isatty():
        typer.echo(f"{title()}\n\n{columns.plain(*table())}")
    else:
        from rich.console import Console, Group
        from rich.text import Text

        def draw() -> Any:
            seen.refresh()
            return Group(Text(title()), "", columns.rich_table(*table()))

        if watch:
            columns.watch(draw, EVERY_S)
        else:
            Console().print(draw())
