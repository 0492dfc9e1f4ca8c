"""What the site may say about its web page: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.servers.rest.settings import NOBODY, warn_of_clear_text
from runtime.servers.words import LOOPBACK, Network, networks, one_of, read_words, seconds, text, truth, whole
from runtime.source import Report

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HmiSettings:
    """The web page: where it listens, who may connect (`allow`), and under which host `names` browsers reach it.

    `panels` are the addresses of screens that stand at the plant: they command also while the site is in local control.
    `tls: false` is plain HTTP. `anonymous` is what those may do who did not log in: `none`, or `viewer` to look. A login ends after
    `session` (s), or `idle` (s) without a touch; the screen dims after `dim` (s) without one, 0 never. `clients` is how many
    connections there may be at once, two a page; `patience` (s) how long a request may take to arrive or its answer to be fetched.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    tls: bool = True
    anonymous: str = NOBODY
    allow: tuple[Network, ...] = LOOPBACK
    names: tuple[str, ...] = ()
    panels: tuple[Network, ...] = LOOPBACK
    session: float = 12 * 3600.0
    idle: float = 1800.0
    dim: float = 300.0
    clients: int = 128
    patience: float = 10.0


def describe_hmi(section: Any, report: Report) -> HmiSettings:
    """Read `servers: hmi:`; mistakes go to the report and leave the default."""
    settings = HmiSettings(**read_words(section, _HMI, report))
    said = "values and passwords would cross the network in the clear, so nobody can log in from another machine"
    warn_of_clear_text(section, settings, said, report)
    return settings


def _names(value: Any) -> tuple[str, ...]:
    found = tuple(text(one).lower() for one in (value if isinstance(value, list) else [value]))
    wrong = next((one for one in found if not HOST_NAME.fullmatch(one)), None)
    if wrong is not None:
        raise ValueError(f"`{wrong}` is not a host name such as `battery.example.com`")
    return found


_HMI: dict[str, Callable[[Any], Any]] = {
    "host": text,
    "port": whole(0, 65535),
    "tls": truth,
    "anonymous": one_of(NOBODY, "viewer"),
    "allow": networks,
    "names": _names,
    "panels": networks,
    "session": seconds(1, 7 * 86_400),
    "idle": seconds(1, 86_400),
    "dim": seconds(0, 86_400),
    "clients": whole(1, 4096),
    "patience": seconds(0.1, 600),
}
