"""The schedule: whether it is followed, what it asks for today, its entries, and the prices of the day's hours."""

from __future__ import annotations

import html
import json

from nicegui import ui

from hmi import commands
from hmi.hall import Hall, Visit
from hmi.parts.dialogs import carry_out, confirm
from hmi.parts.entry import change, shown
from hmi.parts.values import has, put, value
from hmi.screens.control_entry import edit
from hmi.screens.control_parts import button, deeds, head, may_not, panel, tell
from hmi.screens.control_plan import (
    DAY,
    PREFIX,
    Entry,
    Slice,
    day_plan,
    days_in_words,
    entries_of,
    holding,
    local_now,
    times_in_words,
)
from hmi.texts import control as said
from runtime.model import Tag

SWITCH, PRICE, MODE = "set.schedule", "set.price", "site.mode"
WIDE, HIGH, LEFT, FOOT = 890, 108, 44, 18  # of the picture; LEFT and FOOT are room for its axes
LOOK = 1.0  # s


def build(visit: Visit) -> None:
    """Draw this part."""
    head(visit, "schedule")
    hall = visit.hall
    if entries_of(hall) is None and not has(hall, PRICE):
        put(f'<p class="note">{said.NO_SCHEDULE}</p>')
        return
    _switch(visit)
    if hall.picture.tag(f"{PREFIX}length") is not None:
        _plan(visit)
    _prices(visit)


def _switch(visit: Visit) -> None:
    hall, tag = visit.hall, visit.hall.picture.tag(SWITCH)
    if tag is None:
        return

    async def do(_: str, about: str) -> None:
        await change(visit, about)

    external = next((number for number, name in _names(hall, MODE) if name == "EXTERNAL"), None)
    lines = [(said.IS_OFF, [[SWITCH, False, True]])]
    if external is not None:
        lines.append((said.FOLLOWED, [[SWITCH, True, True], [MODE, external, True]]))
        lines.append((said.OTHER_MODE, [[SWITCH, True, True], [MODE, external, False]]))
    told = "".join(
        f'<span class="live" data-only-if="{html.escape(json.dumps(when))}" hidden>{line}</span>' for line, when in lines
    )
    switch = button("change", SWITCH, f"{said.SCHEDULE_ON}: {value(SWITCH)}", may_not(visit, tag))
    deeds(f'<div class="panel line schedule-switch">{switch}<span class="grow">{told}</span></div>', do)


def _names(hall: Hall, name: str) -> tuple[tuple[int, str], ...]:
    tag = hall.picture.tag(name)
    return tag.names if tag is not None else ()


def _plan(visit: Visit) -> None:
    """Today and the entries, drawn anew when they change."""
    hall = visit.hall
    place = ui.element("div").classes("stack")
    drawn: object = None

    async def do(deed: str, about: str) -> None:
        await _deed(visit, deed, about)

    def draw() -> None:
        nonlocal drawn
        entries, now = entries_of(hall), local_now(hall)
        if entries is None or (entries, now // 60) == drawn:
            return
        drawn = (entries, now // 60)
        place.clear()
        with place:
            put(panel(said.TODAY, picture(day_plan(entries, now - now % DAY), now % DAY, _unit(hall)), "live"))
            deeds(panel(said.ENTRIES, _table(visit, entries, holding(entries, now)), "live", "entries"), do)

    draw()
    ui.timer(LOOK, draw)


def _unit(hall: Hall) -> str:
    tag = hall.picture.tag(f"{PREFIX}p")
    return tag.unit if tag is not None else ""


def picture(slices: list[Slice], second: int, unit: str) -> str:
    """SVG of a day: the power over the hours, and where we are."""
    most = max((abs(one.p) for one in slices), default=0.0) or 1.0
    middle, half = HIGH / 2, HIGH / 2 - 8
    steps = "".join(_step(one, middle, half / most) for one in slices if one.p)
    hours = "".join(
        f'<line class="tick" x1="{_x(hour * 3600):.1f}" x2="{_x(hour * 3600):.1f}" y1="0" y2="{HIGH}"/>'
        f'<text x="{_x(hour * 3600):.1f}" y="{HIGH + 14}" text-anchor="middle">{hour:02d}</text>'
        for hour in range(0, 25, 2)
    )
    scale = "".join(
        f'<text x="{LEFT - 5}" y="{middle - sign * half + 4:.1f}" text-anchor="end">{sign * most:.4g}</text>' for sign in (1, -1)
    )
    now = f'<line class="now" x1="{_x(second):.1f}" x2="{_x(second):.1f}" y1="0" y2="{HIGH}"/>'
    zero = f'<line class="zero" x1="{LEFT}" x2="{WIDE}" y1="{middle}" y2="{middle}"/>'
    label = f'<text x="{LEFT - 5}" y="{middle + 4}" text-anchor="end">0 {html.escape(unit)}</text>'
    return (
        f'<svg class="day" viewBox="0 0 {WIDE + 12} {HIGH + FOOT}" role="img" aria-label="{html.escape(_spoken(slices, unit))}">'
        f"{hours}{steps}{zero}{scale}{label}{now}</svg>"
    )


def _spoken(slices: list[Slice], unit: str) -> str:
    """The picture in words, for whoever does not see it."""
    told = [f"{one.begin // 3600:02d}:{one.begin % 3600 // 60:02d} {one.p:.4g} {unit}" for one in slices]
    return f"{said.DAY_PICTURE}: {', '.join(told)}"


def _x(second: float) -> float:
    return LEFT + (WIDE - LEFT) * second / DAY


def _step(one: Slice, middle: float, factor: float) -> str:
    height, x = abs(one.p) * factor, _x(one.begin)
    top, wide = middle - height if one.p > 0 else middle, _x(one.end) - x
    number = one.entry.number if one.entry is not None else 0
    word = f'<text x="{x + 4:.1f}" y="{top + 14:.1f}">{number}: {one.p:.4g}</text>' if wide > 50 and height > 18 else ""
    return f'<rect class="step" x="{x:.1f}" y="{top:.1f}" width="{max(wide, 1):.1f}" height="{height:.1f}"/>{word}'


def _table(visit: Visit, entries: list[Entry], now: Entry | None) -> str:
    hall, used = visit.hall, [entry for entry in entries if entry.is_used]
    why = may_not(visit, hall.picture.tag(f"{PREFIX}length"))
    rows = "".join(_row(hall, entry, entry == now, why) for entry in used)
    room = len(used) < len(entries)
    add = button("add", "", said.NEW_ENTRY, why) if room else f'<p class="note">{said.ALL_ENTRIES_USED.format(n=len(entries))}</p>'
    none = "" if rows else f'<p class="note">{said.NO_ENTRIES}</p>'
    return f'<div class="entry-list">{rows}</div>{none}<div class="line">{add}</div>'


def _row(hall: Hall, entry: Entry, is_now: bool, why: str) -> str:
    units = [_power(hall, column, number) for column, number in (("p", entry.p), ("q", entry.q))]
    state = said.HOLDS_NOW if is_now else said.BESIDE if entry.is_wrong else ""
    cells = (str(entry.number), days_in_words(entry), times_in_words(entry), *units, state)
    inner = "".join(f"<span>{html.escape(cell)}</span>" for cell in cells)
    return button("edit", str(entry.number), inner, why, "entry-row") + button(
        "delete", str(entry.number), "✕", why, aria_label=f"{said.DELETE}: {said.ENTRY.format(n=entry.number)}"
    )


def _power(hall: Hall, column: str, number: float) -> str:
    tag = hall.picture.tag(f"{PREFIX}{column}")
    return shown(tag, number) if tag is not None else ""


async def _deed(visit: Visit, deed: str, about: str) -> None:
    entries = entries_of(visit.hall)
    why = may_not(visit, visit.hall.picture.tag(f"{PREFIX}length"))
    if why or entries is None:
        tell(why or said.NO_SCHEDULE)
        return
    if deed == "add":
        free = next((entry for entry in entries if not entry.is_used), None)
        if free is not None:
            await edit(visit, Entry(free.number, 127, 0, 0, 0.0, 0.0))
        return
    chosen = entries[int(about) - 1] if about.isascii() and about.isdigit() and 0 < int(about[:6]) <= len(entries) else None
    if chosen is not None and deed == "edit":
        await edit(visit, chosen)
    elif chosen is not None and deed == "delete" and await confirm(said.DELETE_SURE.format(n=chosen.number), "", said.DELETE):
        gone = [(f"{PREFIX}length", 0, chosen.number - 1)]
        await carry_out(said.DELETED.format(n=chosen.number), commands.write_all(visit, gone))


def _prices(visit: Visit) -> None:
    tag = visit.hall.picture.tag(PRICE)
    if tag is None or not tag.length:
        return

    async def do(_: str, about: str) -> None:
        if about.isascii() and about.isdigit() and 0 < int(about[:6]) <= tag.length:
            await change(visit, PRICE, int(about) - 1)

    why = may_not(visit, tag)
    hours = "".join(button("price", str(n + 1), _price(tag, n), why, "price") for n in range(tag.length))
    deeds(panel(said.PRICES, f'<div class="prices">{hours}</div><p class="note">{said.PRICES_FOR}</p>'), do)


def _price(tag: Tag, hour: int) -> str:
    return f"<small>{hour:02d}–{hour + 1:02d}</small>{value(f'{tag.name}[{hour + 1}]')}"
