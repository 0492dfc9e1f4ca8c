"""The frame of every page: the bar with state and the worst alarm, the screens to choose from, and the screen itself."""

from __future__ import annotations

import html
import importlib
import json
from collections.abc import Callable
from typing import Any

from nicegui import ui

from hmi import texts
from hmi.hall import Visit
from hmi.parts.icons import icon
from hmi.parts.values import has, put, value

SCREENS = tuple(texts.SCREENS)
FIRST = SCREENS[0]
BAR = (("state.machine", texts.STATE), ("site.mode", texts.MODE))  # what is said on every screen, where the site has it


def path_of(screen: str) -> str:
    """Where a screen is."""
    return "/" if screen == FIRST else f"/{screen}"


def build_page(visit: Visit) -> None:
    """One page for one browser: the frame, and the screen that its address names."""
    _head(visit)
    put(f'<a class="skip" href="#screen">{html.escape(texts.MENU)}</a>{_bar(visit)}', "bar-holder")
    put(_menu(visit), "menu-holder")
    with ui.element("div").props('id=screen tabindex="-1"').classes("screen"):  # NiceGUI's page is the <main> around it
        routes: dict[str, Callable[..., Any]] = {path_of(name): _drawn(name, visit) for name in SCREENS}
        ui.sub_pages(routes)


def _head(visit: Visit) -> None:
    hall, who = visit.hall, visit.who
    said = {
        "generation": hall.generation,
        "role": who.role,
        "dim": hall.settings.dim,
        "texts": texts.BROWSER,
        "anonymous": hall.settings.anonymous != "none",
    }
    told = json.dumps(said).replace("<", "\\u003c")
    ui.add_head_html(
        '<link rel="stylesheet" href="/static/hmi.css">'
        f"<script>window.bess = {told};</script>"
        '<script src="/static/hmi.js"></script>'
    )


def _bar(visit: Visit) -> str:
    hall, who = visit.hall, visit.who
    chips = "".join(f'<span class="chip"><small>{label}</small>{value(name)}</span>' for name, label in BAR if has(hall, name))
    if visit.token and who.user != "anonymous":
        user = f'<span class="user">{html.escape(who.user)}<small>{html.escape(who.role)}</small></span>'
        door = f'<form method="post" action="/logout"><button class="plain">{texts.LOG_OUT}</button></form>'
    else:
        user = f'<span class="user">{texts.VIEWER}</span>'
        # a form, since NiceGUI takes a click on a link of ours for a change of screen
        door = f'<form action="/login"><button>{texts.LOG_IN}</button></form>'
    return (
        f'<header class="bar"><h1>{html.escape(hall.order.site)}</h1>{chips}'
        f'<a id="banner" class="banner" href="/alarms" data-none="{texts.NO_ALARM}" aria-live="polite">'
        f"<span>{texts.NO_ALARM}</span></a>"
        f'<time id="clock"></time><button id="theme" class="plain" title="{texts.NIGHT_COLOURS}" '
        f'aria-label="{texts.NIGHT_COLOURS}">◐</button>{user}{door}</header>'
        '<p id="link" role="status" hidden></p>'
    )


def _menu(visit: Visit) -> str:
    items = "".join(
        f'<a href="{path_of(name)}" data-screen="{name}">{icon(name)}<span>{label}</span></a>'
        for name, label in texts.SCREENS.items()
    )
    return f'<nav class="menu" aria-label="{texts.MENU}">{items}</nav>'


def _drawn(name: str, visit: Visit) -> Callable[[], Any]:
    async def draw() -> None:
        screen = importlib.import_module(f"hmi.screens.{name}")
        found = screen.build(visit)
        if found is not None:
            await found

    return draw
