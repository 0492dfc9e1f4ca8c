"""Reads the register lines of an io_map: what stands where, and how it is coded. It knows no SunSpec and opens no connection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runtime.contract import PointText
from runtime.expand import PatternError, expand, is_pattern
from runtime.fieldbus import words
from runtime.fieldbus.modbus_register import (
    BIT,
    BIT_TABLES,
    EVERY,
    FLOAT,
    FORMATS,
    INTEGER,
    LAST,
    TABLES,
    WRITABLE,
    Place,
    Register,
)
from runtime.language.network import inside
from runtime.model import Described
from runtime.source import Listing, Report, Section, Text, did_you_mean, place_of

MOST_ELEMENTS = 65536
MOST_ORDER = 1000
MOST_BITS = 32
_REGISTER = re.compile(r"\s*(\w+)\s+(\d{1,18})\s*")
_BITS = re.compile(r"\s*(\d{1,18})\s*\.\.\s*(\d{1,18})\s*")
_WHOLE = re.compile(r"\s*(-?(?:0[xX][0-9a-fA-F]{1,32}|\d{1,39}))\s*")


def describe_point(point: PointText, report: Report) -> Described | None:
    """One line of the io_map as registers, or None where it is wrong."""
    before = len(report.errors)
    section = point.section
    first = read_format(section, report)
    places = _places(section, first, report)
    if first is None or len(report.errors) > before:
        return None
    first = replace(manner_of(point, first, report), tag=str(point.tag))
    found = []
    for table, address in places:
        at = place_of(words.entry(section, "register"))
        if point.is_output and table not in WRITABLE:
            hint = "outputs are holding registers or coils"
            report.error(at, "E672", f"`{table} {address}` cannot be written", hint)
            return None
        if address + first.width - 1 > LAST:
            hint = f"wire addresses are 0 to {LAST}"
            report.error(at, "E672", f"`{table} {address}` is beyond the last address", hint)
            return None
        found.append(replace(first, table=table, address=address))
    is_array = is_pattern(str(words.entry(section, "register"))) or words.entry(section, "count") is not None
    return None if len(report.errors) > before else Described(tuple(found), type=_type(section, first), is_array=is_array)


def read_register(section: Section, report: Report) -> Register | None:
    """One register of a device word (a handshake, a heartbeat) with its format, or None where it is wrong."""
    before = len(report.errors)
    first = read_format(section, report)
    places = _places(section, first, report)
    if first is None or len(report.errors) > before:
        return None
    if len(places) != 1:
        report.error(place_of(words.entry(section, "register"), section.at), "E671", "this takes one register, not a list")
        return None
    found = replace(first, table=places[0][0], address=places[0][1])
    if found.address + found.width - 1 > LAST:
        report.error(first.at, "E672", f"`{found}` is beyond the last address", f"wire addresses are 0 to {LAST}")
        return None
    return found


def manner_of(point: PointText, register: Register, report: Report) -> Register:
    """The register with what the line says about when it is read or written."""
    section = point.section
    if not point.is_output:
        return replace(register, poll=words.duration(section, "poll", 0, report), every=0)
    return replace(
        register,
        every=words.duration(section, "every", EVERY, report),
        verify=words.choice(section, "verify", ("true", "false"), "false", report) == "true",
        order=words.whole(section, "order", 0, 0, MOST_ORDER, report),
    )


def read_format(section: Section, report: Report) -> Register | None:
    """What the line says about every element: format, bits, word order, scale. The table is that of the first element."""
    text = words.word(section, "register", report, needed="for example `register: holding 100` (wire addresses count from 0)")
    if text is None:
        return None
    table = text.split()[0].lower() if text.split() else ""
    is_bits = table in BIT_TABLES
    bit, bits = read_bits(section, report)
    name = words.choice(
        section, "as", FORMATS, "bool" if is_bits or (bit >= 0 and bits == 1 and "as" not in section) else "uint16", report
    )
    kind, width, _ = FORMATS[name]
    _check_bits(section, name, bit, bits, is_bits, table, report)
    if bit >= 0:
        kind = BIT
    scale, offset = words.number(section, "scale", 1.0, report), words.number(section, "offset", 0.0, report)
    factor = _factor(section, report)
    if scale == 0:
        report.error(section.key_at("scale"), "E673", "a scale of 0 makes every value the same")
    if kind == BIT and bits == 1 and (scale != 1 or offset != 0 or factor is not None):
        report.error(section.key_at("scale"), "E673", "a bit has no scale and no offset")
    orders = [words.choice(section, word, ("big", "little"), "big", report) == "little" for word in ("words", "bytes")]
    invalid = _invalid(section, kind, width, report)
    return Register(
        table, 0, kind, width, bit, orders[0], orders[1], scale, offset, 0, at=text.at, bits=bits, factor=factor, invalid=invalid
    )


def read_bits(section: Section, report: Report) -> tuple[int, int]:
    """The lowest bit and the number of bits that `bit: 3` or `bits: 4..7` name; (-1, 1) for the whole value."""
    text = words.word(section, "bits", report)
    if text is None:
        return words.whole(section, "bit", -1, 0, 63, report), 1
    if words.entry(section, "bit") is not None:
        report.error(section.key_at("bit"), "E673", "`bit` and `bits` both pick bits: use one of them")
    found = _BITS.fullmatch(text)
    if found is None or not int(found[1]) <= int(found[2]) <= 63:
        report.error(text.at, "E654", f"`{text}` is no field of bits", "the lowest and the highest bit", "for example `bits: 4..7`")
        return -1, 1
    low, high = int(found[1]), int(found[2])
    if high - low >= MOST_BITS:
        report.error(text.at, "E654", f"a field has {MOST_BITS} bits at most, not {high - low + 1}")
        return -1, 1
    return low, high - low + 1


def _check_bits(section: Section, name: str, bit: int, bits: int, is_bits: bool, table: str, report: Report) -> None:
    width = FORMATS[name][1]
    word = "bits" if words.entry(section, "bits") is not None else "bit"
    if is_bits and name != "bool":
        report.error(section.key_at("as"), "E673", f"a {table} is one bit: it cannot be read as {name}")
    elif bit >= 0 and (is_bits or name in ("int16", "int32", "int64", "float32", "float64")):
        what = f"a {table}, which is one bit" if is_bits else name
        report.error(section.key_at(word), "E673", f"`{word}` picks bits of uint16, uint32 or uint64, not of {what}")
    elif bit >= 0 and bit + bits > 16 * width:
        text = place_of(words.entry(section, word), section.at)
        report.error(text, "E654", f"`{word}` is 0 to {16 * width - 1}, not {bit + bits - 1}", f"{name} has {16 * width} bits")
    if name == "bool" and not is_bits and bit < 0:
        report.error(section.key_at("as"), "E673", "`as: bool` in a register needs the `bit`: 0 is the lowest")


def _factor(section: Section, report: Report) -> Place | None:
    text = words.word(section, "scale_from", report)
    place = None if text is None else read_place(text, text, report)
    if place is not None and place[0] in BIT_TABLES:
        report.error(
            place_of(text), "E673", f"a {place[0]} is one bit: a power of ten stands in a register", "for example `holding 40`"
        )
        return None
    return place and Place(*place)


def _invalid(section: Section, kind: int, width: int, report: Report) -> tuple[int, ...]:
    """Raw values that mean that there is no value, as unsigned words; a negative one is meant in two's complement."""
    found = whole_numbers(section, "invalid", report)
    if found and kind == FLOAT:
        report.error(section.key_at("invalid"), "E673", "a float says by NaN that it has no value", "`invalid` is for integers")
    span = 1 << 16 * width
    for text, value in found:
        if not (-span // 2 if kind == INTEGER else 0) <= value < span:
            report.error(text.at, "E654", f"`{text}` does not fit {width} register{'s' if width > 1 else ''}")
    return tuple(sorted({value % span for _, value in found}))


def whole_numbers(section: Section, key: str, report: Report) -> list[tuple[Text, int]]:
    """The whole numbers, decimal or hexadecimal, of a list or of a single word."""
    value = words.entry(section, key)
    if value is None:
        return []
    found = []
    for one in value if isinstance(value, Listing) else [value]:
        match = _WHOLE.fullmatch(one) if isinstance(one, Text) else None
        if match is None:
            report.error(place_of(one, section.at), "E654", f"`{key}` takes whole numbers", "for example `[0xFFFF, 0x8000]`")
        else:
            found.append((one, int(match[1], 0) if "x" in match[1].lower() else int(match[1])))
    return found


def _places(section: Section, first: Register | None, report: Report) -> Sequence[tuple[str, int]]:
    """Table and wire address of each element."""
    text = words.entry(section, "register")
    if first is None or not isinstance(text, Text):
        return ()
    try:
        names = expand(text)
    except PatternError as error:
        report.error(inside(text, error.start, error.width), "E671", f"`{text}`: {error}")
        return ()
    found = [place for name in names if (place := read_place(name, text, report)) is not None]
    count = words.whole(section, "count", 1, 1, MOST_ELEMENTS, report)
    if count > 1 and len(found) > 1:
        report.error(section.key_at("count"), "E671", "`count` and braces both make an array: use one of them")
    elif count > 1 and found and first.bit >= 0:
        report.error(section.key_at("count"), "E671", "`count` steps over registers, not over the bits of one")
    elif count > 1 and found:
        table, start = found[0]
        return [(table, start + index * first.width) for index in range(count)]
    return found


def read_place(name: str, text: Text, report: Report) -> tuple[str, int] | None:
    """Table and wire address of `holding 100`; the problem is shown at `text`."""
    found = _REGISTER.fullmatch(name)
    if found is None:
        example = f"for example `holding 100`; the tables are {', '.join(TABLES)}"
        report.error(text.at, "E671", f"`{name}` is no register", "a table and a wire address", example)
        return None
    table, address = found[1].lower(), int(found[2])
    if table not in TABLES:
        known = f"the tables are {', '.join(TABLES)}"
        report.error(text.at, "E671", f"there is no table `{found[1]}`", did_you_mean(found[1], TABLES), known)
        return None
    if address > LAST:
        hint = "wire addresses count from 0: Modicon 40001 is `holding 0`"
        report.error(text.at, "E672", f"address {address} is beyond {LAST}", hint)
        return None
    return table, address


def _type(section: Section, register: Register) -> str:
    """The tag type: the io_map's word where it has one, BOOL for a bit, LREAL for what has a unit or a scale."""
    if words.entry(section, "type") is not None:
        return ""
    if register.kind == BIT and register.bits == 1:
        return "BOOL"
    measured = any(words.entry(section, word) is not None for word in ("scale", "offset", "unit", "scale_from"))
    if measured and words.entry(section, "names") is None:
        return "LREAL"
    if register.kind == BIT:
        return "DINT" if register.bits < 32 else "LINT"
    width_kind = (register.kind, register.width)
    return next(tag_type for kind, width, tag_type in FORMATS.values() if (kind, width) == width_kind)
