"""Makes the drawing of a program from its checked network: what each box is, which wires it has, what they are named.

It must not know places, SVG or a running site.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from blocks.declare import BOOL, TIME, Pin
from runtime.graph import MARK, TAG, VALUE, Box, Chip, Drawing, End, Plug, Socket
from runtime.graph_tables import Tables
from runtime.graph_words import SYMBOLS, conversion, default_text, orders, tag_title, value_text
from runtime.graph_words import written as literal_as_written
from runtime.language.network import ALL, Cell, Constant, Draft, Feed, Listed, Node, Program, TagWrite, Wire
from runtime.language.pin_units import pin_type, pin_unit
from runtime.model import Site
from runtime.source import Text

MOST_PARTS = 64  # of a list on one pin; more are one chip


def draw_program(program: Program, draft: Draft, site: Site) -> Drawing:
    """The program as boxes, wires and tables."""
    return _Reading(program, draft, site).drawing()


class _Reading:
    """One program on its way into boxes."""

    def __init__(self, program: Program, draft: Draft, site: Site):
        self.program, self.draft, self.site = program, draft, site
        self.task, self.orders = orders(program.name, site)
        self.tables = Tables(program, draft)
        self.nodes = [node for node in program.nodes if node.name not in self.tables.owned]
        self.readers = _count_readers(program)
        self.boxes: dict[str, Box] = {}
        self.box_of: dict[str, str] = {}  # instance -> the box that shows it

    def drawing(self) -> Drawing:
        folded = {node.name for node in self.nodes if self._is_bubble(node)} | self._chain_links()
        for node in self.nodes:
            if node.name not in folded:
                self.boxes[node.name] = self._empty_box(node)
                self.box_of[node.name] = node.name
        for node in self.nodes:
            if node.name not in folded:
                self._wire_box(self.boxes[node.name], node)
        for write in self.program.writes:
            if not self.tables.owns_write(write):
                self._write(write)
        self._mark_readers()
        section = self.program.section
        description = section.get("description")
        ordered = dict(sorted(self.boxes.items(), key=lambda item: (item[1].order or 10**9, item[0])))
        text = str(description) if isinstance(description, Text) else ""
        return Drawing(self.program.name, text, self.task, ordered, self.tables.grids(), self.tables.charts())

    # --- boxes ----------------------------------------------------------------------------------------------------

    def _is_bubble(self, node: Node) -> bool:
        """Whether it is a `not` within an expression that one pin reads: a small circle at that pin, as in IEC 61131-3."""
        return "#" in node.name and node.block.name == "NOT" and self.readers.get(node.name, []) == ["pin"] and not node.count

    def _chain_links(self) -> set[str]:
        """`a and b and c` is one box of three inputs: the links of such chains, each read by the next only."""
        links: set[str] = set()
        for node in self.nodes:
            fold = node.block.fold
            before = node.feeds.get(fold[0]) if fold else None
            if (
                isinstance(before, Wire)
                and before.node.block is node.block
                and before.node.name in self.readers
                and "#" in before.node.name
                and len(self.readers[before.node.name]) == 1
                and before.node.name not in self.tables.owned
                and not before.last
            ):
                links.add(before.node.name)
        return links

    def _empty_box(self, node: Node) -> Box:
        is_part = "#" in node.name
        plain = node.name.removeprefix(f"{self.program.name}.")
        order, said = self.orders.get(f"{node.name}[1]" if node.count else node.name, (0, ""))
        symbol = SYMBOLS.get(node.block.name)
        picked = f" ({node.chosen})" if node.chosen is not None and not is_part else ""
        title = "\n".join([f"{node.name}: {node.block.name}{picked}", node.block.doc.split("\n")[0], said])
        box = Box(
            node.name, plain, node.block.name, "operator" if is_part else "block", title, order, node.count, names=[node.name]
        )
        if is_part:
            box.type = symbol or conversion(node) or node.block.name
        plain_output = is_part and len(node.block.outputs) == 1
        for pin in node.block.outputs:
            box.outputs.append(Plug("" if plain_output else pin.name, _path(node, pin), *self._said(node, pin)))
        return box

    def _said(self, node: Node, pin: Pin) -> tuple[str, str]:
        """The pin's line for the pointer, and its unit."""
        unit = pin_unit(node, pin)
        text = unit.text if unit else "s" if pin_type(node, pin) is TIME else ""
        of = f", {unit.text}" if unit and unit.text else ""
        return f"{node.name}.{pin.name}: {pin_type(node, pin)}{of}\n{pin.doc}", text

    def _wire_box(self, box: Box, node: Node) -> None:
        is_fold = node.block.fold is not None and bool(node.feeds)
        if is_fold and self._absorbs(node):
            for number, (owner, pin, feed) in enumerate(self._operands(node, box), 1):
                self._add_sockets(box, owner, pin, feed, "" if box.kind == "operator" else f"IN{number}")
        else:
            shown = node.block.inputs[:1] if box.kind == "operator" and conversion(node) else node.block.inputs
            is_plain = box.kind == "operator" and (node.block.name in SYMBOLS or len(shown) == 1)
            for pin in shown:
                if pin.name in node.feeds:
                    label = "" if is_plain else pin.name
                    self._add_sockets(box, node, pin, node.feeds[pin.name], label)
        left = [pin for pin in node.block.inputs if pin.name not in node.feeds]
        if left and box.kind == "block":
            box.defaults = f"+{len(left)} at defaults"
            box.defaults_title = "\n".join(f"{pin.name} = {default_text(pin)}: {pin.doc}" for pin in left)

    def _absorbs(self, node: Node) -> bool:
        assert node.block.fold is not None
        before = node.feeds.get(node.block.fold[0])
        return isinstance(before, Wire) and before.node.name in self._links

    @property
    def _links(self) -> set[str]:
        cached = self.__dict__.get("_links_found")
        if cached is None:
            cached = self.__dict__["_links_found"] = self._chain_links()
        return cached

    def _operands(self, node: Node, box: Box) -> list[tuple[Node, Pin, Feed]]:
        """What a chain of equal blocks takes together, the first link first."""
        assert node.block.fold is not None
        first, second, _ = node.block.fold
        spine = [node]
        while isinstance(before := spine[-1].feeds.get(first), Wire) and before.node.name in self._links:
            spine.append(before.node)
        box.names += [link.name for link in spine[1:]]
        box.title += "\n" + "\n".join(f"with {link.name}" for link in spine[1:])
        by_name = node.block._by_name
        found = [(spine[-1], by_name[first], spine[-1].feeds[first])]
        found += [(link, by_name[second], link.feeds[second]) for link in reversed(spine)]
        return found

    def _add_sockets(self, box: Box, node: Node, pin: Pin, feed: Feed, label: str) -> None:
        """One socket for a feed; one for each part where a list is written."""
        title, _ = self._said(node, pin)
        path = _path(node, pin)
        if isinstance(feed, Listed) and not isinstance(feed.text, Text) and len(feed.feeds) <= MOST_PARTS:
            for number, part in enumerate(feed.feeds, 1):
                box.inputs.append(self._socket(f"{label or pin.name}[{number}]", f"{path}[{number}]", title, part, node, pin, box))
            return
        box.inputs.append(self._socket(label, path, title, feed, node, pin, box))

    def _socket(self, label: str, path: str, title: str, feed: Feed, node: Node, pin: Pin, box: Box) -> Socket:
        is_negated = False
        while isinstance(feed, Wire) and self._is_bubble(feed.node) and feed.node.name not in self.tables.owned and not feed.last:
            is_negated = not is_negated
            box.names.append(feed.node.name)
            title += f"\nnegated by {feed.node.name}"
            feed = next(iter(feed.node.feeds.values()))
        return Socket(label, path, title, self._source(feed, node, pin), is_negated)

    # --- feeds ----------------------------------------------------------------------------------------------------

    def _source(self, feed: Feed, node: Node | None, pin: Pin | None) -> End | Chip:
        if isinstance(feed, Wire):
            return self._wire(feed)
        if isinstance(feed, Cell):
            return self._tag_chip(feed)
        if isinstance(feed, Listed):
            text = str(feed.text) if isinstance(feed.text, Text) else f"{len(feed.feeds)} values"
            return Chip(VALUE, text, f"{len(feed.feeds)} values")
        return Chip(VALUE, self._literal(feed, node, pin))

    def _wire(self, feed: Wire) -> End | Chip:
        node = feed.node
        part = f"[{feed.row + 1}]" if feed.row != ALL else "[*]" if node.count else ""
        element = f"[{feed.element + 1}]" if feed.element != ALL else ""
        plain = node.name.removeprefix(f"{self.program.name}.")
        if feed.last or node.name not in self.box_of:
            name = f"{plain}{part}.{feed.pin.name}{element}"
            shown = self.tables.name_of(node, feed.pin.name) or name
            old = "last " if feed.last else ""
            row = f"[{max(feed.row, 0) + 1}]" if node.count else ""
            title = f"{self._said(node, feed.pin)[0]}" + ("\nthe value of one scan ago" if feed.last else "")
            return Chip(
                MARK,
                old + shown,
                title,
                f"{node.name}{row}.{feed.pin.name}",
                max(feed.element + 1, 0),
                letters=_letters(pin_type(node, feed.pin)),
            )
        box = self.boxes[self.box_of[node.name]]
        base = next(i for i, pin in enumerate(node.block.outputs) if pin.name == feed.pin.name)
        if feed.row == ALL and feed.element == ALL:
            return End(box.name, base)
        label = f"{feed.pin.name}{element}" if feed.row == ALL else f"{part}.{feed.pin.name}{element}"
        found = next((i for i, plug in enumerate(box.outputs) if plug.label == label), None)
        if found is None:
            title, unit = self._said(node, feed.pin)
            row = f"[{max(feed.row, 0) + 1}]" if node.count else ""
            box.outputs.append(Plug(label, f"{node.name}{row}.{feed.pin.name}{element}", title, unit))
            found = len(box.outputs) - 1
        return End(box.name, found)

    def _tag_chip(self, feed: Cell) -> Chip:
        element = f"[{feed.element + 1}]" if feed.element != ALL else "[*]" if feed.tag.length and not feed.good else ""
        text = f"{'last ' if feed.last else ''}{feed.tag.name}{element}{'.good' if feed.good else ''}"
        letters = _letters(BOOL if feed.good else feed.tag.type)
        return Chip(TAG, text, tag_title(feed.tag), feed.tag.name, max(feed.element + 1, 0), feed.good, letters)

    def _literal(self, feed: Any, node: Node | None, pin: Pin | None) -> str:
        """As the engineer wrote it where it stands alone on its pin; else the number in the pin's unit."""
        if node is not None and pin is not None and "#" not in node.name:
            written = literal_as_written(self.program.section, node, pin.name)
            if written:
                return written
        if not isinstance(feed, Constant):
            return "?"
        unit = pin_unit(node, pin) if node is not None and pin is not None else None
        type = pin_type(node, pin) if node is not None and pin is not None else None
        shown = [value_text(value, type.name if type else "") for value in dict.fromkeys(feed.values)]
        text = shown[0] if len(shown) == 1 else f"[{', '.join(shown[:4])}{', …' if len(shown) > 4 else ''}]"
        return f"{text} {unit.text}".rstrip() if unit else text

    def _mark_readers(self) -> None:
        """An output that a table reads says so: nobody looks for a wire that is not there."""
        for node in self.program.nodes:
            table = self.tables.table_of(node.name)
            for feed in [part for whole in node.feeds.values() for part in _parts(whole)] if table else []:
                if isinstance(feed, Wire) and feed.node.name in self.box_of:
                    end = self._wire(replace(feed, last=False))
                    assert isinstance(end, End)
                    plug = self.boxes[end.box].outputs[end.plug]
                    if all(chip.text != f"▸ {table}" for chip in plug.writes):
                        key = "" if plug.writes else plug.path
                        chip = Chip(MARK, f"▸ {table}", f"read by {table}", key, letters=_letters(pin_type(feed.node, feed.pin)))
                        plug.writes.append(chip)

    # --- tags that the program writes -------------------------------------------------------------------------------

    def _write(self, write: TagWrite) -> None:
        chip = Chip(
            TAG, write.name, tag_title(write.tag), write.tag.name, max(write.element + 1, 0), letters=_letters(write.tag.type)
        )
        feed = write.feed
        source = self._source(feed, None, None) if not isinstance(feed, Listed) else None
        if isinstance(source, End):
            self.boxes[source.box].outputs[source.plug].writes.append(chip)
            return
        parts = feed.feeds if isinstance(feed, Listed) and len(feed.feeds) <= MOST_PARTS else [feed]
        box = Box(f"={write.name}", "", "", "copy", f"{write.name} takes this value at the end of its program's turn")
        for number, part in enumerate(parts, 1):
            found = self._source(part, None, None)
            if isinstance(part, Constant) and isinstance(found, Chip):
                unit = write.tag.unit.text if write.tag.unit else ""
                type = write.tag.type.name if write.tag.type else ""
                found = Chip(VALUE, f"{value_text(part.values[0], type)} {unit}".rstrip())
            box.inputs.append(Socket("", f"={write.name}[{number}]", box.title, found))
        box.outputs.append(Plug("", f"={write.name}", box.title, writes=[chip]))
        self.boxes[box.name] = box


def _letters(type: Any) -> int:
    """The room of a live value."""
    return 5 if type is BOOL else 10


def _parts(feed: Feed) -> list[Feed]:
    return [one for part in feed.feeds for one in _parts(part)] if isinstance(feed, Listed) else [feed]


def _path(node: Node, pin: Pin) -> str:
    return f"{node.name}[1].{pin.name}" if node.count else f"{node.name}.{pin.name}"


def _count_readers(program: Program) -> dict[str, list[str]]:
    """Of each instance how it is read: `pin` for each pin that reads it in this scan, `write` for each tag."""
    found: dict[str, list[str]] = {}

    def note(feed: Feed, how: str) -> None:
        if isinstance(feed, Wire):
            found.setdefault(feed.node.name, []).append("last" if feed.last else how)
        elif isinstance(feed, Listed):
            for part in feed.feeds:
                note(part, how if not isinstance(feed.text, Text) else "list")

    for node in program.nodes:
        for feed in node.feeds.values():
            note(feed, "pin")
    for write in program.writes:
        note(write.feed, "write")
    return found
