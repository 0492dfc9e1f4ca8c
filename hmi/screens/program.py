"""The screen of the program: its live diagrams, and how its tasks, devices and servers are."""

from __future__ import annotations

import html
import json

from nicegui import ui

from hmi.hall import Visit
from hmi.parts.dialogs import carry_out, confirm
from hmi.parts.values import put
from hmi.roles import why_not
from hmi.texts import program as texts

LINKS = '<link rel="stylesheet" href="/static/program.css">'
SCRIPTS = ("diagram_sheet", "diagram_view", "diagram_panel", "diagram", "program")
LOAD = "".join(f"await bess.script('/static/{name}.js');" for name in SCRIPTS)
BEGIN = "(async () => {{{load} bessProgram.begin({texts}); }})()"


async def build(visit: Visit) -> None:
    """Draw the screen; its script fills the tabs."""
    put(LINKS + _tabs(), "program-tabs")
    put(_diagram(), "tab-holder")
    with (
        ui.element("section")
        .props('id=program-tasks role=tabpanel aria-labelledby=tab-tasks tabindex="-1" hidden')
        .classes("stack")
    ):
        put('<div class="stack" data-part="tasks"></div>', "part")
        ui.button(texts.RESET, on_click=lambda: reset_statistics(visit), color=None)
    for name in ("devices", "servers"):
        head = f'id="program-{name}" role="tabpanel" aria-labelledby="tab-{name}" tabindex="-1" hidden'
        put(f'<section {head}><div class="stack" data-part="{name}"></div></section>', "tab-holder")
    ui.run_javascript(BEGIN.format(load=LOAD, texts=json.dumps(texts.BROWSER).replace("<", "\\u003c")))


async def reset_statistics(visit: Visit) -> None:
    """Start the scan's maxima and histograms afresh, once somebody who may has said yes."""
    if not why_not(visit.who, texts.RESET_ROLE) and not await confirm(texts.RESET_ASK, texts.RESET_TEXT):
        return
    await carry_out(texts.RESET, _reset(visit))


async def _reset(visit: Visit) -> str:
    door, who = visit.hall.door, visit.who
    why = why_not(who, texts.RESET_ROLE)
    if why:
        door.note(who, "reset statistics", "plc", why, False)
        return why
    outcome = await door.reset_statistics(who)
    return "" if outcome.is_taken else outcome.text


def _tabs() -> str:
    about = 'type="button" role="tab"'
    tabs = "".join(
        f'<button {about} id="tab-{name}" data-tab="{name}" aria-controls="program-{name}">{html.escape(label)}</button>'
        for name, label in texts.TABS.items()
    )
    return f'<div id="program" class="tabs"><div role="tablist" aria-label="{html.escape(texts.TABLIST)}">{tabs}</div></div>'


def _diagram() -> str:
    def button(kind: str, sign: str, label: str, more: str = "") -> str:
        return f'<button type="button" class="{kind}" title="{label}" aria-label="{label}"{more}>{sign}</button>'

    tools = (
        f'<select class="programs" aria-label="{texts.PROGRAM}"></select>'
        f'<div class="search"><input type="search" placeholder="{texts.SEARCH}" aria-label="{texts.SEARCH}" autocomplete="off">'
        "<ul hidden></ul></div>"
        f"{button('smaller', '−', texts.ZOOM_OUT)}{button('larger', '+', texts.ZOOM_IN)}{button('show-all', '◱', texts.FIT)}"
        f"{button('side-toggle', '☰', texts.WATCH, ' aria-pressed=true')}"
    )
    canvas = f'<div class="canvas" tabindex="0" role="group" aria-label="{html.escape(texts.CANVAS)}"></div>'
    side = '<aside class="side panel"><div class="chosen" aria-live="polite"></div><div class="watched"></div></aside>'
    return (
        '<section id="program-diagram" role="tabpanel" aria-labelledby="tab-diagram">'
        f'<div class="tools">{tools}</div>'
        f'<div class="drawing">{canvas}<p class="said" role="status" hidden></p>{side}</div></section>'
    )
