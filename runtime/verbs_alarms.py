"""The verb `alarms`: which stand, what became of them, how they perform; acknowledging and shelving. The site may run or not."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, AnySiteOption, JsonOption, the_site
from runtime.records_view import SinceOption, UntilOption, fail, opened, show, span, when

ALARMS_EPILOG = (
    "Examples:  bessplc alarms      bessplc alarms --shelved      bessplc alarms events --since 03:00"
    "      bessplc alarms ack cell_hot_hh -c 'fan replaced'      bessplc alarms shelve door --for '2 h'"
)
ACK_EPILOG = "Examples:  bessplc alarms ack cell_hot_hh      bessplc alarms ack --all --comment 'seen at the morning round'"
SHELVE_EPILOG = "Examples:  bessplc alarms shelve door --for '2 h' -c 'painters in the room'      bessplc alarms shelve fan --once"
UNSHELVE_EPILOG = "Examples:  bessplc alarms unshelve door      bessplc alarms unshelve --all"
EVENTS_EPILOG = "Examples:  bessplc alarms events --since 03:00 --until 03:30      bessplc alarms events --alarm 'cell_*' --json"
STATS_EPILOG = "Examples:  bessplc alarms stats --since 30d      bessplc alarms stats --since 03:00 --json | jq .flood"
LOCAL_ROLE = "engineer"  # whoever has a shell at the machine could edit the site just as well

alarms = typer.Typer(
    help="List the alarms of a site, active and unacknowledged first; `events` tells what became of them, `ack` acknowledges.",
    rich_markup_mode=None,
    add_completion=False,
)
NameArgument = Annotated[str | None, typer.Argument(help="The alarm, as `bessplc alarms` names it.")]
CommentOption = Annotated[str, typer.Option("--comment", "-c", help="What is to be remembered with it.")]


@alarms.callback(invoke_without_command=True, epilog=ALARMS_EPILOG)
def list_alarms(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also those that are inactive and acknowledged.")] = False,
    only_apart: Annotated[bool, typer.Option("--shelved", help="Those that the list leaves out: shelved, or suppressed.")] = False,
    site: AnySiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the alarms of a site, active and unacknowledged first; `events` tells what became of them, `ack` acknowledges."""
    from runtime import alarms_view

    if context.invoked_subcommand is not None:
        context.obj = site  # `--site` may stand before the verb of an alarm or behind it
        return
    site = the_site(site)
    with opened(site) as records:
        listed = records.alarms()

    def is_wanted(state: Any) -> bool:
        apart = alarms_view.is_apart(state)
        return everything or (apart if only_apart else state.retained and not apart)

    found = alarms_view.in_order(filter(is_wanted, listed))
    if as_json:
        typer.echo(json.dumps([alarms_view.alarm_as_json(state) for state in found], indent=2))
        return
    show(site, alarms_view.head_of(listed, found), *alarms_view.table_of(found))


@alarms.command(epilog=ACK_EPILOG)
def ack(
    context: typer.Context,
    name: NameArgument = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Every alarm of the list that waits for it.")] = False,
    comment: CommentOption = "",
    site: AnySiteOption = None,
) -> None:
    """Acknowledge an alarm, or all; your user name goes to the audit log. Exit 1 where one was refused."""
    from runtime.alarms_view import is_apart

    with _chosen(the_site(site or context.obj), name, everything, lambda state: not state.acked and not is_apart(state)) as (
        records,
        chosen,
    ):
        if not chosen:
            typer.echo("no alarm waits to be acknowledged")

        def acknowledge(state: Any, who: Any) -> str:
            # the newest event that was there when we looked: what comes up meanwhile is not acknowledged unseen
            return str(records.acknowledge(state.name, who, comment, state.event))

        _do(records, chosen, "acknowledge", "acknowledged", comment or None, acknowledge)


@alarms.command(epilog=SHELVE_EPILOG)
def shelve(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The alarm, as `bessplc alarms` names it.")],
    lasts: Annotated[str, typer.Option("--for", help="How long, as `30 min` or `2 h`.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Until it clears.")] = False,
    comment: CommentOption = "",
    site: AnySiteOption = None,
) -> None:
    """Take an alarm out of sight for a time; what it does in the process goes on. Exit 1 where it was refused."""
    from runtime.places_of_tags import WrongWordsError, duration_of

    if bool(lasts) == once:
        fail("say for how long: --for '2 h', or --once (until it clears)", 2)
    try:
        seconds = None if once else duration_of(lasts, "--for") / 1e9
    except WrongWordsError as error:
        fail(str(error), 2)
    told = "shelved until it clears" if once else f"shelved for {lasts}"
    with _chosen(the_site(site or context.obj), name) as (records, chosen):
        new = {"seconds": seconds, "comment": comment}
        _do(records, chosen, "shelve", told, new, lambda state, who: str(records.shelve(state.name, who, seconds, comment)))


@alarms.command(epilog=UNSHELVE_EPILOG)
def unshelve(
    context: typer.Context,
    name: NameArgument = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Every alarm that is shelved.")] = False,
    comment: CommentOption = "",
    site: AnySiteOption = None,
) -> None:
    """Take an alarm off the shelf: where it stands, it waits to be acknowledged. Exit 1 where it was refused."""
    with _chosen(the_site(site or context.obj), name, everything, lambda state: state.shelved) as (records, chosen):
        if not chosen:
            typer.echo("no alarm is shelved")
        _do(records, chosen, "unshelve", "unshelved", comment or None, lambda s, who: str(records.unshelve(s.name, who, comment)))


@alarms.command(epilog=EVENTS_EPILOG)
def events(
    context: typer.Context,
    since: SinceOption = "24h",
    until: UntilOption = "",
    alarm: Annotated[str | None, typer.Option("--alarm", "-t", help="Only this alarm; `*` stands for any letters.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 1000,
    site: AnySiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what became of alarms, oldest first. What came within one look (20 ms) has one time, and the order of the site."""
    from runtime.alarms_view import event_as_json, events_table

    start, end = span(since, until)
    of_site = the_site(site or context.obj)
    with opened(of_site) as records:
        found = records.events(start, end, alarm, limit)[::-1]
    if as_json:
        typer.echo(json.dumps([event_as_json(event) for event in found], indent=2))
        return
    if len(found) == limit:
        typer.echo(f"only the newest {limit}; --limit shows more", err=True)
    show(of_site, f"{len(found)} events since {when(start)}", *events_table(found))


@alarms.command(epilog=STATS_EPILOG)
def stats(
    context: typer.Context,
    since: SinceOption = "7d",
    until: UntilOption = "",
    site: AnySiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """How the alarms perform, beside what ISA-18.2 and IEC 62682 recommend: how many, floods, and those that are a nuisance."""
    from runtime import alarms_view
    from runtime.servers.records.performance import targets, told

    start, end = span(since, until)
    of_site = the_site(site or context.obj)
    with opened(of_site) as records:
        found = records.performance(start, end)
    if as_json:
        typer.echo(json.dumps(told(found, when), indent=2))
        return
    count = f"{found['alarms']} alarm{'s' * (found['alarms'] != 1)}"
    show(
        of_site, f"{count} from {when(found['since'])} until {when(found['until'])}", *alarms_view.statistics_table(targets(found))
    )
    if notes := alarms_view.statistics_notes(found):
        typer.echo("\n" + "\n".join(notes))


@contextmanager
def _chosen(
    site: Path, name: str | None, everything: bool = False, waits: Callable[[Any], bool] = bool
) -> Iterator[tuple[Any, Sequence[Any]]]:
    """The records, and the alarms that were named; exit 2 where there is no such alarm, or where none or all were named."""
    from runtime.source import did_you_mean

    if (name is None) != everything:
        fail("name one alarm, or say --all", 2)
    with opened(site) as records:
        states = {state.name.lower(): state for state in records.alarms()}
        if name is not None and name.lower() not in states:
            fail(f"no alarm named {name}: {did_you_mean(name, states) or '`bessplc alarms --all` lists them'}", 2)
        yield records, [states[name.lower()]] if name is not None else [state for state in states.values() if waits(state)]


def _do(records: Any, chosen: Sequence[Any], action: str, told: str, new: Any, act: Callable[[Any, Any], str]) -> None:
    """Do it to each alarm, audit it and say it; exit 1 where one was refused."""
    from runtime.servers.audit import Deed, Who

    who, refused = Who(_user(), LOCAL_ROLE, "local"), 0
    for state in chosen:
        answer = act(state, who)
        refused += bool(answer)
        records.keep(Deed("cli", who, action, state.name, answer or told, not answer, new=new))
        typer.echo(f"{state.name}: {f'refused: {answer}' if answer else told}", err=bool(answer))
    if not records.flush():
        typer.echo("warning: the audit log could not be written", err=True)
    raise typer.Exit(EXIT_MISTAKES if refused else 0)


def _user() -> str:
    """Who runs us, by the system's own word: the environment may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
