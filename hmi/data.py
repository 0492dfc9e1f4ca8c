"""What screens fetch beside live values: the alarms' banner, past values, all cells. Everybody who may look may read them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hmi.alarm_lists import alarm_routes
from hmi.cellmap import cell_routes
from hmi.diagram import diagram_routes
from hmi.event_lists import event_routes
from hmi.hall import Hall
from hmi.history import history_routes
from hmi.incidents import incident_routes
from hmi.scope import scope_routes
from hmi.screens.program_parts import part_routes
from runtime.servers.rest.problems import answer


def data_routes(hall: Hall) -> APIRouter:
    """The routes over this hall."""
    router = APIRouter(prefix="/data", include_in_schema=False)
    router.include_router(alarm_routes(hall))
    router.include_router(event_routes(hall))
    router.include_router(incident_routes(hall))
    router.include_router(cell_routes(hall))
    router.include_router(diagram_routes(hall))
    router.include_router(part_routes(hall))

    @router.get("/banner")
    async def read_banner() -> Response:
        return answer(await hall.alarms.banner())

    router.include_router(history_routes(hall))
    router.include_router(scope_routes(hall))
    return router
