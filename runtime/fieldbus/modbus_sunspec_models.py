"""SunSpec's information models: which points a model has, where, and how they are coded. It opens no connection.

The definitions are the SunSpec Alliance's own (github.com/sunspec/models, Apache-2.0) as the package pysunspec2 carries
them; only its files are read, none of its code runs. A site's folder may add models of a manufacturer's own.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from runtime.fieldbus.modbus_powers import MOST as MOST_POWER
from runtime.fieldbus.modbus_register import BIT, FLOAT, INTEGER, UNSIGNED

HEADER = 2  # registers of a model's id and length, which the length does not count
# type: kind, registers, the raw word that says "not implemented" (information model specification, 3.6), tag type
TYPES: Mapping[str, tuple[int, int, int | None, str]] = {
    "int16": (INTEGER, 1, 0x8000, "DINT"),
    "uint16": (UNSIGNED, 1, 0xFFFF, "DINT"),
    "count": (UNSIGNED, 1, 0xFFFF, "DINT"),
    "acc16": (UNSIGNED, 1, 0, "DINT"),
    "enum16": (UNSIGNED, 1, 0xFFFF, "DINT"),
    "bitfield16": (UNSIGNED, 1, 0xFFFF, "DINT"),
    "sunssf": (INTEGER, 1, 0x8000, "DINT"),
    "int32": (INTEGER, 2, 0x8000_0000, "DINT"),
    "uint32": (UNSIGNED, 2, 0xFFFF_FFFF, "LINT"),
    "acc32": (UNSIGNED, 2, 0, "LINT"),
    "enum32": (UNSIGNED, 2, 0xFFFF_FFFF, "LINT"),
    "bitfield32": (UNSIGNED, 2, 0xFFFF_FFFF, "LINT"),
    "int64": (INTEGER, 4, 1 << 63, "LINT"),
    "uint64": (UNSIGNED, 4, (1 << 64) - 1, "LINT"),
    "acc64": (UNSIGNED, 4, 0, "LINT"),
    "bitfield64": (UNSIGNED, 4, (1 << 64) - 1, "LINT"),
    "float32": (FLOAT, 2, None, "LREAL"),
    "float64": (FLOAT, 4, None, "LREAL"),
}
NO_BITS = (INTEGER, FLOAT, BIT)
MOST_SIZE, MOST_SYMBOL = 65535, (1 << 64) - 1
_STEP = re.compile(r"(\w+)(?:\[(\d{1,18})\])?")


class ModelError(Exception):
    """A model or a point that the definitions do not have; `known` are the names they do have."""

    def __init__(self, message: str, *known: str):
        super().__init__(message)
        self.known = known


class AbsentError(Exception):
    """The device's own model is shorter than the point needs."""


@dataclass(frozen=True)
class PointText:
    """A point of a model: its place from the start of its group, and how it is coded. `sf` names its power of ten, or is it."""

    name: str
    type: str
    size: int
    offset: int
    sf: str | int | None
    unit: str
    is_writable: bool
    symbols: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class GroupText:
    """A group of points, repeated `count` times: a number, 0 for as often as the model's length says, or a point's name."""

    name: str
    count: int | str
    points: Mapping[str, PointText]
    groups: tuple[GroupText, ...]

    @property
    def size(self) -> int:
        """Registers of the group's own points."""
        return sum(point.size for point in self.points.values())


@dataclass(frozen=True)
class Found:
    """A point that a path names: the group it stands in, the groups above with their index, and its power of ten."""

    path: str
    steps: tuple[tuple[GroupText, int], ...]  # below the model, outermost first; the index counts from 1
    point: PointText


@functools.cache
def read_model(number: int, folder: str = "") -> GroupText:
    """The definition of a model, the site's own before SunSpec's. Raises ModelError."""
    name = f"model_{number}.json"
    places = [*([Path(folder) / name] if folder else []), files("sunspec2") / "models" / "json" / name]
    place = next((place for place in places if place.is_file()), None)
    if place is None:
        raise ModelError(f"SunSpec defines no model {number}")
    try:
        return _group(json.loads(place.read_text(encoding="utf-8"))["group"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{name} is no SunSpec model definition: {error!r}") from error


def _group(text: Mapping[str, Any]) -> GroupText:
    points: dict[str, PointText] = {}
    offset = 0
    for one in text["points"]:
        point = _point(one, offset)
        points[point.name] = point
        offset += point.size
    count = text.get("count", 1)
    if not isinstance(count, str):
        count = _whole(count, 0, MOST_SIZE, "count")
    return GroupText(_name(text["name"]), count, points, tuple(_group(group) for group in text.get("groups", ())))


def _point(text: Mapping[str, Any], offset: int) -> PointText:
    name, kind, sf = _name(text["name"]), _name(text["type"]), text.get("sf")
    size = _whole(text["size"], 1, MOST_SIZE, f"size of {name}")
    if kind in TYPES and size != TYPES[kind][1]:
        raise ValueError(f"{name} is a {kind} of {size} registers")
    if sf is not None and not isinstance(sf, str):
        sf = _whole(sf, -MOST_POWER, MOST_POWER, f"scale factor of {name}")
    symbols = tuple((_name(s["name"]), _whole(s["value"], 0, MOST_SYMBOL, f"symbol of {name}")) for s in text.get("symbols", ()))
    return PointText(name, kind, size, offset, sf, str(text.get("units") or "").strip(), text.get("access") == "RW", symbols)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value


def _whole(value: object, low: int, high: int, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"the {what} is {value!r}, not {low} to {high}")
    return value


def find_point(model: GroupText, path: str) -> Found:
    """The point of `SoC`, `module[2].DCA` or `Crv[1].Pt[3].V`. Raises ModelError with the names that there are."""
    *above, last = path.split(".")
    steps, group = [], model
    for text in above:
        step = _STEP.fullmatch(text)
        if step is None:
            raise ModelError(f"`{text}` is no group: write `{group.name}[1]`")
        found = next((one for one in group.groups if one.name == step[1]), None)
        if found is None:
            raise ModelError(f"`{group.name}` has no group `{step[1]}`", *(one.name for one in group.groups))
        index = int(step[2] or 1)
        if step[2] is None and found.count != 1:
            raise ModelError(f"`{found.name}` is repeated: write `{found.name}[1]` for the first")
        if index < 1:
            raise ModelError(f"the groups `{found.name}` count from 1")
        steps.append((found, index))
        group = found
    point = group.points.get(last)
    if point is None:
        raise ModelError(f"`{group.name}` has no point `{last}`", *group.points)
    return Found(path, tuple(steps), point)


def counts_of(model: GroupText) -> dict[str, int]:
    """The points that say how often groups are repeated, and their place in the model."""
    names: set[str] = set()

    def collect(group: GroupText) -> None:
        for one in group.groups:
            if isinstance(one.count, str):
                names.add(one.count)
            collect(one)

    collect(model)
    return {name: model.points[name].offset for name in sorted(names) if name in model.points}


def power_of(model: GroupText, found: Found) -> Found | int | None:
    """The point with the power of ten of a point: in its own group or in the model's; a number where it is fixed."""
    sf = found.point.sf
    if sf is None or isinstance(sf, int):
        return sf
    group = found.steps[-1][0] if found.steps else model
    if sf in group.points:
        prefix = found.path.rpartition(".")[0]
        return Found(f"{prefix}.{sf}" if prefix else sf, found.steps, group.points[sf])
    if sf in model.points:
        return Found(sf, (), model.points[sf])
    raise ModelError(f"the definition names a scale factor `{sf}` that it does not have")


def offset_of(model: GroupText, found: Found, counts: Mapping[str, int], length: int) -> int:
    """Registers from the model's id to the point in a device whose model is `length` long. Raises AbsentError."""
    total = length + HEADER
    offset, group = 0, model
    for below, index in found.steps:
        offset += group.size
        for before in group.groups[: group.groups.index(below)]:
            offset += _times(before, counts, total - offset, total) * _extent(before, counts, total)
        times = _times(below, counts, total - offset, total)
        if index > times:
            raise AbsentError(f"the device has {times} of `{below.name}`, not {index}")
        offset += (index - 1) * _extent(below, counts, total)
        group = below
    offset += found.point.offset
    if offset + found.point.size > total:
        raise AbsentError(f"the device's model is {length} registers long and ends before `{found.path}`")
    return offset


def _extent(group: GroupText, counts: Mapping[str, int], total: int) -> int:
    """Registers of one repetition of a group with all that is below it."""
    return group.size + sum(_times(one, counts, 0, total) * _extent(one, counts, total) for one in group.groups)


def _times(group: GroupText, counts: Mapping[str, int], room: int, total: int) -> int:
    if isinstance(group.count, str):
        return min(counts.get(group.count, 0), total)
    if group.count == 0:
        return max(room, 0) // max(_extent(group, counts, total), 1)
    return group.count
