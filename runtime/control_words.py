"""The words of a load: its refusals, its limits and its permit, what would jump, and which forces end. It loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.engine.force_list import Note
from runtime.language.quantities import Quantity, in_unit
from runtime.language.units import unit
from runtime.model import Site
from runtime.status import format_value

LOSSES = (("outputs would jump", "jumps"), ("values would not be carried over", "dropped"), ("forces would end", "lifted"))
SOME = 3  # of each kind are named in one line


def refused(why: str) -> dict[str, Any]:
    """The answer to a load that was not done."""
    return {"ok": False, "swapped": False, "text": f"refused: {why}"}


def permit_of(running: Site) -> tuple[int, ...]:
    """Where the running program's memory says that a load need not be bumpless: the tag, and that it is good."""
    if not running.requests.changes:
        return ()
    schedule = running.schedule
    tag = schedule.tag(running.requests.changes)
    return tag.offset, schedule.region.good + tag.index


def takes_permit_away(running: Site, site: Site) -> bool:
    """Whether another program would be asked for the permit in another way: who needs it may not do without it first."""
    return running.requests.changes.lower() != site.requests.changes.lower()


def forbidden_text(running: Site, facts: Mapping[str, Sequence[str]]) -> str:
    """Why a load is refused that the site does not permit now, by name, and what to do."""
    losses = [f"{what} ({_some(facts[key])})" for what, key in LOSSES if facts.get(key)] or ["the permit itself would change"]
    name = running.requests.changes
    text = running.schedule.tag(name).text
    return (
        f"{' and '.join(losses)}, and `{name}`{f' ({text})' if text else ''} is not true: bring the plant there first, "
        "or load only what moves no output and loses nothing"
    )


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - SOME
    return "; ".join(texts[:SOME]) + (f"; and {more} more" if more > 0 else "")


def limits_of(site: Site, wanted: Sequence[Quantity]) -> tuple[float, ...]:
    """The largest step of each output point: that of the first limit whose unit fits the tag's."""
    limits = [float("inf")] * len(site.schedule.outputs.source)
    for point in (p for device in site.devices for p in device.outputs):
        of_tag = unit(site.schedule.tag(point.tag).unit)
        for limit in wanted:
            number = in_unit(limit, of_tag) if of_tag is not None and limit.unit is not None else None
            if number is not None and point.type != "BOOL":
                limits[point.slot] = abs(float(number))
                break
    return tuple(limits) if wanted else ()


def jump_text(site: Site, jump: dict[str, Any]) -> str:
    """`pcs.p_cmd: 12 kW -> 14.5 kW`."""
    point = next(p for device in site.devices for p in device.outputs if p.slot == jump["point"])
    tag = site.schedule.tag(point.tag)
    name = f"{tag.name}[{point.element + 1}]" if tag.length else tag.name
    if tag.type == "BOOL":
        return f"{name}: {'true' if jump['before'] else 'false'} -> {'true' if jump['after'] else 'false'}"
    return f"{name}: {jump['before']:g} -> {jump['after']:g} {tag.unit}".rstrip()


def lifted_text(running: Site, lifted: dict[str, Any], note: Note | None) -> str:
    """`bms.soc = 80 % (eva: test of the charge limit): the tag is gone`."""
    tag = running.schedule.tag(lifted["tag"])
    name = f"{tag.name}[{lifted['element']}]" if lifted["element"] else tag.name
    by = f" ({note.user}: {note.reason})" if note is not None else ""
    return f"{name} = {format_value(tag, lifted['value'])}{by}: {lifted['why']}"
