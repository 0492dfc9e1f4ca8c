"""Live values: one WebSocket a page. The page says which names its elements show; it is told what changed, ten times a second.

Nothing is queued: a page is told the difference to what it was told last, once its connection takes more.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import time
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import WebSocket, WebSocketDisconnect

from hmi.hall import Hall, Visit
from runtime import quality
from runtime.engine.image import ImageError
from runtime.model import Tag
from runtime.servers.picture import Selection

EVERY = 0.1  # s
ASK_AGAIN = 1.0  # s: whether whoever looks may still do so
MOST = 4000  # names that one page may watch
ELEMENT = re.compile(r"(?P<tag>.+)\[(?P<element>\d{1,9})\]")
RELOAD, LOG_IN = 4001, 4002  # why the page is closed: another program runs; the login has ended
GOOD, UNCERTAIN, BAD, FORCED, UNKNOWN = 0, 1, 2, 3, 4
DECIMALS = {"Hz": 3, "%": 1, "°C": 1, "K": 1, "kW": 2, "kvar": 2, "A": 1, "Hz/s": 3, "1/h": 3, "us": 0, "ms": 2}
COARSE = 1000.0  # V: what may be larger than this needs no thousandth


def decimals_of(tag: Tag) -> int:
    """How many decimals of a value are worth showing; a change below them is none."""
    if tag.type != "LREAL":
        return 0
    if tag.unit == "V":
        return 3 if (tag.maximum is not None and tag.maximum <= 10) or "cell" in tag.name else 1
    return DECIMALS.get(tag.unit, 3)


def grade(code: int) -> int:
    """A quality as a page shows it."""
    if code == quality.GOOD_LOCAL_OVERRIDE:
        return FORCED
    return GOOD if quality.is_good(code) else BAD if quality.is_bad(code) else UNCERTAIN


class Watched:
    """The names that one page shows, found in the running program. A name is a tag, `tag[3]`, or `pin:` and a block's pin."""

    def __init__(self, hall: Hall, names: Sequence[str]):
        self._hall, self.names = hall, tuple(names)
        self._tags: list[tuple[int, Tag, int]] = []  # where in `names`, and the element from 0, or -1 for a scalar
        self._pins: list[tuple[int, str, int]] = []  # likewise
        self.about: list[dict[str, Any] | None] = [self._find(place, name) for place, name in enumerate(self.names)]
        self._told: list[Any] = [()] * len(self.names)

    def _find(self, place: int, name: str) -> dict[str, Any] | None:
        if name.startswith("pin:"):
            pin = name.removeprefix("pin:")
            known, element = self._hall.order.pins.get(pin), -1
            found = ELEMENT.fullmatch(pin) if known is None else None
            if found is not None:
                known, pin, element = self._hall.order.pins.get(found["tag"]), found["tag"], int(found["element"]) - 1
            if known is None or ((known[2] or found is not None) and not 0 <= element < known[2]):
                return None  # a whole array, too: ten times a second it would be thousands of values
            self._pins.append((place, pin, element))
            return {"name": name, "type": known[0], "decimals": 3 if known[0] == "LREAL" else 0}
        tag, element = self._hall.picture.tag(name), -1
        found = ELEMENT.fullmatch(name) if tag is None else None
        if found is not None:
            tag, element = self._hall.picture.tag(found["tag"]), int(found["element"]) - 1
        if tag is None or (tag.length and not 0 <= element < tag.length):
            return None
        self._tags.append((place, tag, element))
        return about(tag)

    def changes(self) -> list[tuple[int, Any, int]]:
        """Place, value and grade of each that is not as it was told last."""
        found: list[tuple[int, Any, int]] = []
        picture = self._hall.picture
        has_any, snapshot = picture.has_any(), picture.door.snapshot
        selection = self._selection()
        values, codes = picture.values(selection) if selection.tags else [], picture.qualities(selection)
        at = {tag.name: n for n, tag in enumerate(selection.tags)}
        for place, tag, element in self._tags:
            n = at[tag.name]
            value = values[n]
            if element >= 0:
                value = value[element] if has_any and value is not None else None
            self._tell(found, place, value, grade(codes[n]))
        is_stale = picture.door.is_stale() or not snapshot.scan
        if self._pins:
            for (place, _, _), value in zip(self._pins, self._pin_values(), strict=True):
                self._tell(found, place, value, UNCERTAIN if is_stale else BAD if value is None else GOOD)
        return found

    def _selection(self) -> Selection:
        return self._hall.picture.pick(tuple(dict.fromkeys(tag.name for _, tag, _ in self._tags)))

    def _pin_values(self) -> list[Any]:
        pins = self._hall.door.pins
        try:
            if not pins.attach():
                return [None] * len(self._pins)
            return [pins.value(pin) if element < 0 else pins.value(pin)[element] for _, pin, element in self._pins]
        except ImageError:
            return [None] * len(self._pins)

    def _tell(self, found: list[tuple[int, Any, int]], place: int, value: Any, code: int) -> None:
        if isinstance(value, float):
            value = round(value, self.about[place]["decimals"]) if math.isfinite(value) else None  # type: ignore[index]
        now = (value, BAD if value is None and code == GOOD else code)
        if now != self._told[place]:
            self._told[place] = now
            found.append((place, *now))


def about(tag: Tag) -> dict[str, Any]:
    """What a page needs to show a tag and to enter a value."""
    found: dict[str, Any] = {"name": tag.name, "type": tag.type, "decimals": decimals_of(tag)}
    more = {"unit": tag.unit, "text": tag.text, "write": tag.write, "min": tag.minimum, "max": tag.maximum}
    found.update({word: value for word, value in more.items() if value not in ("", None)})
    if tag.names:
        found["names"] = {str(number): name for number, name in tag.names}
    return found


class Line:
    """One page's WebSocket."""

    def __init__(self, hall: Hall, visit: Visit, socket: WebSocket, generation: int):
        self._hall, self._visit, self._socket, self._generation = hall, visit, socket, generation
        self._watched = Watched(hall, ())
        self._asked: tuple[str, ...] | None = None

    async def serve(self) -> None:
        """Tell this page what changes until it goes, or must."""
        role = self._visit.who.role
        hearing = asyncio.ensure_future(self._hear())
        asked = time.monotonic()
        try:
            while not hearing.done():
                begun = time.monotonic()
                if begun - asked >= ASK_AGAIN:
                    asked = begun
                    if self._visit.who.role != role:
                        await self._socket.close(LOG_IN, "the login has ended")
                        return
                if self._generation != self._hall.generation:
                    await self._socket.close(RELOAD, "another program runs")
                    return
                await self._socket.send_text(self._news())
                await asyncio.sleep(EVERY - begun % EVERY)  # at the same moments as all others: one look at the picture
            hearing.result()
        except (WebSocketDisconnect, RuntimeError):
            return  # it has gone; starlette says so with either
        finally:
            hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await hearing

    def _news(self) -> str:
        picture = self._hall.picture
        picture.look()
        told: dict[str, Any] = {}
        if self._asked is not None:
            self._watched, self._asked = Watched(self._hall, self._asked), None
            told["about"] = self._watched.about
        snapshot = self._hall.door.snapshot
        told.update(time=snapshot.wall // 1_000_000, scan=snapshot.scan, state=picture.state, values=self._watched.changes())
        return orjson.dumps(told).decode()

    async def _hear(self) -> None:
        while True:
            try:
                said = orjson.loads(await self._socket.receive_text())
            except (orjson.JSONDecodeError, KeyError):
                await self._socket.close(1003, "JSON is spoken here")
                return
            if not isinstance(said, dict):
                continue
            names = said.get("watch")
            if isinstance(names, list) and len(names) <= MOST and all(isinstance(name, str) for name in names):
                self._asked = tuple(names)
            if said.get("touch") is True:
                self._hall.visitors.sessions.touch(self._visit.token)


class Live:
    """All pages that are open."""

    def __init__(self, hall: Hall):
        self._hall = hall
        self.count = 0

    async def welcome(self, socket: WebSocket) -> None:
        """The endpoint of `/live`; `generation` is that of the program the page was made for."""
        state = socket.scope["state"]
        asked = socket.query_params.get("generation", "")
        await socket.accept()
        self.count += 1
        try:
            generation = int(asked) if asked.isascii() and asked.isdigit() else -1
            await Line(self._hall, Visit(self._hall, state["token"], state["peer"]), socket, generation).serve()
        finally:
            self.count -= 1
