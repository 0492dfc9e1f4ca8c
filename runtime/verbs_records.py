"""The verbs that read the records of a site, running or stopped: `audit` and `history`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from runtime.options import SITE, JsonOption, SiteOption, fail
from runtime.records_view import SinceOption, UntilOption, number, opened, plain, show, span, when

AUDIT_EPILOG = "Examples:  bessplc audit --since 03:00 --until 03:30      bessplc audit --tag 'hmi.*' --refused --json"
HISTORY_EPILOG = "Examples:  bessplc history bms.soc --since 2h      bessplc history pcs.p --since 2026-03-01T06:00 --csv > pcs.csv"


def audit(
    since: SinceOption = "24h",
    until: UntilOption = "",
    tag: Annotated[str | None, typer.Option("--tag", "-t", help="Only this tag or alarm; `*` stands for any letters.")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="Only what this user did.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 1000,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """List who wrote, acknowledged or logged in, from where, with old and new value and the answer; oldest first."""
    start, end = span(since, until)
    with opened(site) as records:
        taken = False if refused else None
        found = records.deeds(since=start, until=end, subject=tag, user=user, limit=limit, taken=taken)[::-1]
    if as_json:
        typer.echo(json.dumps([_deed_as_json(deed) for deed in found], indent=2))
        return
    heads = ("time", "server", "user", "role", "from", "what", "subject", "old", "new", "answer")
    rows = []
    for d in found:
        subject = f"{d.subject}[{d.element}]" if d.element else d.subject
        values = (number(d.old), number(d.new))
        rows.append(
            (when(d.time), d.service, d.who.user or "-", d.who.role or "-", d.who.peer, d.action, subject, *values, d.answer)
        )
    if len(found) == limit:
        typer.echo(f"only the newest {limit}; --limit shows more", err=True)
    show(site, f"{len(found)} entries since {when(start)}", heads, rows, ["" if d.taken else "yellow" for d in found])


def history(
    tag: Annotated[str, typer.Argument(help="A tag that the site records (`servers: records: history:`).")],
    since: SinceOption = "1h",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The first so many.")] = 100_000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print time, value and quality as CSV.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """List the recorded values of a tag, oldest first, with their source times and qualities."""
    from runtime.quality import name as quality_name
    from runtime.source import did_you_mean

    start, end = span(since, until)
    with opened(site) as records:
        known = {found.name.lower(): found for found in records.known_tags()}
        if tag.lower() not in known:
            names = [found.name for found in known.values()]
            listed = did_you_mean(tag, names) or (f"recorded are {', '.join(names[:20])}" if names else "the site records none")
            fail(f"{tag} is not recorded: {listed}", 2)
        about = known[tag.lower()]
        found = records.history(about.name, start, end, limit)
    rows = [(when(s.time), str(s.value) if as_csv else number(s.value), quality_name(s.quality)) for s in found]
    if len(found) == limit:
        typer.echo(f"only the first {limit}; --limit shows more", err=True)
    if as_json:
        samples = [{"time": when(s.time), "value": plain(s.value), "quality": quality_name(s.quality)} for s in found]
        typer.echo(json.dumps({"tag": about.name, "unit": about.unit, "samples": samples}, indent=2))
    elif as_csv:
        typer.echo("\n".join(["time,value,quality", *(",".join(row) for row in rows)]))
    else:
        heads = ("time", "value", "quality")
        title = f"{about.name}{f' in {about.unit}' if about.unit else ''}, {len(found)} samples since {when(start)}"
        show(site, title, heads, rows, ["" if s.quality >> 30 == 0 else "yellow" for s in found])


def _deed_as_json(deed: Any) -> dict[str, Any]:
    words = ("service", "action", "subject", "element", "answer", "taken", "scan")
    who = {"user": deed.who.user, "role": deed.who.role, "from": deed.who.peer}
    return {
        "time": when(deed.time),
        **who,
        **{word: getattr(deed, word) for word in words},
        "old": plain(deed.old),
        "new": plain(deed.new),
    }
