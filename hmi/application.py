"""Puts the pages together to one application: NiceGUI's pages, the login, live values and the data that screens fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI, WebSocket
from fastapi.staticfiles import StaticFiles
from nicegui import ui

from hmi import texts
from hmi.data import data_routes
from hmi.frame import build_page
from hmi.hall import Hall, Visit
from hmi.live import Live
from hmi.login import login_routes
from hmi.screens.control_hold import end_hold_of_before
from runtime.servers.rest.problems import ProblemError, told

STATIC = Path(__file__).parent / "static"


class Application:
    """The application over this hall. It knows no socket."""

    def __init__(self, hall: Hall):
        self._hall = hall
        self.live = Live(hall)
        self.app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        self.app.add_exception_handler(ProblemError, told)
        self.app.include_router(login_routes(hall))
        self.app.include_router(data_routes(hall))
        self.app.mount("/static", StaticFiles(directory=STATIC))
        live = self.live

        @self.app.websocket("/live")
        async def follow(socket: WebSocket) -> None:
            await live.welcome(socket)

        def root() -> None:
            request: Any = ui.context.client.request
            state = request.scope["state"]
            visit = Visit(hall, state["token"], state["peer"])
            if visit.who.role:
                build_page(visit)
            else:  # NiceGUI draws this for whatever is not found, also among its own files, which need no login
                ui.label(texts.NOT_FOUND)

        ui.run_with(
            self.app,
            root=root,
            title=f"{hall.order.site} · bessplc",
            favicon=STATIC / "icon.svg",
            viewport="width=device-width, initial-scale=1",
            language="en-US",
            binding_refresh_interval=None,
            reconnect_timeout=10.0,
            tailwind=False,
            dark=None,
            show_welcome_message=False,
        )

    async def begin(self) -> None:
        """End what a server that died left behind."""
        await end_hold_of_before(self._hall)
