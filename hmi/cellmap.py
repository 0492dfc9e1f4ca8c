"""All cells of a site at once: where each stands, its value now as the browser's map draws it, and the limits. It knows no page."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
from fastapi import APIRouter, Response

from hmi.hall import Hall
from hmi.live import BAD, GOOD, UNCERTAIN, about, grade
from hmi.texts import cells as texts
from runtime.engine.image import ImageError
from runtime.model import Alarm, Tag
from runtime.servers.door import Door
from runtime.servers.picture import Picture

FRESH = 0.2  # s: pages that ask within this time are told the same
MOST_RACKS = 1024
ROW = 16  # cells in a row of the map, where the site does not say how many a module has
ALIGNED = 4  # bytes: the browser reads the values in place
SOC = "cells.soc"  # one array of all racks' cells, one rack after another


@dataclass(frozen=True)
class Quantity:
    """What a map can show. `tag` names each rack's array; the pins and tags name what watches it, where a program has them."""

    tag: str
    low_of: str = ""  # the alarms of these tags are its limits
    high_of: str = ""
    low_trip: str = ""  # pins: three limits each, the third trips the rack
    high_trip: str = ""
    known_by: tuple[str, ...] = ()  # an estimate is no better known than these tags of its rack


QUANTITIES = {
    "voltage": Quantity(
        "rack[{rack}].cell_v",
        "rack[{rack}].v_cell_min",
        "rack[{rack}].v_cell_max",
        "racks.guard[{rack}].soa.V_LOW",
        "racks.guard[{rack}].soa.V_HIGH",
    ),
    "temperature": Quantity(
        "rack[{rack}].cell_t",
        "rack[{rack}].t_cell_min",
        "rack[{rack}].t_cell_max",
        "racks.guard[{rack}].soa.T_LOW_DISCHARGE",
        "racks.guard[{rack}].soa.T_HIGH_DISCHARGE",
    ),
    "soc": Quantity(SOC, known_by=("rack[{rack}].cell_v", "rack[{rack}].current")),
    "balancing": Quantity("rack[{rack}].balance"),
}


class Rack(NamedTuple):
    """A rack's cells; `first` is the place of its first one among all cells of the site, from 0."""

    number: int
    first: int
    cells: int


@dataclass(frozen=True)
class Layout:
    """Where the cells of the running program are: its racks, how many cells a module has, and what is known of each cell."""

    racks: tuple[Rack, ...]
    per_module: int
    shown: tuple[str, ...]

    @property
    def cells(self) -> int:
        return sum(rack.cells for rack in self.racks)


class Limit(NamedTuple):
    """A value beyond which (`side` low or high) something is done; `severity` is its alarm's."""

    side: str
    at: float
    severity: str
    name: str


def layout_of(picture: Picture) -> Layout:
    """Find the cells of the program that runs; a site without any has no racks here."""
    racks: list[Rack] = []
    first = 0
    for number in range(1, MOST_RACKS + 1):
        arrays = [picture.tag(one.tag.format(rack=number)) for one in QUANTITIES.values() if one.tag != SOC]
        cells = max((tag.length for tag in arrays if tag is not None), default=0)
        if not cells:
            break
        racks.append(Rack(number, first, cells))
        first += cells
    widest = max((rack.cells for rack in racks), default=0)
    shown = tuple(what for what in QUANTITIES if any(_column_tag(picture, what, rack) is not None for rack in racks))
    return Layout(tuple(racks), _per_module(picture.order.constants.get("cells_per_module", ""), widest), shown)


def _per_module(said: str, cells: int) -> int:
    count = int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0
    return count if 0 < count <= cells else min(ROW, cells)


def _column_tag(picture: Picture, what: str, rack: Rack) -> Tag | None:
    """The array in which these cells are; one that does not fit the rack's number of cells is none."""
    tag = picture.tag(QUANTITIES[what].tag.format(rack=rack.number))
    if tag is None or tag.type not in ("LREAL", "BOOL"):
        return None
    is_shared = QUANTITIES[what].tag == SOC
    return tag if (tag.length >= rack.first + rack.cells if is_shared else tag.length == rack.cells) else None


class CellMap:
    """The newest values of all cells, made once for all pages that ask."""

    def __init__(self, hall: Hall):
        self._hall = hall
        self._order: Any = None
        self._layout = Layout((), 0, ())
        self._made: dict[str, tuple[float, bytes]] = {}

    @property
    def layout(self) -> Layout:
        """Where the cells of the program that runs now are."""
        if self._order is not self._hall.picture.order:
            self._order, self._layout = self._hall.picture.order, layout_of(self._hall.picture)
            self._made.clear()
        return self._layout

    def body(self, what: str) -> bytes:
        """All cells: the header's length (uint32, little-endian), the header (JSON), then float32 or, of switches, uint8 each.

        The header has the quality of each rack's values as a grade; a cell of which nothing is known is NaN, of switches 255.
        """
        layout = self.layout
        made = self._made.get(what)
        if made is not None and time.monotonic() - made[0] < FRESH:
            return made[1]
        self._hall.picture.look()
        body = self._make(layout, what)
        self._made[what] = (time.monotonic(), body)
        return body

    def _make(self, layout: Layout, what: str) -> bytes:
        picture = self._hall.picture
        tags = [_column_tag(picture, what, rack) for rack in layout.racks]
        found = [tag for tag in tags if tag is not None]
        first, snapshot = found[0], picture.door.snapshot
        known = about(first)
        header = {
            "what": what,
            "unit": first.unit,
            "decimals": known["decimals"],
            "switch": first.type == "BOOL",
            "range": [first.minimum, first.maximum],
            "scan": snapshot.scan,
            "time": snapshot.wall // 1_000_000,
            "state": picture.state,
            "cells": layout.cells,
            "grades": _grades(picture, tags, _known_by(picture, what, layout)),
            "limits": [limit._asdict() for limit in limits_of(self._hall, what, layout)],
        }
        told = orjson.dumps(header)
        told += b" " * (-len(told) % ALIGNED)
        return struct.pack("<I", len(told)) + told + _values(picture, layout, tags, is_switch=first.type == "BOOL")


def _known_by(picture: Picture, what: str, layout: Layout) -> list[list[Tag]]:
    """The tags of each rack that its cells' values are estimated from; those that the site has."""
    named = [[picture.tag(name.format(rack=rack.number)) for name in QUANTITIES[what].known_by] for rack in layout.racks]
    return [[tag for tag in tags if tag is not None] for tags in named]


def _grades(picture: Picture, tags: Sequence[Tag | None], known_by: Sequence[Sequence[Tag]]) -> list[int]:
    """Each rack's grade. The program goes on counting where it hears nothing: then that is what was known last."""
    every = [tag for tag in tags if tag is not None] + [tag for of_rack in known_by for tag in of_rack]
    names = tuple(dict.fromkeys(tag.name for tag in every))
    found = {name: grade(code) for name, code in zip(names, picture.qualities(picture.pick(names)), strict=True)}
    return [_grade(tag, [found[one.name] for one in of_rack], found) for tag, of_rack in zip(tags, known_by, strict=True)]


def _grade(tag: Tag | None, heard: Sequence[int], found: dict[str, int]) -> int:
    if tag is None:
        return BAD
    own = found[tag.name]
    return UNCERTAIN if own == GOOD and any(one in (UNCERTAIN, BAD) for one in heard) else own


def _values(picture: Picture, layout: Layout, tags: Sequence[Tag | None], *, is_switch: bool) -> bytes:
    cells = np.full(layout.cells, 255, np.uint8) if is_switch else np.full(layout.cells, np.nan, "<f4")
    if picture.has_any():
        for rack, tag in zip(layout.racks, tags, strict=True):
            if tag is not None:
                start = rack.first if tag.name.lower() == SOC else 0
                cells[rack.first : rack.first + rack.cells] = _column(picture.door, tag)[start : start + rack.cells]
    return cells.tobytes()


def _column(door: Door, tag: Tag) -> np.ndarray:
    column = door.snapshot.column(tag)
    return column if tag.type == "BOOL" else np.clip(column, -3e38, 3e38)  # what float32 can hold; NaN stays NaN


def limits_of(hall: Hall, what: str, layout: Layout) -> list[Limit]:
    """What the running program watches a cell's value against: its alarms, and where the racks trip; of all racks the closest."""
    quantity = QUANTITIES[what]
    closest: dict[tuple[str, str], Limit] = {}
    if not hall.picture.door.pins.attach():
        return []
    watching = _alarms_by_tag(hall.picture.order.alarms)
    for rack in layout.racks:
        for limit in _limits_of_rack(hall, quantity, rack.number, watching):
            kept = closest.get((limit.side, limit.name))
            is_closer = kept is None or (limit.at < kept.at if limit.side == "high" else limit.at > kept.at)
            if is_closer:
                closest[limit.side, limit.name] = limit
    return sorted(closest.values(), key=lambda limit: limit.at)


def _alarms_by_tag(alarms: Sequence[Alarm]) -> dict[str, list[Alarm]]:
    found: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        if alarm.kind == "limit" and alarm.limit:
            found.setdefault(alarm.of.lower(), []).append(alarm)
    return found


def _limits_of_rack(hall: Hall, quantity: Quantity, rack: int, watching: dict[str, list[Alarm]]) -> Iterator[Limit]:
    for side, of, trip in (("low", quantity.low_of, quantity.low_trip), ("high", quantity.high_of, quantity.high_trip)):
        for alarm in watching.get(of.format(rack=rack).lower(), ()) if of else ():
            at = _pin(hall, _limit_pin(hall.picture, alarm)) if alarm.limit.startswith(side[0].upper()) else None
            if at is not None:
                yield Limit(side, at, alarm.severity, alarm.limit)
        at = _pin(hall, trip.format(rack=rack), 2)
        if at is not None:
            yield Limit(side, at, "error", texts.TRIP)


def _limit_pin(picture: Picture, alarm: Alarm) -> str:
    """An alarm is an instance in the program that declares it, and its limits are pins of that."""
    tag = picture.tag(alarm.active)
    program = tag.owner.removeprefix("program ") if tag is not None else ""
    return f"{program}.alarm.{alarm.name}.{alarm.limit}"


def _pin(hall: Hall, name: str, element: int = 0) -> float | None:
    kind, _, length = hall.picture.order.pins.get(name, ("", 0, 0))
    if kind != "LREAL" or element >= max(length, 1):
        return None
    try:
        value = hall.picture.door.pins.value(name)
    except ImageError:
        return None  # the scan has just ended; its limits come back with the next
    at = value[element] if length else value
    return at if math.isfinite(at) and abs(at) < 1e9 else None


def cell_routes(hall: Hall) -> APIRouter:
    """The route over this hall: `/data/cells?what=voltage`."""
    router, cells = APIRouter(include_in_schema=False), CellMap(hall)

    @router.get("/cells")
    async def read_cells(what: str = "voltage") -> Response:
        if what not in cells.layout.shown:
            shown = ", ".join(cells.layout.shown)
            said = texts.NOT_SHOWN.format(what=what[:40], shown=shown) if shown else texts.NO_CELLS
            return Response(said, 422, media_type="text/plain")
        return Response(cells.body(what), media_type="application/octet-stream")

    return router
