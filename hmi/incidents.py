"""The incidents of a site: recordings of its trips, which of them holds a moment, and the way to fetch one.

Only the beginning of a file is read: what is in it, and from when on. It ends when it was written.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from hmi import texts
from hmi.hall import Hall
from hmi.plain import plain
from hmi.roles import why_not
from hmi.texts import incidents as words
from runtime.engine.tape_file import DATA, NOTE, TapeFile
from runtime.servers.picture import when
from runtime.servers.recorder.segments import ENDING, FOLDER, INCIDENTS
from runtime.servers.rest.problems import answer

LEAST = "operator"  # who may fetch a recording: it holds every value of the plant
LONGEST = 3_600_000_000_000  # ns after a trip: more is never recorded (`after:` of `servers: recorder:`)
HEADS = 64  # blocks before the first recorded scan: a note, programs, heads
log = structlog.get_logger()


@dataclass(frozen=True)
class Incident:
    """One recording: the trip that it was made of, and what time it holds; times are ns since 1970 UTC."""

    path: Path
    why: str
    scan: int
    tripped: int
    since: int
    until: int
    size: int

    def holds(self, at: int) -> bool:
        """Whether this moment is in it."""
        return self.since <= at <= self.until


def incidents_of(state: str) -> list[Incident]:
    """Every incident that the recorder keeps, newest first; files that are no tapes are left out. It reads files."""
    folder = Path(state) / FOLDER / INCIDENTS
    found = []
    for path in folder.glob(f"*{ENDING}") if state else ():
        try:
            about = path.stat()
            incident = None if path.is_symlink() else _read(path, about.st_mtime_ns, about.st_size)
        except FileNotFoundError:
            continue  # the recorder has just removed it
        if incident is not None:
            found.append(incident)
    return sorted(found, key=lambda incident: -incident.tripped)


@lru_cache(maxsize=512)
def _read(path: Path, written: int, size: int) -> Incident | None:
    """The incident in a file; None where it is none. An incident never changes: its time and size stand for what is in it."""
    note: dict[str, Any] = {}
    since = 0
    try:
        for number, block in enumerate(TapeFile(path).blocks()):
            if block.kind == NOTE:
                note = block.facts
            elif block.kind == DATA:
                since = block.span.since
            if since or number >= HEADS:
                break
        tripped = int(note["wall"])
        return Incident(
            path,
            str(note["why"]),
            int(note["scan"]),
            tripped,
            since or tripped,
            min(max(written, tripped), tripped + LONGEST),
            size,
        )
    except (OSError, ValueError, KeyError, TypeError, zlib.error, json.JSONDecodeError) as error:
        log.warning("an incident cannot be read", file=str(path), why=repr(error))
        return None


def told(incident: Incident, why: str) -> dict[str, Any]:
    """The incident as a page shows it. `why` says why whoever looks may not fetch it, or nothing."""
    return {
        "name": incident.path.name,
        "why": incident.why,
        "scan": incident.scan,
        "time": when(incident.tripped),
        "since": when(incident.since),
        "until": when(incident.until),
        "size": incident.size,
        "refused": why,
        "command": "" if why else f"bessplc replay {shlex.quote(str(incident.path))}",
    }


async def incidents_at(hall: Hall, at: int | None, why: str) -> list[dict[str, Any]]:
    """The incidents that hold this moment (all where it is None), newest first."""
    async with hall.reading:
        found: Sequence[Incident] = await asyncio.to_thread(incidents_of, hall.order.state_dir)
    return [told(incident, why) for incident in found if at is None or incident.holds(at)]


def incident_routes(hall: Hall) -> APIRouter:
    """The routes over this hall's incidents."""
    router = APIRouter()

    @router.get("/incidents")
    async def list_incidents(request: Request) -> Response:
        return answer({"items": await incidents_at(hall, None, why_not(request.scope["state"]["who"], LEAST))})

    @router.get("/incident/{name}")
    async def fetch(name: str, request: Request) -> Response:
        who = request.scope["state"]["who"]
        why = why_not(who, LEAST)
        if why:
            hall.door.note(who, "fetch", f"incident {name[:100]}", f"refused: {why}", False)
            return plain(403, why)
        async with hall.reading:
            found = await asyncio.to_thread(incidents_of, hall.order.state_dir)
        path = next((incident.path for incident in found if incident.path.name == name), None)
        if path is None:
            return plain(404, words.NO_SUCH.format(name=name[:100]) if found else texts.NOT_FOUND)
        hall.door.note(who, "fetch", f"incident {name}", "taken", True)
        return FileResponse(path, media_type="application/octet-stream", filename=name)

    return router
