"""Lists of alarms as the screen shows them: which belong to which list, with their limits, and all that is known of one.

A browser asks once a second and is told only what changed; what it is given is bounded, however many alarms stand.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from hmi import texts
from hmi.hall import Hall
from hmi.incidents import LEAST as FETCHERS
from hmi.incidents import incidents_at
from hmi.measures import WORD, Measures, difference
from hmi.plain import plain
from hmi.protection import rows_about
from hmi.roles import why_not
from hmi.texts import alarms as words
from runtime.engine.image import ImageError
from runtime.model import Alarm
from runtime.quality import name as quality_name
from runtime.servers.picture import when
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.states import AlarmEvent, name_of
from runtime.servers.rest.problems import answer

LISTS = ("active", "unacknowledged", "shelved", "suppressed", "all")
PAGE, MOST = 200, 1000  # rows that are shown at first, and at most
WORDS = 200  # characters of a search
EVENTS = 20  # of one alarm
TAGS = 4  # that a trend of an alarm begins with
# the input of the alarm's block that sets its limit; its outputs bear the limits' names
LIMIT_PINS = {
    **{name: name for name in ("H", "HH", "L", "LL")},
    **dict.fromkeys(("HIGH", "LOW"), "TOLERANCE"),
    "RISING": "RISE",
    "FALLING": "FALL",
}
FIRST_OUT = "plc.first_out"


class Asked(BaseModel):
    """Which alarms."""

    list: Literal["active", "unacknowledged", "shelved", "suppressed", "all"] = "active"
    text: str = Field("", max_length=WORDS)
    severity: Literal["", "critical", "error", "warning"] = ""
    source: str = Field("", max_length=WORDS)
    limit: int = Field(PAGE, ge=1, le=MOST)


def is_in(item: dict[str, Any], name: str) -> bool:
    """Whether the alarm belongs to this list; what is shelved or suppressed stands apart from the operator's lists."""
    is_apart = bool(item["shelved"]) or item["suppressed"]
    if name == "active":
        return bool(item["active"]) and not is_apart
    if name == "unacknowledged":
        return (item["acknowledged"] is False or item["confirmed"] is False) and not is_apart
    return name == "all" or bool(item[name])


def fits(item: dict[str, Any], asked: Asked) -> bool:
    """Whether the alarm is one of those that were asked for, without regard to the list."""
    said = " ".join(str(item[word] or "") for word in ("name", "text", "id", "source", "comment")).lower()
    return (
        all(word in said for word in asked.text.lower().split())
        and asked.severity in ("", item["severity"])
        and asked.source in ("", item["source"])
    )


class AlarmLists:
    """The alarms of a hall with what their tags and pins say beside."""

    def __init__(self, hall: Hall):
        self._hall = hall
        self.measures = Measures(hall)
        self._generation = -1
        self._by_name: dict[str, Alarm] = {}
        self._limits: dict[str, str] = {}

    def alarm(self, name: str) -> Alarm | None:
        """The alarm of this name, as the running program declares it."""
        self._follow()
        return self._by_name.get(name.lower())

    def _follow(self) -> None:
        hall = self._hall
        if self._generation == hall.generation:
            return
        self._by_name = {name_of(alarm).lower(): alarm for alarm in hall.order.alarms}
        pins = {pin.lower().partition(".")[2]: pin for pin in hall.order.pins if ".alarm." in pin.lower()}  # without its program
        self._limits = {}
        for name, alarm in self._by_name.items():
            pin = pins.get(f"alarm.{alarm.name}.{LIMIT_PINS.get(alarm.limit, '')}".lower())
            if pin is not None and hall.order.pins[pin][0] == "LREAL":
                self._limits[name] = pin
        self._generation = hall.generation

    def told(self, item: dict[str, Any], first: str) -> dict[str, Any]:
        """The alarm with its limit, its unit, and whether it came first."""
        alarm = self.alarm(item["name"])
        pin = self._limits.get(item["name"].lower(), "")
        tag = self._hall.picture.tag(item["of"]) if item["of"] else None
        kind = alarm.kind if alarm else "condition"
        unit, decimals = self.measures.of(item["of"])
        return {
            **item,
            "unit": unit,
            "limit_unit": difference(unit) + ("/s" if kind == "rate" else "") if kind in ("rate", "deviation") else unit,
            "decimals": decimals,
            "tag": tag.name if tag is not None and not tag.length else "",
            "limit_value": self._limit(pin),
            "first_out": bool(first) and alarm is not None and alarm.full_name.lower() == first,
        }

    def _limit(self, pin: str) -> float | None:
        pins = self._hall.door.pins
        try:
            return float(pins.value(pin)) if pin and pins.attach() else None
        except (ImageError, KeyError, TypeError):
            return None  # the scan went away, or runs another program meanwhile

    def first_out(self) -> str:
        """The grave alarm that came first since all was well, in small letters; nothing where there is none."""
        picture = self._hall.picture
        tag = picture.tag(FIRST_OUT)
        if tag is None or not picture.has_any():
            return ""
        number = picture.door.snapshot.value(tag)
        return dict(tag.names).get(int(number), "").lower() if number else ""

    async def listed(self, asked: Asked) -> dict[str, Any]:
        """What a page shows of a list."""
        items = await self._hall.alarms.items()
        found = [item for item in items if is_in(item, asked.list) and fits(item, asked)]
        first = self.first_out()
        return {
            "items": [self.told(item, first) for item in found[: asked.limit]],
            "total": len(found),
            "counts": {name: sum(is_in(item, name) for item in items) for name in LISTS},
            "sources": sorted({item["source"] for item in items if item["source"]}),
            "unconfirmed": sum(item["confirmed"] is False for item in items),
            "recorded": self._hall.records is not None,
        }

    def trends(self, alarm: Alarm) -> list[str]:
        """The names that a trend of the alarm begins with: what it watches, or what its condition speaks of."""
        order, picture = self._hall.order, self._hall.picture
        program = Path(alarm.at.file or "").stem
        found: list[str] = []
        for word in WORD.findall(alarm.of):
            tag = picture.tag(word)
            if tag is not None and not tag.length:
                found.append(tag.name)
            elif f"{program}.{word}" in order.pins:
                found.append(f"pin:{program}.{word}")
        return list(dict.fromkeys([*found, alarm.active]))[:TAGS]


def event_told(event: AlarmEvent, measures: Measures) -> dict[str, Any]:
    """What happened to an alarm, as a page shows it."""
    state = event.state
    unit, decimals = measures.of(state.of)
    return {
        "number": event.number,
        "time": when(event.time),
        "alarm": event.alarm,
        "kind": event.kind,
        "who": event.who,
        "note": event.note,
        "comment": state.comment if event.who else "",
        "severity": state.severity,
        "text": state.text,
        "id": state.id,
        "source": state.source,
        "unit": unit,
        "decimals": decimals,
        "value": state.value if event.kind == "active" else None,
        "quality": quality_name(state.quality),
    }


async def _detail(hall: Hall, lists: AlarmLists, alarm: Alarm, request: Request) -> dict[str, Any]:
    name = name_of(alarm)
    item = next(item for item in await hall.alarms.items() if item["name"] == name)
    state: dict[str, Any] = {"alarm": lists.told(item, lists.first_out()), "why": ""}
    events: list[AlarmEvent] = []
    try:
        events = await hall.read_records(lambda records: records.events(0, time.time_ns(), name, EVENTS)) or []
    except NotKeptError as error:
        state["why"] = texts.RECORDS_UNREADABLE.format(why=error)
    came = next((event.time for event in events if event.kind == "active"), None)
    why = why_not(request.scope["state"]["who"], FETCHERS)
    return {
        **state,
        "events": [event_told(event, lists.measures) for event in events],
        "trends": lists.trends(alarm),
        "incidents": await incidents_at(hall, came, why) if came is not None else [],
        "protection": await asyncio.to_thread(rows_about, hall.order.root, alarm.name),
    }


def alarm_routes(hall: Hall) -> APIRouter:
    """The routes over this hall's alarms."""
    router = APIRouter()
    lists = AlarmLists(hall)

    @router.get("/alarms")
    async def list_alarms(asked: Annotated[Asked, Query()], request: Request) -> Response:
        body = orjson.dumps(await lists.listed(asked))
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return Response(body, media_type="application/json", headers={"etag": tag})

    @router.get("/alarms/{name}")
    async def read_alarm(name: str, request: Request) -> Response:
        alarm = lists.alarm(name[:WORDS])
        if alarm is None:
            return plain(404, words.NO_SUCH_ALARM.format(name=name[:WORDS]))
        return answer(await _detail(hall, lists, alarm, request))

    return router
