"""Tests: what must be so first, the test setpoint by touch and keyboard, the climate by hand, racks, and tests of the plant."""

from __future__ import annotations

import html
import json
import math
from typing import Any

from nicegui import ui

from hmi import texts
from hmi.hall import Hall, Visit
from hmi.parts.dialogs import carry_out
from hmi.parts.entry import Number, ask_number, number_of, plain, spaced
from hmi.parts.values import has, put, value
from hmi.screens import control_setpoints, control_state
from hmi.screens.control_hold import PATIENCE, SETPOINT, Hold
from hmi.screens.control_parts import button, deeds, head, may_not, panel, tell
from hmi.texts import control as said
from runtime.model import Tag

TO_TEST = "cmd.GoToMode_Test"
TESTS = ("set.backup_test", "set.black_start")
BY_HAND = ("set.climate_force", "set.climate_pump", "set.climate_fan")
RACKS = ("set.rack_out", "set.cells_replaced")
STEPS = (1, 5, 10)  # of the smallest step
MARKS = {"request": SETPOINT, "actual": "site.p"}
ROOM = ("site.p_min", "site.p_max")  # what the racks take and give now


def build(visit: Visit) -> None:
    """Draw this part."""
    head(visit, "test")
    hall, tag = visit.hall, visit.hall.picture.tag(SETPOINT)
    _conditions(visit)
    if tag is not None:
        Panel(visit, tag)
    for title, names in ((said.BY_HAND, BY_HAND), (said.RACKS, RACKS)):
        tags = [found for name in names if (found := hall.picture.tag(name)) is not None and found.write]
        if tags:
            put(f'<h2 class="over">{title}</h2>')
            control_setpoints.table(visit, tags)
    _plant_tests(visit)


def _conditions(visit: Visit) -> None:
    """What must be so before a test."""
    hall = visit.hall
    mode = hall.picture.tag("site.mode")
    test = next((str(number) for number, name in mode.names if name == "TEST"), "") if mode is not None else ""
    lines = [
        (said.TEST_ALLOWED, value("site.test", on=said.YES, off=said.NO) if has(hall, "site.test") else ""),
        (said.MODE, value("site.mode") if test else ""),
        (said.RUNS, value("site.closed", on=said.YES, off=said.NO) if has(hall, "site.closed") else ""),
    ]
    shown = "".join(f"<span><small>{label}</small> <b>{inner}</b></span>" for label, inner in lines if inner)
    buttons = "".join(_command(visit, name) for name in (TO_TEST, control_state.FIRST, "cmd.GoToState_Idling") if has(hall, name))

    async def do(_: str, name: str) -> None:
        await control_state.ask(visit, name)

    if shown or buttons:
        inner = f'{shown}<span class="grow"></span>{buttons}'
        deeds(f'<section class="panel conditions" aria-label="{said.CONDITIONS}">{inner}</section>', do)


def _command(visit: Visit, name: str) -> str:
    tag = visit.hall.picture.tag(name)
    label = said.TEST_MODE_NOW if name == TO_TEST else control_state.label_of(tag, name)
    return button("command", name, html.escape(label), may_not(visit, tag))


def _plant_tests(visit: Visit) -> None:
    names = [name for name in TESTS if has(visit.hall, name)]

    async def do(_: str, name: str) -> None:
        await control_state.ask(visit, name)

    buttons = "".join(_command(visit, name) for name in names)
    if names:
        deeds(panel(said.MORE_TESTS, f'<div class="line">{buttons}</div>'), do)


class Panel:
    """The test setpoint: taken by one page at a time, and given back when it goes."""

    def __init__(self, visit: Visit, tag: Tag):
        self._visit, self._tag = visit, tag
        self._small = smallest_step(tag)
        self._step = self._small
        self._client = ui.context.client
        self._hold: Hold | None = None
        self._box = (
            ui.element("section")
            .classes("panel drive live")
            .props(f'data-drive data-held=false tabindex=0 role=group aria-label="{said.TEST_POWER}"')
        )
        self._box.on("alive", self._alive, js_handler="() => emit()")
        self._box.on("step", self._stepped, js_handler="(e) => emit(e.detail)")
        self._box.on("finish", lambda _: self._end("asked"), js_handler="() => emit()")
        self._draw()

    @property
    def _is_held(self) -> bool:
        return self._hold is not None and self._hold.is_held

    def _draw(self) -> None:
        if self._box.is_deleted:
            return
        self._box.props(f"data-held={str(self._is_held).lower()}")
        self._box.clear()
        with self._box:
            deeds(self._markup(), self._deed)

    def _markup(self) -> str:
        hall, held = self._visit.hall, self._is_held
        why = may_not(self._visit, self._tag)
        off = why or ("" if held else said.FREE)
        steps = "".join(self._size(factor, off) for factor in STEPS)
        take = button("end", "", said.END, "", "primary") if held else button("take", "", said.TAKE, why, "primary")
        moves = "".join(
            button("step", about, face, off, "move", aria_label=label)
            for about, face, label in (("-1", "−", said.DOWN), ("0", "0", said.ZERO), ("1", "+", said.UP))
        )
        told = said.HELD.format(patience=f"{PATIENCE:g}") if held else why or said.FREE
        hints = f'<span class="keys-on">{said.KEYS_ON}</span><span class="keys-off">{said.KEYS_OFF}</span>'
        keys = f'<p class="keys" role="status">{hints}</p>'
        return (
            f'<div class="line"><h2>{said.TEST_POWER}</h2><b class="big">{value(SETPOINT)}</b>{_actual(hall)}'
            f'<span class="grow"></span>{take}</div>{_scale(hall, self._tag)}'
            f'<div class="line"><span class="moves">{moves}</span><span class="chips">{said.STEP} {steps}</span>'
            f"{button('type', '', said.TYPE, off)}</div>"
            f'<p class="note">{told}</p>{keys if held else ""}<p class="note small">{said.PROGRAM_HOLDS}</p>'
        )

    def _size(self, factor: int, off: str) -> str:
        size = self._small * factor
        face = html.escape(f"{size:.6g} {self._tag.unit}")
        return button("size", str(factor), face, off, aria_pressed=str(self._step == size).lower())

    async def _deed(self, deed: str, about: str) -> None:
        if deed == "take":
            await self._take()
        elif deed == "end":
            self._end("asked")
        elif not self._is_held:
            tell(may_not(self._visit, self._tag) or said.FREE)
        elif deed == "size" and about in map(str, STEPS):
            self._step = self._small * int(about)
            self._draw()
        elif deed == "step" and about in ("-1", "0", "1"):
            await self._move(int(about))
        elif deed == "type":
            await self._type()

    async def _take(self) -> None:
        hold = Hold(self._visit, self._is_there, self._ended)
        if await carry_out(said.TAKE, hold.begin()):
            self._hold = hold
        self._draw()

    def _is_there(self) -> bool:
        return not self._box.is_deleted and self._client.has_socket_connection

    def _end(self, why: str) -> None:
        if self._hold is not None:
            self._hold.end(why)

    def _ended(self, why: str, refused: str) -> None:
        self._hold = None
        if self._client.has_socket_connection and not self._client.is_deleted:
            word = said.WHY_ENDED[why].format(patience=f"{PATIENCE:g}")
            told = said.NOT_ENDED.format(why=refused) if refused else said.ENDED.format(why=word)
            with self._client:
                stays = bool(refused) or why != "asked"
                ui.notify(told, type="negative" if refused else "info", timeout=0 if stays else 4000, close_button=texts.CLOSE)
                self._draw()

    def _alive(self, _: Any) -> None:
        if self._hold is not None:
            self._hold.heard()

    async def _stepped(self, event: Any) -> None:
        """The keyboard moves the setpoint: by whole steps, ten at the most, or to zero."""
        if self._is_held and event.args in (-10, -1, 0, 1, 10):
            await self._move(int(event.args))

    async def _move(self, steps: int) -> None:
        hold, by = self._hold, steps * self._step
        if hold is not None:
            why = await hold.put((lambda now: now + by) if steps else lambda _: 0.0)
            if why:
                tell(texts.REFUSED.format(what=SETPOINT, why=why.removeprefix("refused: ")))

    async def _type(self) -> None:
        limits: Number = number_of(self._tag, SETPOINT)
        typed, hold = await ask_number(limits), self._hold
        if typed is not None and hold is not None:
            await carry_out(f"{SETPOINT} {typed:g} {self._tag.unit}", hold.put(lambda _: typed))


def smallest_step(tag: Tag) -> float:
    """A hundredth of the range, rounded to 1, 2 or 5."""
    most = max(abs(tag.minimum or 0.0), abs(tag.maximum or 0.0)) or 100.0
    power = 10.0 ** math.floor(math.log10(most / 100))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= most / 100 * 0.999), 10 * power)


def _actual(hall: Hall) -> str:
    actual = MARKS["actual"]
    return f"<span><small>{said.ACTUAL}</small> <b>{value(actual)}</b></span>" if has(hall, actual) else ""


def _scale(hall: Hall, tag: Tag) -> str:
    """What is set and what is, on one line between the ends of the range."""
    if tag.minimum is None or tag.maximum is None or not tag.maximum > tag.minimum:
        return ""
    marks = {mark: name for mark, name in MARKS.items() if has(hall, name)}
    room = [name if has(hall, name) else "" for name in ROOM]
    data = html.escape(json.dumps({"low": tag.minimum, "high": tag.maximum, "marks": marks, "room": room}))
    parts = "".join(f'<i data-part="{mark}" hidden></i>' for mark in MARKS)
    limits = ""
    if all(room):
        limits = f"<span>{said.LIMITS_NOW.format(low=value(room[0]), high=value(room[1]))}</span>"
    low, high = plain(tag.minimum), f"{plain(tag.maximum)}{spaced(html.escape(tag.unit))}"
    return (
        f'<div class="scale live" data-scale="{data}" role="img" aria-label="{said.SCALE}">'
        f'<i data-part="room" hidden></i><i data-part="zero"></i>{parts}</div>'
        f'<div class="scale-ends"><span>{low}</span>{limits}<span>{high}</span></div>'
    )
