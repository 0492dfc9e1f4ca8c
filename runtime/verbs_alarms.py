"""The verb `alarms`: which stand, what became of them (`events`), and acknowledging them (`ack`), the site running or stopped."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, SITE, JsonOption, SiteOption
from runtime.quality import name as quality_name
from runtime.records_view import SinceOption, UntilOption, fail, number, opened, plain, show, span, when

ALARMS_EPILOG = (
    "Examples:  bessplc alarms      bessplc alarms events --since 03:00      bessplc alarms ack cell_hot_hh -c 'fan replaced'"
)
ACK_EPILOG = "Examples:  bessplc alarms ack cell_hot_hh      bessplc alarms ack --all --comment 'seen at the morning round'"
EVENTS_EPILOG = "Examples:  bessplc alarms events --since 03:00 --until 03:30      bessplc alarms events --alarm 'cell_*' --json"
LOCAL_ROLE = "engineer"  # whoever has a shell at the machine could edit the site just as well

alarms = typer.Typer(
    help="List the alarms of a site, active and unacknowledged first; `events` tells what became of them, `ack` acknowledges.",
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
    """List the alarms of a site, active and unacknowledged first; `events` tells what became of them, `ack` acknowledges."""
    if context.invoked_subcommand is not None:
        context.obj = site
        return
    with opened(site) as records:
        listed = records.alarms()
    found = sorted(
        (state for state in listed if everything or state.retained),
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
            when(s.active_at if s.active else s.cleared_at),
            number(s.value),
            s.text,
            s.acked_by,
            s.comment,
        )
        for s in found
    ]
    show(site, f"{_count(found)}", heads, rows, [_STYLE.get(s.severity, "") if s.active else "" for s in found])


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
        fail("name one alarm, or say --all", 2)
    with opened(site or context.obj) as records:
        who = Who(_user(), LOCAL_ROLE, "local")
        states = {state.name.lower(): state for state in records.alarms()}
        if name is not None and name.lower() not in states:
            fail(f"no alarm named {name}: {did_you_mean(name, states) or '`bessplc alarms --all` lists them'}", 2)
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
    raise typer.Exit(EXIT_MISTAKES if refused else 0)


@alarms.command(epilog=EVENTS_EPILOG)
def events(
    context: typer.Context,
    since: SinceOption = "24h",
    until: UntilOption = "",
    alarm: Annotated[str | None, typer.Option("--alarm", "-t", help="Only this alarm; `*` stands for any letters.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 1000,
    site: Annotated[Path | None, typer.Option("--site", "-s", help="The site file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what became of alarms, oldest first. What came within one look (20 ms) has one time, and the order of the site."""
    start, end = span(since, until)
    of_site = site or context.obj
    with opened(of_site) as records:
        found = records.events(start, end, alarm, limit)[::-1]
    if as_json:
        typer.echo(json.dumps([_event_as_json(event) for event in found], indent=2))
        return
    if len(found) == limit:
        typer.echo(f"only the newest {limit}; --limit shows more", err=True)
    heads = ("time", "alarm", "became", "severity", "value", "text", "who", "note")
    rows = [
        (
            when(e.time),
            e.alarm,
            e.kind if e.kind != "quality" else quality_name(e.state.quality),
            e.state.severity,
            number(e.state.value) if e.kind == "active" else "-",
            e.state.text,
            e.who,
            e.note or (e.state.comment if e.who else ""),
        )
        for e in found
    ]
    styles = [_STYLE.get(e.state.severity, "") if e.kind == "active" else "" for e in found]
    show(of_site, f"{len(found)} events since {when(start)}", heads, rows, styles)


_SEVERITY = {"critical": 3, "error": 2, "warning": 1}
_STYLE = {"critical": "bold red", "error": "red", "warning": "yellow"}


def _state(state: Any) -> str:
    seen = "" if state.acked else ", unacknowledged"
    waits = "" if state.confirmed else ", unconfirmed"
    unsure = ", not judged now" if state.quality >> 31 else ""
    return f"{'active' if state.active else 'cleared' if state.count else 'never active'}{seen}{waits}{unsure}"


def _count(found: Sequence[Any]) -> str:
    return f"{sum(s.active for s in found)} active, {sum(not s.acked for s in found)} unacknowledged"


def _alarm_as_json(state: Any) -> dict[str, Any]:
    words = ("name", "severity", "text", "of", "limit", "active", "acked", "confirmed", "acked_by", "comment", "count", "event")
    times = {word: when(getattr(state, word)) if getattr(state, word) else None for word in ("active_at", "cleared_at", "acked_at")}
    return {**{word: getattr(state, word) for word in words}, **times, "value": plain(state.value), "retained": state.retained}


def _event_as_json(event: Any) -> dict[str, Any]:
    said = {word: getattr(event, word) for word in ("number", "alarm", "kind", "who", "note")}
    return {"time": when(event.time), **said, "quality": quality_name(event.state.quality), "state": _alarm_as_json(event.state)}


def _user() -> str:
    """Who runs us, by the system's own word: the environment may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
