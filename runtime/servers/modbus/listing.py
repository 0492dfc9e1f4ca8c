"""A register map in words for the SCADA engineer: one line a block, and as YAML that reads back the same. It knows no socket."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from runtime.model import ROLES
from runtime.servers.modbus.map import (
    ALIVE,
    COIL,
    COUNT,
    DISCRETE,
    EXCEPTION,
    EXPECT,
    FORMATS,
    HOLDING,
    INPUT,
    IS_GOOD,
    NAN,
    OWN,
    QUALITY,
    TABLES,
    VALUE,
    Entry,
    usual_bad,
)

_READ = {COIL: 1, DISCRETE: 2, HOLDING: 3, INPUT: 4}
_MODICON = {COIL: 0, DISCRETE: 1, INPUT: 3, HOLDING: 4}
LAST_SHORT = 9998  # the last wire address that has a Modicon number of five digits


@dataclass(frozen=True, slots=True)
class Line:
    """One block of registers or bits. `address` counts from 0, `modicon` from 1; `registers` are all its addresses.

    `read` and `write` are function codes, `access` the least role that may write. `located` is OpenPLC's name.
    """

    table: str
    address: int
    modicon: str
    read: str
    write: str
    registers: int
    type: str
    words: str
    scale: str
    unit: str
    low: float | None
    high: float | None
    access: str
    tag: str
    text: str
    bad: str
    fallback: str
    located: str

    @property
    def range(self) -> str:
        if self.low is None and self.high is None:
            return ""
        return "..".join("" if end is None else f"{end:g}" for end in (self.low, self.high))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def modicon(table: str, address: int) -> str:
    """The number that data sheets use: `holding 0` is 40001, and 409999 after 49999."""
    return f"{_MODICON[table]}{address + 1:0{4 if address <= LAST_SHORT else 5}d}"


def list_map(entries: Iterable[Entry], located: Any = None) -> list[Line]:
    """All lines by table and address. `located` names an entry as OpenPLC does."""
    ordered = sorted(entries, key=lambda entry: (TABLES.index(entry.table), entry.address))
    return [_line(entry, located(entry) if located else "") for entry in ordered]


def _line(entry: Entry, located: str) -> Line:
    tag, is_value, is_own = entry.tag, entry.part == VALUE, entry.part in OWN
    several = entry.width > 1
    return Line(
        table=entry.table,
        address=entry.address,
        modicon=modicon(entry.table, entry.address),
        read=str(_READ[entry.table]),
        write="" if not entry.writable else "5, 15" if entry.table == COIL else "16, 23" if several else "6, 16, 22, 23",
        registers=entry.count * entry.width,
        type=entry.format + (f"[{entry.count}]" if entry.count > 1 else ""),
        words=("little" if entry.little else "big") if several else "",
        scale=f"{entry.scale:.15g}" if is_value and entry.scale != 1.0 else "",
        unit=tag.unit if is_value else "",
        low=tag.minimum if is_value else None,
        high=tag.maximum if is_value else None,
        access=f"write: {tag.write or ROLES[-1]}" if entry.writable else "read",
        tag=f"({entry.part})" if is_own else entry.name,
        text=_text(entry),
        bad=_bad(entry) if is_value else "",
        fallback="" if entry.fallback is None else f"{_fallback(entry)} after {_timeout(entry)}",
        located=located,
    )


def _text(entry: Entry) -> str:
    if entry.part == IS_GOOD:
        return f"1 while {entry.tag.name} is good"
    if entry.part == QUALITY:
        whole = "OPC UA status code" if entry.width == 2 else "upper half of the OPC UA status code"
        return f"Quality of {entry.tag.name}: {whole}, 0 is good"
    names = ", ".join(f"{number} {name}" for number, name in entry.tag.names if f"{number} {name}" not in entry.tag.text)
    pulse = "true for one scan" if entry.tag.pulse else ""
    return "; ".join(part for part in (entry.tag.text, names, pulse) if part)


def _bad(entry: Entry) -> str:
    if entry.bad == EXCEPTION:
        return "exception 04"
    if entry.bad != NAN:
        return "value"
    missing = FORMATS[entry.format][2] & ((1 << 16 * entry.width) - 1)
    return "NaN" if entry.format.startswith("float") else f"0x{missing:0{4 * entry.width}X}"


def _fallback(entry: Entry) -> str:
    value = entry.fallback
    return str(value).lower() if isinstance(value, bool) else f"{value!r}".removesuffix(".0")


def _timeout(entry: Entry) -> str:
    return "never" if math.isinf(entry.seconds) else _seconds(entry.seconds)


def _seconds(time: float) -> str:
    return f"{time!r}".removesuffix(".0") + " s"


def as_yaml(entries: Iterable[Entry]) -> str:
    """The map as a file that `describe_map` reads back: print the automatic one, and edit it."""
    entries = list(entries)
    places: dict[str, list[str]] = {}
    for entry in entries:
        if entry.part not in OWN:
            places.setdefault(_key(entry), []).append("{" + ", ".join(_words(entry)) + "}")
    lines = {key: some[0] if len(some) == 1 else "[" + ", ".join(some) + "]" for key, some in places.items()}
    return "".join(f"{key}: {line}\n" for key, line in [*_own(entries), *lines.items()])


def _key(entry: Entry) -> str:
    return f'"{entry.name}"' if "[" in entry.name else entry.name


def _words(entry: Entry) -> list[str]:
    words = [f"register: {entry.table} {entry.address}"]
    if entry.format != "bool":
        words.append(f"as: {entry.format}")
    if entry.little:
        words.append("words: little")
    if entry.scale != 1.0:
        words.append(f"scale: {entry.scale:.15g}")
    if entry.part == VALUE and entry.bad != usual_bad(entry.format):
        words.append(f"bad: {entry.bad}")
    if entry.table in (COIL, HOLDING) and not entry.writable:
        words.append("write: false")
    if entry.fallback is not None:
        words += [f"fallback: {_fallback(entry)}", f"timeout: {_timeout(entry)}"]
    return words


def _own(entries: list[Entry]) -> list[tuple[str, str]]:
    by_part = {entry.part: entry for entry in entries if entry.part in OWN}
    found = []
    if count := by_part.get(COUNT):
        limit = f", limit: {count.limit}" if count.limit != 0xFFFF else ""
        found.append(("heartbeat", f"{{register: {count.table} {count.address}, every: {_seconds(count.seconds)}{limit}}}"))
    if expect := by_part.get(EXPECT):
        alive = by_part.get(ALIVE)
        status = f", status: {alive.table} {alive.address}" if alive else ""
        tell = f", tag: {expect.tell.name}" if expect.tell else ""
        found.append(("expect", f"{{register: {expect.table} {expect.address}, within: {_seconds(expect.seconds)}{status}{tell}}}"))
    return found
