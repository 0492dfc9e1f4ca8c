"""The tabs of the program's screen beside its diagrams, as HTML: the page asks for the one that is shown, once a second."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from hmi.hall import Hall
from hmi.screens.program_devices import devices_html
from hmi.screens.program_servers import servers_html
from hmi.screens.program_tasks import tasks_html
from hmi.texts import program as texts
from runtime.servers.audit import Who

PARTS: dict[str, Callable[[Hall, Who], str]] = {
    "tasks": lambda hall, _: tasks_html(hall),
    "devices": lambda hall, _: devices_html(hall),
    "servers": servers_html,
}


def part_routes(hall: Hall) -> APIRouter:
    """`/program/tasks`, `/program/devices`, `/program/servers`."""
    router = APIRouter()

    @router.get("/program/{part}")
    async def read_part(part: str, request: Request) -> Response:
        draw = PARTS.get(part)
        if draw is None:
            return PlainTextResponse(texts.NO_PART.format(known=", ".join(PARTS)), 404)
        return HTMLResponse(draw(hall, request.scope["state"]["who"]))

    return router
