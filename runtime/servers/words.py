"""How the settings of a server are read: one function a kind of value, each raising ValueError with what was expected.

It knows no server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from runtime.model import ROLES
from runtime.source import NOWHERE, Report, did_you_mean, nearest, place_of

UNITS_OF_SIZE = {"MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Words = Mapping[str, Callable[[Any], Any]]
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def read_words(section: Any, words: Mapping[str, Callable[[Any], Any]], report: Report) -> dict[str, Any]:
    """The settings of a section by the reader of each word; mistakes go to the report and are left out."""
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


def text(value: Any) -> str:
    """Any one value, as written."""
    if isinstance(value, (Mapping, list)):
        raise ValueError("one value is needed here")
    return str(value)


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number within these ends."""

    def read(value: Any) -> int:
        found = text(value)
        if not found.isascii() or not found.isdigit() or not low <= int(found) <= high:
            raise ValueError(f"`{found}` is not a whole number from {low} to {high}")
        return int(found)

    return read


def truth(value: Any) -> bool:
    """`true` or `false`."""
    return one_of("true", "false")(value) == "true"


def seconds(low: float, high: float) -> Callable[[Any], float]:
    """A time such as `60 s` or `100 ms`, in seconds."""
    scales = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

    def read(value: Any) -> float:
        found = text(value).strip()
        number = found.rstrip("abcdefghijklmnopqrstuvwxyz ")
        unit = found[len(number) :].strip() or "s"
        try:
            time = float(number) * scales[unit]
        except (ValueError, KeyError):
            raise ValueError(f"`{found}` is not a time such as `60 s` or `100 ms`") from None
        if not low <= time <= high:
            raise ValueError(f"{found} is outside {low:g} s to {high:g} s")
        return time

    return read


def scaled(units: Mapping[str, float], least: str, example: str) -> Callable[[Any], float]:
    """A number with one of these units, such as `10 GB`, in the unit whose size is 1; `least` is written in the same way."""

    def size_of(found: str) -> float:
        unit = found.lstrip("0123456789.")
        try:
            return float(found.removesuffix(unit)) * units[unit.lstrip()]
        except (ValueError, KeyError):
            raise ValueError(f"`{found}` is not written like `{example}`; the units are {', '.join(units)}") from None

    def read(value: Any) -> float:
        found = text(value).strip()
        size = size_of(found)
        if size < size_of(least):
            raise ValueError(f"{found} is too little: {least} at least")
        if size == float("inf"):
            raise ValueError("a number with so many digits is too much")
        return size

    return read


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of these words."""

    def read(value: Any) -> str:
        found = text(value)
        if found not in choices:
            close = nearest(found, choices)
            raise ValueError(f"`{found}` is none of {', '.join(choices)}" + (f"; did you mean `{close[0]}`?" if close else ""))
        return found

    return read


def unit_ids(value: Any) -> frozenset[int] | None:
    """Modbus unit ids, None for `any`."""
    if not isinstance(value, (list, tuple)):
        if text(value) == "any":
            return None
        value = [value]
    return frozenset(map(whole(0, 255), value))


def network(value: Any) -> Network:
    """A network such as `192.168.10.0/24`, or one host."""
    try:
        return ipaddress.ip_network(text(value))
    except ValueError as error:
        raise ValueError(f"{error}; a network is written 192.168.10.0/24, a single host 192.168.10.50") from None


def networks(value: Any) -> tuple[Network, ...]:
    """One network or a list of them."""
    return tuple(map(network, value if isinstance(value, (list, tuple)) else [value]))


def writers(value: Any) -> tuple[tuple[Network, str], ...]:
    """A list of networks (their role is `role`, told by an empty one here), or each with its own role."""
    if isinstance(value, Mapping):
        return tuple((network(where), role_name(role)) for where, role in value.items())
    return tuple((where, "") for where in networks(value))


role_name = one_of(*ROLES)
