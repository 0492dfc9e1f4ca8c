"""The shapes of values in JSON Schema: a quantity with its unit, a duration, a tag, an expression. It must not know a section.

A shape says all that it can with keywords that hold for one JSON type each (`minimum` for a bare number, `pattern` for a text), so
that an editor has one message for one mistake instead of a list of alternatives that do not fit. What it refuses the checker
refuses too, but for words in unusual case (`type: ton`); what needs the whole site (is there such a tag?) is for `bessplc check`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, AnyType, Type
from runtime.language.units import SIMPLE, conversion, unit

Shape = dict[str, Any]
NUMBER = r"[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_WORDS = "A-Za-zµΩ°%‰"
# what the language takes for a quantity and not for an expression: a number and one token that starts no operator
_LOOSE = rf"\s*{NUMBER}\s*[^\s\d.*/+\-<>=&,)(\[{{][^\s]*\s*$"
_SLIPS = r"==|!=|&&|\|\||:="
COMPOUND = rf"(?:1|[{_WORDS}]+)\^?-?\d?(?:[/*·](?:1|[{_WORDS}]+)\^?-?\d?)+|[{_WORDS}]+\^?-?\d"
LETTER, MORE = "A-Za-z_\u00b5-\uffff", "A-Za-z0-9_\u00b5-\uffff"
NAME = rf"^[{LETTER}][{MORE}]*$"
NAMES_OF_MANY = rf"^[{LETTER}{{][{MORE}]*(?:\{{[^{{}}]*\}}[{MORE}]*)*$"  # with `for:`, braces may stand in it
_END = r"(?:-?\d+|\$[a-z][a-z0-9_]*)"
FOR = rf"^\s*[^\s\d]\S*\s+in\s+(?:{_END}\s*\.\.\s*{_END}|\[\s*{_END}(?:\s*,\s*{_END})*\s*\])\s*$"
INDEX = r"(?:\[[^\]\s]+\])?"  # of one device of many; braces of `for:` may stand in it
TAG = rf"^[{LETTER}{{][{MORE}{{}}]*{INDEX}(?:\.[{LETTER}{{][{MORE}{{}}]*{INDEX})+$"
ANY: Shape = {"type": ["string", "number", "boolean", "object", "array", "null"]}
# a bare number is no time, but for 0; `errorMessage` is what yaml-language-server says then
NO_BARE_TIME: Shape = {
    "if": {"type": "number"},
    "then": {"const": 0, "errorMessage": "a time is written with its unit, such as `500 ms`"},
}
DURATION_UNITS = ("ns", "us", "µs", "ms", "s", "min", "h", "d")


def text(description: str = "", **more: Any) -> Shape:
    """One value of any kind, as written: YAML makes numbers and truths of some texts."""
    return described({"type": ["string", "number", "boolean"], **more}, description)


def described(shape: Shape, description: str) -> Shape:
    """The shape with its sentence, as plain text and as Markdown."""
    return {**shape, "description": description, "markdownDescription": description} if description else shape


def choice(words: Iterable[str], description: str = "", **more: Any) -> Shape:
    """One of a few words; `true` and `false` are YAML's own."""
    listed = [{"true": True, "false": False}.get(word, word) for word in words]
    return described({"enum": listed, **more}, description)


def truth(description: str = "", **more: Any) -> Shape:
    """`true` or `false`."""
    return described({"type": "boolean", **more}, description)


def whole(low: int | None, high: int | None, description: str = "", *, braces: bool = False) -> Shape:
    """A whole number within these ends; `braces`: also what a `for:` fills in."""
    ends = {key: end for key, end in (("minimum", low), ("maximum", high)) if end is not None}
    if not braces:
        return described({"type": "integer", **ends}, description)
    said = "a whole number"
    return described(
        {"type": ["integer", "string"], **ends, "pattern": r"^0x[0-9A-Fa-f]+$|\{", "patternErrorMessage": said}, description
    )


def duration(description: str = "", units: Iterable[str] = DURATION_UNITS, *, zero: bool = True) -> Shape:
    """A number and a unit of time; a bare number only where it is 0."""
    shape: Shape = {
        "type": ["string", "integer"] if zero else "string",
        "pattern": rf"^\s*\+?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*(?:{'|'.join(units)})\s*$|\{{",
        "patternErrorMessage": f"a duration: a number and one of {', '.join(units)}, such as `500 ms`",
    }
    if zero:
        shape |= NO_BARE_TIME
    return described(shape, description)


def counted(description: str) -> Shape:
    """`for: rack in 1..16`."""
    said = "`rack in 1..16`, `rack in 1..$racks` or `rack in [1, 2, 5]`"
    return described({"type": "string", "pattern": FOR, "patternErrorMessage": said}, description)


def list_of(item: Shape, description: str = "", **more: Any) -> Shape:
    """A list; one value alone is a list of one."""
    kinds = item.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    alone = {key: value for key, value in item.items() if key not in ("type", "description", "markdownDescription")}
    if "enum" in item:
        return described({"anyOf": [item, {"type": "array", "items": item}], **more}, description)
    return described({"type": [*kinds, "array"], **alone, "items": item, **more}, description)


def section(words: dict[str, Shape], description: str = "", required: Iterable[str] = (), **more: Any) -> Shape:
    """A section of `word: value` lines that knows no other words."""
    shape: Shape = {"type": "object", "properties": words, "additionalProperties": False, **more}
    if needed := list(required):
        shape["required"] = needed
    return described(shape, description)


def named(entry: Shape, description: str = "", names: str = NAME, **more: Any) -> Shape:
    """A section whose keys are names that the engineer chooses."""
    said = "letters, digits and _" if names in (NAME, NAMES_OF_MANY) else "a tag is `area.thing`"
    keys = {"pattern": names, "patternErrorMessage": said}
    return described({"type": "object", "propertyNames": keys, "additionalProperties": entry, **more}, description)


def value(type: Type | AnyType, measured: str = "", low: float | None = None, high: float | None = None) -> Shape:
    """What may feed a wire of this type and unit: a quantity, a tag, `instance.PIN`, or an expression."""
    if type is BOOL:
        low, high = 0, 1
    ends: Shape = {
        key: _number(end) for key, end in (("minimum", low), ("maximum", high)) if end is not None and math.isfinite(end)
    }
    if type is TIME:
        ends = NO_BARE_TIME
    quantity, said = _quantity(type, measured)
    beyond = _beyond(low, high, measured, is_time=type is TIME)
    refused = rf"(?!\s*(?:{'|'.join(beyond)})\s*$)" if beyond else ""
    pattern = rf"^(?!.*(?:{_SLIPS})){refused}(?:{quantity}|(?!{_LOOSE}).*\S.*$)"
    hint = f"{said}, a tag, `instance.PIN`, or an expression (`=` compares; `and`, `or`, `not`)"
    if beyond and type is not BOOL:
        hint = f"{said}{_range_text(low, high)}, a tag, `instance.PIN`, or an expression"
    return {"type": _kinds(type), **ends, "pattern": pattern, "patternErrorMessage": hint}


def _beyond(low: float | None, high: float | None, measured: str, *, is_time: bool) -> list[str]:
    """Patterns of quantities outside the range: negative ones where none may be, and in the pin's own unit also numbers."""
    found = []
    if low is not None and low >= 0:
        found.append(rf"-\s*(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*(?:[{_WORDS}][^\s]*)?")
    own = None if is_time or "{" in measured else re.escape(measured)
    if own is not None and low is not None and low < 0 and low == int(low):
        found.append(rf"-\s*{_above(-int(low))}\s*(?:{own})?")
    if own is not None and high is not None and math.isfinite(high) and high >= 0 and high == int(high):
        found.append(rf"\+?\s*{_above(int(high))}\s*(?:{own})?")
    return found


def _above(end: int) -> str:
    """A pattern of the decimal numbers, written without exponent, that are greater than this whole one."""
    digits = str(end)
    more = [rf"[1-9]\d{{{len(digits)},}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            more.append(rf"{digits[:place]}[{int(digit) + 1}-9]\d{{{len(digits) - place - 1}}}")
    fraction = r"(?:\.\d*)?"
    return rf"0*(?:(?:{'|'.join(more)}){fraction}|{digits}\.\d*[1-9]\d*)"


def _range_text(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    return f", {low:g} or more" if low is not None else f", {high:g} or less"


def _kinds(type: Type | AnyType) -> list[str]:
    if isinstance(type, AnyType):
        return ["string", "number", "boolean"] if BOOL in type.choices else ["string", "number"]
    return {BOOL: ["string", "boolean", "integer"], LREAL: ["string", "number"]}.get(type, ["string", "integer"])


def _quantity(type: Type | AnyType, measured: str) -> tuple[str, str]:
    """The pattern of a quantity that fits, and how it is called."""
    if type is BOOL:
        return "[^\\s\\S]", "`true` or `false`"
    if isinstance(type, AnyType) or (not measured and type in (DINT, LINT)):
        return rf"\s*{NUMBER}\s*(?:{_any_unit()})?\s*$", "a number, with its unit where it has one"
    if type is TIME:
        return rf"\s*{NUMBER}\s*(?:{'|'.join(_fitting('s'))})\s*$", "a time such as `500 ms`"
    if "{" in measured:  # that of another pin
        return rf"\s*{NUMBER}\s*(?:{_any_unit()})?\s*$", "a number and its unit"
    fitting = "|".join(re.escape(one).replace("/", "[/]") for one in _fitting(measured))
    said = f"a value in {measured}" if measured else "a number"
    return rf"\s*{NUMBER}\s*(?:{fitting}|{COMPOUND})?\s*$", said


@cache
def _fitting(measured: str) -> tuple[str, ...]:
    """The units that convert into this one, longest first."""
    target = unit(measured)
    assert target is not None, measured
    return tuple(sorted((name for name, one in SIMPLE.items() if name and conversion(one, target)), key=len, reverse=True))


@cache
def _any_unit() -> str:
    simple = "|".join(sorted((name for name in SIMPLE if name), key=len, reverse=True))
    return f"{COMPOUND}|{simple}"


def unit_word(description: str = "") -> Shape:
    """A unit as the language writes them."""
    return described(
        {
            "type": ["string", "integer"],
            "minimum": 1,
            "maximum": 1,
            "pattern": rf"^(?:{_any_unit()})$",
            "patternErrorMessage": "no unit is written so; for example V, A, kW, kvar, %, °C, Hz, s, kWh, kW/s",
            "examples": ["V", "A", "kW", "kvar", "kVA", "%", "°C", "Hz", "s", "h", "kWh", "Ah"],
        },
        description,
    )


def _number(end: float) -> float | int:
    return int(end) if end == int(end) else end
