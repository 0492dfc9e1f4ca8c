"""`retain: true` on a block instance: a tag for each output and variable that is not volatile, which is what a restart puts back.

It must not know layout.
"""

from __future__ import annotations

from blocks.declare import INPUT
from runtime.language.feeds import unit_of
from runtime.language.network import Draft, Node, Program, TagDraft, Wire
from runtime.language.outputs import add_write
from runtime.language.pin_units import pin_type
from runtime.source import place_of


def keep_state(program: Program, draft: Draft) -> None:
    """Declare and write these tags for every such instance of a program whose wires are settled."""
    for node in list(program.nodes):
        if node.retain and not node.is_broken:
            for pin in node.block.pins:
                if pin.kind != INPUT and not pin.volatile:
                    _keep(node, Wire(node, pin), program, draft)


def _keep(node: Node, wire: Wire, program: Program, draft: Draft) -> None:
    pin = wire.pin
    cells = (node.length if pin.length == "N" else int(pin.length) or 1) * node.rows
    tag = TagDraft(
        f"{node.name}.{pin.name}",
        pin_type(node, pin),
        cells if pin.length or node.count else 0,
        unit=unit_of(wire),
        text=pin.doc,
        default=_default(node, wire, cells),
        retain=True,
        at=place_of(node.at),
        is_read=True,
        state_of=f"{node.name}[1].{pin.name}" if node.count else f"{node.name}.{pin.name}",
    )
    if draft.add_tag(tag) is tag:
        add_write(tag, wire.element, wire, node.at, program)


def _default(node: Node, wire: Wire, cells: int) -> object:
    """The first value as the tag holds it; an array of instances repeats the pin's."""
    first = wire.pin.default
    if isinstance(first, tuple):
        return tuple(first) * node.rows
    return tuple([first] * cells) if wire.pin.length or node.count else first
