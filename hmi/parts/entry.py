"""Entering a value: a pad of large keys, choices or two buttons; then old and new are shown and confirmed. Touch or keyboard."""

from __future__ import annotations

import html
import itertools
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from hmi import commands, texts
from hmi.hall import Hall, Visit
from hmi.live import decimals_of
from hmi.parts.dialogs import carry_out, confirm, put_away
from hmi.parts.values import put, value
from hmi.roles import why_not
from hmi.texts import entry as said
from runtime.model import Tag
from runtime.servers.integers import INTEGERS, holds

NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
LONGEST = 20  # characters of a number
SECOND = 1_000_000_000  # ns: a TIME is entered in seconds
LOOKS = '<link rel="stylesheet" href="/static/entry.css">'
TOUCHED = '(e) => { const b = e.target.closest("[data-pick]"); if (b) emit(b.dataset.pick) }'
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Number:
    """What may be typed: its limits (None: there is none), its unit, and the live value `shows` or the text `now` beside it."""

    title: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    shows: str = ""
    now: str = ""

    def read(self, text: Any) -> tuple[float | None, str]:
        """The number that somebody typed, or why it is none that may be taken."""
        if not isinstance(text, str) or not text.strip():
            return None, said.PAD["empty"]
        text = text.strip().replace("\u2212", "-")
        if len(text) > LONGEST:
            return None, said.PAD["long"]
        if not NUMBER.fullmatch(text):
            return None, said.PAD["number"]
        number = float(text)
        if self.is_whole and not number.is_integer():
            return None, said.PAD["whole"]
        if self.low is not None and number < self.low:
            return None, said.PAD["low"].format(low=plain(self.low), unit=spaced(self.unit))
        if self.high is not None and number > self.high:
            return None, said.PAD["high"].format(high=plain(self.high), unit=spaced(self.unit))
        return (int(text.partition(".")[0] or 0) if self.is_whole else number), ""

    @property
    def range(self) -> str:
        """The limits in words."""
        low, high, unit = plain(self.low), plain(self.high), spaced(self.unit)
        if self.low is not None and self.high is not None:
            return said.FROM_TO.format(low=low, high=high, unit=unit)
        if self.low is not None:
            return said.AT_LEAST.format(low=low, unit=unit)
        return said.AT_MOST.format(high=high, unit=unit) if self.high is not None else said.NO_RANGE


def plain(number: float | None) -> str:
    """A limit as it is read."""
    return "" if number is None else f"{number:.12g}".replace("-", "\u2212")


def spaced(unit: str) -> str:
    """A unit behind its number."""
    return f"\u202f{unit}" if unit else ""


def shown(tag: Tag, now: Any) -> str:
    """A value of a tag as it is read, with its unit."""
    if now is None or (isinstance(now, float) and not math.isfinite(now)):
        return said.UNKNOWN
    if tag.type == "BOOL":
        return said.ON if now else said.OFF
    if tag.type == "TIME":
        return f"{plain(now / SECOND)}{spaced('s')}"
    known = dict(tag.names).get(now)
    if known is not None:
        return known.replace("_", " ")
    number = f"{now:.{decimals_of(tag)}f}" if tag.type == "LREAL" else str(now)
    return f"{number}{spaced(tag.unit)}".replace("-", "\u2212")


def present(hall: Hall, tag: Tag, element: int = 0) -> Any:
    """The value of a tag (or its element from 0) in the newest picture; None where there is none."""
    hall.picture.look()
    if not hall.picture.has_any():
        return None
    now = hall.picture.values(hall.picture.pick((tag.name,)))[0]
    if not tag.length:
        return now
    return now[element] if 0 <= element < len(now) else None


def number_of(tag: Tag, live: str) -> Number:
    """What may be typed for a tag; one without a range is held to what its type can be."""
    title = tag.text or tag.name
    if tag.type == "TIME":
        low, high = (None if one is None else one / SECOND for one in (tag.minimum, tag.maximum))
        return Number(title, "s", low, high)
    return Number(title, tag.unit, tag.minimum, tag.maximum, tag.type in INTEGERS, live)


def live_name(tag: Tag, element: int) -> str:
    """The name of a tag's live value; elements are shown from 1."""
    return f"{tag.name}[{element + 1}]" if tag.length else tag.name


async def ask_value(visit: Visit, name: str, element: int | None = None) -> Any | None:
    """Ask for a value of a tag (`element` from 0; of an array it is asked, too); None where somebody thought better of it."""
    tag = visit.hall.picture.tag(name)
    if tag is None:
        ui.notify(texts.NO_SUCH_TAG.format(name=name), type="negative")
        return None
    if tag.length and element is None:
        element = await ask_element(tag)
        if element is None:
            return None
    place = element or 0
    live = live_name(tag, place)
    if tag.type == "BOOL":
        return await ask_choice(tag.text or tag.name, [(True, said.ON), (False, said.OFF)], present(visit.hall, tag, place), live)
    if tag.names:
        choices = [(number, word.replace("_", " ")) for number, word in tag.names]
        return await ask_choice(tag.text or tag.name, choices, present(visit.hall, tag, place), live)
    wanted = number_of(tag, live)
    typed = await ask_number(wanted)
    if typed is None or tag.type != "TIME":
        return typed
    return round(typed * SECOND) if holds("TIME", round(typed * SECOND)) else None


async def change(visit: Visit, name: str, element: int | None = None) -> bool:
    """Ask for a value, show old and new, write it and say what became of it; whether it was written."""
    tag = visit.hall.picture.tag(name)
    if tag is not None:
        why = why_not(visit.who, tag.write) if tag.write else said.NOBODY_WRITES.format(name=name)
        if why:
            ui.notify(why, type="warning", timeout=6000, close_button=texts.CLOSE)
            return False
        if tag.length and element is None:
            element = await ask_element(tag)
            if element is None:
                return False
    wanted = await ask_value(visit, name, element)
    if tag is None or wanted is None:
        return False
    return await write_confirmed(visit, tag, wanted, element or 0)


async def write_confirmed(visit: Visit, tag: Tag, wanted: Any, element: int = 0) -> bool:
    """Show old and new, and write it once somebody says yes; whether it was written."""
    old, what = present(visit.hall, tag, element), live_name(tag, element)
    if old == wanted:
        ui.notify(said.UNCHANGED.format(what=what, value=shown(tag, old)), type="info")
        return False
    told = said.CHANGE.format(old=shown(tag, old), new=shown(tag, wanted))
    if not await confirm(f"{tag.text or tag.name}: {told}", what, said.WRITE):
        return False
    return await carry_out(f"{what} {told}", commands.write(visit, tag.name, wanted, element))


async def ask_number(wanted: Number) -> float | None:
    """A number from the pad; None where somebody thought better of it."""
    mark = f"pad-{next(_numbers)}"
    with ui.dialog() as dialog, ui.card().classes("entry"):
        dialog.props["aria-label"] = wanted.title
        put(LOOKS + _pad(mark, wanted)).on("entered", lambda event: take(event.args), js_handler="(e) => emit(e.detail)").on(
            "left", lambda _: dialog.submit(None), js_handler="() => emit()"
        )

    def take(text: Any) -> None:
        number, why = wanted.read(text)
        if number is None:
            ui.run_javascript(f"bessEntry.say({json.dumps(mark)}, {json.dumps(why)})")
        else:
            dialog.submit(number)

    ui.run_javascript(f'bess.script("/static/entry.js").then(() => bessEntry.begin({json.dumps(mark)}))')
    try:
        found = await dialog
        return found if isinstance(found, (int, float)) else None
    finally:
        put_away(dialog)


def _pad(mark: str, wanted: Number) -> str:
    limits = {"low": wanted.low, "high": wanted.high, "whole": wanted.is_whole, "longest": LONGEST}
    told = {**said.PAD}
    for end, limit in (("low", wanted.low), ("high", wanted.high)):
        told[end] = told[end].format(**{end: plain(limit)}, unit=spaced(wanted.unit))
    data = html.escape(json.dumps({**limits, "texts": told}))
    now = value(wanted.shows) if wanted.shows else html.escape(wanted.now)
    now = f"<span>{said.NOW} <b>{now}</b></span>" if now else ""
    keys = "".join(_key(key, wanted) for key in ("7", "8", "9", "back", "4", "5", "6", "clear", "1", "2", "3", "sign", "0", "."))
    return (
        f'<div class="pad" id="{mark}" data-pad="{data}"><h2>{html.escape(wanted.title)}</h2>'
        f'<p class="pad-about">{now}<span>{said.RANGE} <b>{html.escape(wanted.range)}</b></span></p>'
        f'<p class="pad-line"><input inputmode="none" autocomplete="off" spellcheck="false" maxlength="{LONGEST}" '
        f'aria-label="{said.VALUE}" aria-describedby="{mark}-why"><span>{html.escape(wanted.unit)}</span></p>'
        f'<p class="why" id="{mark}-why" role="status"></p><div class="pad-keys">{keys}'
        f'<button type="button" data-key="ok" class="primary wide" aria-disabled="true">{said.NEXT}</button></div>'
        f'<button type="button" data-key="cancel">{texts.CANCEL}</button></div>'
    )


def _key(key: str, wanted: Number) -> str:
    faces = {"back": ("⌫", said.BACK), "clear": ("C", said.CLEAR), "sign": ("±", said.SIGN)}
    face, label = faces.get(key, (key, key))
    is_useless = (key == "." and wanted.is_whole) or (key == "sign" and wanted.low is not None and wanted.low >= 0)
    off = " disabled" if is_useless else ""
    return f'<button type="button" data-key="{key}" aria-label="{label}"{off}>{face}</button>'


async def ask_choice(title: str, choices: Sequence[tuple[Any, str]], now: Any, live: str = "") -> Any | None:
    """One of several; the present one is marked. None where somebody thought better of it."""
    beside = f'<p class="pad-about"><span>{said.NOW} <b>{value(live)}</b></span></p>' if live else ""
    buttons = "".join(
        f'<button type="button" data-pick="{place}" aria-pressed="{str(known == now).lower()}">{html.escape(word)}</button>'
        for place, (known, word) in enumerate(choices)
    )
    with ui.dialog() as dialog, ui.card().classes("entry"):
        dialog.props["aria-label"] = title
        drawn = f'<h2>{html.escape(title)}</h2>{beside}<div class="choices">{buttons}</div>'
        put(LOOKS + drawn).on("click", lambda event: dialog.submit(event.args), js_handler=TOUCHED)
        ui.button(texts.CANCEL, on_click=lambda: dialog.submit(None), color=None)
    try:
        place = await dialog
    finally:
        put_away(dialog)
    if not isinstance(place, str) or not (place.isascii() and place.isdigit()) or int(place) >= len(choices):
        return None
    return choices[int(place)][0]


async def ask_element(tag: Tag) -> int | None:
    """Which element of an array, from 0."""
    if tag.length <= 64:
        return await ask_choice(f"{tag.text or tag.name}: {said.WHICH}", [(n, str(n + 1)) for n in range(tag.length)], None)
    found = await ask_number(Number(f"{tag.text or tag.name}: {said.WHICH}", "", 1, tag.length, True))
    return None if found is None else int(found) - 1


def _two(count: int) -> dict[int, str]:
    """Hours or minutes as a clock shows them."""
    return {number: f"{number:02d}" for number in range(count)}


async def ask_clock(title: str, seconds: int) -> int | None:
    """A time of day in whole minutes, as seconds after midnight (24:00 is 86400); None where somebody thought better of it."""
    now = min(max(seconds, 0), 86_400)
    with ui.dialog() as dialog, ui.card().classes("entry"):
        dialog.props["aria-label"] = title
        ui.label(title).classes("title")
        with ui.row().classes("line"):
            hour = ui.select(_two(25), value=now // 3600, label=said.HOUR).props("outlined popup-content-class=entry-list")
            minute = ui.select(_two(60), value=now % 3600 // 60, label=said.MINUTE).props("outlined popup-content-class=entry-list")
        with ui.row().classes("line"):
            ui.button(texts.CANCEL, on_click=lambda: dialog.submit(None), color=None)
            ui.button(said.NEXT, on_click=lambda: dialog.submit(True), color=None).classes("primary")
    try:
        if not await dialog:
            return None
        return min(int(hour.value) * 3600 + int(minute.value) * 60, 86_400)
    finally:
        put_away(dialog)
