"""What the parts of the screen Control share: their tabs, the line on forces and the key switch, and buttons that do something."""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from hmi import texts
from hmi.hall import Hall, Visit
from hmi.parts.entry import LOOKS
from hmi.parts.values import has, put
from hmi.roles import why_not
from hmi.texts import control as said
from runtime.model import Tag

TOUCHED = '(e) => { const b = e.target.closest("[data-deed]"); if (b) emit(b.dataset.deed, b.dataset.about ?? "") }'
Do = Callable[[str, str], Awaitable[None]]


def head(visit: Visit, here: str) -> None:
    """The tabs, with the one that is shown marked, and what must be known in all of them."""
    tabs = "".join(
        f'<a href="/control{f"/{name}" if name else ""}"{" aria-current=page" if name == here else ""}>{label}</a>'
        for name, label in said.TABS.items()
    )
    put(
        f'<link rel="stylesheet" href="/static/control.css">{LOOKS}'
        f'<nav class="tabs" aria-label="{said.PARTS}">{tabs}</nav>{_forces_line(visit.hall)}{_key_line(visit)}',
        "control-head",
    )
    ui.run_javascript('bess.script("/static/control.js").then(() => bessControl.begin())')


def _forces_line(hall: Hall) -> str:
    if not has(hall, "plc.forced"):
        return ""
    words = html.escape(json.dumps({"one": said.ONE_FORCE, "many": said.FORCES_HOLD}))
    return (
        f'<p class="forces-line live" role="status" data-forces="{words}" hidden><span></span>'
        f'<a href="/control/forces">{said.SHOW_FORCES}</a></p>'
    )


def _key_line(visit: Visit) -> str:
    """The key switch counts for whoever is elsewhere; a panel that stands at the plant commands all the same."""
    switch = visit.hall.order.authority
    if not switch:
        return ""
    told = said.LOCAL if visit.is_at_the_plant else said.LOCKED
    words = html.escape(json.dumps({"false": told, "bad": said.NOT_KNOWN_KEY}))
    return f'<p class="key-line live" role="status" data-key-switch="{html.escape(switch)}" data-words="{words}" hidden></p>'


def deeds(markup: str, do: Do, *classes: str) -> ui.html:
    """HTML whose buttons (`data-deed`, `data-about`) have `do` called; while one is at it, further touches count nothing."""
    is_busy = False

    async def touched(event: Any) -> None:
        nonlocal is_busy
        match event.args:
            case [str(deed), str(about)] if not is_busy:
                is_busy = True
                try:
                    await do(deed, about)
                finally:
                    is_busy = False

    return put(markup, *classes).on("click", touched, js_handler=TOUCHED)


def button(deed: str, about: str, inner: str, why: str = "", *classes: str, **more: str) -> str:
    """HTML of a button that does something; one that may not, with why, says so when it is touched. `inner` is HTML."""
    words = {"data-deed": deed, "data-about": about, "class": " ".join(classes), "title": why, **more}
    if why:
        words["aria-disabled"] = "true"
    listed = "".join(
        f' {name.replace("_", "-")}="{html.escape(said)}"' for name, said in words.items() if said or name == "data-about"
    )
    return f'<button type="button"{listed}>{inner}</button>'


def least_of(tag: Tag | None) -> str:
    """The role that a tag's writer needs at least."""
    return tag.write if tag is not None and tag.write else "admin"


def may_not(visit: Visit, tag: Tag | None) -> str:
    """Why whoever looks may not write this tag, or nothing."""
    return why_not(visit.who, least_of(tag))


def tell(why: str) -> None:
    """Say why something is not done."""
    ui.notify(why, type="warning", timeout=6000, close_button=texts.CLOSE)


def panel(title: str, inner: str, *classes: str) -> str:
    """HTML of a panel with its title."""
    return f'<section class="panel {" ".join(classes)}"><h2>{html.escape(title)}</h2>{inner}</section>'


def words_of(tag: Tag, words: dict[str, str]) -> dict[str, str]:
    """What each number of an enumeration means, in words that help; the program's own where there are none."""
    return {str(number): words.get(name, name.replace("_", " ").lower()) for number, name in tag.names}


def worded(hall: Hall, name: str, words: dict[str, str], empty: str = "") -> str:
    """HTML of an enumeration that is said in words; `empty` stands where the word is nothing."""
    tag = hall.picture.tag(name)
    if tag is None:
        return ""
    told = html.escape(json.dumps(words_of(tag, words)))
    return f'<span class="worded live" data-of="{name}" data-words="{told}" data-empty="{html.escape(empty)}"></span>'
