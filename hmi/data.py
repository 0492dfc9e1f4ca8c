"""What screens fetch beside live values: the alarms' banner, past values, all cells. Everybody who may look may read them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hmi.hall import Hall
from runtime.servers.rest.problems import answer


def data_routes(hall: Hall) -> APIRouter:
    """The routes over this hall."""
    router = APIRouter(prefix="/data", include_in_schema=False)

    @router.get("/banner")
    async def read_banner() -> Response:
        return answer(await hall.alarms.banner())

    return router
