"""The register map that is laid out by itself, from the names and types of the tags. It knows no socket and no file.

BOOL: discrete from 0, and coil from 0 for those that somebody may write. Numbers: input from 0 (LREAL as float32, DINT as int32,
LINT and TIME as int64), and holding from 0 for those that somebody may write. Qualities of device inputs: input from 49152, one
uint16 each. What finds no more room is left out. The first layout is by name without case; after that every tag keeps its place
(places.py), and what is new follows at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runtime.model import Tag
from runtime.servers.modbus.map import (
    AS_IS,
    BIT_TABLES,
    COIL,
    DISCRETE,
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
    usual_bad,
)
from runtime.servers.modbus.map_common import Common
from runtime.servers.modbus.places import Places, Shelf, Span

FIRST_QUALITY = 49152


@dataclass(frozen=True)
class Kind:
    """One stretch of a table, and the tags that stand there: which, in which format, and whether they may be written there."""

    shelf: str
    table: str
    first: int
    end: int
    holds: Callable[[Tag], bool]
    format: Callable[[Tag], str]
    part: str = VALUE


AUTOMATIC = (
    Kind("discrete", DISCRETE, 0, LARGEST, lambda tag: tag.type == "BOOL", lambda tag: "bool"),
    Kind("input", INPUT, 0, FIRST_QUALITY, lambda tag: tag.type != "BOOL", lambda tag: USUAL[tag.type]),
    Kind("coil", COIL, 0, LARGEST, lambda tag: tag.type == "BOOL" and bool(tag.write), lambda tag: "bool"),
    Kind("holding", HOLDING, 0, LARGEST, lambda tag: tag.type != "BOOL" and bool(tag.write), lambda tag: USUAL[tag.type]),
    Kind("quality", INPUT, FIRST_QUALITY, LARGEST, lambda tag: tag.kind == "input", lambda tag: "uint16", QUALITY),
)


def lay_out(
    tags: Iterable[Tag], places: Places | None = None, common: Common | None = None, kinds: Iterable[Kind] = AUTOMATIC
) -> tuple[Entry, ...]:
    """The map: every tag where `places` knows it, and what is new behind that, which `places` knows from then on."""
    places, common = places if places is not None else Places(), common or Common()
    ordered = sorted(tags, key=lambda tag: (tag.name.lower(), tag.name))
    entries: list[Entry] = []
    taken = _taken(common)
    for kind in kinds:
        held = {_key(tag): tag for tag in ordered if kind.holds(tag)}
        sizes = [(key, _size(tag, kind)) for key, tag in held.items()]
        found = places.allot(Shelf(kind.shelf, kind.first, kind.end), sizes, taken.get(kind.table, ()))
        entries += [_entry(held[key], kind, address, common) for key, address in sorted(found.items(), key=lambda item: item[1])]
    return (*entries, *_quality_bits(entries, places, common), *common.own)


def _entry(tag: Tag, kind: Kind, address: int, common: Common) -> Entry:
    name, writable = kind.format(tag), kind.table in (COIL, HOLDING) and bool(tag.write)
    bad = AS_IS if kind.part != VALUE else common.bad or usual_bad(name)
    if bad == NAN and kind.table in BIT_TABLES:
        bad = AS_IS
    count = max(tag.length, 1) if kind.part == VALUE else 1
    return Entry(tag, kind.part, 0, count, kind.table, address, name, bad=bad, writable=writable)


def _key(tag: Tag) -> str:
    """A tag of another type is another tag: what SCADA reads there would be something else."""
    return f"{tag.name.lower()} {tag.type}" + (f"[{tag.length}]" if tag.length else "")


def _size(tag: Tag, kind: Kind) -> int:
    return FORMATS[kind.format(tag)][0] * (max(tag.length, 1) if kind.part == VALUE else 1)


def _taken(common: Common) -> dict[str, list[Span]]:
    """What the server's own registers and the quality bits take of each table."""
    taken: dict[str, list[Span]] = {}
    for entry in common.own:
        taken.setdefault(entry.table, []).append((entry.address, entry.end))
    if common.qualities is not None:
        table, first = common.qualities
        taken.setdefault(table, []).append((first, LARGEST))
    return taken


def _quality_bits(entries: list[Entry], places: Places, common: Common) -> list[Entry]:
    """One bit a mapped tag; it keeps its place as everything here does."""
    if common.qualities is None:
        return []
    table, first = common.qualities
    tags = {_key(entry.tag): entry.tag for entry in entries if entry.part == VALUE}
    taken = [(entry.address, entry.end) for entry in common.own if entry.table == table]
    found = places.allot(Shelf(f"good {first}", first, LARGEST), [(key, 1) for key in sorted(tags)], taken)
    return [Entry(tags[key], IS_GOOD, 0, 1, table, address, "bool") for key, address in found.items()]


def left_out(tags: Iterable[Tag], entries: Iterable[Entry]) -> list[str]:
    """The tags that found no room."""
    found = {entry.tag.name for entry in entries if entry.part == VALUE}
    return sorted(tag.name for tag in tags if tag.name not in found)
