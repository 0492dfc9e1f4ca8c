"""The block catalogue as people and scripts read it, straight from the declarations."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from blocks.declare import INPUT, VAR, BlockType, Pin


def list_all(blocks: Iterable[BlockType]) -> str:
    """One line a block, by the file that declares it."""
    lines = []
    ordered = sorted(blocks, key=lambda b: (b.module, b.name))
    width = max(len(b.name) for b in ordered)
    for module, members in groupby(ordered, key=lambda b: b.module):
        lines.append(f"{module.removeprefix('blocks.')}:")
        lines += [f"  {b.name:{width}}  {_first_line(b)}" for b in members]
    return "\n".join(lines)


def describe(block: BlockType) -> str:
    """Everything the declaration says about one block."""
    lines = [f"{block.name}: {block.doc}", "", f"source: {block.source}", f"file:   {block.module.replace('.', '/')}.py", ""]
    shown = [(pin, _facts(pin)) for pin in block.pins if pin.kind != VAR]
    widths = [max(len(str(x)) for x in column) for column in zip(*((p.name, repr(p.type), f) for p, f in shown), strict=True)]
    for pin, facts in shown:
        arrow = "->" if pin.kind != INPUT else "  "
        lines.append(f"  {arrow} {pin.name:{widths[0]}}  {pin.type!r:{widths[1]}}  {facts:{widths[2]}}  {pin.doc}")
    if block.fold:
        lines += ["", f"takes any number of operands: {block.fold[0]}, {block.fold[1]}, ..."]
    return "\n".join(lines)


def as_dict(block: BlockType) -> dict[str, Any]:
    """The declaration as plain data, for JSON."""
    pins = [
        {
            "name": p.name,
            "kind": p.kind,
            "type": repr(p.type),
            "unit": p.unit,
            "doc": p.doc,
            "required": p.required,
            "default": None if p.required or p.kind != INPUT else p.default,
            "min": p.min,
            "max": p.max,
            "names": list(p.names),
        }
        for p in block.pins
    ]
    return {"name": block.name, "doc": block.doc, "source": block.source, "module": block.module, "pins": pins}


def _first_line(block: BlockType) -> str:
    return block.doc.split("\n", 1)[0]


def _facts(pin: Pin) -> str:
    parts = [pin.unit]
    if pin.min is not None or pin.max is not None:
        parts.append(f"{'' if pin.min is None else f'{pin.min:g}'}..{'' if pin.max is None else f'{pin.max:g}'}")
    if pin.kind == INPUT:
        parts.append("required" if pin.required else f"= {_default(pin)}")
    return " ".join(p for p in parts if p)


def _default(pin: Pin) -> str:
    if isinstance(pin.default, tuple):
        return "[" + " ".join(f"{x:g}" for x in pin.default) + "]"
    return f"{pin.default:g}" if isinstance(pin.default, float) else str(pin.default)
