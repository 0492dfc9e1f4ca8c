"""The trends of any tags, from the records and as they come; and the trace of some at every scan."""

from __future__ import annotations

import html
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nicegui import ui

from hmi import roles
from hmi.hall import Hall, Visit
from hmi.history import LATEST, LONGEST_NAME
from hmi.parts.dialogs import carry_out
from hmi.parts.values import has, put
from hmi.scope import ROLE, start, stop
from hmi.texts import trends as words

MOST_TAGS = 8
FIRST_SPAN, LONGEST_SPAN = 600, 400 * 86_400  # s
PRESETS = {
    "power": ("site.p", "site.p_request", "site.p_allowed", "site.p_min", "site.p_max", "grid.p", "bms.soc", "site.p_reason"),
    "cells": ("bms.v_cell_max", "bms.v_cell_min", "bms.t_cell_max", "bms.t_cell_min", "bms.soc", "bms.current", "cells.bleeding"),
    "grid": ("grid.frequency", "grid.voltage", "grid.v_l1", "grid.v_l2", "grid.v_l3", "grid.p", "grid.q", "grid.connection"),
    "temperatures": (
        "bms.t_cell_max",
        "bms.t_cell_min",
        "pcs[1].temperature",
        "pcs[2].temperature",
        "climate.t_coolant",
        "climate.t_air",
        "climate.t_outside",
        "climate.dew_point",
    ),
}
SCRIPTS = (  # those of a row need only rows above it: they are fetched at once
    ("shapes", "tagfind", "plot_legend", "trends_time", "trends_past"),
    ("plot_axes", "plot_cursors", "trends_line", "trends_said"),
    ("plot_paint", "plot_gestures", "plot_export", "trends_tags"),
    ("plot",),
    ("trends",),
)
LOAD = "".join(f"await Promise.all({json.dumps([f'/static/{name}.js' for name in row])}.map(bess.script)); " for row in SCRIPTS)
BEGIN = f"(async () => {{ {LOAD}await bessTrends.begin(); }})()"


def build(visit: Visit) -> None:
    """Draw the screen. `?tags=a,b&span=s&end=ms` chooses what is shown, `?tab=trace&channels=a,b` opens the trace."""
    asked = parse_qs(urlsplit(ui.context.client.sub_pages_router.current_path).query)
    said = {
        "site": visit.hall.order.site,
        "texts": words.BROWSER,
        "presets": presets(visit.hall),
        **chosen(visit.hall, asked),
    }
    is_trace = asked.get("tab") == ["trace"]
    markup = (
        '<link rel="stylesheet" href="/static/trends.css">'
        f'<div class="trending" data-open="{"scope" if is_trace else "trends"}">{_choices(is_trace=is_trace)}'
        f"{_trends(said)}{_trace(visit, asked)}</div>"
    )
    frame = put(markup, "trending-holder")
    # the page's script tells us by events of this element what is to be done: the role is asked here, with each of them
    frame.on("trace-start", lambda event: _start(visit, event.args), args=["detail"])
    frame.on("trace-stop", lambda _: _stop(visit), args=[])
    ui.run_javascript(BEGIN)


async def _start(visit: Visit, said: Any) -> None:
    await carry_out(words.START_TRACE, start(visit, said.get("detail") if isinstance(said, dict) else None))


async def _stop(visit: Visit) -> None:
    await carry_out(words.STOP_TRACE, stop(visit))


def presets(hall: Hall) -> dict[str, list[str]]:
    """The sets of tags that this site has any of, by name."""
    found = {name: [tag for tag in tags if has(hall, tag)][:MOST_TAGS] for name, tags in PRESETS.items()}
    return {name: tags for name, tags in found.items() if tags}


def chosen(hall: Hall, asked: dict[str, list[str]]) -> dict[str, Any]:
    """What an address asks for: the tags, or the first set; how much time (ms), and its end (ms), 0 for now."""
    names = [name for name in "".join(asked.get("tags", [""])[:1]).split(",") if 0 < len(name) <= LONGEST_NAME]
    tags = list(dict.fromkeys(names))[:MOST_TAGS] or next(iter(presets(hall).values()), [])
    span = _number(asked, "span", LONGEST_SPAN) or FIRST_SPAN
    return {"tags": tags, "span": span * 1000, "end": _number(asked, "end", LATEST)}


def _number(asked: dict[str, list[str]], word: str, most: int) -> int:
    text = asked.get(word, [""])[0]
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _choices(*, is_trace: bool) -> str:
    tabs = "".join(
        f'<button role="tab" id="tab-{name}" aria-controls="{name}" '
        f'aria-selected="{str((name == "scope") == is_trace).lower()}">{label}</button>'
        for name, label in (("trends", words.TRENDS), ("scope", words.TRACE))
    )
    spans = "".join(f'<button data-span="{seconds * 1000}" aria-pressed="false">{label}</button>' for label, seconds in words.SPANS)
    trends = (
        f'<div class="joined" role="group" aria-label="{words.SPAN}">{spans}</div>'
        f"{_button('live', words.LIVE, words.LIVE_HINT, 'false')}{_button('cursors', words.CURSORS, words.CURSORS_HINT, 'false')}"
        f"{_button('scale', words.RANGE, words.RANGE_HINT, 'false')}"
        f"{_button('csv', words.CSV, words.CSV_HINT)}{_button('png', words.PNG, words.PNG_HINT)}"
    )
    scope = (
        f'<div class="joined" role="group" aria-label="{words.TRACE}">{_button("run", words.RUN, words.RUN_HINT)}'
        f"{_button('single', words.SINGLE, words.SINGLE_HINT)}{_button('stop', words.STOP, words.STOP_HINT)}</div>"
        f"{_button('scope-cursors', words.CURSORS, words.CURSORS_HINT, 'false')}"
        f"{_button('scope-csv', words.CSV, words.CSV_HINT)}{_button('scope-png', words.PNG, words.PNG_HINT)}"
        '<span class="state live" data-part="scope-state" role="status"></span>'
    )
    return (
        f'<div class="choices"><div class="joined" role="tablist" aria-label="{words.VIEWS}">{tabs}</div>'
        f'<div class="group" data-for="trends">{trends}</div><div class="group" data-for="scope" hidden>{scope}</div></div>'
    )


def _trends(said: dict[str, Any]) -> str:
    options = "".join(f'<option value="{name}">{html.escape(words.PRESETS[name])}</option>' for name in said["presets"])
    preset = f'<select data-part="preset" aria-label="{words.PRESET}"><option value="">{words.PRESET}</option>{options}</select>'
    return (
        f'<section class="pane" id="trends" role="tabpanel" aria-labelledby="tab-trends" data-said="{_json(said)}">'
        '<div class="chart" data-part="chart"></div>'
        '<p class="foot"><span data-part="time" class="live"></span><span data-part="between" class="live" hidden></span>'
        '<span data-part="why" class="why" role="status"></span></p>'
        f'<div class="side">{_find("trends")}{preset}<ul class="legend" data-part="legend" aria-label="{words.LEGEND}"></ul>'
        f'<p class="note" data-part="none" hidden>{words.NONE_YET}</p></div></section>'
    )


def _trace(visit: Visit, asked: dict[str, list[str]]) -> str:
    names = [name for name in asked.get("channels", [""])[0].split(",") if 0 < len(name) <= LONGEST_NAME]
    said = {"site": visit.hall.order.site, "texts": words.BROWSER | words.SCOPE, "channels": names[:MOST_TAGS]}
    fields = (
        _select("seconds", words.LENGTH, [(str(seconds), f"{seconds:g} s") for seconds in words.LENGTHS], "10")
        + _select("on", words.TRIGGER, [("", words.NO_TRIGGER_YET)], "")
        + _select("edge", words.EDGE, list(words.EDGES.items()), "rise")
        + _number_field("level", words.LEVEL, "0")
        + _number_field("hysteresis", words.HYSTERESIS, "0")
        + _select("share", words.BEFORE, [(str(share / 100), f"{share} %") for share in words.SHARES], "0.2")
    )
    why = roles.why_not(visit.who, ROLE)
    return (
        f'<section class="pane scope" id="scope" role="tabpanel" aria-labelledby="tab-scope" data-said="{_json(said)}" hidden>'
        f'<form class="scope-form" data-part="scope-form">{fields}</form><div class="chart" data-part="scope-chart"></div>'
        '<p class="foot"><span data-part="scope-time" class="live"></span>'
        '<span data-part="scope-between" class="live" hidden></span>'
        f'<span data-part="scope-why" class="why" role="status">{html.escape(why)}</span></p>'
        f'<div class="side">{_find("scope")}<ul class="legend" data-part="scope-legend" aria-label="{words.CHANNELS}"></ul>'
        f'<p class="note" data-part="scope-none">{words.NO_CHANNEL_YET}</p></div></section>'
    )


def _json(said: Any) -> str:
    return html.escape(json.dumps(said))


def _select(name: str, label: str, options: list[tuple[str, str]], chosen: str) -> str:
    listed = "".join(
        f'<option value="{value}"{" selected" * (value == chosen)}>{html.escape(text)}</option>' for value, text in options
    )
    return f'<label>{html.escape(label)}<select name="{name}">{listed}</select></label>'


def _number_field(name: str, label: str, value: str) -> str:
    return f'<label>{html.escape(label)}<input name="{name}" type="number" step="any" value="{value}" required></label>'


def _button(part: str, label: str, hint: str, pressed: str = "") -> str:
    state = f' aria-pressed="{pressed}"' if pressed else ""
    return f'<button data-part="{part}" title="{html.escape(hint)}"{state}>{label}</button>'


def _find(of: str) -> str:
    """HTML of the field that searches for tags."""
    return (
        '<div class="find"><input type="text" role="combobox" aria-expanded="false" aria-autocomplete="list" autocomplete="off" '
        f'aria-controls="{of}-found" aria-label="{words.ADD}" placeholder="{words.ADD}: {words.ADD_HINT}" spellcheck="false" '
        'maxlength="100">'
        f'<ul id="{of}-found" role="listbox" aria-label="{words.ADD}" hidden></ul></div>'
    )
