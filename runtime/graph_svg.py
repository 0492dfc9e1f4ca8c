"""Writes a drawing that stands on paper as SVG: boxes, pins, chips and wires; light or dark as the viewer wants it.

It must not know how places were found. All text is text, so that it can be selected and searched. Each element begins a line and
ends one: the HMI (hmi/static/diagram_sheet.js) takes a large picture apart by its lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from runtime.graph import TAG, VALUE, Chip, Drawing, End, Plug, Socket
from runtime.graph_paper import BRANCH, LETTER, STUB, Shape, chip_width, cut, put_on_paper, width_of
from runtime.graph_routing import Point, Route
from runtime.graph_style import STYLE
from runtime.graph_tables_svg import draw_tables, marks_of

BORDER, TOP, BETWEEN = 30, 102, 48
CHIP = 16
LIVE_LETTERS = 10  # of the small value beside an output


def svg(drawing: Drawing, values: Any = None, style: str = STYLE) -> str:
    """The whole picture; with values of a running site, or the names behind them, where they are given."""
    live = values is not None
    paper = put_on_paper(drawing, live)
    tables, width, height = draw_tables(drawing, values, BORDER, TOP + paper.height + BETWEEN)
    head = f"{drawing.program}  —  task {drawing.task}, {len(drawing.boxes)} blocks" + (
        f"  —  {values.title}" if live and values.title else ""
    )
    wide = max(paper.width, width, width_of(head + drawing.description[:110]), 600) + 2 * BORDER
    high = TOP + paper.height + (BETWEEN + height if height else 0) + BORDER
    body = "\n".join(_diagram(paper.shapes, paper.routes, values))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">',
            f"<title>{escape(drawing.program)}: {escape(drawing.description)}</title>",
            f"<style>{style}</style>",
            f'<rect class="paper" x="0" y="0" width="{wide}" height="{high}"/>',
            f'<text class="head" x="{BORDER}" y="36">{escape(drawing.program)}</text>',
            f'<text class="sub" x="{BORDER}" y="56">{escape(drawing.description)}</text>',
            f'<text class="sub" x="{BORDER}" y="72">{escape(head.partition("  —  ")[2])}</text>',
            f'<g transform="translate({BORDER},{TOP})">',
            body,
            "</g>",
            *tables,
            "</svg>\n",
        ]
    )


def _diagram(shapes: Iterable[Shape], routes: Iterable[Route], values: Any) -> Iterable[str]:
    """The wires first, so that every box lies over them."""
    by_name = {shape.box.name: shape for shape in shapes}
    nets: dict[tuple[str, int], list[Route]] = {}
    for route in routes:
        nets.setdefault((route.source, route.out), []).append(route)
    for (source, out), ways in nets.items():
        plug = by_name[source].box.outputs[out]
        shown = values.of_plug(plug) if values is not None else None
        state, marks = (f" {shown.state}" if shown is not None else ""), marks_of(shown)
        for way in ways:
            yield _wire(way, plug, by_name[way.target].box.inputs[way.into], state, marks)
        for x, y in _junctions(ways):
            yield f'<circle class="dot{state}"{marks} cx="{x}" cy="{y}" r="2.5"/>'
    for shape in by_name.values():
        yield from _box(shape, values)


def _wire(way: Route, plug: Plug, socket: Socket, state: str, marks: str) -> str:
    (x, y), *rest = way.points
    line = f"M{x} {y}" + "".join(f"H{b[0]}" if b[1] == a[1] else f"V{b[1]}" for a, b in zip(way.points, rest, strict=False))
    title = escape(f"{plug.path} → {socket.path}")
    ends = f'data-from="{escape(plug.path)}" data-to="{escape(socket.path)}"'
    return f'<path class="wire{state}" {ends}{marks} d="{line}"><title>{title}</title></path>'


def _junctions(ways: list[Route]) -> list[Point]:
    """Where a wire leaves its siblings: points of one output's lines from which ink goes in three directions."""
    if len(ways) < 2:
        return []
    lines = {(a, b) for way in ways for a, b in zip(way.points, way.points[1:], strict=False) if a != b}
    points = sorted({point for line in lines for point in line})
    return [point for point in points if len({d for line in lines for d in _directions(point, line)}) > 2]


def _directions(point: Point, line: tuple[Point, Point]) -> list[str]:
    (x, y), ((ax, ay), (bx, by)) = point, line
    low, high = (min(ax, bx), min(ay, by)), (max(ax, bx), max(ay, by))
    if not (low[0] <= x <= high[0] and low[1] <= y <= high[1]):
        return []
    pairs = (("left", low[0] < x), ("right", x < high[0]), ("up", low[1] < y), ("down", y < high[1]))
    return [name for name, goes in pairs if goes]


# --- boxes --------------------------------------------------------------------------------------------------------------


def _box(shape: Shape, values: Any) -> Iterable[str]:
    box = shape.box
    names = escape(" ".join(box.names))
    yield f'<g class="{box.kind}" data-box="{escape(box.name)}" data-instances="{names}">'
    yield f"<title>{escape(box.title)}</title>"
    place = f'x="{shape.x}" y="{shape.y}" width="{shape.width}" height="{shape.height}"'
    if box.count:
        yield f'<rect class="behind" x="{shape.x + 4}" y="{shape.y - 4}" width="{shape.width}" height="{shape.height}" rx="3"/>'
    yield f'<rect class="body" {place} rx="3"/>'
    middle = shape.x + shape.width / 2
    if box.order:
        yield f'<text class="order" x="{shape.x + shape.width}" y="{shape.y - (7 if box.count else 4)}">{box.order}</text>'
    if box.kind == "block":
        times = f'<tspan class="times"> ×{box.count}</tspan>' if box.count else ""
        yield f'<text class="name" x="{middle:g}" y="{shape.y + 15}">{escape(box.short)}{times}</text>'
        yield f'<text class="type" x="{middle:g}" y="{shape.y + 28}">{escape(box.type)}</text>'
    elif box.kind == "operator":
        y = shape.y + (13 if shape.head else shape.height / 2 + 4)
        yield f'<text class="symbol" x="{middle:g}" y="{y:g}">{escape(box.type)}</text>'
    else:
        yield f'<path class="arrow" d="M{shape.x} {shape.ins[0]}H{shape.x + shape.width}"/>'
    if box.defaults:
        text = f'<text class="rest" x="{shape.x + 7}" y="{shape.y + shape.height - 6}">{escape(box.defaults)}'
        yield f"{text}<title>{escape(box.defaults_title)}</title></text>"
    for socket, y in zip(box.inputs, shape.ins, strict=True):
        yield from _socket(shape, socket, y, values)
    for place_of, plug in enumerate(box.outputs):
        yield from _plug(shape, place_of, plug, values)
    yield "</g>"


def _socket(shape: Shape, socket: Socket, y: int, values: Any) -> Iterable[str]:
    x = shape.x
    yield f'<g class="in" data-pin="{escape(socket.path)}"><title>{escape(socket.title)}</title>'
    if socket.label:
        yield f'<text class="pin" x="{x + 6}" y="{y + 4}">{escape(socket.label)}</text>'
    yield f'<circle class="port" cx="{x}" cy="{y}" r="1.5"/></g>'
    if isinstance(socket.source, Chip):
        chip = socket.source
        state = _state(values, chip)
        width = chip_width(chip, values is not None)
        marks = marks_of(values.of_chip(chip)) if values is not None else ""
        yield f'<path class="wire stub{state}"{marks} d="M{x - STUB} {y}H{x}"/>'
        yield from _chip(chip, x - STUB - width, y, width, values)
    else:
        assert isinstance(socket.source, End)
    if socket.is_negated:
        yield f'<circle class="not" cx="{x - 4}" cy="{y}" r="4"><title>not</title></circle>'


def _plug(shape: Shape, place: int, plug: Plug, values: Any) -> Iterable[str]:
    x, y = shape.x + shape.width, shape.outs[place]
    shown = values.of_plug(plug) if values is not None else None
    state, marks = (f" {shown.state}" if shown is not None else ""), marks_of(shown)
    is_read = shape.wired[place] or bool(plug.writes)
    yield f'<g class="out{"" if is_read else " unread"}" data-pin="{escape(plug.path)}"><title>{escape(plug.title)}</title>'
    if plug.label:
        yield f'<text class="pin end" x="{x - 6}" y="{y + 4}">{escape(plug.label)}</text>'
    yield f'<circle class="port" cx="{x}" cy="{y}" r="1.5"/></g>'
    rows = shape.rows[place]
    for row in rows:
        bend = f"V{row}" if row != y else ""
        yield f'<path class="wire stub{state}"{marks} d="M{x} {y}H{x + BRANCH}{bend}H{x + STUB + BRANCH}"/>'
    if shape.wired[place] and rows:
        yield f'<circle class="dot{state}"{marks} cx="{x + BRANCH}" cy="{y}" r="2.5"/>'
    for chip, row in zip(plug.writes, rows, strict=True):
        yield from _chip(chip, x + STUB + BRANCH, row, chip_width(chip, values is not None), values)
    if shown is not None and (shape.wired[place] or not plug.writes) and shape.box.kind != "copy":
        at = (x + 11, y - 3) if shape.wired[place] else (x + 5, y + 3)
        marks = marks_of(shown, ("room", LIVE_LETTERS))
        yield f'<text class="live{state}"{marks} x="{at[0]}" y="{at[1]}">{escape(shown.text)}</text>'


def _state(values: Any, chip: Chip) -> str:
    shown = values.of_chip(chip) if values is not None else None
    return f" {shown.state}" if shown is not None else ""


def _chip(chip: Chip, x: int, y: int, width: int, values: Any) -> Iterable[str]:
    """A name or value; a tag in a frame, a mark in a dashed one. Its live value stands behind the name."""
    shown = values.of_chip(chip) if values is not None else None
    state = f" {shown.state}" if shown is not None else ""
    said = shown.text if shown is not None and not shown.marks else ""  # a title of a moment ago would be a lie
    title = "\n".join(text for text in (chip.title or chip.text, said, shown.words if shown else "") if text)
    name = f'data-{"tag" if chip.kind == TAG else "text"}="{escape(chip.key or chip.text)}"'
    yield f'<g class="chip {chip.kind}{state}" {name}{marks_of(shown)}>'
    yield f"<title>{escape(title)}</title>"
    if chip.kind != VALUE:
        yield f'<rect x="{x}" y="{y - CHIP // 2}" width="{width}" height="{CHIP}" rx="{8 if chip.kind == TAG else 2}"/>'
    if shown is None:
        at, anchor = (x + width - 4, " end") if chip.kind == VALUE else (x + 6, "")
        yield f'<text class="label{anchor}" x="{at}" y="{y + 4}">{escape(cut(chip.text))}</text>'
    else:
        yield f'<text class="label" x="{x + 6}" y="{y + 4}">{escape(cut(chip.text))}</text>'
        room = int((width - 14 - len(cut(chip.text)) * LETTER) / LETTER)
        text = shown.text if len(shown.text) <= room else shown.text[: max(1, room - 1)] + "…"
        marks = marks_of(shown, ("room", room))
        yield f'<text class="label value end"{marks} x="{x + width - 6}" y="{y + 4}">{escape(text)}</text>'
    yield "</g>"
