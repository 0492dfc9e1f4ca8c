"""The words of a register map that belong to no tag: what bad shows, the quality bits and both heartbeats. It knows no socket.

    bad: exception                                    what a bad tag shows where its own line does not say: value, nan, exception
    qualities: discrete 10000                         one bit a mapped tag from there on, in the order of the map: 1 is good
    heartbeat: {register: input 60000, every: 1 s}    ours: counts up once in this time, by the scan's own clock
    expect: {register: holding 60000, within: 5 s, status: discrete 60000, tag: scada.alive}

They stand in the map's file, or in `servers: modbus:` for every map of the site. `expect` is a register that SCADA must keep
changing: where it has not for so long, every fallback of the map is written at once. `status` is a bit, `tag` a BOOL that the
server writes: both are true while SCADA is alive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runtime.model import Tag
from runtime.servers.modbus.map import (
    ALIVE,
    BAD,
    COUNT,
    DISCRETE,
    EXPECT,
    HOLDING,
    INPUT,
    IS_GOOD,
    LARGEST,
    TABLES,
    VALUE,
    Entry,
    own_register,
)
from runtime.servers.words import seconds, whole
from runtime.source import NOWHERE, Position, Report, did_you_mean, place_of

COMMON = ("bad", "qualities", "heartbeat", "expect")
_PLACE = re.compile(r"(?P<table>[A-Za-z]+)\s+(?P<address>\d{1,9})\Z")
_HEARTBEAT = {
    "register": "an input or holding register of its own",
    "every": "how often it counts (default 1 s)",
    "limit": "the largest count, after which 0 follows (default 65535)",
}
_EXPECT = {
    "register": "a holding register of its own, which SCADA must keep changing",
    "within": "the longest time without a change (default 5 s)",
    "status": "a discrete input of its own: true while SCADA is alive",
    "tag": "a BOOL tag that the server writes: true while SCADA is alive",
}


@dataclass(frozen=True, slots=True)
class Common:
    """What a map says beside its lines: the `bad:` of all lines ("" for the usual), and the server's own registers."""

    bad: str = ""
    qualities: tuple[str, int] | None = None
    qualities_at: Position = NOWHERE
    own: tuple[Entry, ...] = ()


def read_common(section: Mapping[Any, Any], tags: Iterable[Tag], report: Report) -> Common:
    """The common words of a section; mistakes go to the report and leave the word out."""
    bad = section.get("bad", "")
    if bad and bad not in BAD:
        report.error(place_of(bad), "E916", f"`bad: {bad}` is none of {', '.join(BAD)}", did_you_mean(str(bad), BAD))
        bad = ""
    qualities = section.get("qualities")
    place = None
    if qualities is not None:
        place = read_place(qualities, NOWHERE, report)
        if place is not None and place[0] != DISCRETE:
            report.error(place_of(qualities), "E948", f"{place[0]} has no room for quality bits", "write `discrete 10000`")
            place = None
    own = [*_heartbeat(section.get("heartbeat"), report), *_expect(section.get("expect"), tags, report)]
    return Common(str(bad), place, place_of(qualities), tuple(own))


def read_place(text: Any, at: Position, report: Report) -> tuple[str, int] | None:
    """A table and a wire address, such as `input 0`; None where it is neither."""
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
        text = "the wire address is the Modicon number less 1: 400001 is `holding 0`"
        report.error(at, "E913", f"address {match['address']} is beyond {LARGEST - 1}", "", text)
        return None
    return match["table"], int(match["address"])


def _heartbeat(section: Any, report: Report) -> list[Entry]:
    if section is None:
        return []
    line = _words(section, "heartbeat", _HEARTBEAT, report)
    place = _register(line, "register", (INPUT, HOLDING), "heartbeat", place_of(section), report)
    every = _read(line, "every", seconds(0.01, 3600), 1.0, report)
    limit = _read(line, "limit", whole(1, 65535), 65535, report)
    if place is None:
        return []
    text = f"Counts up every {every:g} s while the scan lives, 0 follows {limit}"
    return [replace(own_register(COUNT, *place, text, place_of(section)), seconds=every, limit=limit)]


def _expect(section: Any, tags: Iterable[Tag], report: Report) -> list[Entry]:
    if section is None:
        return []
    at, line = place_of(section), _words(section, "expect", _EXPECT, report)
    place = _register(line, "register", (HOLDING,), "expect", at, report)
    within = _read(line, "within", seconds(0.1, 86400), 5.0, report)
    tell = _told(line.get("tag"), tags, report)
    if place is None:
        return []
    entry = own_register(EXPECT, *place, f"SCADA must change it within {within:g} s", at)
    found = [replace(entry, seconds=within, tell=tell)]
    if "status" in line:
        status = _register(line, "status", (DISCRETE,), "expect", at, report)
        text = f"SCADA is alive: {place[0]} {place[1]} has changed within {within:g} s"
        found += [own_register(ALIVE, *status, text, place_of(line["status"], at))] if status else []
    return found


def _told(name: Any, tags: Iterable[Tag], report: Report) -> Tag | None:
    if name is None:
        return None
    known = {tag.name.lower(): tag for tag in tags}
    tag = known.get(str(name).lower())
    if tag is None:
        report.error(place_of(name), "E101", f"no tag named `{name}`", did_you_mean(str(name), (t.name for t in known.values())))
    elif tag.type != "BOOL" or tag.length or tag.pulse or not tag.write:
        report.error(
            place_of(name),
            "E947",
            f"`{tag.name}` cannot be told whether SCADA is alive",
            "it must be a BOOL that may be written, and no pulse",
            f"declare `{tag.name}: {{type: BOOL, default: false, write: operator}}` in the site",
        )
        return None
    return tag


def _words(section: Any, word: str, known: Mapping[str, str], report: Report) -> Mapping[Any, Any]:
    line = {"register": section} if isinstance(section, str) else section
    if not isinstance(line, Mapping):
        report.error(place_of(section), "E947", f"`{word}` is a section", "", *(f"{w}: {text}" for w, text in known.items()))
        return {}
    for key in line:
        if key not in known:
            help = (f"{w}: {text}" for w, text in known.items())
            report.error(place_of(key), "E912", f"`{word}` has no `{key}`", did_you_mean(key, known), *help)
    return line


def _register(
    line: Mapping[Any, Any], word: str, tables: tuple[str, ...], whose: str, at: Position, report: Report
) -> tuple[str, int] | None:
    place = read_place(line.get(word), at, report)
    if place is not None and place[0] not in tables:
        where = place_of(line.get(word), at)
        report.error(where, "E947", f"`{whose}` cannot stand in {place[0]}", f"use {' or '.join(tables)}")
        return None
    return place


def _read(line: Mapping[Any, Any], word: str, reader: Callable[[Any], Any], usual: Any, report: Report) -> Any:
    if word not in line:
        return usual
    try:
        return reader(line[word])
    except ValueError as error:
        report.error(place_of(line[word]), "E947", f"`{word}`: {error}")
        return usual


def quality_bits(entries: Iterable[Entry], common: Common, report: Report) -> tuple[Entry, ...]:
    """One bit a mapped tag, in the order of the map."""
    if common.qualities is None:
        return ()
    table, first = common.qualities
    tags = list({entry.tag.name: entry.tag for entry in entries if entry.part == VALUE}.values())
    if first + len(tags) > LARGEST:
        at = common.qualities_at
        what = f"{len(tags)} quality bits from {first} on go beyond {LARGEST - 1}"
        report.error(at, "E948", what, f"start at {LARGEST - len(tags)} or before")
        return ()
    return tuple(Entry(tag, IS_GOOD, 0, 1, table, first + n, "bool", at=common.qualities_at) for n, tag in enumerate(tags))


def report_overlaps(pairs: Iterable[tuple[Entry, Entry]], report: Report) -> None:
    """Say of each two entries that want one address where the first one is and where there is room."""
    for entry, last in pairs:
        where = f" at {last.at}" if last.at.line else ""
        report.error(
            entry.at if entry.at.line else last.at,
            "E919",
            f"`{entry.name}` at {entry.table} {entry.address} overlaps `{last.name}`",
            "",
            f"`{last.name}`{where} takes {last.table} {last.address} to {last.end - 1}; {last.end} is free next",
        )
