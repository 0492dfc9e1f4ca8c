"""The routes of tags: list them, read them, write one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from runtime import quality
from runtime.engine import north
from runtime.model import Tag
from runtime.servers.audit import Who
from runtime.servers.door import NO_ANSWER, NO_SCAN, RING_FULL, Outcome
from runtime.servers.integers import INTEGERS, holds
from runtime.servers.picture import Picture, Selection
from runtime.servers.rest.callers import reaches
from runtime.servers.rest.describe import body, refusals
from runtime.servers.rest.problems import ProblemError, answer
from runtime.servers.rest.room import Room, body_as, who_of
from runtime.servers.rest.shapes import OneTag, TagQuery, Tags, ValueQuery, Values, Write, Written

MOST = 1000  # names in one question
STATUS = {
    north.NOT_WRITABLE: (403, "not-writable"),
    north.ROLE_TOO_LOW: (403, "role-too-low"),
    north.UNKNOWN_TAG: (404, "no-such-tag"),
    north.OUT_OF_RANGE: (422, "out-of-range"),
    north.NOT_FINITE: (422, "not-finite"),
    north.BAD_ELEMENT: (422, "no-such-element"),
    north.REMOTE_LOCKED: (409, "local-control"),
    north.NOT_RUNNING: (409, "scan-stopped"),
    north.FORCED: (409, "forced"),
    NO_SCAN: (503, "no-scan"),
    RING_FULL: (503, "too-many-writes"),
    NO_ANSWER: (504, "no-answer"),
}


def tag_routes(room: Room) -> APIRouter:
    """The routes over this room's picture."""
    router, picture = APIRouter(tags=["tags"]), room.picture

    @router.get("/tags", response_model=Tags, responses=refusals(), summary="List tags with their values")
    async def list_tags(asked: Annotated[TagQuery, Query()]) -> Response:
        picture.look()
        found = picture.select(asked.match, asked.kind)
        shown = found.tags[asked.offset : asked.offset + asked.limit]
        after = asked.offset + len(shown)
        page = picture.pick(tuple(tag.name for tag in shown))
        words: dict[str, int | None] = {"total": len(found.tags), "offset": asked.offset, "limit": asked.limit}
        words["next"] = after if shown and after < len(found.tags) else None
        return answer({**picture.stamp(), **words, "items": views(picture, page)})

    @router.get("/tags/{name}", response_model=OneTag, responses=refusals(404), summary="Read one tag")
    async def read_tag(name: str) -> Response:
        picture.look()
        page = picture.pick((_known(picture, name).name,))
        return answer({**picture.stamp(), "tag": views(picture, page)[0]})

    @router.get("/values", response_model=Values, responses=refusals(404), summary="Read many values of one scan")
    async def read_values(asked: Annotated[ValueQuery, Query()]) -> Response:
        picture.look()
        return answer({**picture.stamp(), **values(picture, chosen(picture, asked))})

    @router.put(
        "/tags/{name}",
        response_model=Written,
        responses=refusals(403, 404, 409, 413, 415, 503, 504),
        openapi_extra=body(Write),
        summary="Write a tag; answers when the scan has taken it",
    )
    async def write_tag(name: str, request: Request) -> Response:
        room.writes += 1
        return await _write(room, name, request)

    return router


def chosen(picture: Picture, asked: ValueQuery) -> Selection:
    """The tags that a question names. Raises ProblemError 404 with the names that there are not."""
    if not asked.tags:
        return picture.select(asked.match)
    names = tuple(asked.tags.split(","))
    if asked.match or len(names) > MOST:
        raise ProblemError(422, "invalid-request", f"either `tags`, at most {MOST} of them, or `match`")
    try:
        return picture.pick(names)
    except KeyError:
        unknown = [name[:100] for name in names if picture.tag(name) is None]
        raise ProblemError(404, "no-such-tag", f"no tag named {', '.join(f'`{n}`' for n in unknown[:10])}") from None


def values(picture: Picture, selection: Selection) -> dict[str, Any]:
    """Values by name, and the qualities that are not plainly good: also of what is forced."""
    bad = {
        name: quality.name(code)
        for name, code in zip(selection.names, picture.qualities(selection), strict=True)
        if code != quality.GOOD
    }
    return {"values": dict(zip(selection.names, picture.values(selection), strict=True)), "quality": bad}


def views(picture: Picture, selection: Selection) -> list[dict[str, Any]]:
    """Each tag with all that is known of it."""
    rows = zip(selection.tags, picture.values(selection), picture.qualities(selection), picture.times(selection), strict=True)
    return [
        {
            "name": tag.name,
            "value": value,
            "quality": quality.name(code),
            "good": quality.is_good(code),
            "time": time,
            "unit": tag.unit,
            "text": tag.text,
            "range": {"minimum": tag.minimum, "maximum": tag.maximum},
            "type": tag.type,
            "length": tag.length,
            "kind": tag.kind,
            "write": tag.write,
            "names": {str(number): name for number, name in tag.names},
        }
        for tag, value, code, time in rows
    ]


def _known(picture: Picture, name: str) -> Tag:
    tag = picture.tag(name)
    if tag is None:
        raise ProblemError(404, "no-such-tag", f"no tag named `{name[:100]}`")
    return tag


async def _write(room: Room, name: str, request: Request) -> Response:
    who, tag = who_of(request), room.picture.tag(name)
    if tag is None:
        room.door.note(who, "write", name[:100], "refused: no such tag", False)
        raise _refusal(north.UNKNOWN_TAG)
    if not tag.write or not reaches(who.role, tag.write):
        raise _refuse(room, tag, None, who, north.ROLE_TOO_LOW if tag.write else north.NOT_WRITABLE)
    try:
        asked = await body_as(request, Write)
    except ProblemError as problem:
        room.door.refuse(tag, None, who, f"refused: {problem.detail}")
        raise
    element = _element(room, tag, asked, who)
    value = _fitting(room, tag, asked.value, who, element)
    outcome = await room.door.write(tag, value, who, element)
    if not outcome.is_taken:
        raise _refusal(outcome.answer)
    return answer({"tag": tag.name, "element": asked.element, "value": value, "scan": outcome.scan, "answer": outcome.text})


def _element(room: Room, tag: Tag, asked: Write, who: Who) -> int:
    """Which element from 0. Raises ProblemError."""
    if tag.length and asked.element is None:
        room.door.refuse(tag, asked.value, who, "refused: no element")
        raise ProblemError(422, "no-such-element", f"{tag.name} has {tag.length} elements: say which, `element` from 1")
    element = (asked.element or 1) - 1
    if element >= max(tag.length, 1):
        raise _refuse(room, tag, asked.value, who, north.BAD_ELEMENT)
    return element


def _fitting(room: Room, tag: Tag, value: bool | int | float, who: Who, element: int) -> bool | int | float:
    """The value as the tag's type. Raises ProblemError for another type, or a number that the type does not hold."""
    if isinstance(value, bool) != (tag.type == "BOOL") or (tag.type in INTEGERS and not float(value).is_integer()):
        expected = "true or false" if tag.type == "BOOL" else "a number" if tag.type == "LREAL" else "a whole number"
        room.door.refuse(tag, value, who, f"refused: not {expected}", element)
        raise ProblemError(422, "wrong-type", f"refused: {tag.name} is {tag.type} and takes {expected}")
    if tag.type in INTEGERS:
        if not holds(tag.type, int(value)):
            raise _refuse(room, tag, int(value), who, north.OUT_OF_RANGE, element)
        return int(value)
    return value if tag.type == "BOOL" else float(value)


def _refuse(room: Room, tag: Tag, value: Any, who: Who, code: int, element: int = 0) -> ProblemError:
    """Note a refusal that the scan is not asked for; returns what the client is told."""
    room.door.refuse(tag, value, who, Outcome(code).text, element)
    return _refusal(code)


def _refusal(code: int) -> ProblemError:
    status, reason = STATUS.get(code, (500, "not-known"))
    return ProblemError(status, reason, Outcome(code).text, {"retry-after": "1"} if status == 503 else None)
