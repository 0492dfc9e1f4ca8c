"""Who may do what over Modbus: by network, unit id and certificate. It knows no socket and no registers."""

from __future__ import annotations

from dataclasses import replace

from runtime.model import ROLES
from runtime.servers.audit import Who
from runtime.servers.modbus.settings import ModbusSettings
from runtime.servers.modbus.tls import role_in
from runtime.servers.peers import address_of
from runtime.servers.users import Users


class Access:
    """The site's rules. Each may only take away: the role that one has is the lowest that they name."""

    def __init__(self, settings: ModbusSettings, users: Users):
        self._settings, self._users = settings, users

    def admits(self, host: str) -> bool:
        """Whether this address may connect at all."""
        address = address_of(host)
        return any(address in network for network in self._settings.allow)

    def who(self, host: str, peer: str, certificate: bytes | None) -> Who:
        """Who connects. A certificate that was checked already says who it is: its user, or the role that stands in it.

        A certificate of nobody's gives no right to write: the network's own `role` is for those who show none.
        """
        network = self._network_role(host)
        if certificate is None:
            return Who("", self._settings.role if network is None else network, peer)
        user = self._users.by_certificate(certificate)
        name, role = (user.name, user.role) if user is not None else ("", role_in(certificate))
        return Who(name, role if network is None else _lower(role, network), peer)

    def _network_role(self, host: str) -> str | None:
        """What `write:` allows this address: a role, "" for nothing, None where it sets no limit."""
        if self._settings.write is None:
            return None
        address = address_of(host)
        matching = [(network.prefixlen, role) for network, role in self._settings.write if address in network]
        # the narrowest network that holds the address decides
        return (max(matching)[1] or None) if matching else ""

    def in_unit(self, who: Who, unit: int) -> Who | None:
        """Who that is to this unit id, or None where the site does not answer to it."""
        units = self._settings.units
        if units is None:
            return who
        limit = units.get(unit)
        if limit is None:
            return None
        return replace(who, role=_lower(who.role, limit)) if limit else who


def _lower(one: str, other: str) -> str:
    return min(one, other, key=lambda role: ROLES.index(role) if role else -1)
