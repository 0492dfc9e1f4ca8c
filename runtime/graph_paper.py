"""Puts a drawing on paper: how large each box is, where it stands, where its pins and the names beside them are.

It must not know SVG or a running site, nor how layers and tracks are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runtime.graph import MARK, Box, Chip, Drawing, End
from runtime.graph_layout import FARTHEST, GRID, Item, arrange, layers_of
from runtime.graph_routing import Route, place_layers

ROW, HEAD = 18, 36
LETTER = 6.7  # of the monospaced 11 px letters in which all names are written
STUB, BRANCH = 12, 6
LONGEST = 46  # letters of a chip; the rest is shown where the pointer rests
LIVE = 60  # pixels of the small live value beside an output
PAPER, SPACE = 1500, 42


@dataclass(slots=True)
class Shape:
    """A box on paper. `ins` and `outs` are the heights of its pins, `rows` those of the tags that each output writes."""

    box: Box
    x: int
    y: int
    width: int
    height: int
    head: int
    ins: list[int]
    outs: list[int]
    rows: list[list[int]]
    wired: list[bool]


@dataclass(slots=True)
class Paper:
    """Boxes and wires with their places, in pixels."""

    shapes: list[Shape] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    width: int = 0
    height: int = 0


def width_of(text: str) -> int:
    """Pixels of a text, rounded up to the grid."""
    return GRID * -(-int(len(text) * LETTER + 0.999) // GRID)


def cut(text: str) -> str:
    """A text that fits into a chip."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def chip_width(chip: Chip, live: bool) -> int:
    """The room of a chip; a live one has its value behind the name."""
    return width_of(cut(chip.text)) + 12 + (width_of("x" * (chip.letters + 1)) if live and chip.key else 0)


def put_on_paper(drawing: Drawing, live: bool = False) -> Paper:
    """The boxes in layers, part beside part. What reads an output that stands very far away reads a mark."""
    wires = list(_wires(drawing))
    layer = layers_of(list(drawing.boxes), wires)
    for source, out, target, into in wires:
        if layer[target] - layer[source] > FARTHEST:
            _make_mark(drawing, source, out, target, into)
    wires = list(_wires(drawing))
    wired = {(source, out) for source, out, _, _ in wires}
    shapes = {name: _shape(box, [(name, i) in wired for i in range(len(box.outputs))]) for name, box in drawing.boxes.items()}
    items = [_item(shape, live) for shape in shapes.values()]
    paper = Paper()
    x = y = row = 0
    for part in arrange(items, wires):
        routes, width = place_layers(part, [wire for wire in wires if wire[0] in part.items])
        height = max(item.y + item.height for item in part.items.values())
        if x and x + width > PAPER:
            x, y, row = 0, y + row + SPACE, 0
        _move(part.items, x, y)
        paper.routes += [_moved(route, x, y) for route in routes]
        for item in part.items.values():
            if item.lane_of is None:
                _place(shapes[item.name], item)
        x, row = x + width + SPACE, max(row, height)
        paper.width = max(paper.width, x - SPACE)
    paper.height = y + row
    paper.shapes = list(shapes.values())
    return paper


def _wires(drawing: Drawing) -> Iterator[tuple[str, int, str, int]]:
    for name, box in drawing.boxes.items():
        for place, socket in enumerate(box.inputs):
            if isinstance(socket.source, End):
                yield socket.source.box, socket.source.plug, name, place


def _make_mark(drawing: Drawing, source: str, out: int, target: str, into: int) -> None:
    box = drawing.boxes[source]
    plug = box.outputs[out]
    text = f"{box.short}.{plug.label}" if plug.label else box.short
    drawing.boxes[target].inputs[into].source = Chip(MARK, text, plug.title, plug.path)


def _shape(box: Box, wired: list[bool]) -> Shape:
    """Size and pins, from the top left corner of the body."""
    head = {"block": HEAD, "copy": 0}.get(box.kind, ROW if any(socket.label for socket in box.inputs) else 0)
    ins = [head + ROW * i + ROW // 2 for i in range(len(box.inputs))]
    outs, rows, place = [], [], 0
    for plug, is_wired in zip(box.outputs, wired, strict=True):
        outs.append(head + ROW * place + ROW // 2)
        first = place + (1 if is_wired else 0)
        rows.append([head + ROW * (first + i) + ROW // 2 for i in range(len(plug.writes))])
        place = max(place + 1, first + len(plug.writes))
    lines = max(len(ins), place, 1)
    if box.kind == "operator" and not head and len(box.outputs) == 1:
        _centre_output(outs, rows, lines)
    foot = ROW if box.defaults else GRID if box.kind == "block" else 0
    return Shape(box, 0, 0, _body_width(box), head + ROW * lines + foot, head, ins, outs, rows, wired)


def _centre_output(outs: list[int], rows: list[list[int]], lines: int) -> None:
    """The output of an operator stands in its middle, as high as the grid allows."""
    down = GRID * ((ROW * lines // 2 - ROW // 2) // GRID)
    used = 1 + len(rows[0])
    if lines >= used:
        down = min(down, ROW * (lines - used))
        outs[0] += down
        rows[0] = [y + down for y in rows[0]]


def _body_width(box: Box) -> int:
    if box.kind == "copy":
        return 24
    left = max((len(socket.label) for socket in box.inputs), default=0)
    right = max((len(plug.label) for plug in box.outputs), default=0)
    title = (
        max(len(box.short) + (len(f" ×{box.count}") if box.count else 0), len(box.type)) if box.kind == "block" else len(box.type)
    )
    letters = max(title, left + right + 2 if left or right else 0, len(box.defaults) * 0.85)
    return width_of("x" * max(2, int(letters + 0.99))) + 18


def _item(shape: Shape, live: bool) -> Item:
    box = shape.box
    chips = [chip_width(s.source, live) for s in box.inputs if isinstance(s.source, Chip)]
    left = max(chips, default=0) + STUB if chips else STUB
    right = max([chip_width(chip, live) + STUB + BRANCH for plug in box.outputs for chip in plug.writes], default=0)
    if live and box.outputs and box.kind != "copy":
        right = max(right, LIVE)
    return Item(
        box.name, box.order or 10**9, left, shape.width, GRID * -(-right // GRID), shape.height, list(shape.ins), list(shape.outs)
    )


def _move(items: dict[str, Item], x: int, y: int) -> None:
    for item in items.values():
        item.x += x
        item.y += y


def _moved(route: Route, x: int, y: int) -> Route:
    return Route(route.source, route.out, route.target, route.into, tuple((a + x, b + y) for a, b in route.points))


def _place(shape: Shape, item: Item) -> None:
    shape.x, shape.y = item.x, item.y
    shape.ins = [y + item.y for y in shape.ins]
    shape.outs = [y + item.y for y in shape.outs]
    shape.rows = [[y + item.y for y in row] for row in shape.rows]
