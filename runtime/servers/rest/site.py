"""The routes of the site: devices, statistics, history, the audit log and health."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from runtime import quality
from runtime.engine.image import ImageError
from runtime.servers.audit import Deed
from runtime.servers.condition import devices, fieldbus, statistics
from runtime.servers.picture import when
from runtime.servers.rest.describe import refusals
from runtime.servers.rest.problems import ProblemError, answer
from runtime.servers.rest.room import Room, nanoseconds
from runtime.servers.rest.shapes import Audit, AuditQuery, Devices, Health, History, HistoryQuery, Statistics

HOUR = 3_600_000_000_000


def site_routes(room: Room) -> APIRouter:
    """The routes over this room's site."""
    router = APIRouter(tags=["site"])

    @router.get("/devices", response_model=Devices, responses=refusals(), summary="List devices with their state")
    async def list_devices() -> Response:
        room.picture.look()
        said = fieldbus(room.picture)
        items = devices(room.picture, said.get("devices", {}))
        return answer({**room.picture.stamp(), "outputs": str(said.get("outputs", "not known")), "items": items})

    @router.get("/statistics", response_model=Statistics, responses=refusals(503), summary="How late and how long the scans are")
    async def read_statistics() -> Response:
        room.picture.look()
        try:
            return answer(statistics(room.picture))
        except ImageError:
            raise ProblemError(503, "no-scan", "no scan is running", {"retry-after": "1"}) from None

    @router.get("/history/{tag}", response_model=History, responses=refusals(404, 503), summary="The recorded values of a tag")
    async def read_history(tag: str, asked: Annotated[HistoryQuery, Query()]) -> Response:
        return answer(await _history(room, tag, asked))

    @router.get("/audit", response_model=Audit, responses=refusals(403, 404, 503), summary="Who did what, newest first (engineer)")
    async def read_audit(request: Request, asked: Annotated[AuditQuery, Query()]) -> Response:
        room.needs(request, "engineer", "read", "audit")
        since, until = nanoseconds(asked.start, 0), nanoseconds(asked.end, time.time_ns())
        found = await room.read_records(
            lambda records: records.deeds(
                since=since, until=until, subject=asked.subject or None, user=asked.user or None, limit=asked.limit
            )
        )
        return answer({"items": [deed_view(deed) for deed in sorted(found, key=lambda deed: -deed.time)]})

    return router


def health_routes(room: Room) -> APIRouter:
    """The routes for whoever only wants to know whether we live; they need no login and tell nothing of the plant."""
    router = APIRouter(tags=["health"])

    @router.get("/health", response_model=Health, responses={503: {"model": Health}}, summary="Ready: whether a scan runs")
    async def ready() -> Response:
        room.picture.look()
        state = room.picture.state
        is_ready = state in ("running", "inhibited")
        found = answer({"live": True, "ready": is_ready, "state": state})
        found.status_code = 200 if is_ready else 503
        return found

    @router.get("/health/live", response_model=Health, summary="Live: whether this process answers")
    async def live() -> Response:
        room.picture.look()
        state = room.picture.state
        return answer({"live": True, "ready": state in ("running", "inhibited"), "state": state})

    return router


async def _history(room: Room, name: str, asked: HistoryQuery) -> dict[str, Any]:
    end = nanoseconds(asked.end, time.time_ns())
    start = nanoseconds(asked.start, max(0, end - HOUR))
    known = await room.read_records(lambda records: records.known_tags())
    about = next((found for found in known if found.name.lower() == name.lower()), None)  # also one that is recorded no more
    if about is None:
        raise ProblemError(
            404, "not-recorded", f"there is no history of `{name[:100]}`: `records:` in the site says what is recorded"
        )
    samples = await room.read_records(lambda records: records.history(about.name, start, end, asked.limit + 1))
    items = [{"time": when(s.time), "value": s.value, "quality": quality.name(s.quality)} for s in samples[: asked.limit]]
    return {"tag": about.name, "unit": about.unit, "items": items, "more": len(samples) > asked.limit}


def deed_view(deed: Deed) -> dict[str, Any]:
    """A line of the audit log."""
    return {
        "time": when(deed.time),
        "service": deed.service,
        "user": deed.who.user,
        "role": deed.who.role,
        "peer": deed.who.peer,
        "action": deed.action,
        "subject": deed.subject,
        "element": deed.element,
        "old": deed.old,
        "new": deed.new,
        "answer": deed.answer,
        "taken": deed.taken,
        "scan": deed.scan,
    }
