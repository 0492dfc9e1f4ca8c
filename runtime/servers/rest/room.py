"""What every route is given: the picture, the door, the records, and who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from runtime.servers.audit import Who
from runtime.servers.door import Door
from runtime.servers.picture import Picture
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.store import Records
from runtime.servers.rest.callers import Callers, reaches
from runtime.servers.rest.problems import ProblemError, invalid

AT_ONCE = 4  # long reads of the records at the same time: each holds a thread
Shape = TypeVar("Shape", bound=BaseModel)
Found = TypeVar("Found")


@dataclass
class Room:
    """The server's parts; `records` is None on a site that keeps none."""

    picture: Picture
    door: Door
    callers: Callers
    records: Records | None
    reading: asyncio.Semaphore
    writes: int = 0
    streams: int = 0
    most_streams: int = 16
    is_closing: bool = False

    def needs(self, request: Request, least: str, action: str, subject: str) -> Who:
        """Who asks, if the role reaches that far. Raises ProblemError 403; what was tried is noted."""
        who = who_of(request)
        if not reaches(who.role, least):
            self.door.note(who, action, subject, "refused: the role is too low", False)
            raise ProblemError(403, "role-too-low", f"refused: this needs the role {least}, and {who.user} is {who.role}")
        return who

    async def read_records(self, read: Callable[[Records], Found]) -> Found:
        """What the records say, asked in a thread. Raises ProblemError 404 where there are none, 503 where they cannot be read."""
        records = self.records
        if records is None:
            raise ProblemError(404, "no-records", "this site keeps no records")
        async with self.reading:
            try:
                return await asyncio.to_thread(read, records)
            except NotKeptError as error:
                raise ProblemError(503, "records-unreadable", str(error), {"retry-after": "10"}) from None


def who_of(request: Request) -> Who:
    """Who asks, as the guard found out."""
    who: Who = request.scope["state"]["who"]
    return who


async def body_as(request: Request, shape: type[Shape]) -> Shape:
    """The request's body in this shape. Raises ProblemError 400, 415 and 422."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415, "not-json", f"the body is `{kind[:80]}`, not `application/json`")
    try:
        found = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, "not-json", f"the body is no JSON: {error}") from None
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        raise invalid(RequestValidationError(error.errors(include_context=False, include_input=False, include_url=False))) from None


def nanoseconds(text: str | None, otherwise: int) -> int:
    """A time such as 2026-03-01T12:00:00Z as ns since 1970 UTC. Raises ProblemError 422."""
    if text is None:
        return otherwise
    try:
        found = datetime.fromisoformat(text)
        since = (found if found.tzinfo else found.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ProblemError(422, "invalid-request", f"`{text[:60]}` is not a time such as 2026-03-01T12:00:00Z") from None
    found_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
    if not 0 <= found_ns < 1 << 63:
        raise ProblemError(422, "invalid-request", f"`{text[:60]}` is outside 1970 to 2262")
    return found_ns
