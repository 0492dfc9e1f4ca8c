"""Checks what the site says about its servers, before anything starts. It opens no port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.language.loader import read_yaml
from runtime.model import Tag
from runtime.servers.modbus_layout import lay_out
from runtime.servers.modbus_map import Entry, describe_map
from runtime.servers.settings import ModbusSettings, describe_modbus, describe_opcua
from runtime.source import NOWHERE, Position, Report, did_you_mean, place_of

SERVERS = ("opcua", "modbus")


def describe_servers(servers: Mapping[Any, Any], tags: Sequence[Tag], root: Path, report: Report) -> None:
    """Check the site's `servers:` section and the register map that it names; all mistakes go to the report."""
    for name, section in servers.items():
        if name == "opcua":
            describe_opcua(section or {}, report)
        elif name == "modbus":
            settings = describe_modbus(section or {}, report)
            load_map(settings, root, tags, report, place_of(section["map"]) if settings.map else NOWHERE)
        else:
            hint = did_you_mean(name, SERVERS)
            report.error(place_of(name), "E901", f"no server named `{name}`", hint, f"known: {', '.join(SERVERS)}")


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
