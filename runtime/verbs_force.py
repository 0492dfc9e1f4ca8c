"""The verbs `force`, `unforce` and `forces`: hold tags at a value in the running scan, let them go, and list what is held."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, SITE, JsonOption, SiteOption, fail, read
from runtime.records_view import opened, plain, show, when

FORCE_EPILOG = (
    "Examples:  bessplc force bms.soc='80 %' --for '10 min' --reason 'test of the charge limit'"
    "      bessplc force bms.cell_v[3]=3.7 pcs.enable=false -r 'commissioning'      A site that goes safe writes its safe values, "
    "forced or not."
)
UNFORCE_EPILOG = "Examples:  bessplc unforce bms.soc      bessplc unforce bms.cell_v[3] pcs.enable      bessplc unforce --all"
NO_ANSWER = "no answer from the scan: it may still take it; see `bessplc forces`"
FORCES_EPILOG = "Examples:  bessplc forces      bessplc forces --json | jq '.[].tag'"


def force(
    wanted: Annotated[list[str], typer.Argument(metavar="TAG=VALUE...", help="A tag or one element of an array, and its value.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why: it stands in the list and in the audit log.")],
    lasts: Annotated[str, typer.Option("--for", help="How long, as `10 min`; until it is lifted where this is left out.")] = "",
    site: SiteOption = SITE,
) -> None:
    """Hold tags at a value, whatever writes them, until `unforce`, the end of the time, or a restart; exit 1 where refused."""
    from runtime.engine.force_list import Note, put_force
    from runtime.places_of_tags import WrongWordsError, duration_of

    if not reason.strip():
        fail("say why: --reason 'TEXT'", 2)
    seen = _attach(site)
    try:
        chosen = [_assignment(seen.site.schedule, text) for text in wanted]
        passes = duration_of(lasts, "--for") if lasts else 0
    except WrongWordsError as error:
        fail(str(error), 2)

    def put(commands: Any, who: Any, tag: Any, element: int, value: Any) -> int:
        note = Note(who.user, "cli", reason.strip(), time.time_ns(), passes)
        return put_force(commands, seen.folder, tag, value, note, who.role, element)

    told = f"taken {f'for {lasts}' if lasts else 'until it is lifted'}: {reason.strip()}"
    _do(seen, site, "force", chosen, put, told)


def unforce(
    wanted: Annotated[list[str] | None, typer.Argument(metavar="[TAG]...", help="A tag, or one element of an array.")] = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="End every force.")] = False,
    site: SiteOption = SITE,
) -> None:
    """Let tags go that are forced. Exit 1 where nothing held one."""
    from runtime.engine.force_list import put_unforce
    from runtime.places_of_tags import WrongWordsError, place_of_tag

    if bool(wanted) == everything:
        fail("name tags, or say --all", 2)
    seen = _attach(site)
    try:
        places = [place_of_tag(seen.site.schedule, text) for text in wanted or ()]
    except WrongWordsError as error:
        fail(str(error), 2)
    chosen: list[tuple[Any, int, Any]] = [(tag, -1 if element is None else element, None) for tag, element in places]
    chosen = chosen or [(None, -1, None)]
    _do(seen, site, "unforce", chosen, lambda commands, who, tag, element, _: put_unforce(commands, tag, who.role, element))


def forces(site: SiteOption = SITE, as_json: JsonOption = False) -> None:
    """List the forces that hold: value, by whom, why, since when and until when."""
    seen = _attach(site)
    held = _held(seen)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in held], indent=2))
        return
    heads = ("tag", "value", "by", "since", "ends in", "reason")
    rows = [
        (
            one.name,
            _shown(one.tag, one.value),
            one.note.user if one.note else "-",
            when(one.note.time) if one.note else f"scan {one.scan}",
            "unforce" if one.left is None else _span(one.left),
            one.note.reason if one.note else "-",
        )
        for one in held
    ]
    show(site, f"{len(held)} {'force holds' if len(held) == 1 else 'forces hold'}", heads, rows, ["bold yellow"] * len(rows))


def _attach(file: Path) -> Any:
    """The running site of this file; exit 75 where there is none."""
    from runtime.onlooker import NotRunningError, Onlooker

    seen = Onlooker(read(file, warn=False), file)
    try:
        seen.attach()
    except NotRunningError as error:
        fail(str(error), EXIT_HELD)
    return seen


def _assignment(schedule: Any, text: str) -> tuple[Any, int, Any]:
    """Tag, element from 0, and value of `tag=value`."""
    from runtime.places_of_tags import WrongWordsError, place_of_tag, value_for

    name, sign, value = text.partition("=")
    if not sign:
        raise WrongWordsError(f"`{text}` gives no value: write {text}=VALUE")
    tag, element = place_of_tag(schedule, name.strip())
    if tag.length and element is None:
        raise WrongWordsError(f"{tag.name} is an array: force one element, as {tag.name}[1]={value}")
    return tag, element or 0, value_for(tag, value)


def _do(seen: Any, site: Path, action: str, chosen: Sequence[tuple[Any, int, Any]], put: Any, told: str = "") -> None:
    """Have the scan do each, tell the person, and note every one in the audit log; exit 1 where one was refused."""
    from runtime.cli_ring import command_line, who_types
    from runtime.onlooker import NotRunningError
    from runtime.servers.audit import Deed

    who, refused = who_types(), 0
    try:
        with command_line(seen) as ring, opened(site) as records:
            for tag, element, value in chosen:
                old = _now(seen, tag, element)
                reply = ring.ask(lambda commands: put(commands, who, tag, element, value))  # noqa: B023 - asked at once
                answer = reply.text if reply is not None else NO_ANSWER
                taken = reply is not None and reply.is_taken
                refused += not taken
                name, place = (tag.name, element + 1 if tag.length else 0) if tag is not None else ("all forces", 0)
                scan = reply.scan if reply is not None else 0
                said = told if taken and told else answer
                records.keep(Deed("cli", who, action, name, said, taken, place, old, value, scan))
                shown = f"{name}[{place}]" if place else name
                given = f" = {_shown(tag, value)}" if value is not None else ""
                typer.echo(f"{shown}{given}: {said}{_hint(seen, answer, who)}", err=not taken)
                if reply is None:
                    break  # the scan stands still, or somebody does not want to wait: the rest is not even asked
            if not records.flush():
                typer.echo("warning: the audit log could not be written", err=True)
    except NotRunningError as error:
        fail(str(error), EXIT_HELD)
    raise typer.Exit(EXIT_MISTAKES if refused else 0)


def _hint(seen: Any, answer: str, who: Any) -> str:
    """Whose right is missing where the site is in local control."""
    from runtime.engine.north import ANSWERS, REMOTE_LOCKED

    if answer != ANSWERS[REMOTE_LOCKED]:
        return ""
    offset = seen.site.schedule.authority
    switch = next((tag.name for tag in seen.site.schedule.tags if tag.offset == offset), "its switch")
    return (
        f"; a command line counts as remote, also {who.user}'s ({who.role}): turn {switch} to remote, or force at the plant's HMI"
    )


def _now(seen: Any, tag: Any, element: int) -> Any:
    if tag is None or (tag.length and element < 0):
        return None
    seen.refresh()
    found = seen.snapshot.column(tag)[max(element, 0)].item()
    return bool(found) if tag.type == "BOOL" else found


def _held(seen: Any) -> list[Any]:
    from runtime.app import generation_of
    from runtime.engine.force_list import read_forces
    from runtime.engine.image import ImageError

    schedule = seen.site.schedule
    try:
        return read_forces(seen.folder, generation_of(schedule), schedule.region.size, schedule.tags, schedule.tick)
    except (ImageError, TimeoutError) as error:
        fail(f"the forces cannot be read now: {error}; ask again", EXIT_HELD)


def _as_json(one: Any) -> dict[str, Any]:
    note = one.note
    return {
        "tag": one.tag.name,
        "element": one.element + 1 if one.tag.length else None,
        "value": plain(one.value),
        "unit": one.tag.unit,
        "user": note.user if note else None,
        "reason": note.reason if note else None,
        "since": when(note.time) if note else None,
        "scan": one.scan,
        "ends_in_s": one.left,
    }


def _shown(tag: Any, value: Any) -> str:
    from runtime.status import format_value

    return format_value(tag, value)


def _span(seconds: float) -> str:
    whole = round(seconds)
    return f"{seconds:.1f} s" if seconds < 10 else f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
