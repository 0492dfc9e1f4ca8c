"""Puts the routes together to one application. It knows no socket."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

import runtime
from runtime.servers.rest.alarms import alarm_routes
from runtime.servers.rest.describe import describe, page, refusals
from runtime.servers.rest.guard import OPEN
from runtime.servers.rest.metrics import Taken, text_of
from runtime.servers.rest.problems import answer, tell_problems
from runtime.servers.rest.room import Room
from runtime.servers.rest.settings import RestSettings
from runtime.servers.rest.site import health_routes, site_routes
from runtime.servers.rest.stream import stream_routes
from runtime.servers.rest.tags import tag_routes

API = "/api/v1"


def build(room: Room, settings: RestSettings) -> FastAPI:
    """The application over this room. It loads no page from elsewhere: /docs is our own."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for routes in (tag_routes, alarm_routes, site_routes, stream_routes):
        app.include_router(routes(room), prefix=API)
    app.include_router(health_routes(room))
    app.include_router(_metrics(room))
    tell_problems(app)
    open_paths = (*OPEN, "/metrics") if settings.metrics == "open" else OPEN
    app.include_router(_description(describe(app, runtime.__version__, open_paths)))
    return app


def _metrics(room: Room) -> APIRouter:
    router = APIRouter(tags=["health"])
    one_at_a_time = asyncio.Lock()

    @router.get("/metrics", response_class=PlainTextResponse, responses=refusals(), summary="All figures, for Prometheus")
    async def metrics() -> Response:
        async with one_at_a_time:  # thousands of lines: written in a thread, one reader after another
            text = await asyncio.to_thread(text_of, Taken(room))
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _description(document: dict[str, Any]) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    shown = page(document)

    @router.get("/openapi.json")
    async def openapi() -> Response:
        return answer(document)

    @router.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(shown)

    return router
