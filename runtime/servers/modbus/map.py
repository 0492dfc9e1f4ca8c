"""Which tag stands at which Modbus address, in which number format: the register map as data. It knows no socket and no YAML.

Where a map comes from: `map_words` reads a file, `layout` and `openplc` lay one out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.model import Tag
from runtime.source import NOWHERE, Position

COIL, DISCRETE, INPUT, HOLDING = "coil", "discrete", "input", "holding"
TABLES = (COIL, DISCRETE, INPUT, HOLDING)
BIT_TABLES = (COIL, DISCRETE)
# What of a tag stands there; the last three belong to no tag, but to the server itself.
VALUE, QUALITY, IS_GOOD, COUNT, EXPECT, ALIVE = "value", "quality", "good", "heartbeat", "expect", "alive"
OWN = (COUNT, EXPECT, ALIVE)
AS_IS, NAN, EXCEPTION = "value", "nan", "exception"
BAD = (AS_IS, NAN, EXCEPTION)
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


def usual_bad(format: str) -> str:
    """What a bad tag shows where nobody says: a float NaN, everything else the value that the tag holds."""
    return NAN if format.startswith("float") else AS_IS


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the map: `count` elements of a tag from `element` (0-based) on, in a row from `address` on.

    `format` names a row of FORMATS; `little` puts the low word first; `bad` is one of BAD. `fallback` is written `seconds` after
    the last remote write (None: never). For the server's own registers `seconds` is how often one counts or must change, `limit`
    the largest count, and `tell` a BOOL tag that is told whether SCADA is alive.
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
    bad: str = AS_IS
    writable: bool = False
    fallback: float | int | bool | None = None
    seconds: float = 0.0
    limit: int = 0xFFFF
    tell: Tag | None = None
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
        return f"{self.tag.name}{index}{'.' + self.part if self.part in (QUALITY, IS_GOOD) else ''}"


def own_register(part: str, table: str, address: int, text: str, at: Position = NOWHERE) -> Entry:
    """A register or bit of the server itself, as the entry of a tag that no program knows."""
    is_bit = table in BIT_TABLES
    writable = part == EXPECT
    tag = Tag(part, "BOOL" if is_bit else "DINT", 0, -1, 0, "system", "", text, write="operator" if writable else "")
    return Entry(tag, part, 0, 1, table, address, "bool" if is_bit else "uint16", writable=writable, at=at)


def overlaps(entries: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs that want one address: the later one, and the one that reaches into it."""
    found = []
    ordered = sorted(entries, key=lambda e: (TABLES.index(e.table), e.address, e.at))
    last: Entry | None = None
    for entry in ordered:
        if last is not None and entry.table == last.table and entry.address < last.end:
            found.append((entry, last))
        if last is None or entry.table != last.table or entry.end > last.end:
            last = entry
    return found
