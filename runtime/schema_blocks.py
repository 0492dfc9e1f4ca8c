"""Block declarations as JSON Schema: every pin with its sentence, unit, range, default. It must not know a program's sections."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from blocks.declare import BOOL, DINT, LINT, LREAL, REQUIRED, TIME, TYPES, BlockType, Pin
from runtime.language.instances import MOST
from runtime.reference.catalogue import first_line
from runtime.reference.usage import usage
from runtime.schema_values import Shape, described, text, truth, value, whole

TIMES = ((3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
MORE_OPERANDS = {"IN1": r"^IN(?:[3-9]|[1-9]\d+)$", "A": r"^[C-Z]$|^IN(?:[3-9]|[1-9]\d+)$"}
OWN_WORDS: Mapping[str, str] = {
    "type": "The block type: `bessplc blocks` lists the catalogue, `bessplc blocks NAME` describes one.",
    "count": "How many instances: `estimate[3].SOC` is one of them, `estimate[*].SOC` all.",
    "retain": "`true` keeps the whole state of the block over a restart.",
    "text": "What the block is for.",
}


def instance(blocks: Iterable[BlockType], defined: Mapping[str, Shape]) -> Shape:
    """One line of `blocks:`: its type, and by the type its pins. `defined` are the function blocks of the site's own."""
    known = sorted(blocks, key=lambda block: block.name)
    bodies = {block.name: body(block) for block in known} | dict(defined)
    pages = {block.name: _page(block) for block in known}
    types = {
        "type": "string",
        "enum": list(bodies),
        "errorMessage": "no block type has this name: `bessplc blocks` lists the catalogue",
        "enumDescriptions": [shape["description"] for shape in bodies.values()],
        "markdownEnumDescriptions": [pages.get(name, shape["description"]) for name, shape in bodies.items()],
    }
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": described(types, OWN_WORDS["type"])},
        "allOf": _by_letter(bodies),
        "defaultSnippets": [{"label": "block", "description": "a block of the catalogue", "body": {"type": "${1:TON}"}}],
    }


def _by_letter(bodies: Mapping[str, Shape]) -> list[Shape]:
    """The bodies behind the first letter of the type: a program of thousands of lines asks 26 questions a line, not hundreds."""
    letters: dict[str, list[str]] = {}
    for name in bodies:
        letters.setdefault(name[0], []).append(name)
    return [
        {
            "if": {"required": ["type"], "properties": {"type": {"pattern": f"^{letter}"}}},
            "then": {"allOf": [_if_type(name, bodies[name]) for name in names]},
        }
        for letter, names in sorted(letters.items())
    ]


def _if_type(name: str, shape: Shape) -> Shape:
    return {"if": {"required": ["type"], "properties": {"type": {"const": name}}}, "then": {"title": name, **shape}}


def body(block: BlockType) -> Shape:
    """The words and pins of an instance of this type."""
    pins = {pin.name: pin_shape(pin) for pin in block.inputs}
    return with_own_words(pins, [pin.name for pin in block.inputs if pin.required], first_line(block), block.fold)


def with_own_words(
    pins: Mapping[str, Shape],
    required: Iterable[str],
    sentence: str,
    fold: tuple[str, str, str] | None = None,
) -> Shape:
    """The pins of a block and the words that every block has."""
    own: dict[str, Shape] = {
        "type": {"type": "string"},  # its sentence stands beside the list of types: said twice it would be shown twice
        "count": whole(1, MOST, OWN_WORDS["count"]),
        "retain": truth(OWN_WORDS["retain"]),
        "text": text(OWN_WORDS["text"]),
    }
    shape: Shape = {
        "type": "object",
        "properties": {**own, **pins},
        "required": list(required),
        "additionalProperties": False,
        "description": sentence,
        "markdownDescription": sentence,
    }
    if fold is not None:
        shape["patternProperties"] = {MORE_OPERANDS[fold[0]]: pins[fold[1]]}
    return shape


def pin_shape(pin: Pin) -> Shape:
    """What may stand at an input: of its unit, within its range, one value or one for each element."""
    one = value(pin.element, "K" if pin.difference and pin.unit == "°C" else pin.unit, pin.min, pin.max)
    item = dict(one)
    shape: Shape = {**one, "type": [*one["type"], "array"], "items": item}  # a list: an array's elements, or one value an instance
    if isinstance(pin.length, int) and pin.length:
        shape["minItems"] = shape["maxItems"] = pin.length
    example = default_text(pin)
    if isinstance(example, str):  # as `default` the editor would write it in quotes
        shape["defaultSnippets"] = [{"label": example, "body": f"${{1:{example}}}"}]
    elif example is not None:
        shape["default"] = example
    facts = _facts(pin, example)
    shape["description"] = f"{pin.doc} ({facts})"
    lines = [f"**{pin.name}** `{facts}`", "", f"{pin.doc}."]
    if pin.names:
        lines += ["", "  \n".join(f"`{number}` {name}" for number, name in enumerate(pin.names))]
    shape["markdownDescription"] = "\n".join(lines)
    return shape


def _facts(pin: Pin, default: Any) -> str:
    """Type, unit, range and default, as far as the pin has them."""
    parts = [repr(pin.type), f"difference of {pin.unit}" if pin.difference else pin.unit]
    if pin.min is not None or pin.max is not None:
        low, high = (_end(end, pin) for end in (pin.min, pin.max))
        parts.append(f"{low} to {high}" if low and high else f"{low} or more" if low else f"{high} or less")
    if pin.required:
        parts.append("required")
    elif default is not None:
        parts.append(f"default {str(default).lower() if isinstance(default, bool) else default}")
    elif isinstance(pin.default, tuple):
        parts.append(f"default [{', '.join(f'{x:g}' for x in pin.default)}]")
    else:
        parts.append(f"default {pin.default}")
    return ", ".join(part for part in parts if part)


def _end(end: float | None, pin: Pin) -> str:
    if end is None:
        return ""
    return _time(int(end)) if pin.element is TIME else f"{end:g}"


def default_text(pin: Pin) -> Any:
    """The default as the engineer writes it: `25 °C`, `500 ms`, `true`; None where it cannot be written."""
    default = pin.default
    if default is REQUIRED or isinstance(default, tuple):
        return None
    return written(default, pin.element, pin.unit)


def written(number: Any, type: Any, measured: str) -> Any:
    """A number of a pin as text with its unit; None where there is no such text."""
    if type is BOOL:
        return bool(number)
    if type is TIME:
        return _time(int(number))
    if isinstance(number, float) and not math.isfinite(number):
        return None
    plain = int(number) if number == int(number) else float(number)
    if type is LREAL and measured and "{" not in measured and measured != "1":
        short = f"{plain:.12g}"
        return f"{short if float(short) == plain else repr(plain)} {measured}"
    return plain


def _time(ns: int) -> str:
    """Exactly this time, in the largest unit that has no fraction."""
    return "0 ms" if ns == 0 else next(f"{ns // size} {name}" for size, name in TIMES if ns % size == 0)


@cache
def _page(block: BlockType) -> str:
    """What hovering over the type shows: the law, the outputs and an example."""
    outputs = [f"- `{pin.name}` {pin.type!r} {pin.unit}: {pin.doc}" for pin in block.outputs]
    lines = [f"**{block.name}**: {block.doc}", "", "Outputs:", *outputs, "", f"*Source: {block.source}*"]
    if block.example:
        lines += ["", "```yaml", usage(block).text.rstrip(), "```"]
    return "\n".join(lines)


def function_block(sentence: str, inputs: Mapping[str, Mapping[Any, Any]]) -> Shape:
    """The pins of a function block that the site's own YAML defines."""
    pins, required = {}, []
    for name, words in inputs.items():
        type_name, measured = str(words.get("type", "LREAL")).partition("[")[0], str(words.get("unit", ""))
        kind: Any = TYPES.get(type_name.strip().upper(), LREAL)
        shape = value(kind, measured if kind in (LREAL, DINT, LINT) else "")
        said = f"{words.get('text', name)} ({', '.join(part for part in (str(words.get('type', '')), measured) if part)})"
        pins[name] = described({**shape, "type": [*shape["type"], "array"], "items": dict(shape)}, said)
        if "default" not in words:
            required.append(name)
    return with_own_words(pins, required, sentence)


__all__ = ["body", "function_block", "instance"]
