"""What the site may say about its OPC UA server: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.model import ROLES
from runtime.servers.words import Network, networks, one_of, read_words, seconds, text, whole
from runtime.source import Report, place_of

NOBODY = "none"
LEAST_SECURITY = ("none", "sign", "encrypt")


@dataclass(frozen=True, slots=True)
class OpcuaSettings:
    """The OPC UA server: where it listens, whom it trusts, and what a client without a name may do.

    `every` is the publishing interval in seconds. `security` is the least that a session needs; where the site says nothing, "none"
    on a host that only this machine reaches, "sign" elsewhere. `trust`: "list" (the folder `trusted/`) or "any". `allow`: the
    networks of clients, all where it is empty. `namespace`: the URI of our nodes, `urn:bessplc:SITE` where it is empty.
    `certificate` and `key` (PEM or DER) stand in for those made at first start.
    """

    host: str = "127.0.0.1"
    port: int = 4840
    anonymous: str = "viewer"
    security: str = ""
    trust: str = "list"
    allow: tuple[Network, ...] = ()
    every: float = 0.1
    clients: int = 64
    certificate: str = ""
    key: str = ""
    namespace: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def takes_unsecured(self) -> bool:
        """Whether a session may go without signatures and encryption: OPC UA's security policy None."""
        return (self.security or ("none" if self.is_local else "sign")) == "none"


def describe_opcua(section: Any, report: Report) -> OpcuaSettings:
    """Read `servers: opcua:`; mistakes go to the report and leave the default."""
    settings = OpcuaSettings(**read_words(section, _OPCUA, report))
    if bool(settings.certificate) != bool(settings.key):
        report.error(place_of(section), "E903", "`certificate` and `key` go together: one of them is missing")
    if not settings.is_local:
        _check_on_a_network(section, settings, report)
    if settings.trust == "any":
        at = _place(section, "trust")
        report.warn(
            at, "W923", "every client's certificate is trusted", "", "`bessplc certificate trust` trusts those that are known"
        )
    return settings


def _check_on_a_network(section: Any, settings: OpcuaSettings, report: Report) -> None:
    may_write = settings.anonymous in ROLES and settings.anonymous != ROLES[0]
    if settings.takes_unsecured:
        at = _place(section, "security")
        help = "`security: sign` or `encrypt` asks for certificates"
        report.warn(
            at, "W922", "clients on the network may connect without security: anybody on the way reads and forges", "", help
        )
    if may_write and settings.takes_unsecured:
        help = "say `anonymous: viewer` and add users (`bessplc user add`), or `security: sign`"
        said = f"anybody on the network could write as {settings.anonymous}, with no name and no certificate"
        report.error(_place(section, "anonymous"), "E922", said, "", help)
    elif may_write:
        said = f"clients without a name may do what a {settings.anonymous} may"
        report.warn(_place(section, "anonymous"), "W924", said, "", "`bessplc user add` gives people names")


def _place(section: Any, word: str) -> Any:
    return place_of(section.get(word), place_of(section)) if isinstance(section, Mapping) else place_of(section)


def _users(value: Any) -> Any:
    raise ValueError("users are not written here: `bessplc user add NAME --role ROLE` writes them into config/users.yaml")


_OPCUA: dict[str, Callable[[Any], Any]] = {
    "host": text,
    "port": whole(0, 65535),
    "anonymous": one_of(NOBODY, *ROLES),
    "security": one_of(*LEAST_SECURITY),
    "trust": one_of("list", "any"),
    "allow": networks,
    "users": _users,
    "every": seconds(0.05, 10),
    "clients": whole(1, 1000),
    "namespace": text,
    "certificate": text,
    "key": text,
}
