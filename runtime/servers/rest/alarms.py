"""The routes of alarms: what stands, what happened, and acknowledging it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response

from runtime import quality
from runtime.model import Alarm
from runtime.servers.audit import Who
from runtime.servers.records.states import AlarmState, name_of
from runtime.servers.rest.describe import body, refusals
from runtime.servers.rest.picture import when
from runtime.servers.rest.problems import ProblemError, answer
from runtime.servers.rest.room import Room, body_as
from runtime.servers.rest.shapes import Alarms, AlarmView, Comment, EventQuery, Events

LEAST = "operator"  # who may acknowledge
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
)
# nobody has seen an occurrence that the scan shows and the records have not got yet
NOT_YET_RECORDED = {
    **dict.fromkeys(("active_at", "acknowledged_at", "acknowledged_by", "comment", "value")),
    "acknowledged": False,
    "confirmed": True,
}
log = structlog.get_logger()


def alarm_routes(room: Room) -> APIRouter:
    """The routes over this room's alarms."""
    router = APIRouter(tags=["alarms"])

    @router.get("/alarms", response_model=Alarms, responses=refusals(), summary="List alarms, the active ones first")
    async def list_alarms() -> Response:
        items = sorted(await _all(room), key=lambda item: (not item["active"], item["name"]))
        return answer({**room.picture.stamp(), "active": sum(item["active"] for item in items), "items": items})

    @router.get(
        "/alarms/events", response_model=Events, responses=refusals(404, 503), summary="What happened to alarms, oldest first"
    )
    async def list_events(asked: Annotated[EventQuery, Query()]) -> Response:
        found = await room.read_records(lambda records: records.events_after(asked.after, asked.limit))
        items = [
            {"number": e.number, "time": when(e.time), "alarm": e.alarm, "kind": e.kind, "who": e.who, "state": view(e.state)}
            for e in found
        ]
        return answer({"items": items, "last": found[-1].number if found else asked.after})

    told: dict[str, Any] = {
        "response_model": AlarmView,
        "responses": refusals(403, 404, 409, 413, 415),
        "openapi_extra": body(Comment),
    }

    @router.post("/alarms/{name}/acknowledge", summary="Acknowledge an alarm", **told)
    async def acknowledge(name: str, request: Request) -> Response:
        return await _settle(room, "acknowledge", name, request)

    @router.post("/alarms/{name}/confirm", summary="Confirm an acknowledged alarm", **told)
    async def confirm(name: str, request: Request) -> Response:
        return await _settle(room, "confirm", name, request)

    return router


async def _all(room: Room) -> list[dict[str, Any]]:
    """Every alarm of the program: as the scan shows it now, and what the records know beside."""
    known: dict[str, AlarmState] = {}
    if room.records is not None:
        try:
            known = {state.name.lower(): state for state in await room.read_records(lambda records: records.alarms())}
        except ProblemError:
            log.warning("alarms without their records")  # which alarms are active is told all the same
    return [_now(alarm, is_on, code, known.get(name_of(alarm).lower())) for alarm, is_on, code in standing(room)]


def standing(room: Room) -> list[tuple[Alarm, bool, int]]:
    """Every alarm of the program, whether its tag is true now, and how good that is: of a bad tag nobody can say."""
    picture = room.picture
    picture.look()
    tags = [picture.tag(alarm.active) for alarm in picture.order.alarms]
    shown = picture.pick(tuple(tag.name for tag in tags if tag is not None))
    found = dict(zip(shown.names, zip(picture.values(shown), picture.qualities(shown), strict=True), strict=True))
    told = [found[tag.name] if tag else (False, quality.BAD_CONFIGURATION_ERROR) for tag in tags]
    return [(alarm, bool(on), code) for alarm, (on, code) in zip(picture.order.alarms, told, strict=True)]


def _now(alarm: Alarm, is_on: bool, code: int, state: AlarmState | None) -> dict[str, Any]:
    """The alarm as its tag is now: the records lag behind by a moment, and for long where their process is away."""
    if state is None:
        bare = AlarmState(name_of(alarm), alarm.severity, alarm.text, alarm.of, alarm.limit, is_on, quality=code)
        return {**view(bare), **dict.fromkeys(ONLY_RECORDED)}
    shown = view(replace(state, quality=code))
    if is_on == state.active or not quality.is_good(code):
        return shown  # what was last known holds, and the quality says so
    return {**shown, "active": is_on, **(NOT_YET_RECORDED if is_on else {})}


def view(state: AlarmState) -> dict[str, Any]:
    """An alarm as the records know it."""
    return {
        "name": state.name,
        "severity": state.severity,
        "text": state.text,
        "of": state.of,
        "limit": state.limit,
        "active": state.active,
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
    }


async def _settle(room: Room, action: str, name: str, request: Request) -> Response:
    """Acknowledge or confirm; the answer is the alarm after it."""
    who = room.needs(request, LEAST, action, name[:100])
    try:
        asked = await body_as(request, Comment)
        why = await _carry_out(room, action, name, who, asked)
    except ProblemError as problem:
        room.door.note(who, action, name[:100], f"refused: {problem.detail}", False)
        raise
    room.door.note(who, action, name, f"refused: {why}" if why else "taken", not why, new=asked.comment or None)
    if why:
        raise ProblemError(409, "refused", f"refused: {why}")
    return answer(next(item for item in await _all(room) if item["name"].lower() == name.lower()))


async def _carry_out(room: Room, action: str, name: str, who: Who, asked: Comment) -> str:
    """Why the records refused, or nothing. Raises ProblemError 404 and 409."""
    known = {item["name"].lower(): str(item["name"]) for item in await _all(room)}
    if name.lower() not in known:
        raise ProblemError(404, "no-such-alarm", f"no alarm named `{name[:100]}`")
    records = room.records
    if records is None:
        raise ProblemError(409, "no-records", "this site keeps no records, so nothing can be acknowledged")
    act = records.acknowledge if action == "acknowledge" else records.confirm
    return await asyncio.to_thread(act, known[name.lower()], who, asked.comment, asked.event)
