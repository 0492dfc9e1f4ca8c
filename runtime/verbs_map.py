"""The verb `map`: the Modbus registers of a site, as the SCADA engineer wants them. It needs no server and writes nothing."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, SITE, JsonOption, SiteOption, fail, print_problems, read, wants_colour

EPILOG = (
    "Examples:  bessplc map      bessplc map 'bms.*' --table input      bessplc map --csv > registers.csv"
    "      bessplc map --yaml > io_maps/scada.yaml   (pins the automatic map; then say `map: io_maps/scada.yaml`)"
)
# the names of the columns, and the fields of a Line
COLUMNS = {
    "table": "table",
    "address": "address",
    "modicon": "modicon",
    "OpenPLC": "located",
    "read FC": "read",
    "write FC": "write",
    "count": "registers",
    "type": "type",
    "words": "words",
    "scale": "scale",
    "unit": "unit",
    "range": "range",
    "access": "access",
    "tag": "tag",
    "description": "text",
    "when bad": "bad",
    "fallback": "fallback",
}


def show_map(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TAG]...", help="Only these tags; `*` stands for any letters.")
    ] = None,
    site: SiteOption = SITE,
    table: Annotated[str, typer.Option("--table", "-t", help="Only coil, discrete, input or holding.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV (RFC 4180).")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print a map file that says the same.")] = False,
    as_json: JsonOption = False,
    state: Annotated[
        Path | None, typer.Option("--state", help="The state folder of the server, where it is another user's (systemd).")
    ] = None,
) -> None:
    """List the Modbus registers of a site: addresses, function codes, types, scales, ranges, tags, fallbacks."""
    from runtime.servers.modbus.listing import as_yaml as in_yaml
    from runtime.servers.modbus.listing import list_map
    from runtime.servers.modbus.openplc import located

    if as_csv + as_markdown + as_yaml + as_json > 1:
        fail("one of --csv, --markdown, --yaml and --json", 2)
    entries, is_openplc = _entries(site, state)
    chosen = _choose(entries, names or [], table)
    lines = list_map(chosen, located if is_openplc else None)
    if as_yaml:
        typer.echo(in_yaml(chosen), nl=False)
    elif as_json:
        typer.echo(json.dumps([line.as_dict() for line in lines], indent=2))
    elif as_csv:
        typer.echo(to_csv(lines), nl=False)
    elif as_markdown:
        typer.echo(to_markdown(lines), nl=False)
    else:
        _show(lines)


def _entries(file: Path, state: Path | None) -> tuple[tuple[Any, ...], bool]:
    """The map that the server of this site serves, and whether it is OpenPLC's; exit 1 where it has none."""
    from runtime import rundir
    from runtime.servers.modbus.check import OPENPLC, load_map
    from runtime.servers.modbus.places import FILE
    from runtime.servers.modbus.settings import describe_modbus
    from runtime.source import Report

    found, report = read(file, warn=False), Report()
    if "modbus" not in found.servers:
        typer.echo("error: the site has no Modbus server: say `servers: {modbus: {port: 502}}` in its file", err=True)
        raise typer.Exit(EXIT_MISTAKES)
    settings = describe_modbus(found.servers["modbus"] or {}, report)
    folder = state or rundir.state_folder_of(file)
    entries = load_map(settings, Path(found.root), found.schedule.tags, report, state_dir=str(folder), constants=found.constants)
    if report.problems:
        print_problems(report.problems, Path(found.root))
    if report.errors:
        raise typer.Exit(EXIT_MISTAKES)
    if settings.map in ("", OPENPLC) and not (folder / FILE).exists():
        note = f"no server has run yet with {folder}: these addresses hold from its first start on, with these tags"
        typer.echo(f"note: {note}", err=True)
    return entries, settings.map == OPENPLC


def _choose(entries: Sequence[Any], names: Sequence[str], table: str) -> list[Any]:
    from runtime.servers.modbus.map import TABLES
    from runtime.source import did_you_mean, pattern_of

    if table and table not in TABLES:
        fail(f"no table named {table}: {did_you_mean(table, TABLES) or 'known: ' + ', '.join(TABLES)}", 2)
    known = {entry.name for entry in entries}
    patterns = {name: pattern_of(name) for name in names}
    for name, pattern in patterns.items():
        if not any(pattern.match(one) for one in known):
            fail(f"the map has no {name}: {did_you_mean(name, known) or '`bessplc map` lists it'}", 2)
    fits = [entry for entry in entries if not names or any(pattern.match(entry.name) for pattern in patterns.values())]
    return [entry for entry in fits if table in ("", entry.table)]


def _rows(lines: Sequence[Any]) -> tuple[list[str], list[list[str]]]:
    """Heads and texts; a column that only OpenPLC has is there only then."""
    heads = [head for head, field in COLUMNS.items() if field != "located" or any(line.located for line in lines)]
    return heads, [[str(getattr(line, COLUMNS[head])) for head in heads] for line in lines]


def to_csv(lines: Sequence[Any]) -> str:
    """RFC 4180: a line of heads, CRLF, quotes where a text has a comma, a quote or a line break."""
    heads, rows = _rows(lines)
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([heads, *rows])
    return out.getvalue()


def to_markdown(lines: Sequence[Any]) -> str:
    """A table of GitHub's Markdown; a bar in a text is written so that it makes no column."""
    heads, rows = _rows(lines)
    texts = [heads, ["---"] * len(heads), *([text.replace("|", "\\|") for text in row] for row in rows)]
    return "".join("| " + " | ".join(row) + " |\n" for row in texts)


def _show(lines: Sequence[Any]) -> None:
    """A table for a person, without the columns in which nothing stands; a plain one on a pipe."""
    from runtime.columns import Cell, plain, rich_table

    heads, rows = _rows(lines)
    used = [n for n in range(len(heads)) if any(row[n] for row in rows)]
    shown = [heads[n] for n in used], [[Cell(row[n]) for n in used] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console

        Console(no_color=not wants_colour(sys.stdout)).print(rich_table(*shown))
    else:
        typer.echo(plain(*shown))
