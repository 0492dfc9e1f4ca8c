"""How a block is written in a program: YAML made from its declaration and its example, which the checker must accept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from blocks.declare import BOOL, LREAL, TIME, BlockType, Pin, Type
from blocks.scan_table import Table
from runtime.reference.timing_diagram import short_time

TAG_NAMES = {"GOOD": "is_good"}  # `x.good` is the quality of x


@dataclass(frozen=True)
class Usage:
    """One instance as text, and the tags that it reads: name, type and unit of each."""

    text: str
    tags: tuple[tuple[str, str, str], ...]


def usage(block: BlockType) -> Usage:
    """The instance that the block's example runs: what the table drives comes from tags, what stays is written as a constant.

    Raises ValueError for a block without an example.
    """
    if block.example is None:
        raise ValueError(f"{block.name} has no example")
    table = Table(block, block.example)
    name = f"{block.name.lower()}1"
    lines, tags = [f"  {name}:", f"    type: {block.name}"], []
    for pin in block.inputs:
        type = table.type_of(pin.name)
        if pin.name in table.lines[0].given or (pin.required and pin.name not in table.params):
            length = table.length if pin.length == "N" else int(pin.length)
            tag = f"plant.{TAG_NAMES.get(pin.name, pin.name.lower())}"
            tags.append((tag, f"{type.name}[{length}]" if length else type.name, _unit(pin)))
            lines.append(f"    {pin.name}: {tag}{'[*]' if length else ''}")
        elif pin.name in table.params and (text := _constant(pin, type, table.params[pin.name])):
            lines.append(f"    {pin.name}: {text}")
    first = block.outputs[0] if block.outputs else None
    if first is not None:
        lines[0] += f"{' ' * max(1, 38 - len(lines[0]))}# read as {name}.{first.name}"
    return Usage("\n".join(["blocks:", *lines]), tuple(tags))


def _unit(pin: Pin) -> str:
    return "" if "{" in pin.unit else pin.unit


def _constant(pin: Pin, type: Type, value: Any) -> str:
    """The constant as an engineer writes it; empty where it has no text, as an infinite default."""
    if isinstance(value, (list, tuple)):
        parts = [_constant(pin, type, v) for v in value]
        return f"[{', '.join(parts)}]" if all(parts) else ""
    if type is BOOL:
        return "true" if value else "false"
    if type is TIME:
        text = short_time(int(value))
        digits = len(text.rstrip("nusmih"))
        return f"{text[:digits]} {text[digits:] or 'ms'}"
    if type is LREAL and not math.isfinite(value):
        return ""
    number = f"{float(value):.12g}" if type is LREAL else str(int(value))
    return f"{number} {_unit(pin)}".rstrip()
