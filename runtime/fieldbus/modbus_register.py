"""Registers as the io_map names them: table, address, format, scale. It opens no connection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runtime.contract import PointText
from runtime.expand import PatternError, expand, is_pattern
from runtime.fieldbus import words
from runtime.model import Described
from runtime.source import NOWHERE, Position, Report, Section, Text, did_you_mean, place_of

HOLDING, INPUT, COIL, DISCRETE = "holding", "input", "coil", "discrete"
TABLES = (HOLDING, INPUT, COIL, DISCRETE)
BIT_TABLES = (COIL, DISCRETE)
WRITABLE = (HOLDING, COIL)
INTEGER, UNSIGNED, FLOAT, BIT = range(4)
# name in the io_map: kind, registers, tag type where nothing says that it is a measurement
FORMATS = {
    "bool": (BIT, 1, "BOOL"),
    "int16": (INTEGER, 1, "DINT"),
    "uint16": (UNSIGNED, 1, "DINT"),
    "int32": (INTEGER, 2, "DINT"),
    "uint32": (UNSIGNED, 2, "LINT"),
    "int64": (INTEGER, 4, "LINT"),
    "uint64": (UNSIGNED, 4, "LINT"),
    "float32": (FLOAT, 2, "LREAL"),
    "float64": (FLOAT, 4, "LREAL"),
}
LAST = 65535
EVERY = 500_000_000  # ns
MOST_ELEMENTS = 65536
_REGISTER = re.compile(r"\s*(\w+)\s+(\d+)\s*")


@dataclass(frozen=True, slots=True)
class Register:
    """The address of one point: `width` registers (or one coil) from `address`, and how they are read.

    `bit` is the bit of the register, -1 where the whole register is meant. `words_little` puts the low word first,
    `bytes_little` the low byte of each word. The tag's value is raw * scale + offset. `every` is the refresh period (ns).
    """

    table: str
    address: int
    kind: int
    width: int
    bit: int
    words_little: bool
    bytes_little: bool
    scale: float
    offset: float
    every: int
    tag: str = ""
    at: Position = NOWHERE

    def __str__(self) -> str:
        bit = f" bit {self.bit}" if self.bit >= 0 else ""
        last = f" to {self.address + self.width - 1}" if self.width > 1 else ""
        return f"{self.table} {self.address}{last}{bit}"


def describe_point(point: PointText, report: Report) -> Described | None:
    """One line of the io_map as registers, or None where it is wrong."""
    before = len(report.errors)
    section = point.section
    first = _format(point, report)
    places = _places(section, first, report)
    if first is None or len(report.errors) > before:
        return None
    found = []
    for table, address in places:
        if point.is_output and table not in WRITABLE:
            report.error(
                place_of(words.entry(section, "register")),
                "E672",
                f"`{table} {address}` cannot be written",
                "outputs are holding registers or coils",
            )
            return None
        if address + first.width - 1 > LAST:
            report.error(
                place_of(words.entry(section, "register")),
                "E672",
                f"`{table} {address}` is beyond the last address",
                f"wire addresses are 0 to {LAST}",
            )
            return None
        found.append(replace(first, table=table, address=address))
    is_array = is_pattern(str(words.entry(section, "register"))) or words.entry(section, "count") is not None
    return Described(tuple(found), type=_type(section, first), is_array=is_array)


def _format(point: PointText, report: Report) -> Register | None:
    """What the line says about every element: format, bit, word order, scale. The table is that of the first element."""
    section = point.section
    text = words.word(section, "register", report, needed="for example `register: holding 100` (wire addresses count from 0)")
    if text is None:
        return None
    table = text.split()[0].lower() if text.split() else ""
    is_bits = table in BIT_TABLES
    bit = words.whole(section, "bit", -1, 0, 15, report)
    name = words.choice(section, "as", FORMATS, "bool" if is_bits or bit >= 0 else "uint16", report)
    kind, width, _ = FORMATS[name]
    if is_bits and name != "bool":
        report.error(section.key_at("as"), "E673", f"a {table} is one bit: it cannot be read as {name}")
    if bit >= 0 and (width != 1 or is_bits):
        report.error(section.key_at("bit"), "E673", "`bit` picks one bit of one 16-bit register")
    if name == "bool" and not is_bits and bit < 0:
        report.error(section.key_at("as"), "E673", "`as: bool` in a register needs the `bit`: 0 is the lowest")
    if bit >= 0:
        kind = BIT
    scale, offset = words.number(section, "scale", 1.0, report), words.number(section, "offset", 0.0, report)
    if scale == 0:
        report.error(section.key_at("scale"), "E673", "a scale of 0 makes every value the same")
    if kind == BIT and (scale != 1 or offset != 0):
        report.error(section.key_at("scale"), "E673", "a bit has no scale and no offset")
    orders = [words.choice(section, word, ("big", "little"), "big", report) == "little" for word in ("words", "bytes")]
    every = words.duration(section, "every", EVERY, report) if point.is_output else 0
    return Register(table, 0, kind, width, bit, orders[0], orders[1], scale, offset, every, str(point.tag), text.at)


def _places(section: Section, first: Register | None, report: Report) -> Sequence[tuple[str, int]]:
    """Table and wire address of each element."""
    text = words.entry(section, "register")
    if first is None or not isinstance(text, Text):
        return ()
    inside = 1 if text.quoted else 0
    try:
        names = expand(text)
    except PatternError as error:
        report.error(text.at.part(error.start + inside, error.width), "E671", f"`{text}`: {error}")
        return ()
    found = [place for name in names if (place := _place(name, text, report)) is not None]
    count = words.whole(section, "count", 1, 1, MOST_ELEMENTS, report)
    if count > 1 and len(found) > 1:
        report.error(section.key_at("count"), "E671", "`count` and braces both make an array: use one of them")
    elif count > 1 and found and first.bit >= 0:
        report.error(section.key_at("count"), "E671", "`count` steps over registers, not over the bits of one")
    elif count > 1 and found:
        table, start = found[0]
        return [(table, start + index * first.width) for index in range(count)]
    return found


def _place(name: str, text: Text, report: Report) -> tuple[str, int] | None:
    found = _REGISTER.fullmatch(name)
    if found is None:
        report.error(
            text.at,
            "E671",
            f"`{name}` is no register",
            "a table and a wire address",
            f"for example `holding 100`; the tables are {', '.join(TABLES)}",
        )
        return None
    table, address = found[1].lower(), int(found[2])
    if table not in TABLES:
        report.error(
            text.at,
            "E671",
            f"there is no table `{found[1]}`",
            did_you_mean(found[1], TABLES),
            f"the tables are {', '.join(TABLES)}",
        )
        return None
    if address > LAST:
        hint = "wire addresses count from 0: Modicon 40001 is `holding 0`"
        report.error(text.at, "E672", f"address {address} is beyond {LAST}", hint)
        return None
    return table, address


def _type(section: Section, register: Register) -> str:
    """The tag type: the io_map's word where it has one, BOOL for bits, LREAL for what has a unit or a scale."""
    if words.entry(section, "type") is not None:
        return ""
    if register.kind == BIT:
        return "BOOL"
    measured = any(words.entry(section, word) is not None for word in ("scale", "offset", "unit"))
    if measured and words.entry(section, "names") is None:
        return "LREAL"
    width_kind = (register.kind, register.width)
    return next(tag_type for kind, width, tag_type in FORMATS.values() if (kind, width) == width_kind)


def check_overlaps(inputs: Sequence[Register], outputs: Sequence[Register], report: Report) -> None:
    """Refuse registers that two tags cut differently, and registers that two outputs write. Reading twice is allowed."""
    uses = [(register, writes) for writes, registers in ((False, inputs), (True, outputs)) for register in registers]
    uses.sort(key=lambda use: (use[0].table, use[0].address, use[0].bit, use[1]))
    reach: dict[str, tuple[int, Register]] = {}  # table -> first address that is free, and who ends there
    writers: dict[tuple[str, int], list[Register]] = {}
    clashes: dict[tuple[str, str], tuple[Register, Register, bool]] = {}  # one a pair of tags
    for register, writes in uses:
        end, other = reach.get(register.table, (0, register))
        if register.address < end and (other.address, other.width) != (register.address, register.width):
            clashes.setdefault((other.tag, register.tag), (other, register, False))
        if register.address + register.width > end:
            reach[register.table] = (register.address + register.width, register)
        if writes:
            earlier = writers.setdefault((register.table, register.address), [])
            for one in earlier:
                if one.bit == register.bit or -1 in (one.bit, register.bit):
                    clashes.setdefault((one.tag, register.tag), (one, register, True))
            earlier.append(register)
    for first, second, both_write in clashes.values():
        _report_clash(first, second, both_write, report)


def _report_clash(first: Register, second: Register, both_write: bool, report: Report) -> None:
    where = f"`{first.tag}` is mapped at {first.at}"
    if both_write:
        message, hint = f"`{second}` is written by `{first.tag}` and by `{second.tag}`", "a register has one writer"
    else:
        message, hint = f"`{second.tag}` ({second}) overlaps `{first.tag}` ({first})", "one register, one meaning"
    report.error(second.at, "E674", message, hint, where)
