"""Forces: what is forced, by whom, why and until when; lifting one or all; and forcing any tag that can be."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui

from hmi import commands, texts
from hmi.hall import Hall, Visit
from hmi.parts.dialogs import carry_out, confirm, put_away
from hmi.parts.entry import ask_element, ask_value, live_name, present, shown
from hmi.parts.values import put, value
from hmi.roles import why_not
from hmi.screens.control_parts import button, deeds, head, panel, tell
from hmi.texts import control as said
from runtime.engine.force_list import Force
from runtime.engine.force_tables import is_of_runtime
from runtime.force_watch import FORCERS_ROLE
from runtime.model import Tag

LOOK = 1.0  # s
MOST = 40  # tags that are found at once
COUNT = "plc.forced"


def build(visit: Visit, wanted: str = "") -> None:
    """Draw this part; `wanted` is a tag that is to be forced, or a part of its name."""
    head(visit, "forces")
    _held(visit)
    _search(visit, wanted)


def _held(visit: Visit) -> None:
    """What holds, drawn anew when it changes."""
    place = ui.element("div").classes("stack")
    drawn: object = None

    async def do(deed: str, about: str) -> None:
        await _lift(visit, deed, about)
        draw()

    def draw() -> None:
        nonlocal drawn
        found = commands.forces(visit.hall) if _any(visit.hall) else []
        now = [(force.name, force.value, force.scan) for force in found]
        if now == drawn:
            return
        drawn = now
        place.clear()
        with place:
            deeds(panel(said.WHAT_HOLDS, _list(visit, found), "live"), do)

    draw()
    ui.timer(LOOK, draw)


def _any(hall: Hall) -> bool:
    """Whether anything is forced: the files need not be read where the scan says that nothing is."""
    tag = hall.picture.tag(COUNT)
    return tag is None or present(hall, tag) != 0


def _list(visit: Visit, found: Sequence[Force]) -> str:
    if not found:
        return f'<p class="note">{said.NOTHING_HOLDS}</p>'
    why = why_not(visit.who, FORCERS_ROLE)
    words = (said.TAG, said.VALUE, said.BY, said.WHY, said.SINCE, said.ENDS)
    heads = "".join(f'<th scope="col">{word}</th>' for word in words)
    rows = "".join(_row(force, why) for force in found)
    lift_all = button("lift all", "", said.LIFT_ALL, why)
    return (
        f'<div class="scroll"><table class="list forces"><thead><tr>{heads}<th>{lift_all}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(force: Force, why: str) -> str:
    note = force.note
    begun = datetime.fromtimestamp(note.time / 1e9) if note is not None else None
    ends = f"{datetime.now() + timedelta(seconds=force.left):%H:%M:%S}" if force.left is not None else said.UNTIL_LIFTED
    cells = (
        html.escape(force.name),
        f"<b>{html.escape(shown(force.tag, force.value))}</b>",
        html.escape(note.user or said.NOBODY_KNOWN if note is not None else said.NOBODY_KNOWN),
        html.escape(note.reason if note is not None else said.NOBODY_KNOWN),
        f"{begun:%m-%d %H:%M:%S}" if begun is not None else "",
        ends,
        button("lift", force.name, said.LIFT, why, aria_label=f"{said.LIFT} {force.name}"),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


async def _lift(visit: Visit, deed: str, about: str) -> None:
    why = why_not(visit.who, FORCERS_ROLE)
    if why:
        tell(why)
        return
    found = commands.forces(visit.hall)
    if deed == "lift all" and found:
        names = ", ".join(force.name for force in found[:12]) + (" …" if len(found) > 12 else "")
        if await confirm(said.LIFT_ALL_SURE, said.LIFT_ALL_TEXT.format(names=names), said.LIFT_ALL):
            await carry_out(said.LIFTING_ALL, commands.unforce_all(visit))
        return
    chosen = next((force for force in found if force.name == about), None)
    if deed == "lift" and chosen is not None and await confirm(said.LIFT_SURE.format(name=about), said.LIFT_TEXT, said.LIFT):
        element = chosen.element if chosen.tag.length else -1
        await carry_out(said.LIFTING.format(name=about), commands.unforce(visit, chosen.tag.name, element))


def _search(visit: Visit, wanted: str) -> None:
    """Find a tag by a part of its name or text, and force it."""
    hall = visit.hall

    async def do(_: str, about: str) -> None:
        await _force(visit, about)

    def find(text: Any) -> None:
        place.clear()
        found, count = matches(hall.picture.tags, text if isinstance(text, str) else "")
        with place:
            if not found:
                put(f'<p class="note">{said.NONE_FOUND}</p>')
                return
            why = why_not(visit.who, FORCERS_ROLE)
            rows = "".join(_choice(tag, why) for tag in found)
            note = said.FOUND.format(shown=len(found), all=count)
            deeds(f'<div class="found">{rows}</div><p class="note">{note}</p>', do)

    with ui.element("section").classes("panel"):
        put(f"<h2>{said.FIND}</h2>")
        box = ui.input(said.FIND_BY, value=wanted, on_change=lambda event: find(event.value)).props(
            "outlined clearable debounce=200 maxlength=60"
        )
        box.props["aria-label"] = said.FIND_BY
        place = ui.element("div").classes("stack")
    find(wanted)


def matches(tags: Sequence[Tag], text: str) -> tuple[list[Tag], int]:
    """The first tags that can be forced and have every word of the text in their name or text, and how many have."""
    words = text.lower().split()
    found = [
        tag
        for tag in tags
        if not is_of_runtime(tag) and all(word in tag.name.lower() or word in tag.text.lower() for word in words)
    ]
    return found[:MOST], len(found)


def _choice(tag: Tag, why: str) -> str:
    now = f"<span>{tag.type}[{tag.length}]</span>" if tag.length else f"<span>{value(tag.name)}</span>"
    inner = f'<span class="what">{html.escape(tag.name)}<small>{html.escape(tag.text)}</small></span>{now}'
    return button("force", tag.name, inner, why, "choice")


async def _force(visit: Visit, name: str) -> None:
    """Which element, what value, why and how long; then it is held."""
    tag = visit.hall.picture.tag(name)
    if tag is None:
        return
    why = why_not(visit.who, FORCERS_ROLE) or (said.OF_RUNTIME if is_of_runtime(tag) else "")
    if why:
        tell(why)
        return
    element = await ask_element(tag) if tag.length else 0
    if element is None:
        return
    wanted = await ask_value(visit, tag.name, element)
    if wanted is None:
        return
    given = await _ask_why(live_name(tag, element), shown(tag, present(visit.hall, tag, element)), shown(tag, wanted))
    if given is not None:
        reason, lasts = given
        what = said.FORCING.format(name=live_name(tag, element), value=shown(tag, wanted))
        await carry_out(what, commands.force(visit, tag.name, wanted, reason, lasts, element))


async def _ask_why(name: str, old: str, new: str) -> tuple[str, float] | None:
    """The reason and how long (s; 0 until it is lifted); None where somebody thought better of it."""
    title = said.FORCE_TITLE.format(name=name, value=new)
    with ui.dialog() as dialog, ui.card().classes("entry"):
        dialog.props["aria-label"] = title
        ui.label(title).classes("title")
        ui.label(f"{old}  →  {new}")
        ui.label(said.FORCE_TEXT).classes("note")
        reason = ui.input(said.REASON).props(f"outlined maxlength={commands.REASON}").classes("full")
        lasts = ui.toggle(said.DURATIONS, value=min(key for key in said.DURATIONS if key > 60)).props("unelevated no-caps")
        lasts.props["aria-label"] = said.HOW_LONG
        why = ui.label("").classes("why").props("role=status")
        with ui.row().classes("line"):
            ui.button(texts.CANCEL, on_click=lambda: dialog.submit(None), color=None)
            ui.button(said.FORCE_IT, on_click=lambda: take(), color=None).classes("primary")

    def take() -> None:
        if str(reason.value or "").strip():
            dialog.submit((str(reason.value), float(lasts.value or 0)))
        else:
            why.set_text(said.SAY_WHY)

    reason.on("keydown.enter", lambda _: take())
    try:
        found = await dialog
        return found if isinstance(found, tuple) else None
    finally:
        put_away(dialog)
