"""The verbs of commissioning: `discover` asks a Modbus line who is there, `verify-interlocks` says which contact is open."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, SITE, JsonOption, SiteOption, read, wants_colour

DISCOVER_EPILOG = (
    "Examples:  bessplc discover 127.0.0.1:15020 --units 1-3      bessplc discover 10.0.0.5-20 --units 1 --json"
    "      bessplc discover --serial /dev/ttyUSB0,9600,none"
)
VERIFY_EPILOG = "Examples:  bessplc verify-interlocks      bessplc verify-interlocks --walk      bessplc verify-interlocks --json"


def discover(
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="[ADDRESS]...", help="host, host:port, 10.0.0.5-20 or 10.0.0.0/28 (at most 256).")
    ] = None,
    units: Annotated[str, typer.Option("--units", "-u", help="Unit ids to ask for, for example 1-10,247.")] = "1-10",
    serial: Annotated[list[str] | None, typer.Option("--serial", help="A serial line: PORT[,BAUD[,PARITY[,STOPBITS]]].")] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.01, max=30, help="Seconds that an answer may take.")] = 0.5,
    as_json: JsonOption = False,
) -> None:
    """Ask the given addresses for Modbus units, who they are, and their SunSpec models; exit 1 where nobody answers."""
    from runtime import discover as room

    try:
        lines = [*room.read_addresses(addresses or []), *map(room.read_serial, serial or [])]
        numbers = room.read_units(units)
    except room.AddressError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    if not lines:
        typer.echo("error: no address to ask: `bessplc discover HOST[:PORT]` or `--serial PORT`", err=True)
        raise typer.Exit(2)
    found = _with_progress(lambda tell: asyncio.run(room.discover(lines, numbers, timeout, tell)), len(lines) * len(numbers))
    answered = [unit for line in found for unit in line.units]
    if as_json:
        typer.echo(json.dumps(room.as_json(found), indent=2))
    else:
        from runtime.columns import Cell, plain

        typer.echo(plain(room.HEADS, [[Cell(text) for text in row] for row in room.rows(found)]))
        for number, unit in enumerate(answered, 1):
            typer.echo(f"\n{room.io_map_head(unit, number)}")
    raise typer.Exit(0 if answered else 1)


def _with_progress(work: Any, steps: int) -> Any:
    """On a terminal a line says what is being asked; on a pipe nothing is said."""
    if not sys.stderr.isatty():
        return work(lambda text: None)
    from rich.console import Console

    asked = 0
    with Console(stderr=True, no_color=not wants_colour(sys.stderr)).status("asking") as status:

        def tell(text: str) -> None:
            nonlocal asked
            asked += 1
            status.update(f"asking {text} ({asked} of at most {steps})")

        return work(tell)


def verify_interlocks(
    site: SiteOption = SITE,
    as_json: JsonOption = False,
    with_walk: Annotated[bool, typer.Option("--walk", help="Ask a technician to open each contact in turn.")] = False,
    patience: Annotated[float, typer.Option("--patience", min=1, help="Seconds to wait for each contact of a walk.")] = 120,
) -> None:
    """Walk the permits of every interlock of a running site and say which contact is open; exit 1 where one is."""
    from runtime.onlooker import NotRunningError, Onlooker
    from runtime.verify_interlocks import Keys, Round, lines, walk
    from runtime.verify_interlocks import as_json as facts

    seen = Onlooker(read(site, warn=False), site)
    try:
        seen.attach()
    except NotRunningError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_HELD) from None
    round = Round(seen)
    walked = walk(round, Keys(), lambda text: typer.echo(text, err=as_json), patience) if with_walk else []
    interlocks = round.look()
    if seen.state == "no scan":
        typer.echo(f"error: the scan says nothing since {seen.age:.1f} s: what it said last proves no contact", err=True)
        raise typer.Exit(EXIT_HELD)
    if as_json:
        typer.echo(json.dumps({**facts(round, interlocks), "walk": [_walked(one) for one in walked]}, indent=2))
    else:
        typer.echo("\n".join(lines(round, interlocks)) or "the site has no INTERLOCK")
    is_well = all(interlock.is_closed for interlock in interlocks) and all(one.result.startswith("seen") for one in walked)
    raise typer.Exit(0 if is_well else 1)


def _walked(one: Any) -> dict[str, Any]:
    return {"interlock": one.interlock, "permit": one.permit, "contact": one.contact, "result": one.result}
