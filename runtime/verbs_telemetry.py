"""The verb `telemetry`: what a reserve did, as the CSV file of the grid's operators, from the records of a site that runs or not.

It must not know how samples become a record, nor the file's form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, EXIT_UNREADABLE, SITE, JsonOption, SiteOption, fail, read
from runtime.records_view import SinceOption, UntilOption, opened, span, when

EPILOG = (
    "Examples:  bessplc telemetry fcr-d-up --since 24h --out build/telemetry --name Battery-1"
    "      bessplc telemetry fcr-n --since 2026-03-01T00:00 --until 2026-03-02T00:00 --json | jq -r .file"
)
MOST = 10_000_000  # samples of a tag
SHORTEST_S = 0.1


def telemetry(
    service: Annotated[str, typer.Argument(help="fcr-n, fcr-d-up, fcr-d-down or ffr.")],
    since: SinceOption = "24h",
    until: UntilOption = "",
    out: Annotated[Path, typer.Option("--out", help="The folder of the file.")] = Path("."),
    name: Annotated[str, typer.Option("--name", help="Your resource at the operator; the site's name where it is left out.")] = "",
    area: Annotated[str, typer.Option("--area", help="The bidding zone.")] = "FI",
    every: Annotated[float, typer.Option("--every", help="Seconds between two lines; 1 is what operation needs.")] = 1.0,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Write what a reserve did as the grid operators' CSV file, from the recorded history; times are UTC."""
    from runtime import telemetry as telling
    from runtime.prequalify import record_csv

    if service not in telling.RESERVES:
        fail(f"no reserve is named {service}: {', '.join(telling.RESERVES)}", 2)
    if not every >= SHORTEST_S:
        fail(f"--every is at least {SHORTEST_S} s, not {every:g}", 2)
    reserve, (start, end) = telling.RESERVES[service], span(since, until)
    step = round(every * 1e9)
    start = -(-start // step) * step  # whole steps of the clock: two files of a day meet without an overlap
    history = _history(site, reserve.needed, start, end)
    record, sold = telling.record_of(reserve, history, start, end, step)
    rows = len(record.t)
    if rows < 2 or not sold.any():
        what = "nothing was recorded" if rows < 2 else f"no {service} was sold"
        fail(f"{what} between {when(start)} and {when(end)}", EXIT_MISTAKES)
    found = read(site, warn=False)
    energy = _kilowatt_hours(found.constants.get("e_site", "0 kWh"))
    resource = record_csv.Resource(name or found.name, reserve.word, float(sold.max()), reserve.band, area, energy=energy)
    path = out / record_csv.file_name(resource, "Operation", record)
    try:
        out.mkdir(parents=True, exist_ok=True)
        record_csv.write(path, record, resource)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}", EXIT_UNREADABLE)
    left_out = (end - start + step - 1) // step - rows
    if as_json:
        typer.echo(json.dumps({"file": str(path), "lines": rows, "left_out": left_out}, indent=2))
        return
    typer.echo(f"{path}: {rows} lines")
    if left_out:
        typer.echo(f"{left_out} times are left out: the site did not run, or frequency or power were not measured", err=True)


def _history(site: Path, tags: tuple[str, ...], start: int, end: int) -> dict[str, list[Any]]:
    """The samples of each tag, and the one that stood at the start; exit 2 with all that are not recorded."""
    with opened(site) as records:
        known = {found.name.lower(): found.name for found in records.known_tags()}
        missing = [tag for tag in tags if tag.lower() not in known]
        if missing:
            fail(f"the site does not record {', '.join(missing)}: `servers: records: history: {{services.*: {{every: 1 s}}}}`", 2)
        names = {tag: known[tag.lower()] for tag in tags}
        before = {tag: records.history(name, 0, start, 1, newest_first=True) for tag, name in names.items()}
        return {tag: [*before[tag], *records.history(name, start + 1, end, MOST)] for tag, name in names.items()}


def _kilowatt_hours(text: str) -> float:
    from runtime.language.quantities import in_unit, quantity
    from runtime.language.units import unit

    found, measured = quantity(text), unit("kWh")
    number = in_unit(found, measured) if found is not None and measured is not None else None
    return float(number) if number is not None else 0.0
