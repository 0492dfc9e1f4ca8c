"""The register map in the places where OpenPLC has them: `map: openplc`. It knows no socket and no file.

OpenPLC's Modbus server gives each kind of located variable its own addresses. The tags here have no located addresses, so this is
the rule that gives them one; `bessplc map` prints it for every tag.

    %QX0.0   coil     0..8191      BOOL: outputs, and what somebody may write (commands)
    %IX0.0   discrete 0..8191      every other BOOL: inputs, and what the controller says of itself
    %IW0     input    0..1023      inputs that fit 16 bits (int16)
    %QW0     holding  0..1023      outputs, and what somebody may write, that fit 16 bits (int16)
    %MW0     holding  1024..2047   other numbers that fit 16 bits (int16)
    %MD0     holding  2048..4095   LREAL (float32, two registers) and every other DINT (int32)
    %ML0     holding  4096..8191   LINT and TIME (int64, four registers; TIME in ns)

A DINT fits 16 bits where its range or the numbers of its names say so. The high word comes first. Registers and coils of tags that
nobody may write can be read only. Within its stretch a tag keeps its place for good (places.py), so it moves only where its range,
direction or writer puts it into another one. What finds no room is left out.
Source: OpenPLC v3, webserver/core/modbus.cpp (MIN_16B_RANGE 1024, MIN_32B_RANGE 2048, MIN_64B_RANGE 4096).
"""

from __future__ import annotations

from collections.abc import Iterable

from runtime.model import Tag
from runtime.servers.modbus.layout import Kind, lay_out
from runtime.servers.modbus.map import COIL, DISCRETE, HOLDING, INPUT, IS_GOOD, OWN, USUAL, Entry
from runtime.servers.modbus.map_common import Common
from runtime.servers.modbus.places import Places

WORD = 1 << 15


def _is_commanded(tag: Tag) -> bool:
    return tag.kind == "output" or bool(tag.write)


def _is_short(tag: Tag) -> bool:
    """A whole number that is known to fit 16 bits."""
    if tag.type != "DINT":
        return False
    ends = [number for number, _ in tag.names]
    ends += [tag.minimum, tag.maximum] if tag.minimum is not None and tag.maximum is not None else []  # type: ignore[list-item]
    return bool(ends) and all(-WORD <= end < WORD for end in ends)


def _is_wide(tag: Tag) -> bool:
    return tag.type == "LREAL" or (tag.type == "DINT" and not _is_short(tag))


def _is_memory(tag: Tag) -> bool:
    return _is_short(tag) and tag.kind != "input" and not _is_commanded(tag)


KINDS = (
    Kind("%QX", COIL, 0, 8192, lambda tag: tag.type == "BOOL" and _is_commanded(tag), lambda tag: "bool"),
    Kind("%IX", DISCRETE, 0, 8192, lambda tag: tag.type == "BOOL" and not _is_commanded(tag), lambda tag: "bool"),
    Kind("%IW", INPUT, 0, 1024, lambda tag: _is_short(tag) and tag.kind == "input" and not tag.write, lambda tag: "int16"),
    Kind("%QW", HOLDING, 0, 1024, lambda tag: _is_short(tag) and _is_commanded(tag), lambda tag: "int16"),
    Kind("%MW", HOLDING, 1024, 2048, _is_memory, lambda tag: "int16"),
    Kind("%MD", HOLDING, 2048, 4096, _is_wide, lambda tag: USUAL[tag.type]),
    Kind("%ML", HOLDING, 4096, 8192, lambda tag: tag.type in ("LINT", "TIME"), lambda tag: "int64"),
)


def lay_out_as_openplc(tags: Iterable[Tag], places: Places | None = None, common: Common | None = None) -> tuple[Entry, ...]:
    """The map by OpenPLC's convention."""
    return lay_out(tags, places, common, KINDS)


def located(entry: Entry) -> str:
    """The address as an OpenPLC user writes it: %QX0.3, %MD7; empty for what OpenPLC has no name for."""
    for kind in KINDS:
        if kind.table == entry.table and kind.first <= entry.address < kind.end and entry.part not in (*OWN, IS_GOOD):
            offset = entry.address - kind.first
            width = {"D": 2, "L": 4}.get(kind.shelf[2], 1)
            return f"{kind.shelf}{offset // 8}.{offset % 8}" if kind.shelf[2] == "X" else f"{kind.shelf}{offset // width}"
    return ""
