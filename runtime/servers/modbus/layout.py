"""The Modbus map that is laid out by itself, and any map as YAML text. It knows no socket."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.model import Tag
from runtime.servers.modbus.map import COIL, DISCRETE, HOLDING, INPUT, LARGEST, QUALITY, USUAL, VALUE, Entry

FIRST_QUALITY = 49152


def lay_out(tags: Iterable[Tag]) -> tuple[Entry, ...]:
    """The automatic map, by tag name without case: it changes only where tags come or go.

    BOOL: discrete from 0, and coil from 0 for those that somebody may write. Numbers: input from 0 (LREAL as float32, DINT as
    int32, LINT and TIME as int64), and holding from 0 for those that somebody may write. Qualities of device inputs: input from
    49152, one uint16 each. What finds no more room is left out.
    """
    ordered = sorted(tags, key=lambda tag: (tag.name.lower(), tag.name))
    bits = [tag for tag in ordered if tag.type == "BOOL"]
    numbers = [tag for tag in ordered if tag.type != "BOOL"]
    entries = _in_a_row(bits, DISCRETE, LARGEST) + _in_a_row(numbers, INPUT, FIRST_QUALITY)
    entries += _in_a_row([tag for tag in bits if tag.write], COIL, LARGEST)
    entries += _in_a_row([tag for tag in numbers if tag.write], HOLDING, LARGEST)
    inputs = [tag for tag in ordered if tag.kind == "input"][: LARGEST - FIRST_QUALITY]
    entries += [Entry(tag, QUALITY, 0, 1, INPUT, FIRST_QUALITY + n, "uint16") for n, tag in enumerate(inputs)]
    return tuple(entries)


def _in_a_row(tags: Iterable[Tag], table: str, end: int) -> list[Entry]:
    entries: list[Entry] = []
    address = 0
    for tag in tags:
        name = "bool" if table in (COIL, DISCRETE) else USUAL[tag.type]
        entry = Entry(
            tag,
            VALUE,
            0,
            max(tag.length, 1),
            table,
            address,
            name,
            nan_when_bad=name.startswith("float"),
            writable=table in (COIL, HOLDING),
        )
        if entry.end <= end:
            entries.append(entry)
            address = entry.end
    return entries


def show(entries: Iterable[Entry]) -> str:
    """The map as YAML that `describe_map` reads back: print the automatic one, and edit it."""
    places: dict[str, list[str]] = {}
    for entry in entries:
        places.setdefault(_key(entry), []).append("{" + ", ".join(_words(entry)) + "}")
    lines = ((key, some[0] if len(some) == 1 else "[" + ", ".join(some) + "]") for key, some in places.items())
    return "".join(f"{key}: {line}\n" for key, line in lines)


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
    if entry.part == VALUE and entry.nan_when_bad != entry.format.startswith("float"):
        words.append(f"bad: {'nan' if entry.nan_when_bad else 'value'}")
    if entry.table in (COIL, HOLDING) and not entry.writable:
        words.append("write: false")
    return words
