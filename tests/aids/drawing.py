"""A drawing as a reader of the SVG sees it: boxes, pins, chips and wires with their places, found in the XML alone."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from itertools import combinations, pairwise

SPACE = "{http://www.w3.org/2000/svg}"
Rect = tuple[float, float, float, float]  # left, top, right, bottom
Point = tuple[float, float]


@dataclass
class Seen:
    """What stands in the picture."""

    root: ET.Element
    bodies: dict[str, Rect] = field(default_factory=dict)
    chips: list[tuple[str, Rect]] = field(default_factory=list)
    pins: dict[str, Point] = field(default_factory=dict)  # outputs and inputs by path
    wires: list[tuple[str, str, list[Point]]] = field(default_factory=list)
    instances: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    words: str = ""


def look(text: str) -> Seen:
    """Read a picture. Raises ParseError where it is no XML."""
    seen = Seen(ET.fromstring(text))
    seen.words = "\n".join(filter(None, (part.text for part in seen.root.iter())))
    for group in seen.root.iter(f"{SPACE}g"):
        seen.instances |= set(group.get("data-instances", "").split())
        seen.tags |= set(group.get("data-tags", "").split())
        if group.get("data-tag"):
            seen.tags.add(group.get("data-tag", ""))
        if group.get("data-box"):
            body = next(r for r in group.iter(f"{SPACE}rect") if r.get("class") == "body")
            seen.bodies[group.get("data-box", "")] = rect_of(body)
        if group.get("data-pin"):
            port = next(c for c in group.iter(f"{SPACE}circle") if c.get("class") == "port")
            side = ">" if "out" in group.get("class", "") else "<"
            seen.pins[side + group.get("data-pin", "")] = (float(port.get("cx", 0)), float(port.get("cy", 0)))
        if (
            "chip" in group.get("class", "").split()
            and group.find(f"{SPACE}rect") is not None
            and group.find(f"{SPACE}title") is not None
        ):
            seen.chips.append((group.get("data-tag") or group.get("data-text", ""), rect_of(group.find(f"{SPACE}rect"))))
    seen.tags |= {text.get("data-tag", "") for text in seen.root.iter(f"{SPACE}text") if text.get("data-tag")}
    for path in seen.root.iter(f"{SPACE}path"):
        if path.get("data-from"):
            seen.wires.append((path.get("data-from", ""), path.get("data-to", ""), points_of(path.get("d", ""))))
    return seen


def rect_of(rect: ET.Element | None) -> Rect:
    assert rect is not None
    x, y, width, height = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def points_of(line: str) -> list[Point]:
    """The corners of a path of M, H and V."""
    points: list[Point] = []
    for sign, numbers in re.findall(r"([MHV])([^MHV]+)", line):
        values = [float(number) for number in numbers.split()]
        points.append(
            (values[0], values[1]) if sign == "M" else (values[0], points[-1][1]) if sign == "H" else (points[-1][0], values[0])
        )
    return points


def overlaps(rects: list[tuple[str, Rect]]) -> list[tuple[str, str]]:
    """The pairs that share more than an edge."""
    return [(a, b) for (a, p), (b, q) in combinations(rects, 2) if p[0] < q[2] and q[0] < p[2] and p[1] < q[3] and q[1] < p[3]]


def cuts(points: list[Point], rect: Rect) -> bool:
    """Whether a line runs through the inside of a rectangle."""
    left, top, right, bottom = rect
    return any(
        min(a[0], b[0]) < right and max(a[0], b[0]) > left and min(a[1], b[1]) < bottom and max(a[1], b[1]) > top
        for a, b in pairwise(points)
    )
