"""What the site may say about its OPC UA server: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from runtime.model import ROLES
from runtime.servers.words import one_of, read_words, role_name, seconds, text, whole
from runtime.source import Report, place_of

NOBODY = "none"


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


def describe_opcua(section: Any, report: Report) -> OpcuaSettings:
    """Read `servers: opcua:`; mistakes go to the report and leave the default."""
    settings = OpcuaSettings(**read_words(section, _OPCUA, report))
    if bool(settings.certificate) != bool(settings.key):
        report.error(place_of(section), "E903", "`certificate` and `key` go together: one of them is missing")
    if settings.anonymous == NOBODY and not settings.users:
        report.error(place_of(section), "E904", "`anonymous: none` without `users`: nobody could connect")
    return settings


def _users(value: Any) -> tuple[tuple[str, OpcuaUser], ...]:
    if not isinstance(value, Mapping):
        raise ValueError("users are written `name: {role: operator, password: scrypt$...}`")
    known = {field.name for field in fields(OpcuaUser)}
    users = []
    for name, user in value.items():
        if not isinstance(user, Mapping) or set(user) != known:
            raise ValueError(f"user `{name}` needs a role and a password: `{{role: operator, password: scrypt$...}}`")
        password = text(user["password"])
        if not password.startswith("scrypt$") or password.count("$") != 2:
            raise ValueError(f"the password of `{name}` is not hashed; `python -m runtime.servers.opcua.access` makes the hash")
        users.append((str(name), OpcuaUser(role_name(user["role"]), password)))
    return tuple(users)


_OPCUA: dict[str, Callable[[Any], Any]] = {
    "host": text,
    "port": whole(0, 65535),
    "anonymous": one_of(NOBODY, *ROLES),
    "users": _users,
    "every": seconds(0.05, 10),
    "clients": whole(1, 1000),
    "certificate": text,
    "key": text,
}
