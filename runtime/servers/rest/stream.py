"""The live stream: server-sent events with what has changed. A slow client misses pictures between two, never the newest.

Nothing is queued: each client is told the difference to what it was told last, when its connection takes more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from runtime import quality
from runtime.servers.audit import Who
from runtime.servers.picture import Selection
from runtime.servers.rest.describe import refusals
from runtime.servers.rest.problems import ProblemError
from runtime.servers.rest.room import Room, who_of
from runtime.servers.rest.shapes import StreamQuery
from runtime.servers.rest.tags import chosen

QUIET = 10.0  # s: with nothing to tell, a line all the same, so that both sides know the other is there
ASK_AGAIN = 1.0  # s: whether the client's token is still good
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Server-sent events."}
}


def stream_routes(room: Room) -> APIRouter:
    """The route over this room's picture."""
    router = APIRouter(tags=["tags"])

    @router.get(
        "/events",
        response_class=StreamingResponse,
        responses={**EVENT_STREAM, **refusals(404, 503)},
        summary="Follow values: all of them at first, then those that changed",
    )
    async def follow(request: Request, asked: Annotated[StreamQuery, Query()]) -> StreamingResponse:
        room.picture.look()
        chosen(room.picture, asked)
        if room.streams >= room.most_streams:
            raise ProblemError(503, "too-many-streams", f"{room.streams} clients follow values already", {"retry-after": "10"})
        authorization = request.headers.get("authorization", "")
        return StreamingResponse(_told(room, asked, who_of(request), authorization), media_type="text/event-stream")

    return router


async def _told(room: Room, asked: StreamQuery, who: Who, authorization: str) -> AsyncIterator[bytes]:
    room.streams += 1
    last, said, looked = dict[str, Any](), float("-inf"), time.monotonic()
    try:
        while not room.is_closing:
            now = time.monotonic()
            if now - looked > ASK_AGAIN:
                looked = now
                if not room.callers.still(authorization, who):
                    return
            room.picture.look()
            try:
                selection = chosen(room.picture, asked)
            except ProblemError:
                return  # another program runs, which has not got these tags
            changed, last = _changed(room, selection, last)
            if changed or now - said > QUIET:
                said = now
                yield _event(room, changed)
            await asyncio.sleep(asked.every)
    finally:
        room.streams -= 1


def _changed(room: Room, selection: Selection, last: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is not as it was told last, and all as it is now."""
    codes = room.picture.qualities(selection)
    now = dict(zip(selection.names, zip(room.picture.values(selection), codes, strict=True), strict=True))
    return {name: one for name, one in now.items() if name not in last or _differs(one, last[name])}, now


def _differs(one: tuple[Any, int], other: tuple[Any, int]) -> bool:
    # a NaN is told once, not with every picture
    return one != other and (one[1] != other[1] or one[0] == one[0] or other[0] == other[0])


def _event(room: Room, changed: dict[str, Any]) -> bytes:
    bad = {name: quality.name(code) for name, (_, code) in changed.items() if code != quality.GOOD}
    told = {**room.picture.stamp(), "values": {name: value for name, (value, _) in changed.items()}, "quality": bad}
    return b"event: values\ndata: " + orjson.dumps(told) + b"\n\n"
