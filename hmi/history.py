"""What trends fetch, checked: past values (hmi/past.py reads them), the moments of alarms, and which tags there are."""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from hmi import texts
from hmi.hall import Hall
from hmi.past import Line, Question, TooSlowError, lines
from hmi.texts import trends as words
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.states import ACTIVE
from runtime.servers.rest.problems import ProblemError, answer

MOST_TAGS, LONGEST_NAME = 12, 200
LEAST_POINTS, MOST_POINTS, POINTS = 10, 4000, 1000
MOST_EVENTS, MOST_MARKS = 2000, 200
MOST_FOUND = 40
DAYS = 400  # how much time one question may be about
PATIENCE = 10.0  # s
LATEST = 2**43  # ms: 278 years after 1970, still within 64 bits of ns
_MS = 1_000_000


def history_routes(hall: Hall) -> APIRouter:
    """The routes over this hall: `/history?tags=a,b&start=MS&end=MS&points=N`, `/marks?start=MS&end=MS`, `/tags?find=WORDS`.

    Times are ms since 1970 UTC. It is `{"tags": {NAME: {"unit", "t": [ms], "v": [number or null], "q": [0..4]}}, "missing":
    [NAME]}`. A value holds until the next one; null is a gap: it was bad, or nobody recorded. The value that held at `start` is the
    first, and the last one is repeated at `end`, or now. `missing` are the tags that have no history. BOOLs are 0 and 1.
    """
    router = APIRouter()

    @router.get("/history")
    async def read_history(request: Request) -> Response:
        return answer(await _history(hall, request.query_params))

    @router.get("/marks")
    async def read_marks(request: Request) -> Response:
        return answer(await _marks(hall, request.query_params))

    @router.get("/tags")
    async def read_tags(find: str = "", pins: bool = False) -> Response:
        return answer(_found(hall, find[:LONGEST_NAME].lower().split(), pins))

    return router


async def _history(hall: Hall, asked: Mapping[str, str]) -> dict[str, Any]:
    names = _names(asked.get("tags", ""))
    start, end = _span(asked)
    points = _number(asked, "points", LEAST_POINTS, MOST_POINTS, POINTS)
    question = Question(start * _MS, end * _MS, points, time.monotonic() + PATIENCE)
    try:
        found = await hall.read_records(lambda records: lines(records, names, question)) or {}
    except NotKeptError as error:
        raise _unreadable(error) from error
    except TooSlowError as error:
        raise ProblemError(503, "slow", words.TOO_SLOW.format(seconds=PATIENCE)) from error
    return {
        "tags": {name: _told(line) for name, line in found.items()},
        "missing": [name for name in names if name not in found],
    }


async def _marks(hall: Hall, asked: Mapping[str, str]) -> dict[str, Any]:
    """When alarms became active, oldest first; where there are more than MOST_MARKS, the newest of them."""
    start, end = _span(asked)
    try:
        events = await hall.read_records(lambda records: records.events(start * _MS, end * _MS, limit=MOST_EVENTS)) or []
    except NotKeptError as error:
        raise _unreadable(error) from error
    began = [event for event in events if event.kind == ACTIVE and not event.state.shelved]
    marks = [
        {"t": event.time // _MS, "name": event.alarm, "severity": event.state.severity, "text": event.state.text}
        for event in reversed(began[:MOST_MARKS])
    ]
    return {"marks": marks, "more": len(began) > MOST_MARKS or len(events) == MOST_EVENTS}


def _found(hall: Hall, wanted: Sequence[str], with_pins: bool) -> list[dict[str, Any]]:
    """Tags and pins in whose name or text all these words are; those whose name begins with the first of them come first."""
    hits: list[tuple[tuple[bool, bool, bool, str], dict[str, Any]]] = []
    for tag in hall.picture.tags:
        name = tag.name.lower()
        if all(word in name or word in tag.text.lower() for word in wanted):
            about = {"name": tag.name, "type": tag.type, "unit": tag.unit, "text": tag.text, "length": tag.length}
            hits.append((_rank(name, wanted, is_pin=False), about))
    for pin, (kind, _, length) in hall.order.pins.items() if with_pins and wanted else ():
        name = pin.lower()
        if all(word in name for word in wanted):
            about = {"name": pin, "type": kind, "unit": "", "text": "", "length": length, "pin": True}
            hits.append((_rank(name, wanted, is_pin=True), about))
    return [about for _, about in heapq.nsmallest(MOST_FOUND, hits, key=itemgetter(0))]


def _rank(name: str, wanted: Sequence[str], *, is_pin: bool) -> tuple[bool, bool, bool, str]:
    is_first = bool(wanted) and name.startswith(wanted[0])
    return is_pin, not is_first, not all(word in name for word in wanted), name


def _told(line: Line) -> dict[str, Any]:
    points = line.points
    return {
        "unit": line.unit,
        "t": points["time"] // _MS,
        "v": np.ascontiguousarray(points["value"]),  # JSON has no word for what is no number: it becomes null
        "q": np.ascontiguousarray(points["grade"]),
    }


def _span(asked: Mapping[str, str]) -> tuple[int, int]:
    start, end = (_number(asked, word, 0, LATEST, None) for word in ("start", "end"))
    if end <= start:
        raise _refused(words.END_BEFORE_START)
    if end - start > DAYS * 86_400_000:
        raise _refused(words.SPAN_TOO_LONG.format(most=DAYS))
    return start, end


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",", MOST_TAGS + 1) if name.strip()))
    if not 1 <= len(names) <= MOST_TAGS:
        raise _refused(words.NAMES_NEEDED.format(most=MOST_TAGS))
    if any(len(name) > LONGEST_NAME for name in names):
        raise _refused(words.NAME_TOO_LONG.format(most=LONGEST_NAME))
    return names


def _number(asked: Mapping[str, str], word: str, least: int, most: int, default: int | None) -> int:
    text = asked.get(word, "")
    if not text and default is not None:
        return default
    if len(text) > 15 or not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise _refused(words.NUMBER_NEEDED.format(word=word, least=least, most=most))
    return int(text)


def _refused(text: str) -> ProblemError:
    return ProblemError(422, "invalid-request", text)


def _unreadable(error: NotKeptError) -> ProblemError:
    return ProblemError(503, "records", texts.RECORDS_UNREADABLE.format(why=error))
