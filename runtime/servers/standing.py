"""Alarms as they stand: what their tags say in this scan, with what the records know beside. It knows no protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from runtime import quality
from runtime.model import Alarm
from runtime.servers.picture import Picture, when
from runtime.servers.records.states import AlarmState, declared, name_of

ONLY_RECORDED = (
    "acknowledged",
    "confirmed",
    "active_at",
    "cleared_at",
    "acknowledged_at",
    "acknowledged_by",
    "comment",
    "count",
    "event",
    "value",
    "shelved",
    "shelved_until",
    "shelved_by",
)
# nobody has seen an occurrence that the scan shows and the records have not got yet
NOT_YET_RECORDED = {
    **dict.fromkeys(("active_at", "acknowledged_at", "acknowledged_by", "comment", "value")),
    "acknowledged": False,
    "confirmed": True,
}


class Standing(NamedTuple):
    """An alarm of the program, and what its tags say now; of a tag whose `code` (quality) is bad nobody can say."""

    alarm: Alarm
    is_on: bool
    code: int
    is_suppressed: bool


def standing(picture: Picture) -> list[Standing]:
    """Every alarm of the program as its tags are now."""
    picture.look()
    tags = [picture.tag(name) for alarm in picture.order.alarms for name in (alarm.active, alarm.suppressed) if name]
    shown = picture.pick(tuple(tag.name for tag in tags if tag is not None))
    names = (name.lower() for name in shown.names)
    found = dict(zip(names, zip(picture.values(shown), picture.qualities(shown), strict=True), strict=True))
    unknown = (False, quality.BAD_CONFIGURATION_ERROR)
    return [
        Standing(alarm, bool(on), code, bool(found.get(alarm.suppressed.lower(), unknown)[0]))
        for alarm in picture.order.alarms
        for on, code in (found.get(alarm.active.lower(), unknown),)
    ]


def all_of(picture: Picture, known: Iterable[AlarmState]) -> list[dict[str, Any]]:
    """Every alarm of the program: as the scan shows it now, and what the records know beside."""
    recorded = {state.name.lower(): state for state in known}
    return [now_of(one, recorded.get(name_of(one.alarm).lower())) for one in standing(picture)]


def now_of(now: Standing, state: AlarmState | None) -> dict[str, Any]:
    """The alarm as its tags are now: the records lag behind by a moment, and for long where their process is away."""
    bare = replace(declared(now.alarm), active=now.is_on, quality=now.code, suppressed=now.is_suppressed)
    if state is None:
        return {**view(bare), **dict.fromkeys(ONLY_RECORDED)}
    by_now = {word: getattr(bare, word) for word in ("id", "source", "shelve_most", "quality", "suppressed")}
    shown = view(replace(state, **by_now))
    if now.is_on == state.active or not quality.is_good(now.code):
        return shown  # what was last known holds, and the quality says so
    return {**shown, "active": now.is_on, **(NOT_YET_RECORDED if now.is_on else {})}


def view(state: AlarmState) -> dict[str, Any]:
    """An alarm as the records know it."""
    return {
        "name": state.name,
        "severity": state.severity,
        "text": state.text,
        "of": state.of,
        "limit": state.limit,
        "id": state.id,
        "source": state.source,
        "active": state.active,
        "suppressed": state.suppressed,
        "quality": quality.name(state.quality),
        "acknowledged": state.acked,
        "confirmed": state.confirmed,
        "active_at": when(state.active_at) if state.active_at else None,
        "cleared_at": when(state.cleared_at) if state.cleared_at else None,
        "acknowledged_at": when(state.acked_at) if state.acked_at else None,
        "acknowledged_by": state.acked_by or None,
        "comment": state.comment or None,
        "count": state.count,
        "event": state.event,
        "value": state.value,
        "shelved": state.shelved or None,
        "shelved_until": when(state.shelved_until) if state.shelved_until else None,
        "shelved_by": state.shelved_by or None,
        "shelve_most": state.shelve_most / 1e9,
    }
