"""What the site may say about its recorder: the words and their defaults. It opens nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.model import Tag
from runtime.servers.words import UNITS_OF_SIZE, read_words, scaled, seconds, text, whole
from runtime.source import Report, did_you_mean, place_of


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """The recorder of a site.

    `keep` (s) and `size` (bytes) bound the running tape. Of a trip, `before` and `after` (s) are frozen as an incident file, of
    which `incidents` are kept; a trip is a scan that went safe or was restarted, an interlock that fell, a critical alarm, or the
    rise of a BOOL tag of `on`.
    """

    keep: float = 7 * 86400.0
    size: int = 10_000_000_000
    before: float = 600.0
    after: float = 30.0
    incidents: int = 20
    on: tuple[str, ...] = ()


def describe_recorder(section: Any, report: Report) -> RecorderSettings:
    """Read `servers: recorder:`; mistakes go to the report and leave the default."""
    return RecorderSettings(**read_words(section, _RECORDER, report))


def check_on(names: Sequence[str], tags: Sequence[Tag], report: Report) -> None:
    """Report names that no tag has, and tags that are neither true nor false."""
    known = {tag.name.lower(): tag for tag in tags}
    for name in names:
        tag = known.get(name.lower())
        if tag is None:
            report.error(place_of(name), "E902", f"`on`: no tag named `{name}`", did_you_mean(name, [tag.name for tag in tags]))
        elif tag.type != "BOOL" or tag.length:
            report.error(place_of(name), "E902", f"`on`: `{name}` is no BOOL: an incident begins when a tag turns true")


def _age(value: Any) -> float:
    found = text(value).strip()
    days = re.fullmatch(r"([\d.]+)\s*d", found)
    return seconds(60, 10 * 365 * 86400)(f"{float(days[1]) * 24} h" if days else found)


def _tags(value: Any) -> tuple[str, ...]:
    return tuple(text(one) for one in value) if isinstance(value, list | tuple) else (text(value),)  # type: ignore[misc]


_RECORDER: dict[str, Callable[[Any], Any]] = {
    "keep": _age,
    "size": lambda value: int(scaled(UNITS_OF_SIZE, "10 MB", "10 GB")(value)),
    "before": seconds(10, 7200),
    "after": seconds(0, 3600),
    "incidents": whole(1, 10_000),
    "on": _tags,
}
