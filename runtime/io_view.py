"""The verb `io`: every point of a running site with its value, quality, age and address. It reads snapshots only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from runtime import quality
from runtime.columns import Cell, Row
from runtime.model import Device, Point, Tag
from runtime.onlooker import Onlooker
from runtime.source import did_you_mean, pattern_of
from runtime.status import format_value

HEADS = ("tag", "", "value", "raw", "quality", "age", "device", "address")
IN, OUT = "in", "out"


class UnknownNameError(Exception):
    """A tag or device that the site has no point of; the message has a hint."""


@dataclass(frozen=True, slots=True)
class PointLine:
    """One element of one tag. `raw` is what stands on the wire for a good value, None where the driver cannot say it."""

    name: str
    tag: Tag
    direction: str
    value: Any
    raw: float | int | None
    quality: int
    age: float | None
    device: str
    address: str


def choose(site: Onlooker, devices: Sequence[str], tags: Sequence[str]) -> list[tuple[Device, Point, str]]:
    """The points of these devices and tags with their directions, all where none is named; `*` stands for any letters.

    Raises UnknownNameError where a name fits nothing.
    """
    known = {device.name.lower(): device for device in site.site.devices}
    for name in devices:
        if name.lower() not in known:
            raise UnknownNameError(f"no device named {name}: {did_you_mean(name, known) or _listed(known)}")
    chosen = [known[name.lower()] for name in dict.fromkeys(devices)] if devices else list(site.site.devices)
    points = [(d, p, way) for d in chosen for way, part in ((IN, d.inputs), (OUT, d.outputs)) for p in part]
    if not tags:
        return points
    patterns = {text: pattern_of(text) for text in tags}
    for text, pattern in patterns.items():
        if not any(_fits(pattern, point, site) for _, point, _ in points):
            raise UnknownNameError(
                f"no point of a tag named {text}: {did_you_mean(text, {p.tag for _, p, _ in points}) or '`bessplc io` lists them'}"
            )
    return [chosen for chosen in points if any(_fits(pattern, chosen[1], site) for pattern in patterns.values())]


def _listed(known: Iterable[str]) -> str:
    return f"the devices are {', '.join(known) or 'none'}"


def _fits(pattern: re.Pattern[str], point: Point, site: Onlooker) -> bool:
    return bool(pattern.match(point.tag) or pattern.match(_name(point, site.tag(point.tag))))


def _name(point: Point, tag: Tag) -> str:
    return f"{tag.name}[{point.element + 1}]" if tag.length else tag.name


def point_lines(site: Onlooker, points: Iterable[tuple[Device, Point, str]]) -> Iterator[PointLine]:
    """The points as the newest snapshot has them."""
    for device, point, way in points:
        tag = site.tag(point.tag)
        value = site.snapshot.column(tag)[point.element].item()
        value = bool(value) if tag.type == "BOOL" else value
        age = site.age_of(tag) if way == IN else None
        code = site.quality(tag)
        raw = _on_the_wire(point, value) if quality.is_good(code) else None
        yield PointLine(_name(point, tag), tag, way, value, raw, code, age, device.name, str(point.address))


def _on_the_wire(point: Point, value: Any) -> float | int | None:
    """What stands on the wire for the value, where the address offers to say it."""
    raw = getattr(point.address, "raw", None)
    return None if raw is None else raw(value)


def as_json(site: Onlooker, points: Iterable[tuple[Device, Point, str]]) -> dict[str, Any]:
    """Everything, ready for JSON."""
    return {
        "site": site.site.name,
        "state": site.state,
        "scan": site.snapshot.scan,
        "outputs": site.outputs,
        "points": [
            {
                "tag": line.name,
                "direction": line.direction,
                "value": line.value,
                "unit": line.tag.unit,
                "raw": line.raw,
                "quality": quality.name(line.quality),
                "good": quality.is_good(line.quality),
                "age_s": None if line.age is None else round(line.age, 3),
                "device": line.device,
                "address": line.address,
            }
            for line in point_lines(site, points)
        ],
    }


def as_rows(site: Onlooker, points: Iterable[tuple[Device, Point, str]]) -> list[Row]:
    """One row a point under HEADS."""
    return [_row(line) for line in point_lines(site, points)]


def _row(line: PointLine) -> Sequence[Cell]:
    is_good = quality.is_good(line.quality)
    return (
        Cell(line.name, "bold"),
        Cell(line.direction, "cyan" if line.direction == OUT else ""),
        Cell(format_value(line.tag, line.value), "" if is_good else "dim"),
        Cell("" if line.raw is None else f"{line.raw:g}" if isinstance(line.raw, float) else str(line.raw)),
        Cell(quality.name(line.quality), "" if is_good else "red" if quality.is_bad(line.quality) else "yellow"),
        Cell("-" if line.age is None else f"{line.age * 1e3:.0f} ms" if line.age < 10 else f"{line.age:.0f} s"),
        Cell(line.device),
        Cell(line.address),
    )
