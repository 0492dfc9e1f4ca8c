"""What the site may say about its Modbus server: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.servers.words import (
    LOOPBACK,
    Network,
    networks,
    one_of,
    read_words,
    role_name,
    seconds,
    text,
    unit_ids,
    whole,
    writers,
)
from runtime.source import Report


@dataclass(frozen=True, slots=True)
class ModbusSettings:
    """The Modbus TCP server: where it listens, who may read (`allow`) and who may write, with which role.

    `map` is a YAML file of registers, empty for the automatic layout. `units` are the unit ids that it answers to, None
    for all: 0 and 255 are what clients send to a server without a serial line behind it. `idle` is in seconds. `gaps` is
    what a read across unmapped addresses gets: "refuse" (exception 02) or "zero".
    """

    host: str = "127.0.0.1"
    port: int = 5020
    map: str = ""
    units: frozenset[int] | None = frozenset((0, 1, 255))
    role: str = "operator"
    allow: tuple[Network, ...] = LOOPBACK
    write: tuple[tuple[Network, str], ...] | None = None
    clients: int = 64
    idle: float = 60.0
    gaps: str = "refuse"


def describe_modbus(section: Any, report: Report) -> ModbusSettings:
    """Read `servers: modbus:`; mistakes go to the report and leave the default."""
    return ModbusSettings(**read_words(section, _MODBUS, report))


_MODBUS: dict[str, Callable[[Any], Any]] = {
    "host": text,
    "port": whole(0, 65535),
    "map": text,
    "units": unit_ids,
    "role": role_name,
    "allow": networks,
    "write": writers,
    "clients": whole(1, 4096),
    "idle": seconds(0.1, 86400),
    "gaps": one_of("refuse", "zero"),
}
