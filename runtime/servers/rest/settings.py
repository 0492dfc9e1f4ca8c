"""What the site may say about its HTTP API: the words, their defaults, and the checks. It opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.servers.words import LOOPBACK, Network, networks, one_of, read_words, seconds, text, truth, whole
from runtime.source import Report, place_of

NOBODY = "none"


@dataclass(frozen=True, slots=True)
class RestSettings:
    """The HTTP API: where it listens and who may connect (`allow`).

    `tls: false` is plain HTTP, for a host behind a proxy that does TLS. `anonymous` is what those without a user may do:
    `none`, or `viewer` to read. `metrics: open` lets Prometheus read without a token. `clients` is how many connections there may
    be at once; `idle` (s) how long one may stay silent between two requests, `patience` (s) how long a request may take to arrive
    or its answer to be fetched.
    """

    host: str = "127.0.0.1"
    port: int = 8443
    tls: bool = True
    anonymous: str = NOBODY
    allow: tuple[Network, ...] = LOOPBACK
    clients: int = 64
    metrics: str = "token"
    idle: float = 60.0
    patience: float = 10.0


def describe_rest(section: Any, report: Report) -> RestSettings:
    """Read `servers: rest:`; mistakes go to the report and leave the default."""
    settings = RestSettings(**read_words(section, _REST, report))
    warn_of_clear_text(section, settings, "values and tokens cross the network in the clear", report)
    return settings


def warn_of_clear_text(section: Any, settings: Any, said: str, report: Report) -> None:
    """Say what comes of plain HTTP where others than this machine can listen."""
    if not settings.tls and not is_loopback(settings.host):
        at, help = place_of(section["tls"]), "leave `tls` out, or listen on 127.0.0.1"
        report.warn(at, "W922", f"`tls: false` on {settings.host}: {said}", help)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach the host name."""
    return host in ("localhost", "::1") or host.startswith("127.")


_REST: dict[str, Callable[[Any], Any]] = {
    "host": text,
    "port": whole(0, 65535),
    "tls": truth,
    "anonymous": one_of(NOBODY, "viewer"),
    "allow": networks,
    "clients": whole(1, 4096),
    "metrics": one_of("open", "token"),
    "idle": seconds(0.1, 3600),
    "patience": seconds(0.1, 600),
}
