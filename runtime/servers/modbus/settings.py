"""What the site may say about its Modbus server: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from runtime.source import Report, place_of

USUAL_UNITS = (0, 1, 255)  # 0 and 255 are what clients send to a server without a serial line behind it


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Modbus/TCP Security: its port (802 is the registered one), and whether clients must show a certificate."""

    port: int = 802
    clients: str = "required"


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """One serial line on which the server is the unit `unit`. Whoever is on the line has `role`, empty for the site's."""

    port: str
    unit: int
    baud: int = 19200
    parity: str = "even"
    stopbits: int = 0  # 0: as the specification says, 1 with parity and 2 without
    role: str = ""


@dataclass(frozen=True, slots=True)
class ModbusSettings:
    """The Modbus server: where it listens, who may read (`allow`) and who may write, with which role.

    `port` is None where the site wants no plain TCP. `map` is a YAML file of registers, `openplc`, or empty for the automatic
    layout. `units` are the unit ids that it answers to, each with the highest role that anybody has there ("" for any); None for
    all ids. `clients` are all connections, `clients_per_address` those of one host; `idle` is in seconds. `gaps` is what a read
    across unmapped addresses gets: "refuse" (exception 02) or "zero".
    """

    host: str = "127.0.0.1"
    port: int | None = 5020
    tls: TlsSettings | None = None
    serial: tuple[SerialSettings, ...] = ()
    map: str = ""
    units: Mapping[int, str] | None = field(default_factory=lambda: dict.fromkeys(USUAL_UNITS, ""))
    role: str = "operator"
    allow: tuple[Network, ...] = LOOPBACK
    write: tuple[tuple[Network, str], ...] | None = None
    clients: int = 64
    clients_per_address: int = 16
    idle: float = 60.0
    gaps: str = "refuse"
    # for every map of the site, as map_common.py reads them
    bad: Any = ""
    qualities: Any = None
    heartbeat: Any = None
    expect: Any = None


def describe_modbus(section: Any, report: Report) -> ModbusSettings:
    """Read `servers: modbus:`; mistakes go to the report and leave the default."""
    found = ModbusSettings(**read_words(section, _MODBUS, report))
    at = place_of(section)
    if found.port is None and found.tls is None and not found.serial:
        hint = "`port: none` wants `tls:` or `serial:` beside it"
        report.error(at, "E941", "the Modbus server has no port, no TLS and no serial line: nobody could reach it", "", hint)
    ports = [line.port for line in found.serial]
    for port in sorted({port for port in ports if ports.count(port) > 1}):
        report.error(at, "E942", f"the serial port {port} stands in two lines of `serial:`", "", "one line has one unit id here")
    return found


def _as_written(value: Any) -> Any:
    return value


def _tcp_port(value: Any) -> int | None:
    return None if text(value) == "none" else whole(0, 65535)(value)


def _units(value: Any) -> Mapping[int, str] | None:
    """Unit ids, or each with the role of whoever uses it; None for `any`."""
    if isinstance(value, Mapping):
        return {whole(0, 255)(unit): role_name(role) for unit, role in value.items()}
    found = unit_ids(value)
    return None if found is None else dict.fromkeys(sorted(found), "")


def _words_of(value: Any, words: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Words within a setting. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"words are needed here: {', '.join(words)}")
    for key in value:
        if key not in words:
            raise ValueError(f"no setting named `{key}`; known: {', '.join(words)}")
    return {str(key): words[key](given) for key, given in value.items()}


def _tls(value: Any) -> TlsSettings | None:
    if isinstance(value, Mapping):
        return TlsSettings(**_words_of(value, _TLS))
    return TlsSettings() if one_of("true", "false")(value) == "true" else None


def _lines(value: Any) -> tuple[SerialSettings, ...]:
    return tuple(map(_line, value if isinstance(value, (list, tuple)) else [value]))


def _line(value: Any) -> SerialSettings:
    found = _words_of(value, _SERIAL)
    missing = [word for word in ("port", "unit") if word not in found]
    if missing:
        raise ValueError(f"`{missing[0]}` is missing, such as `{{port: /dev/ttyS1, unit: 5}}`")
    return SerialSettings(**found)


_TLS: dict[str, Callable[[Any], Any]] = {"port": whole(0, 65535), "clients": one_of("none", "optional", "required")}
_SERIAL: dict[str, Callable[[Any], Any]] = {
    "port": text,
    "unit": whole(1, 247),
    "baud": whole(300, 4_000_000),
    "parity": one_of("none", "even", "odd"),
    "stopbits": whole(1, 2),
    "role": role_name,
}
_MODBUS: dict[str, Callable[[Any], Any]] = {
    "host": text,
    "port": _tcp_port,
    "tls": _tls,
    "serial": _lines,
    "map": text,
    "units": _units,
    "role": role_name,
    "allow": networks,
    "write": writers,
    "clients": whole(1, 4096),
    "clients_per_address": whole(1, 4096),
    "idle": seconds(0.1, 86400),
    "gaps": one_of("refuse", "zero"),
    "bad": _as_written,
    "qualities": _as_written,
    "heartbeat": _as_written,
    "expect": _as_written,
}
