"""Reads the small words of a CAN io_map: the offset of its identifiers, and the raw values that are no value. It opens no bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runtime.contract import PointText
from runtime.fieldbus import can_database, words
from runtime.fieldbus.can_tables import EXTENDED, Ranges
from runtime.model import Described
from runtime.source import Listing, Report, Section, Text, place_of


def id_offset(device: Section, report: Report) -> int:
    """What the io_map adds to the identifiers of the DBC, 0 where it says nothing."""
    text = words.word(device, "id_offset", report)
    if text is None:
        return 0
    offset = can_database.whole_number(text)
    if offset is None:
        report.error(text.at, "E654", f"`id_offset` is a whole number, not `{text}`", "", "for example `id_offset: 0x20`")
    return offset or 0


def can_stay(offset: int, device: Section, keys: Mapping[str, int], report: Report) -> bool:
    """Whether all identifiers are still such after the offset."""
    beyond = {}
    for message, key in sorted(keys.items()):
        bits, number = (29, key - EXTENDED) if key & EXTENDED else (11, key)
        if not 0 <= number + offset < 1 << bits:
            beyond[message] = f"`{message}` 0x{number:X} {'+' if offset > 0 else '-'} 0x{abs(offset):X}, which has {bits} bits"
    if beyond:
        at = place_of(device["id_offset"])
        more = f", and {len(beyond) - 1} more" if len(beyond) > 1 else ""
        report.error(at, "E654", f"the offset leads beyond the identifiers of CAN: {next(iter(beyond.values()))}{more}")
    return not beyond


def moved(described: Described, offset: int) -> Described:
    """The addresses of a tag with their identifiers moved."""
    return replace(described, addresses=tuple(replace(address, key=address.key + offset) for address in described.addresses))


def invalid_ranges(point: PointText, report: Report) -> Ranges | None:
    """The raw values that the io_map calls no value, as written; None where it says that even those of the DBC are values."""
    given = words.entry(point.section, "invalid")
    if given is None or given == "none":
        return () if given is None else None
    found = []
    for text in given if isinstance(given, Listing) else [given]:
        ends = [can_database.whole_number(end) for end in text.split("..")] if isinstance(text, Text) else []
        if len(ends) not in (1, 2) or None in ends or ends[0] > ends[-1]:  # type: ignore[operator]
            at = place_of(text, point.section.at)
            report.error(at, "E654", "`invalid` lists raw values and ranges of them", "", "for example `[0xFFFF, 0xFE00..0xFEFF]`")
        else:
            found.append((ends[0], ends[-1]))
    return tuple(found)  # type: ignore[arg-type]


def can_have(signal: Any, invalid: Ranges, point: PointText, report: Report) -> bool:
    """Whether the signal can have these raw values at all."""
    most = (1 << signal.length) - 1
    beyond = [end for ends in invalid for end in ends if not 0 <= end <= most]
    if beyond:
        at = place_of(words.entry(point.section, "invalid"))
        report.error(
            at, "E654", f"`{signal.name}` has {signal.length} bits: its raw values are 0 to 0x{most:X}, read without a sign"
        )
    return not beyond
