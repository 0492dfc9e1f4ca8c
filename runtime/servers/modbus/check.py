"""What the checker does with the site's `servers: modbus:` and the register map that it names. It opens no port."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.language.loader import read_yaml
from runtime.model import Tag
from runtime.servers.modbus.layout import lay_out
from runtime.servers.modbus.map import Entry, describe_map
from runtime.servers.modbus.settings import ModbusSettings, describe_modbus
from runtime.source import NOWHERE, Position, Report, place_of


def check(section: Any, tags: Sequence[Tag], root: Path, report: Report) -> None:
    """Report every mistake of the section and of its register map."""
    settings = describe_modbus(section, report)
    load_map(settings, root, tags, report, place_of(section["map"]) if settings.map else NOWHERE)


def load_map(
    settings: ModbusSettings, root: Path, tags: Sequence[Tag], report: Report, at: Position = NOWHERE
) -> tuple[Entry, ...]:
    """The site's register map, or the automatic one where the settings name none; mistakes go to the report."""
    if not settings.map:
        return lay_out(tags)
    try:
        text = (root / settings.map).read_text(encoding="utf-8-sig")
    except OSError as error:
        report.error(at, "E004", f"the register map {settings.map} cannot be read: {error.strerror}")
        return ()
    except UnicodeDecodeError as error:
        report.error(at, "E001", f"the register map {settings.map} is not UTF-8 text: {error.reason}")
        return ()
    section = read_yaml(settings.map, text, report)
    return describe_map(section, tags, report) if section is not None else ()
