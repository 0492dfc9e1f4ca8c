"""The routes of alarms: what stands, what happened, how they perform; acknowledging and shelving."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from runtime.servers.audit import Who
from runtime.servers.picture import when
from runtime.servers.records.performance import told
from runtime.servers.records.states import AlarmEvent, AlarmState
from runtime.servers.records.store import Records
from runtime.servers.rest.describe import body, refusals
from runtime.servers.rest.problems import ProblemError, answer
from runtime.servers.rest.room import Room, body_as, nanoseconds
from runtime.servers.rest.shapes_alarms import (
    Alarms,
    AlarmView,
    Comment,
    EventQuery,
    Events,
    Performance,
    Reason,
    Shelve,
    SpanQuery,
)
from runtime.servers.standing import all_of, view

LEAST = "operator"  # who may acknowledge and shelve
WEEK = 7 * 86_400 * 1_000_000_000
# what may be done to an alarm: the shape of the body, and how the records are asked
ACTIONS: dict[str, tuple[type[Any], Callable[[Records, str, Who, Any], str]]] = {
    "acknowledge": (Comment, lambda records, name, who, asked: records.acknowledge(name, who, asked.comment, asked.event)),
    "confirm": (Comment, lambda records, name, who, asked: records.confirm(name, who, asked.comment, asked.event)),
    "shelve": (Shelve, lambda records, name, who, asked: records.shelve(name, who, asked.seconds, asked.comment)),
    "unshelve": (Reason, lambda records, name, who, asked: records.unshelve(name, who, asked.comment)),
}
log = structlog.get_logger()


def alarm_routes(room: Room) -> APIRouter:
    """The routes over this room's alarms."""
    router = APIRouter(tags=["alarms"])

    @router.get("/alarms", response_model=Alarms, responses=refusals(), summary="List alarms, the active ones first")
    async def list_alarms() -> Response:
        items = sorted(await _all(room), key=lambda item: (not item["active"], item["name"]))
        apart = {"shelved": sum(bool(item["shelved"]) for item in items), "suppressed": sum(item["suppressed"] for item in items)}
        active = sum(item["active"] and not item["shelved"] for item in items)
        return answer({**room.picture.stamp(), "active": active, **apart, "items": items})

    @router.get(
        "/alarms/events", response_model=Events, responses=refusals(404, 503), summary="What happened to alarms, oldest first"
    )
    async def list_events(asked: Annotated[EventQuery, Query()]) -> Response:
        found = await room.read_records(lambda records: records.events_after(asked.after, asked.limit))
        items = [{**_said(event), "time": when(event.time), "state": view(event.state)} for event in found]
        return answer({"items": items, "last": found[-1].number if found else asked.after})

    @router.get(
        "/alarms/statistics",
        response_model=Performance,
        responses=refusals(404, 503),
        summary="How the alarms perform, beside what ISA-18.2 recommends",
    )
    async def read_performance(asked: Annotated[SpanQuery, Query()]) -> Response:
        end = nanoseconds(asked.end, time.time_ns())
        start = nanoseconds(asked.start, max(0, end - WEEK))
        return answer(told(await room.read_records(lambda records: records.performance(start, end)), when))

    @router.post("/alarms/{name}/acknowledge", summary="Acknowledge an alarm", **_described(Comment))
    async def acknowledge(name: str, request: Request) -> Response:
        return await _settle(room, "acknowledge", name, request)

    @router.post("/alarms/{name}/confirm", summary="Confirm an acknowledged alarm", **_described(Comment))
    async def confirm(name: str, request: Request) -> Response:
        return await _settle(room, "confirm", name, request)

    @router.post("/alarms/{name}/shelve", summary="Take an alarm out of sight for a time", **_described(Shelve))
    async def shelve(name: str, request: Request) -> Response:
        return await _settle(room, "shelve", name, request)

    @router.post("/alarms/{name}/unshelve", summary="Take an alarm off the shelf", **_described(Reason))
    async def unshelve(name: str, request: Request) -> Response:
        return await _settle(room, "unshelve", name, request)

    return router


async def _all(room: Room) -> list[dict[str, Any]]:
    """Every alarm of the program: as the scan shows it now, and what the records know beside."""
    known: list[AlarmState] = []
    if room.records is not None:
        try:
            known = await room.read_records(lambda records: records.alarms())
        except ProblemError:
            log.warning("alarms without their records")  # which alarms are active is told all the same
    return all_of(room.picture, known)


def _said(event: AlarmEvent) -> dict[str, Any]:
    return {word: getattr(event, word) for word in ("number", "alarm", "kind", "who", "note")}


def _described(shape: type[BaseModel]) -> dict[str, Any]:
    return {"response_model": AlarmView, "responses": refusals(403, 404, 409, 413, 415), "openapi_extra": body(shape)}


async def _settle(room: Room, action: str, name: str, request: Request) -> Response:
    """Do one of ACTIONS; the answer is the alarm after it."""
    who = room.needs(request, LEAST, action, name[:100])
    shape, act = ACTIONS[action]
    try:
        asked = await body_as(request, shape)
        why = await _carry_out(room, name, lambda records, known: act(records, known, who, asked))
    except ProblemError as problem:
        room.door.note(who, action, name[:100], f"refused: {problem.detail}", False)
        raise
    new = asked.model_dump() if action == "shelve" else asked.comment or None
    room.door.note(who, action, name, f"refused: {why}" if why else "taken", not why, new=new)
    if why:
        raise ProblemError(409, "refused", f"refused: {why}")
    return answer(next(item for item in await _all(room) if item["name"].lower() == name.lower()))


async def _carry_out(room: Room, name: str, act: Callable[[Records, str], str]) -> str:
    """Why the records refused, or nothing. Raises ProblemError 404 and 409."""
    known = {item["name"].lower(): str(item["name"]) for item in await _all(room)}
    if name.lower() not in known:
        raise ProblemError(404, "no-such-alarm", f"no alarm named `{name[:100]}`")
    records = room.records
    if records is None:
        raise ProblemError(409, "no-records", "this site keeps no records, so nothing can be said of its alarms")
    return await asyncio.to_thread(act, records, known[name.lower()])
