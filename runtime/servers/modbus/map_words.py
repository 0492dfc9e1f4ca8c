"""Reads a register map that an engineer wrote, and checks every line. It knows no socket.

A map is `tag: {register: input 0, as: float32, words: big, scale: 0.1, bad: nan}`. The tables are coil and discrete (bits),
holding and input (registers); addresses are wire addresses from 0, so Modicon 40001 is `holding 0`. `tag[3]` is one element
of an array, the bare name all of them in a row; `tag.quality` is the status code (uint32) or its upper half (uint16, 0 = good),
`tag.good` a bit. A list of such lines puts a tag at several places. `scale` is the tag's value of one count. `rack[*].soc` is
the tag of every rack, the first at `register`, the next `stride` addresses on. What stands in coil and holding may be written,
unless it says `write: false`.

`bad:` is what a bad tag shows: `nan` (in an integer SunSpec's "not available": 0x8000, 0xFFFF ...), `value`, what the tag holds,
or `exception`, 04 for a read that touches it. Floats are nan and all else value where the map does not say. Uncertain is shown as
it is, since it is the last usable value; its `.good` bit is 0.

`fallback: 0` is written by the server itself `timeout: 60 s` after the last remote write (guard.py). What is said once for the
whole map (`bad`, `qualities`, `heartbeat`, `expect`) is in map_common.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runtime.model import Tag
from runtime.servers.modbus.fallback_words import with_fallback
from runtime.servers.modbus.map import (
    ALIVE,
    AS_IS,
    BAD,
    BIT_TABLES,
    COIL,
    DISCRETE,
    EXPECT,
    FORMATS,
    HOLDING,
    INPUT,
    IS_GOOD,
    LARGEST,
    NAN,
    QUALITY,
    USUAL,
    VALUE,
    Entry,
    overlaps,
    usual_bad,
)
from runtime.servers.modbus.map_common import COMMON, Common, quality_bits, read_common, read_place, report_overlaps
from runtime.servers.words import whole
from runtime.source import Report, Text, did_you_mean, place_of

WORDS = {
    "register": "the table and the wire address, such as `input 0`",
    "as": "the number format: " + ", ".join(name for name in FORMATS if name != "bool"),
    "words": "`big` (the high word first) or `little`",
    "scale": "the tag's value of one count, such as 0.1",
    "bad": "`value`, `nan` or `exception`: what a bad tag shows",
    "write": "`false` where a coil or holding register is only for reading",
    "fallback": "the value that the server writes where SCADA has not written for `timeout`",
    "timeout": "how long a remote write stands (default 60 s with a `fallback`), or `never`: until `expect` is missed",
    "stride": "addresses from one rack of `rack[*].soc` to the next",
}
_NAME = re.compile(r"(?P<tag>.+?)(?:\[(?P<index>\d+|\*)\])?(?:\.(?P<part>quality|good))?\Z", re.IGNORECASE)


def describe_map(section: Mapping[Any, Any], tags: Iterable[Tag], report: Report, site: Common | None = None) -> tuple[Entry, ...]:
    """Read and check a map; all mistakes go to the report with their places, and their lines are left out.

    `site` is what `servers: modbus:` says for every map; the map's own words come before it.
    """
    known = {tag.name.lower(): tag for tag in tags}
    common = _together(read_common({k: v for k, v in section.items() if k in COMMON}, known.values(), report), site or Common())
    lines = [
        (key, line)
        for key, value in section.items()
        if key not in COMMON
        for line in (value if isinstance(value, list) else [value])
    ]
    entries = [entry for key, line in lines for entry in _entries(key, line, known, common, report)]
    _report_two_fallbacks(entries, report)
    for entry in entries:
        _warn_where_it_overflows(entry, report)
    entries += [*quality_bits(entries, common, report), *common.own]
    report_overlaps(overlaps(entries), report)
    return tuple(entries)


def _together(own: Common, site: Common) -> Common:
    parts = {entry.part for entry in own.own}
    rest = tuple(entry for entry in site.own if entry.part not in parts and not (entry.part == ALIVE and EXPECT in parts))
    qualities = own if own.qualities else site
    return Common(own.bad or site.bad, qualities.qualities, qualities.qualities_at, own.own + rest)


def _entries(key: Any, value: Any, known: Mapping[str, Tag], common: Common, report: Report) -> list[Entry]:
    at = place_of(key)
    line: Mapping[Any, Any] = {"register": value} if isinstance(value, str) else value
    if not isinstance(line, Mapping):
        report.error(at, "E911", f"`{key}` needs a place", "", "write `{register: input 0, as: float32}`")
        return []
    for word in line:
        if word not in WORDS:
            report.error(
                place_of(word, at),
                "E912",
                f"a register has no `{word}`",
                did_you_mean(word, WORDS),
                *(f"{name}: {text}" for name, text in WORDS.items()),
            )
    named = _each(key, line, known, report)
    place = read_place(line.get("register"), at, report)
    if not named or place is None:
        return []
    table, address = place
    found: list[Entry] = []
    for number, (tag, part, element, count) in named:
        usual = "bool" if table in BIT_TABLES else "uint16"
        entry: Entry | None = Entry(tag, part, element, count, table, address, usual, bad=common.bad, at=at)
        for step in (_with_format, _with_scale, _with_write, with_fallback):
            entry = step(entry, line, report) if entry is not None else None
        if entry is None:
            return found
        entry = replace(entry, address=address + _shift(number, entry, line, report))
        if entry.end > LARGEST:
            where = place_of(line.get("register"), at)
            report.error(where, "E913", f"`{entry.name}` ends at address {entry.end - 1}: the last one is {LARGEST - 1}")
            return found
        found.append(entry)
    return found


def _shift(number: int, entry: Entry, line: Mapping[Any, Any], report: Report) -> int:
    """How far the tag of the rack `number` (0 for the first) stands behind the first one."""
    size = entry.end - entry.address
    if "stride" not in line:
        return number * size
    text = line["stride"]
    try:
        return number * whole(size, LARGEST - 1)(text)
    except ValueError:
        if number == 0:
            at = place_of(text, entry.at)
            report.error(at, "E949", f"`stride: {text}` is no distance for `{entry.name}`", f"it takes {size} addresses")
        return number * size


def _each(key: Any, line: Mapping[Any, Any], known: Mapping[str, Tag], report: Report) -> list[tuple[int, Any]]:
    """What a line's name means, with its number: one tag, or for `rack[*].soc` that of each rack."""
    stem, star, rest = str(key).lower().partition("[*].")
    if not star or rest in ("quality", "good"):
        if "stride" in line:
            at = place_of(line["stride"], place_of(key))
            report.error(at, "E949", f"`{key}` is not the tag of every rack", "a stride belongs to `rack[*].soc`")
        named = _named(key, known, report)
        return [(0, named)] if named is not None else []
    pattern = re.compile(re.escape(stem) + r"\[(\d+)\]\." + r"[^.\[]+")
    numbers = sorted({int(m[1]) for name in known if (m := pattern.match(name))})
    bare = re.sub(r"(\[(\d+|\*)\])?(\.(quality|good))?\Z", "", rest)
    numbers = [n for n in numbers if f"{stem}[{n}].{bare}" in known]
    if not numbers:
        report.error(place_of(key), "E101", f"no tag named `{key}`", did_you_mean(f"{stem}[1].{rest}", known))
        return []
    found = [(n - numbers[0], _named(Text(f"{stem}[{n}].{rest}", place_of(key)), known, report)) for n in numbers]
    return [(n, named) for n, named in found if named is not None]


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
    words = _choice(line, "words", ("big", "little"), "big", entry, report)
    return _with_bad(replace(entry, format=name, little=words == "little"), line, report)


def _with_bad(entry: Entry, line: Mapping[Any, Any], report: Report) -> Entry:
    if entry.part != VALUE:
        return replace(entry, bad=AS_IS)
    bad = _choice(line, "bad", BAD, entry.bad or usual_bad(entry.format), entry, report)
    if bad == NAN and entry.table in BIT_TABLES:
        if "bad" in line:
            at = place_of(line["bad"], entry.at)
            report.error(at, "E916", f"`{entry.name}` is one bit, which has no nan", "use `value` or `exception`")
        bad = AS_IS
    return replace(entry, bad=bad)


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


def _report_two_fallbacks(entries: Iterable[Entry], report: Report) -> None:
    """A tag may be written through two registers, but only one of them may say what it falls back to."""
    first: dict[tuple[str, int], Entry] = {}
    for entry in entries:
        for element in range(entry.element, entry.element + entry.count) if entry.fallback is not None else ():
            other = first.setdefault((entry.tag.name, element), entry)
            if other is not entry:
                where = f"the other one is at {other.table} {other.address}" + (f" ({other.at})" if other.at.line else "")
                report.error(entry.at, "E945", f"`{entry.name}` has a fallback already", where)
                break


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
