"""What the site may say about its servers: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from runtime.model import ROLES
from runtime.source import NOWHERE, Report, did_you_mean, nearest, place_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
NOBODY = "none"


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


@dataclass(frozen=True, slots=True)
class OpcuaUser:
    """A user: the role, and the password's scrypt hash as `opcua_access.hash_password` makes it."""

    role: str
    password: str


@dataclass(frozen=True, slots=True)
class OpcuaSettings:
    """The OPC UA server: where it listens, what a client without a name may do, and its named users.

    `every` is the publishing interval in seconds. With `certificate` and `key` (files, PEM or DER) it offers encryption.
    """

    host: str = "127.0.0.1"
    port: int = 4840
    anonymous: str = "viewer"
    users: tuple[tuple[str, OpcuaUser], ...] = ()
    every: float = 0.1
    clients: int = 64
    certificate: str = ""
    key: str = ""


def describe_modbus(section: Any, report: Report) -> ModbusSettings:
    """Read `servers: modbus:`; mistakes go to the report and leave the default."""
    return ModbusSettings(**_read(section, _MODBUS, report))


def describe_opcua(section: Any, report: Report) -> OpcuaSettings:
    """Read `servers: opcua:`; mistakes go to the report and leave the default."""
    settings = OpcuaSettings(**_read(section, _OPCUA, report))
    if bool(settings.certificate) != bool(settings.key):
        report.error(place_of(section), "E903", "`certificate` and `key` go together: one of them is missing")
    if settings.anonymous == NOBODY and not settings.users:
        report.error(place_of(section), "E904", "`anonymous: none` without `users`: nobody could connect")
    return settings


def _read(section: Any, words: Mapping[str, Callable[[Any], Any]], report: Report) -> dict[str, Any]:
    if not isinstance(section, Mapping):
        report.error(place_of(section), "E901", "a server's settings are words with values, such as `{port: 5020}`")
        return {}
    found = {}
    for key, value in section.items():
        at = place_of(value, place_of(key, place_of(section, NOWHERE)))
        if key not in words:
            report.error(place_of(key), "E901", f"no setting named `{key}`", did_you_mean(key, words), f"known: {', '.join(words)}")
            continue
        try:
            found[str(key)] = words[key](value)
        except ValueError as error:
            report.error(at, "E902", f"`{key}`: {error}")
    return found


def _text(value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        raise ValueError("one value is needed here")
    return str(value)


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = _text(value)
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"`{text}` is not a whole number from {low} to {high}")
        return int(text)

    return read


def _seconds(low: float, high: float) -> Callable[[Any], float]:
    scales = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

    def read(value: Any) -> float:
        text = _text(value).strip()
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
        unit = text[len(number) :].strip() or "s"
        try:
            seconds = float(number) * scales[unit]
        except (ValueError, KeyError):
            raise ValueError(f"`{text}` is not a time such as `60 s` or `100 ms`") from None
        if not low <= seconds <= high:
            raise ValueError(f"{text} is outside {low:g} s to {high:g} s")
        return seconds

    return read


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = _text(value)
        if text not in choices:
            close = nearest(text, choices)
            raise ValueError(f"`{text}` is none of {', '.join(choices)}" + (f"; did you mean `{close[0]}`?" if close else ""))
        return text

    return read


def _units(value: Any) -> frozenset[int] | None:
    if not isinstance(value, (list, tuple)):
        if _text(value) == "any":
            return None
        value = [value]
    return frozenset(map(_whole(0, 255), value))


def _network(value: Any) -> Network:
    try:
        return ipaddress.ip_network(_text(value))
    except ValueError as error:
        raise ValueError(f"{error}; a network is written 192.168.10.0/24, a single host 192.168.10.50") from None


def _networks(value: Any) -> tuple[Network, ...]:
    return tuple(map(_network, value if isinstance(value, (list, tuple)) else [value]))


def _writers(value: Any) -> tuple[tuple[Network, str], ...]:
    """A list of networks (their role is `role`, told by an empty one here), or each with its own role."""
    if isinstance(value, Mapping):
        return tuple((_network(network), _role(role)) for network, role in value.items())
    return tuple((network, "") for network in _networks(value))


def _users(value: Any) -> tuple[tuple[str, OpcuaUser], ...]:
    if not isinstance(value, Mapping):
        raise ValueError("users are written `name: {role: operator, password: scrypt$...}`")
    known = {field.name for field in fields(OpcuaUser)}
    users = []
    for name, user in value.items():
        if not isinstance(user, Mapping) or set(user) != known:
            raise ValueError(f"user `{name}` needs a role and a password: `{{role: operator, password: scrypt$...}}`")
        password = _text(user["password"])
        if not password.startswith("scrypt$") or password.count("$") != 2:
            raise ValueError(f"the password of `{name}` is not hashed; `python -m runtime.servers.opcua_access` makes the hash")
        users.append((str(name), OpcuaUser(_role(user["role"]), password)))
    return tuple(users)


_role = _one_of(*ROLES)
_MODBUS: dict[str, Callable[[Any], Any]] = {
    "host": _text,
    "port": _whole(0, 65535),
    "map": _text,
    "units": _units,
    "role": _role,
    "allow": _networks,
    "write": _writers,
    "clients": _whole(1, 4096),
    "idle": _seconds(0.1, 86400),
    "gaps": _one_of("refuse", "zero"),
}
_OPCUA: dict[str, Callable[[Any], Any]] = {
    "host": _text,
    "port": _whole(0, 65535),
    "anonymous": _one_of(NOBODY, *ROLES),
    "users": _users,
    "every": _seconds(0.05, 10),
    "clients": _whole(1, 1000),
    "certificate": _text,
    "key": _text,
}
