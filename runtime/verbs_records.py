"""The verbs that read the records of a site, running or stopped: `alarms`, `audit` and `history`. Only `alarms ack` writes."""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, SITE, JsonOption, SiteOption

ALARMS_EPILOG = (
    "Examples:  bessplc alarms      bessplc alarms --all --json      bessplc alarms ack cell_hot_hh --comment 'fan replaced'"
)
ACK_EPILOG = "Examples:  bessplc alarms ack cell_hot_hh      bessplc alarms ack --all --comment 'seen at the morning round'"
AUDIT_EPILOG = (
    "Examples:  bessplc audit --since 03:00      bessplc audit --tag 'hmi.*' --refused      bessplc audit --since 2h --json"
)
HISTORY_EPILOG = "Examples:  bessplc history bms.soc --since 2h      bessplc history pcs.p --since 2026-03-01T06:00 --csv > pcs.csv"
LOCAL_ROLE = "engineer"  # whoever has a shell at the machine could edit the site just as well
WAYS = "03:00 (the last one), 2h, 30min, 7d, or 2026-03-01T06:00 (local unless it says its offset)"
UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}

alarms = typer.Typer(
    help="List the alarms of a site, active and unacknowledged first; `ack` acknowledges.",
    rich_markup_mode=None,
    add_completion=False,
)


@alarms.callback(invoke_without_command=True, epilog=ALARMS_EPILOG)
def list_alarms(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also those that are inactive and acknowledged.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """List the alarms of a site, active and unacknowledged first; `ack` acknowledges."""
    if context.invoked_subcommand is not None:
        context.obj = site
        return
    records = _open(site)
    found = sorted(
        (state for state in records.alarms() if everything or state.retained),
        key=lambda s: (not s.active, s.acked, -_SEVERITY.get(s.severity, 0), -max(s.active_at, s.cleared_at)),
    )
    if as_json:
        typer.echo(json.dumps([_alarm_as_json(state) for state in found], indent=2))
        return
    heads = ("alarm", "state", "severity", "since", "value", "text", "acknowledged by", "comment")
    rows = [
        (
            s.name,
            _state(s),
            s.severity,
            _when(s.active_at if s.active else s.cleared_at),
            _number(s.value),
            s.text,
            s.acked_by,
            s.comment,
        )
        for s in found
    ]
    _print(site, f"{_count(found)}", heads, rows, [_STYLE.get(s.severity, "") if s.active else "" for s in found])


@alarms.command(epilog=ACK_EPILOG)
def ack(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The alarm, as `bessplc alarms` names it.")] = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Every alarm that waits for it.")] = False,
    comment: Annotated[str, typer.Option("--comment", "-c", help="What is to be remembered with it.")] = "",
    site: Annotated[Path | None, typer.Option("--site", "-s", help="The site file.")] = None,
) -> None:
    """Acknowledge an alarm, or all; your user name goes to the audit log. Exit 1 where one was refused."""
    from runtime.servers.audit import Deed, Who
    from runtime.source import did_you_mean

    if (name is None) != everything:
        _fail("name one alarm, or say --all", 2)
    records = _open(site or context.obj)
    who = Who(_user(), LOCAL_ROLE, "local")
    states = {state.name.lower(): state for state in records.alarms()}
    if name is not None and name.lower() not in states:
        _fail(f"no alarm named {name}: {did_you_mean(name, states) or '`bessplc alarms --all` lists them'}", 2)
    # the newest event that was there when we looked: what comes up meanwhile is not acknowledged unseen
    chosen = [states[name.lower()]] if name is not None else [state for state in states.values() if not state.acked]
    refused = 0
    for state in chosen:
        answer = records.acknowledge(state.name, who, comment, state.event)
        refused += bool(answer)
        records.keep(Deed("cli", who, "acknowledge", state.name, answer or "acknowledged", not answer, new=comment or None))
        typer.echo(f"{state.name}: {f'refused: {answer}' if answer else 'acknowledged'}", err=bool(answer))
    if not chosen:
        typer.echo("no alarm waits to be acknowledged")
    if not records.flush():
        typer.echo("warning: the audit log could not be written", err=True)
    records.close()
    raise typer.Exit(EXIT_MISTAKES if refused else 0)


def audit(
    since: Annotated[str, typer.Option("--since", help=f"From when on: {WAYS}.")] = "24h",
    tag: Annotated[str | None, typer.Option("--tag", "-t", help="Only this tag or alarm; `*` stands for any letters.")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="Only what this user did.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 1000,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """List who wrote, acknowledged or logged in, from where, with old and new value and the answer; oldest first."""
    start = _since(since)
    found = _open(site).deeds(since=start, subject=tag, user=user, limit=limit, taken=False if refused else None)[::-1]
    if as_json:
        typer.echo(json.dumps([_deed_as_json(deed) for deed in found], indent=2))
        return
    heads = ("time", "server", "user", "role", "from", "what", "subject", "old", "new", "answer")
    rows = []
    for d in found:
        subject = f"{d.subject}[{d.element}]" if d.element else d.subject
        values = (_number(d.old), _number(d.new))
        rows.append(
            (_when(d.time), d.service, d.who.user or "-", d.who.role or "-", d.who.peer, d.action, subject, *values, d.answer)
        )
    if len(found) == limit:
        typer.echo(f"only the newest {limit}; --limit shows more", err=True)
    _print(site, f"{len(found)} entries since {_when(start)}", heads, rows, ["" if d.taken else "yellow" for d in found])


def history(
    tag: Annotated[str, typer.Argument(help="A tag that the site records (`servers: records: history:`).")],
    since: Annotated[str, typer.Option("--since", help=f"From when on: {WAYS}.")] = "1h",
    until: Annotated[str, typer.Option("--until", help="Until when, written in the same way; now where it is left out.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The first so many.")] = 100_000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print time, value and quality as CSV.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """List the recorded values of a tag, oldest first, with their source times and qualities."""
    from runtime.quality import name as quality_name
    from runtime.source import did_you_mean

    records = _open(site)
    known = {found.name.lower(): found for found in records.known_tags()}
    if tag.lower() not in known:
        names = [found.name for found in known.values()]
        listed = did_you_mean(tag, names) or (f"recorded are {', '.join(names[:20])}" if names else "the site records none")
        _fail(f"{tag} is not recorded: {listed}", 2)
    about = known[tag.lower()]
    start, end = _since(since), _since(until) if until else time.time_ns() + 1_000_000_000
    found = records.history(about.name, start, end, limit)
    rows = [(_when(s.time), str(s.value) if as_csv else _number(s.value), quality_name(s.quality)) for s in found]
    if len(found) == limit:
        typer.echo(f"only the first {limit}; --limit shows more", err=True)
    if as_json:
        samples = [{"time": _when(s.time), "value": _plain(s.value), "quality": quality_name(s.quality)} for s in found]
        typer.echo(json.dumps({"tag": about.name, "unit": about.unit, "samples": samples}, indent=2))
    elif as_csv:
        typer.echo("\n".join(["time,value,quality", *(",".join(row) for row in rows)]))
    else:
        heads = ("time", "value", "quality")
        title = f"{about.name}{f' in {about.unit}' if about.unit else ''}, {len(found)} samples since {_when(start)}"
        _print(site, title, heads, rows, ["" if s.quality >> 30 == 0 else "yellow" for s in found])


_SEVERITY = {"critical": 3, "error": 2, "warning": 1}
_STYLE = {"critical": "bold red", "error": "red", "warning": "yellow"}


def _open(site: Path) -> Any:
    """The records of the site; exit 75 where it never had any."""
    import structlog

    from runtime import rundir
    from runtime.servers.records.store import Records

    if not site.exists():
        _fail(f"no site file {site}", EXIT_MISTAKES)
    folder = rundir.state_folder_of(site)
    if not (folder / "records.sqlite").exists():
        _fail(f"{site} has no records yet ({folder}): they begin with its first `bessplc run`", EXIT_HELD)
    # what is wrong with the file goes to stderr: stdout may be a script's
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    return Records(folder)


def _since(text: str) -> int:
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
        _fail(f"`{text}` is no time: {WAYS}", 2)


def _when(at: int) -> str:
    """Local time with its offset, to the millisecond."""
    return datetime.fromtimestamp(at // 1_000_000 / 1000).astimezone().isoformat(" ", "milliseconds") if at else "-"


def _number(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """JSON knows neither NaN nor infinity."""
    return str(value) if isinstance(value, float) and value - value != 0 else value


def _state(state: Any) -> str:
    seen = "" if state.acked else ", unacknowledged"
    waits = "" if state.confirmed else ", unconfirmed"
    unsure = ", not judged now" if state.quality >> 31 else ""
    return f"{'active' if state.active else 'cleared' if state.count else 'never active'}{seen}{waits}{unsure}"


def _count(found: Sequence[Any]) -> str:
    return f"{sum(s.active for s in found)} active, {sum(not s.acked for s in found)} unacknowledged"


def _alarm_as_json(state: Any) -> dict[str, Any]:
    words = ("name", "severity", "text", "of", "limit", "active", "acked", "confirmed", "acked_by", "comment", "count", "event")
    times = {
        word: _when(getattr(state, word)) if getattr(state, word) else None for word in ("active_at", "cleared_at", "acked_at")
    }
    return {**{word: getattr(state, word) for word in words}, **times, "value": _plain(state.value), "retained": state.retained}


def _deed_as_json(deed: Any) -> dict[str, Any]:
    words = ("service", "action", "subject", "element", "answer", "taken", "scan")
    who = {"user": deed.who.user, "role": deed.who.role, "from": deed.who.peer}
    return {
        "time": _when(deed.time),
        **who,
        **{word: getattr(deed, word) for word in words},
        "old": _plain(deed.old),
        "new": _plain(deed.new),
    }


def _print(site: Path, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> None:
    from runtime import columns, rundir

    title += "" if rundir.holder(site) else " (the site is not running)"
    cells = [[columns.Cell(_printable(text), style) for text in row] for row, style in zip(rows, styles, strict=True)]
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


def _printable(text: str) -> str:
    """A client's text as it may go to a terminal: no control sequences, one line."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _user() -> str:
    """Who runs us, by the system's own word: the environment may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _fail(why: str, code: int) -> NoReturn:
    typer.echo(f"error: {why}", err=True)
    raise typer.Exit(code)
