"""The screen of events: what the plant did, for everybody; and who did what, for those who may read it."""

from __future__ import annotations

import html
import json

from nicegui import ui

from hmi.hall import Visit
from hmi.parts.values import put
from hmi.roles import why_not
from hmi.texts import alarms, events

BEGIN = (
    '["lists", "events"].reduce((before, name) => before.then(() => bess.script(`/static/${name}.js`)), Promise.resolve())'
    '.then(() => bessEvents.begin(document.getElementById("events")))'
)


def build(visit: Visit) -> None:
    """Draw the screen."""
    said = {"texts": {**alarms.LISTS, **events.LABELS}, "why": why_not(visit.who, events.AUDIT_LEAST)}
    put(
        '<link rel="stylesheet" href="/static/lists.css"><link rel="stylesheet" href="/static/events.css">'
        f'<section id="events" class="events" aria-label="{events.LABELS["title"]}" data-said="{html.escape(json.dumps(said))}">'
        "</section>",
        "list-holder",
    )
    ui.run_javascript(BEGIN)
