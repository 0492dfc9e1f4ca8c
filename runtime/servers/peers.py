"""Where a client comes from: its address, how a log shows it, and the host whose failures count together. It knows no protocol."""

from __future__ import annotations

import ipaddress


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that a socket tells, to be looked for in networks. Raises ValueError."""
    found = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)  # how a socket for both families shows an IPv4 client
    return mapped if mapped is not None else found


def peer_of(host: str, port: int) -> str:
    """The client as logs show it: `10.0.0.9:4711`, `[2001:db8::5]:4711`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_of(peer: str) -> str:
    """Whose failures are counted together: an address without its port, for a guesser has 60,000; the network of an IPv6 one."""
    host, _, port = peer.rpartition(":")
    found = host.strip("[]") if host and port.isdigit() and (host.count(":") == 0 or host.startswith("[")) else peer
    try:
        address = address_of(found)
    except ValueError:
        return found
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
