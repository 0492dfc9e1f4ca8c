"""What happened, page by page and as CSV: the alarms' history, the plant's log, who did what, and how the alarms perform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from hmi import texts
from hmi.alarm_lists import event_told
from hmi.hall import Hall
from hmi.live import about
from hmi.measures import Measures
from hmi.paging import MOST, Page, page_of
from hmi.plain import csv_file, plain
from hmi.plant_log import Told, plant_log
from hmi.roles import why_not
from hmi.texts import events as words
from runtime.servers.audit import Deed
from runtime.servers.picture import when
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.performance import told
from runtime.servers.records.states import AlarmEvent
from runtime.servers.records.store import Records
from runtime.servers.rest.problems import answer
from runtime.servers.rest.site import deed_view

LATEST = 9_223_372_036_000  # ms since 1970: nanoseconds beyond do not fit into the records
PAGE = 100
NS = 1_000_000  # of a millisecond
One = TypeVar("One")


class Asked(BaseModel):
    """Which stretch of a list: `at` is where the page before said that the next begins; times are ms since 1970 UTC."""

    text: str = Field("", max_length=200)
    start: int = Field(0, ge=0, le=LATEST)
    end: int = Field(LATEST, ge=0, le=LATEST)
    at: int = Field(0, ge=0, lt=MOST)
    limit: int = Field(PAGE, ge=1, le=500)
    csv: bool = False

    def is_at(self, moment: int) -> bool:
        """Whether this moment (ns) is within the times."""
        return self.start * NS <= moment < (self.end + 1) * NS

    def says(self, *said: Any) -> bool:
        """Whether every word that is searched for is in what is said."""
        line = " ".join(str(one) for one in said).lower()
        return all(word in line for word in self.text.lower().split())


class EventsAsked(Asked):
    """Which events of alarms."""

    alarm: str = Field("", max_length=200)
    kind: str = Field("", max_length=40)
    severity: Literal["", "critical", "error", "warning"] = ""


class DeedsAsked(Asked):
    """Which lines of the audit log."""

    action: str = Field("", max_length=40)
    user: str = Field("", max_length=200)
    refused: bool = False


class LogAsked(Asked):
    """Which lines of the plant's log."""

    kind: str = Field("", max_length=40)


class SpanAsked(BaseModel):
    """How much of the past."""

    hours: int = Field(168, ge=1, le=24 * 366)


async def _page(
    hall: Hall, asked: Asked, read: Callable[[Records, int], Sequence[One]], fits: Callable[[One], bool]
) -> Page[One] | Response:
    """A page out of the records, or why there is none."""
    size = MOST if asked.csv else asked.limit
    try:
        found = await hall.read_records(lambda records: page_of(lambda most: read(records, most), fits, asked.at, size))
    except NotKeptError as error:
        return plain(503, texts.RECORDS_UNREADABLE.format(why=error))
    return plain(404, texts.NO_RECORDS) if found is None else found


def _shown(
    asked: Asked, page: Page[One], name: str, heads: Sequence[str], row: Callable[[One], dict[str, Any]], cells: Sequence[str]
) -> Response:
    """The page as JSON, or as a file to keep; `cells` are the words of a row that stand under the heads."""
    rows = [row(one) for one in page.rows]
    if asked.csv:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return csv_file(f"{name}-{stamp}.csv", heads, ([line[cell] for cell in cells] for line in rows))
    end = min(asked.end, time.time_ns() // NS)  # to ask the next page with: what comes meanwhile must not move the places
    return answer({"items": rows, "older": page.older, "is_cut": page.is_cut, "end": end})


EVENT_CELLS = (
    "time", "number", "alarm", "kind", "severity", "id", "source", "text", "value", "unit", "quality", "who", "note", "comment",
)  # fmt: skip
DEED_CELLS = (
    "time", "service", "user", "role", "peer", "action", "subject", "element", "old", "new", "unit", "taken", "answer", "scan",
)  # fmt: skip
LOG_CELLS = ("time", "kind", "level", "text", "scan")


async def _events(hall: Hall, measures: Measures, asked: EventsAsked) -> Response:
    def fits(event: AlarmEvent) -> bool:
        state = event.state
        return (
            asked.kind in ("", event.kind)
            and asked.severity in ("", state.severity)
            and asked.says(event.alarm, state.text, state.id, state.source, event.who, event.note, state.comment)
        )

    def read(records: Records, most: int) -> list[AlarmEvent]:
        return records.events(asked.start * NS, asked.end * NS + NS - 1, asked.alarm or None, most)

    def row(event: AlarmEvent) -> dict[str, Any]:
        return event_told(event, measures)

    page = await _page(hall, asked, read, fits)
    if isinstance(page, Response):
        return page
    return _shown(asked, page, f"{hall.order.site}-alarms", words.EVENT_HEADS, row, EVENT_CELLS)


async def _deeds(hall: Hall, asked: DeedsAsked) -> Response:
    def fits(deed: Deed) -> bool:
        return asked.action in ("", deed.action) and asked.says(
            deed.service, deed.who.user, deed.who.peer, deed.action, deed.subject, deed.old, deed.new, deed.answer
        )

    def read(records: Records, most: int) -> list[Deed]:
        since, until, taken = asked.start * NS, asked.end * NS + NS - 1, False if asked.refused else None
        return records.deeds(since=since, until=until, user=asked.user or None, limit=most, taken=taken)

    page = await _page(hall, asked, read, fits)
    if isinstance(page, Response):
        return page
    return _shown(asked, page, f"{hall.order.site}-audit", words.DEED_HEADS, lambda deed: deed_told(hall, deed), DEED_CELLS)


def deed_told(hall: Hall, deed: Deed) -> dict[str, Any]:
    """A deed as a page shows it: values with the words that the tag has for them."""
    tag = hall.picture.tag(deed.subject) if deed.action in ("write", "force", "unforce") else None
    known = about(tag) if tag is not None else {}
    return {
        **deed_view(deed),
        "element": deed.element or None,
        "old": _value(deed.old, known),
        "new": _value(deed.new, known),
        "unit": known.get("unit", ""),
        "scan": deed.scan or None,
    }


def _value(value: Any, known: dict[str, Any]) -> str:
    """A value in words; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    named = known.get("names", {}).get(str(value))
    if named is not None:
        return str(named)
    if isinstance(value, dict):
        return ", ".join(f"{word} {_value(one, {}) or words.NOT_TOLD}" for word, one in value.items())
    return f"{value:.9g}" if isinstance(value, float) else str(value)


async def _log(hall: Hall, asked: LogAsked) -> Response:
    def fits(line: Told) -> bool:
        return asked.kind in ("", line.kind) and asked.is_at(line.time) and asked.says(line.kind, line.text)

    def row(line: Told) -> dict[str, Any]:
        return {"time": when(line.time), "kind": line.kind, "level": line.level, "text": line.text, "scan": line.scan or None}

    def find() -> Page[Told]:
        lines = plant_log(hall.order.state_dir, MOST)
        return page_of(lambda most: lines[:most], fits, asked.at, MOST if asked.csv else asked.limit)

    if not hall.order.state_dir:
        return plain(404, texts.NO_RECORDS)
    try:
        async with hall.reading:
            page = await asyncio.to_thread(find)
    except OSError as error:
        return plain(503, words.LOG_UNREADABLE.format(why=error.strerror))
    return _shown(asked, page, f"{hall.order.site}-events", words.PLANT_HEADS, row, LOG_CELLS)


def event_routes(hall: Hall) -> APIRouter:
    """The routes over what happened at this hall's site."""
    router = APIRouter()
    measures = Measures(hall)

    @router.get("/events")
    async def list_events(asked: Annotated[EventsAsked, Query()]) -> Response:
        return await _events(hall, measures, asked)

    @router.get("/log")
    async def list_lines(asked: Annotated[LogAsked, Query()]) -> Response:
        return await _log(hall, asked)

    @router.get("/deeds")
    async def list_deeds(asked: Annotated[DeedsAsked, Query()], request: Request) -> Response:
        who = request.scope["state"]["who"]
        why = why_not(who, words.AUDIT_LEAST)
        if why:
            hall.door.note(who, "read", "audit", f"refused: {why}", False)
            return plain(403, why)
        return await _deeds(hall, asked)

    @router.get("/performance")
    async def read_performance(asked: Annotated[SpanAsked, Query()]) -> Response:
        until = time.time_ns()
        try:
            found = await hall.read_records(lambda records: records.performance(until - asked.hours * 3600 * 10**9, until))
        except NotKeptError as error:
            return plain(503, texts.RECORDS_UNREADABLE.format(why=error))
        return plain(404, texts.NO_RECORDS) if found is None else answer(told(found, when))

    return router
