"""What unit a pin carries in one use of its block: declared, or taken from what is wired (`{IN}/s`). It must not know wires."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from blocks.declare import BOOL, INPUT, TIME, AnyType, BlockType, Pin, Type
from runtime.language.network import Node
from runtime.language.units import KELVIN, NUMBER, Unit, difference, product, unit

_PART = re.compile(r"([*/]?)(?:\{(\w+)\}|([^*/{}]+))")


@dataclass(frozen=True, slots=True)
class Template:
    """A declared unit: `fixed`, or that of a variable, or a product of powers of both."""

    fixed: Unit | None
    variable: str
    parts: tuple[tuple[Unit | str, int], ...] = ()


@cache
def template(text: str) -> Template:
    """The meaning of a pin's `unit`. Raises ValueError where it is written wrong: the block's author sees it at once."""
    if "{" not in text:
        fixed = unit(text)
        if fixed is None:
            raise ValueError(f"a block declares the unit `{text}`, which does not exist")
        return Template(fixed, "")
    parts: list[tuple[Unit | str, int]] = []
    for sign, variable, word in _PART.findall(text):
        measured = unit(word) if word else None
        if word and measured is None:
            raise ValueError(f"a block declares the unit `{text}`, and `{word}` does not exist")
        parts.append((variable or measured or NUMBER, -1 if sign == "/" else 1))
    if len(parts) == 1 and isinstance(parts[0][0], str) and parts[0][1] == 1:
        return Template(None, parts[0][0])
    return Template(None, "", tuple(parts))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checker asks about a block type again and again."""

    any_type: AnyType | None
    any_inputs: tuple[str, ...]
    array_inputs: tuple[str, ...]  # those of free length
    variables: tuple[tuple[str, tuple[str, ...]], ...]  # unit variable -> inputs that carry exactly it, its own pin first
    has_length: bool
    factors: frozenset[str]  # unit variables that an output multiplies or divides


@cache
def facts(block: BlockType) -> Facts:
    """The facts of a block type."""
    carriers: dict[str, list[str]] = {}
    for pin in block.inputs:
        variable = template(pin.unit).variable
        if variable:
            names = carriers.setdefault(variable, [])
            names.insert(0 if pin.name == variable else len(names), pin.name)
    anys = tuple(p.name for p in block.inputs if isinstance(p.element, AnyType))
    free = tuple(p.name for p in block.inputs if p.length == "N")
    products = (template(pin.unit).parts for pin in block.outputs)
    factors = frozenset(part for parts in products for part, _ in parts if isinstance(part, str))
    return Facts(block.any_type, anys, free, tuple((v, tuple(p)) for v, p in carriers.items()), block.has_length, factors)


def pin_type(node: Node, pin: Pin) -> Type:
    """The type of the pin's cells in this use."""
    element = pin.element
    if isinstance(element, AnyType):
        return node.chosen or element.choices[0]
    return element


def pin_unit(node: Node, pin: Pin) -> Unit | None:
    """The unit of the pin in this use; None where it has none or takes any."""
    declared = template(pin.unit)
    if declared.fixed is not None:
        return None if pin.element in (BOOL, TIME) else declared.fixed
    if node.chosen in (BOOL, TIME) and isinstance(pin.element, AnyType):
        return None
    if declared.variable:
        if node.block.name == "SUB" and pin.kind != INPUT and "difference" in node.units:
            return KELVIN
        bound = node.units.get(declared.variable)
        return difference(bound) if bound is not None and pin.difference and pin.kind != INPUT else bound
    found: list[tuple[Unit, int]] = []
    for part, power in declared.parts:
        measured = node.units.get(part) if isinstance(part, str) else part
        if measured is None:
            return None
        found.append((measured, power))
    return product(found)


def is_difference(node: Node, pin: Pin) -> bool:
    """Whether the pin carries a difference of temperatures even where its unit is °C: a deadband, or a term of a sum."""
    return node.block.name in ("ADD", "SUB") or pin.difference
