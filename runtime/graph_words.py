"""The words of a drawing: what a block, a value, a tag and a default are called, and when a block runs. It must not know boxes."""

from __future__ import annotations

from typing import Any

from blocks.declare import Pin
from runtime.language.network import Node
from runtime.language.pin_units import pin_unit
from runtime.model import Site
from runtime.source import Section, Text

SYMBOLS = {
    "GT": ">",
    "GE": "≥",
    "LT": "<",
    "LE": "≤",
    "EQ": "=",
    "NE": "≠",
    "ADD": "+",
    "SUB": "−",
    "MUL": "×",
    "DIV": "÷",
    "NEG": "−x",
    "AND": "AND",
    "OR": "OR",
    "XOR": "XOR",
    "NOT": "NOT",
    "ABS": "ABS",
    "MIN": "MIN",
    "MAX": "MAX",
    "MOD": "MOD",
    "R_TRIG": "rise",
    "F_TRIG": "fall",
}


def orders(program: str, site: Site) -> tuple[str, dict[str, tuple[int, str]]]:
    """The task of a program, and of each instance its place in the task with a sentence: `step 3 of 31, row 2`."""
    schedule = site.schedule
    task = next(t for t in schedule.tasks if program in t.programs)
    groups = schedule.groups[task.group_from : task.group_to]
    found: dict[str, tuple[int, str]] = {}
    place = 0
    for step, group in enumerate(groups, 1):
        for row, name in enumerate(group.instances, 1):
            place += 1
            said = f"runs as number {place} of task {task.name} (step {step} of {len(groups)}"
            found[name] = place, said + (f", row {row} of {group.rows})" if group.rows > 1 else ")")
    return task.name, found


def conversion(node: Node) -> str:
    """A conversion that the checker put on a wire, by what comes out; empty for any other block."""
    if node.block.name == "UNIT":
        unit = pin_unit(node, node.block.outputs[0])
        return f"→ {unit.text}" if unit else "UNIT"
    return f"→ {node.block.name[3:]}" if node.block.name.startswith("TO_") else ""


def written(section: Section, node: Node, pin: str) -> str:
    """What stands at the pin in the program's own `blocks:`, where it is a plain value."""
    blocks = section.get("blocks")
    words = blocks.get(str(node.at)) if isinstance(blocks, Section) else None
    text = words.get(pin) if isinstance(words, Section) and node.name.endswith(f".{node.at}") else None
    return str(text) if isinstance(text, Text) else ""


def value_text(value: Any, type: str = "") -> str:
    """A constant as a person writes it."""
    if type == "BOOL" or isinstance(value, bool):
        return "true" if value else "false"
    if type == "TIME":
        return f"{value / 1e9:g} s" if value >= 10**9 else f"{value / 1e6:g} ms"
    return f"{value:g}" if isinstance(value, float) else str(value)


def default_text(pin: Pin) -> str:
    default = pin.default
    if isinstance(default, tuple):
        return f"[{', '.join(map(str, default[:4]))}{', …' if len(default) > 4 else ''}]"
    type = getattr(pin.element, "name", "")
    return f"{value_text(default, type)} {'' if '{' in pin.unit else pin.unit}".rstrip()


def tag_title(tag: Any) -> str:
    unit = f", {tag.unit.text}" if tag.unit and tag.unit.text else ""
    length = f"[{tag.length}]" if tag.length else ""
    lines = [f"{tag.name}: {tag.type}{length}{unit}", tag.text, f"written by {tag.owner}" if tag.owner else ""]
    return "\n".join(line for line in lines if line)
