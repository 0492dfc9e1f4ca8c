"""Where the plant is commanded: states and modes, setpoints, the schedule, tests and forces, each a part with its own address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from nicegui import ui

from hmi.hall import Visit
from hmi.screens import control_forces, control_schedule, control_setpoints, control_state, control_test

PARTS: dict[str, Callable[[Visit], Any]] = {
    "/": control_state.build,
    "/setpoints": control_setpoints.build,
    "/schedule": control_schedule.build,
    "/test": control_test.build,
    "/forces": control_forces.build,
}

LONGEST = 60  # characters of a name that is looked for


def build(visit: Visit) -> None:
    """Draw the screen: the part that its address names."""
    routes: dict[str, Callable[..., Any]] = {path: _drawn(part, visit) for path, part in PARTS.items()}
    routes["/forces/{name}"] = lambda name: control_forces.build(visit, unquote(name)[:LONGEST])
    ui.sub_pages(routes).classes("control")


def _drawn(part: Callable[[Visit], Any], visit: Visit) -> Callable[[], Any]:
    return lambda: part(visit)
