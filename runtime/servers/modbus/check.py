"""What the checker does with the site's `servers: modbus:` and the register map that it names. It opens no port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from runtime.language.entries import read_text
from runtime.model import Tag
from runtime.servers.modbus.layout import lay_out, left_out
from runtime.servers.modbus.map import Entry, overlaps
from runtime.servers.modbus.map_common import Common, read_common, report_overlaps
from runtime.servers.modbus.map_words import describe_map
from runtime.servers.modbus.openplc import lay_out_as_openplc
from runtime.servers.modbus.places import FILE, Places, PlacesError, read_places
from runtime.servers.modbus.settings import ModbusSettings, describe_modbus
from runtime.source import NOWHERE, Position, Report, place_of

OPENPLC = "openplc"
NO_CONSTANTS: Mapping[str, str] = {}
log = structlog.get_logger()


def check(section: Any, tags: Sequence[Tag], root: Path, report: Report, constants: Mapping[str, str]) -> None:
    """Report every mistake of the section and of its register map."""
    settings = describe_modbus(section, report)
    at = place_of(section["map"]) if settings.map else place_of(section)
    load_map(settings, root, tags, report, at, constants=constants)


def load_map(
    settings: ModbusSettings,
    root: Path,
    tags: Sequence[Tag],
    report: Report,
    at: Position = NOWHERE,
    state_dir: str = "",
    *,
    keep: bool = False,
    constants: Mapping[str, str] = NO_CONSTANTS,
) -> tuple[Entry, ...]:
    """The site's register map, or the automatic one where the settings name none; mistakes go to the report.

    An automatic map keeps its addresses in `state_dir`; `keep` writes there what is new, as only the server does. `constants`
    are those of the site, which a map may use.
    """
    words = {"bad": settings.bad, "qualities": settings.qualities, "heartbeat": settings.heartbeat, "expect": settings.expect}
    common = read_common(words, tags, report)
    if settings.map not in ("", OPENPLC):
        return _read(settings.map, root, tags, common, report, at, constants)
    file = Path(state_dir) / FILE if state_dir else None
    try:
        places = read_places(file) if file is not None else Places()
    except PlacesError as error:
        report.error(
            Position(str(file), 0, 0),
            "E946",
            f"the register addresses of this site are lost: the file {error}",
            "",
            "put the file back from a backup: SCADA goes on reading what it knows",
            "or remove it: the map is laid out anew, and SCADA must be given the new one (`bessplc map`)",
        )
        return ()
    entries = (lay_out_as_openplc if settings.map == OPENPLC else lay_out)(tags, places, common)
    report_overlaps(overlaps(entries), report)
    missing = left_out(tags, entries)
    if missing:
        names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        report.warn(
            at, "W945", f"the register map has no room for {len(missing)} tags: {names}", "", "name what SCADA needs in a map file"
        )
    if file is not None and keep and not report.errors:
        _keep(places, file)
    return entries


def _read(
    name: str, root: Path, tags: Sequence[Tag], common: Common, report: Report, at: Position, constants: Mapping[str, str]
) -> tuple[Entry, ...]:
    try:
        text = (root / name).read_text(encoding="utf-8-sig")
    except OSError as error:
        report.error(at, "E004", f"the register map {name} cannot be read: {error.strerror}")
        return ()
    except UnicodeDecodeError as error:
        report.error(at, "E001", f"the register map {name} is not UTF-8 text: {error.reason}")
        return ()
    section = read_text(name, text, constants, report)
    return describe_map(section, tags, report, common) if section is not None else ()


def _keep(places: Places, file: Path) -> None:
    try:
        places.write(file)
    except OSError as error:
        log.error("register addresses are not kept: after a restart new tags may move", file=str(file), error=str(error))
