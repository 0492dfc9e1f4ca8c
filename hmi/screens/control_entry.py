"""One entry of the schedule, changed in a dialog: its days or its date, from when until when, and its power."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from nicegui import ui

from hmi import commands, texts
from hmi.hall import Visit
from hmi.parts.dialogs import carry_out, confirm, put_away
from hmi.parts.entry import Number, ask_clock, ask_number, shown
from hmi.parts.values import put
from hmi.screens.control_parts import button, deeds
from hmi.screens.control_plan import COLUMNS, DAY, PREFIX, Entry, clock, days_in_words, local_now, times_in_words
from hmi.texts import control as said
from hmi.texts import entry as words

LATEST = 2**36  # s since 1970: no date is later
EPOCH = date(1970, 1, 1)


@dataclass
class Draft:
    """What somebody has changed of an entry so far; `day` is s since 1970 of the date's midnight, `until` may be past midnight."""

    number: int
    is_date: bool
    days: int
    day: int
    begin: int
    until: int
    p: float
    q: float

    def entry(self) -> tuple[Entry | None, str]:
        """The entry, or why it is none."""
        if not self.is_date and not 0 < self.days <= 127:
            return None, said.NO_DAY
        length = self.until - self.begin
        length += DAY if length <= 0 else 0  # 22:00 to 06:00 ends the next day
        if not (0 <= self.begin < DAY and 0 < length <= DAY):
            return None, said.NO_LENGTH
        if self.is_date and not 0 <= self.day < LATEST:
            return None, said.BAD_DATE
        start = self.day + self.begin if self.is_date else self.begin
        return Entry(self.number, 0 if self.is_date else self.days, start, length, self.p, self.q), ""


def draft_of(entry: Entry, now: int) -> Draft:
    """An entry as it is changed; one that is new begins as today, 8:00 to 9:00."""
    is_date = entry.days == 0 and entry.is_used
    today = now - now % DAY
    if not entry.is_used:
        return Draft(entry.number, False, entry.days, today, 8 * 3600, 9 * 3600, entry.p, entry.q)
    begin = entry.start % DAY
    end = begin + min(entry.lasts, DAY)
    until = end if end <= DAY else end - DAY
    days = entry.days & 127 if entry.days > 0 else 0
    day = entry.start - begin if is_date and 0 <= entry.start < LATEST else today
    return Draft(entry.number, is_date, days, day, begin, until, entry.p, entry.q)


def date_of(text: Any) -> int | None:
    """Midnight of `2026-11-22` in s since 1970."""
    try:
        found = (date.fromisoformat(str(text)) - EPOCH).days * DAY
    except ValueError:
        return None
    return found if 0 <= found < LATEST else None


async def edit(visit: Visit, entry: Entry) -> bool:
    """Ask what an entry shall be, show it in words, and write it in one scan; whether it was written."""
    found = await _ask(visit, draft_of(entry, local_now(visit.hall)))
    if found is None:
        return False
    told = ", ".join((days_in_words(found), times_in_words(found), *_powers(visit, found)))
    if not await confirm(said.ENTRY.format(n=found.number), told, words.WRITE):
        return False
    columns = zip(COLUMNS, (found.days, found.start, found.length, found.p, found.q), strict=True)
    wanted = [(f"{PREFIX}{column}", number, found.number - 1) for column, number in columns]
    return await carry_out(f"{said.SAVED.format(n=found.number)}: {told}", commands.write_all(visit, wanted))


def _powers(visit: Visit, found: Entry) -> list[str]:
    tags = [(visit.hall.picture.tag(f"{PREFIX}{column}"), number) for column, number in (("p", found.p), ("q", found.q))]
    return [shown(tag, number) for tag, number in tags if tag is not None]


async def _ask(visit: Visit, draft: Draft) -> Entry | None:
    with ui.dialog() as dialog, ui.card().classes("entry"):
        dialog.props["aria-label"] = said.ENTRY.format(n=draft.number)
        place = ui.element("div").classes("stack")
        why = ui.label("").classes("why").props("role=status")
        with ui.row().classes("line"):
            ui.button(texts.CANCEL, on_click=lambda: dialog.submit(None), color=None)
            ui.button(said.SAVE, on_click=lambda: save(), color=None).classes("primary")

    def save() -> None:
        entry, fault = draft.entry()
        why.set_text(fault)
        if entry is not None:
            dialog.submit(entry)

    def draw() -> None:
        place.clear()
        with place:
            _form(visit, draft, draw)

    draw()
    try:
        found = await dialog
        return found if isinstance(found, Entry) else None
    finally:
        put_away(dialog)


def _form(visit: Visit, draft: Draft, draw: Callable[[], None]) -> None:
    async def do(deed: str, about: str) -> None:
        await _alter(visit, draft, deed, about)
        draw()

    def press(deed: str, about: str, face: str, is_pressed: bool, label: str = "") -> str:
        spoken = {"title": label} if label else {}
        return button(deed, about, face, aria_pressed=str(is_pressed).lower(), **spoken)

    kinds = press("kind", "week", said.ON_DAYS, not draft.is_date) + press("kind", "date", said.ON_DATE, draft.is_date)
    days = "".join(
        press("day", str(bit), name, bool(draft.days >> bit & 1), said.DAY_NAMES[bit]) for bit, name in enumerate(said.DAYS)
    )
    later = f" <small>{said.NEXT_DAY}</small>" if draft.until <= draft.begin else ""
    p, q = (html.escape(text) for text in _powers(visit, Entry(draft.number, 0, 0, 0, draft.p, draft.q)))
    fields = (
        (said.FROM, "begin", clock(draft.begin)),
        (said.UNTIL, "until", clock(draft.until) + later),
        (said.ACTIVE_POWER, "p", p),
        (said.REACTIVE_POWER, "q", q),
    )
    listed = "".join(button(deed, "", f"<small>{label}</small><b>{now}</b>", "", "field") for label, deed, now in fields)
    which = "" if draft.is_date else f'<div class="days" role="group" aria-label="{said.KIND}">{days}</div>'
    put(f"<h2>{said.ENTRY.format(n=draft.number)}</h2>")
    deeds(f'<div class="chips">{kinds}</div>{which}', do)
    if draft.is_date:
        chosen = datetime.fromtimestamp(draft.day, UTC).strftime("%Y-%m-%d") if draft.day >= 0 else ""
        ui.input(said.DATE, value=chosen, on_change=lambda event: _choose_date(draft, event.value)).props("type=date outlined")
    deeds(f'<div class="fields">{listed}</div>', do)


def _choose_date(draft: Draft, text: Any) -> None:
    found = date_of(text)
    draft.day = -1 if found is None else found  # saving says what is wrong with it


async def _alter(visit: Visit, draft: Draft, deed: str, about: str) -> None:
    """What a touch in the dialog changes of the draft."""
    if deed == "kind":
        draft.is_date = about == "date"
    elif deed == "day" and about in "0123456":
        draft.days ^= 1 << int(about)
    elif deed in ("begin", "until"):
        label = said.FROM if deed == "begin" else said.UNTIL
        wanted = await ask_clock(label, draft.begin if deed == "begin" else draft.until)
        if wanted is not None and deed == "begin":
            draft.begin = wanted % DAY
        elif wanted is not None:
            draft.until = wanted
    elif deed in ("p", "q"):
        number = await ask_number(_limits(visit, deed, draft.p if deed == "p" else draft.q))
        if number is not None and deed == "p":
            draft.p = number
        elif number is not None:
            draft.q = number


def _limits(visit: Visit, column: str, now: float) -> Number:
    """An entry's own range, or that of the setpoint that it stands for."""
    tag, like = visit.hall.picture.tag(f"{PREFIX}{column}"), visit.hall.picture.tag(f"set.{column}")
    if tag is None:
        return Number("")
    ranged = tag if tag.minimum is not None or tag.maximum is not None or like is None else like
    label = said.ACTIVE_POWER if column == "p" else said.REACTIVE_POWER
    return Number(label, tag.unit, ranged.minimum, ranged.maximum, now=shown(replace(tag, length=0), now))
