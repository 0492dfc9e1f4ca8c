"""The block catalogue as people and scripts read it, straight from the declarations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from blocks.declare import INPUT, VAR, BlockType, Pin
from runtime.reference.timing_diagram import diagram
from runtime.reference.usage import usage


def list_all(blocks: Iterable[BlockType], families: Mapping[str, str]) -> str:
    """One line a block, by family."""
    order = list(families)
    ordered = sorted(blocks, key=lambda b: (order.index(b.family), b.name))
    width = max(len(b.name) for b in ordered)
    lines = []
    for family, members in groupby(ordered, key=lambda b: b.family):
        lines += ["", f"{family}: {families[family]}"]
        lines += [f"  {b.name:{width}}  {first_line(b)}" for b in members]
    return "\n".join([*lines[1:], "", f"{len(ordered)} blocks; `bessplc blocks NAME` describes one"])


def describe(block: BlockType, width: int) -> str:
    """Everything the declaration says about one block, its example as YAML and as a timing diagram no wider than `width`."""
    lines = [f"{block.name}: {block.doc}", "", f"source: {block.source}", f"file:   {block.module.replace('.', '/')}.py", ""]
    visible = [(pin, pin_facts(pin)) for pin in block.pins if pin.kind != VAR]
    widths = [max(len(str(x)) for x in column) for column in zip(*((p.name, repr(p.type), f) for p, f in visible), strict=True)]
    for pin, facts in visible:
        arrow = "->" if pin.kind != INPUT else "  "
        lines.append(f"  {arrow} {pin.name:{widths[0]}}  {pin.type!r:{widths[1]}}  {facts:{widths[2]}}  {pin.doc}")
        if pin.names:
            listed = ", ".join(f"{i} {name}" for i, name in enumerate(pin.names))
            indent = " " * (7 + widths[0])
            lines += textwrap.wrap(listed, width, initial_indent=indent, subsequent_indent=indent)
    if block.fold:
        lines += ["", f"takes any number of operands: {block.fold[0]}, {block.fold[1]}, ..."]
    if block.example:
        lines += ["", "example:", "", textwrap.indent(usage(block).text, "  "), "", diagram(block, width)]
    return "\n".join(lines)


def as_dict(block: BlockType) -> dict[str, Any]:
    """The declaration as plain data, for JSON."""
    pins = [
        {
            "name": p.name,
            "kind": p.kind,
            "type": repr(p.type),
            "unit": p.unit,
            "difference": p.difference,
            "doc": p.doc,
            "required": p.required,
            "default": None if p.required or p.kind != INPUT else p.default,
            "min": p.min,
            "max": p.max,
            "names": list(p.names),
        }
        for p in block.pins
    ]
    return {
        "name": block.name,
        "family": block.family,
        "doc": block.doc,
        "source": block.source,
        "module": block.module,
        "pins": pins,
        "example": usage(block).text if block.example else None,
    }


def first_line(block: BlockType) -> str:
    """The sentence that a list shows."""
    return block.doc.split("\n", 1)[0]


def pin_facts(pin: Pin) -> str:
    """Unit, range and default of a pin, as far as it has them."""
    parts = [f"difference of {pin.unit}" if pin.difference else pin.unit]
    if (pin.min is not None or pin.max is not None) and not pin.names:
        parts.append(f"{'' if pin.min is None else f'{pin.min:g}'}..{'' if pin.max is None else f'{pin.max:g}'}")
    if pin.kind == INPUT:
        parts.append("required" if pin.required else f"= {_default(pin)}")
    return " ".join(p for p in parts if p)


def _default(pin: Pin) -> str:
    if isinstance(pin.default, tuple):
        return "[" + " ".join(f"{x:g}" for x in pin.default) + "]"
    return f"{pin.default:g}" if isinstance(pin.default, float) else str(pin.default)
