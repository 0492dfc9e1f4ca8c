"""Which tag stands at which Modbus address, in which number format: as a YAML map says it. It knows no socket.

A map is `tag: {register: input 0, as: float32, words: big, scale: 0.1, bad: nan}`. The tables are coil and discrete (bits),
holding and input (registers); addresses are wire addresses from 0, so Modicon 40001 is `holding 0`. `tag[3]` is one element
of an array, the bare name all of them in a row; `tag.quality` is the status code (uint32) or its upper half (uint16, 0 = good),
`tag.good` a bit. A list of such lines puts a tag at several places. `scale` is the tag's value of one count. What stands in coil
and holding may be written, unless it says `write: false`. `bad: nan` shows a bad tag as NaN, or in an integer as SunSpec's "not
available" (0x8000, 0xFFFF ...); `bad: value` shows the value that the tag holds. Floats are nan and integers value where the
map does not say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtime.model import Tag
from runtime.source import NOWHERE, Position, Report, did_you_mean, place_of

COIL, DISCRETE, INPUT, HOLDING = "coil", "discrete", "input", "holding"
TABLES = (COIL, DISCRETE, INPUT, HOLDING)
VALUE, QUALITY, IS_GOOD = "value", "quality", "good"
LARGEST = 65536
# registers, NumPy code, and for integers what stands for "not available" (SunSpec)
FORMATS: dict[str, tuple[int, str, int]] = {
    "bool": (1, "u1", 0),
    "int16": (1, "i2", -0x8000),
    "uint16": (1, "u2", 0xFFFF),
    "int32": (2, "i4", -0x8000_0000),
    "uint32": (2, "u4", 0xFFFF_FFFF),
    "int64": (4, "i8", -(1 << 63)),
    "uint64": (4, "u8", (1 << 64) - 1),
    "float32": (2, "f4", 0),
    "float64": (4, "f8", 0),
}
USUAL = {"BOOL": "uint16", "DINT": "int32", "LINT": "int64", "TIME": "int64", "LREAL": "float32"}
WORDS = {
    "register": "the table and the wire address, such as `input 0`",
    "as": "the number format: " + ", ".join(name for name in FORMATS if name != "bool"),
    "words": "`big` (the high word first) or `little`",
    "scale": "the tag's value of one count, such as 0.1",
    "bad": "`nan` or `value`: what a bad tag shows",
    "write": "`false` where a coil or holding register is only for reading",
}
_NAME = re.compile(r"(?P<tag>.+?)(?:\[(?P<index>\d+|\*)\])?(?:\.(?P<part>quality|good))?\Z", re.IGNORECASE)
_PLACE = re.compile(r"(?P<table>[A-Za-z]+)\s+(?P<address>\d{1,9})\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the map: `count` elements of a tag from `element` (0-based) on, in a row from `address` on.

    `format` names a row of FORMATS; `little` puts the low word first.
    """

    tag: Tag
    part: str
    element: int
    count: int
    table: str
    address: int
    format: str
    little: bool = False
    scale: float = 1.0
    nan_when_bad: bool = False
    writable: bool = False
    at: Position = NOWHERE

    @property
    def width(self) -> int:
        """Addresses of one element."""
        return FORMATS[self.format][0]

    @property
    def end(self) -> int:
        return self.address + self.count * self.width

    @property
    def name(self) -> str:
        index = f"[{self.element + 1}]" if self.part == VALUE and self.tag.length > 1 and self.count == 1 else ""
        return f"{self.tag.name}{index}{'' if self.part == VALUE else '.' + self.part}"


def describe_map(section: Mapping[Any, Any], tags: Iterable[Tag], report: Report) -> tuple[Entry, ...]:
    """Read and check a map; all mistakes go to the report with their places, and their lines are left out."""
    known = {tag.name.lower(): tag for tag in tags}
    lines = [(key, line) for key, value in section.items() for line in (value if isinstance(value, list) else [value])]
    read = [_entry(key, line, known, report) for key, line in lines]
    entries = [entry for entry in read if entry is not None]
    _report_overlaps(entries, report)
    for entry in entries:
        _warn_where_it_overflows(entry, report)
    return tuple(entries)


def _entry(key: Any, value: Any, known: Mapping[str, Tag], report: Report) -> Entry | None:
    at = place_of(key)
    line: Mapping[Any, Any] = {"register": value} if isinstance(value, str) else value
    if not isinstance(line, Mapping):
        report.error(at, "E911", f"`{key}` needs a place", "", "write `{register: input 0, as: float32}`")
        return None
    for word in line:
        if word not in WORDS:
            report.error(
                place_of(word, at),
                "E912",
                f"a register has no `{word}`",
                did_you_mean(word, WORDS),
                *(f"{name}: {text}" for name, text in WORDS.items()),
            )
    named = _named(key, known, report)
    place = _place(line.get("register"), at, report)
    if named is None or place is None:
        return None
    tag, part, element, count = named
    table, address = place
    entry = Entry(tag, part, element, count, table, address, "bool" if table in (COIL, DISCRETE) else "uint16", at=at)
    for step in (_with_format, _with_scale, _with_write):
        checked = step(entry, line, report)
        if checked is None:
            return None
        entry = checked
    if entry.end > LARGEST:
        where = place_of(line.get("register"), at)
        report.error(where, "E913", f"`{key}` ends at address {entry.end - 1}: the last one is {LARGEST - 1}")
        return None
    return entry


def _named(key: Any, known: Mapping[str, Tag], report: Report) -> tuple[Tag, str, int, int] | None:
    at, match = place_of(key), _NAME.match(key)
    tag = known.get(key.lower()) or (known.get(match["tag"].lower()) if match else None)
    if tag is None:
        word = match["tag"] if match else str(key)
        report.error(at, "E101", f"no tag named `{word}`", did_you_mean(word, (t.name for t in known.values())))
        return None
    if match is None or key.lower() in known:
        return tag, VALUE, 0, max(tag.length, 1)
    part, index = (match["part"] or VALUE).lower(), match["index"]
    if part != VALUE:
        if index is None:
            return tag, part, 0, 1
        report.error(at, "E914", f"`{tag.name}` has one {part} for all its elements", f"write `{tag.name}.{part}`")
        return None
    if index in (None, "*"):
        return tag, VALUE, 0, max(tag.length, 1)
    if not 1 <= int(index) <= tag.length:
        what = f"its elements are 1 to {tag.length}" if tag.length else "it is no array"
        report.error(at, "E208", f"`{tag.name}` has no element {index}", what)
        return None
    return tag, VALUE, int(index) - 1, 1


def _place(text: Any, at: Position, report: Report) -> tuple[str, int] | None:
    at = place_of(text, at)
    match = _PLACE.match(text) if isinstance(text, str) else None
    if match is None:
        report.error(
            at,
            "E911",
            f"`{text}` is no place" if text else "`register` is missing",
            "",
            "write the table and the wire address: `input 0`, `holding 12`, `coil 3`, `discrete 7`",
            "wire addresses start at 0: 40001 is `holding 0`, 30010 is `input 9`",
        )
        return None
    if match["table"] not in TABLES:
        hint = did_you_mean(match["table"], TABLES)
        report.error(at, "E911", f"no table named `{match['table']}`", hint, f"known: {', '.join(TABLES)}")
        return None
    if int(match["address"]) >= LARGEST:
        report.error(at, "E913", f"address {match['address']} is beyond {LARGEST - 1}")
        return None
    return match["table"], int(match["address"])


def _with_format(entry: Entry, line: Mapping[Any, Any], report: Report) -> Entry | None:
    asked, is_bit = line.get("as"), entry.table in (COIL, DISCRETE)
    allowed: Sequence[str] = [name for name in FORMATS if name != "bool"]
    if is_bit:
        allowed = ["bool"]
        if entry.part == QUALITY or (entry.part == VALUE and entry.tag.type != "BOOL"):
            report.error(entry.at, "E915", f"`{entry.name}` is no BOOL: a {entry.table} holds one bit", "", "use input or holding")
            return None
    elif entry.part == QUALITY:
        allowed = ["uint16", "uint32"]
    elif entry.part == IS_GOOD:
        report.error(entry.at, "E915", f"`{entry.name}` is one bit", "", "use `discrete`, or `.quality` in a register")
        return None
    usual = "bool" if is_bit else "uint16" if entry.part == QUALITY else USUAL[entry.tag.type]
    if asked is not None and asked not in allowed:
        hint = did_you_mean(str(asked), allowed)
        report.error(place_of(asked, entry.at), "E915", f"`{asked}` does not fit here", hint, f"known: {', '.join(allowed)}")
        return None
    name = str(asked) if asked is not None else usual
    bad = _choice(line, "bad", ("nan", "value"), "nan" if name.startswith("float") else "value", entry, report)
    words = _choice(line, "words", ("big", "little"), "big", entry, report)
    shows_nan = bad == "nan" and entry.part == VALUE and not is_bit
    return replace(entry, format=name, little=words == "little", nan_when_bad=shows_nan)


def _choice(line: Mapping[Any, Any], word: str, choices: Sequence[str], usual: str, entry: Entry, report: Report) -> str:
    found = line.get(word, usual)
    if found not in choices:
        hint = did_you_mean(str(found), choices)
        report.error(place_of(found, entry.at), "E916", f"`{word}: {found}` is none of {', '.join(choices)}", hint)
        return usual
    return str(found)


def _with_scale(entry: Entry, line: Mapping[Any, Any], report: Report) -> Entry | None:
    text = line.get("scale")
    if text is None:
        return entry
    try:
        scale = float(text)
    except (TypeError, ValueError):
        scale = math.nan
    if not math.isfinite(scale) or not 1e-15 < abs(scale) < 1e15 or entry.part != VALUE or entry.tag.type == "BOOL":
        hint = "a BOOL or a quality has no scale" if math.isfinite(scale) else "write a number such as 0.1"
        report.error(place_of(text, entry.at), "E917", f"`scale: {text}` cannot be applied to `{entry.name}`", hint)
        return None
    return replace(entry, scale=scale)


def _with_write(entry: Entry, line: Mapping[Any, Any], report: Report) -> Entry | None:
    may = _choice(line, "write", ("true", "false"), "true", entry, report) == "true" and entry.table in (COIL, HOLDING)
    if may and (not entry.tag.write or entry.part != VALUE):
        report.error(
            entry.at,
            "E918",
            f"nobody may write `{entry.name}`, but a {entry.table} can be written",
            "",
            f"use `{DISCRETE if entry.table == COIL else INPUT}`, or say `write: false`",
            *([f"or declare `write: operator` at {entry.tag.at}"] if entry.tag.at.line else []),
        )
        return None
    return replace(entry, writable=may)


def _report_overlaps(entries: Sequence[Entry], report: Report) -> None:
    for table in TABLES:
        last: Entry | None = None
        for entry in sorted((e for e in entries if e.table == table), key=lambda e: (e.address, e.at)):
            if last is not None and entry.address < last.end:
                where = f" at {last.at}" if last.at.line else ""
                report.error(
                    entry.at,
                    "E919",
                    f"`{entry.name}` at {table} {entry.address} overlaps `{last.name}`",
                    "",
                    f"`{last.name}`{where} takes {table} {last.address} to {last.end - 1}; {last.end} is free next",
                )
            last = entry if last is None or entry.end > last.end else last


def _warn_where_it_overflows(entry: Entry, report: Report) -> None:
    code = FORMATS[entry.format][1]
    if entry.part != VALUE or code[0] == "f" or entry.format == "bool" or entry.tag.type == "BOOL":
        return
    bits = 8 * int(code[1])
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if code[0] == "i" else (0, (1 << bits) - 1)
    ends = [e / entry.scale for e in (entry.tag.minimum, entry.tag.maximum) if e is not None and math.isfinite(e)]
    for end in ends:
        if not low <= end <= high:
            reach = f"`{entry.name}` may reach {end * entry.scale:g} {entry.tag.unit}".rstrip()
            report.warn(entry.at, "W920", f"{reach}: {end:g} counts do not fit {entry.format}", f"it would stop at {low} or {high}")
            return
