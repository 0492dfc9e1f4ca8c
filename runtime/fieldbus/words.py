"""Reads the typed words that drivers find in an io_map: durations, whole numbers, choices. It knows no driver."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from runtime.source import Report, Section, Text, did_you_mean, place_of

NS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
BITS = {"": 1, "bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6}
_QUANTITY = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([^\s\d]\S*)?\s*")


def word(section: Section, key: str, report: Report, *, needed: str = "") -> Text | None:
    """The scalar under `key`; where it is missing and `needed` says what for, that is a problem."""
    value = section.get(key)
    if value is None:
        if needed:
            report.error(section.at, "E601", f"`{key}` is missing: {needed}")
        return None
    if not isinstance(value, Text):
        report.error(place_of(value, section.at), "E602", f"`{key}` takes one value, not a list or a section")
        return None
    return value


def duration(section: Section, key: str, default: int, report: Report) -> int:
    """A duration in nanoseconds, more than zero: `100 ms`."""
    text = word(section, key, report)
    if text is None:
        return default
    found = _QUANTITY.fullmatch(text)
    if not found or found[2] not in NS or Decimal(found[1]) <= 0:
        report.error(text.at, "E603", f"`{text}` is no duration", "a number and a unit", f"for example `{key}: 100 ms`")
        return default
    return int(Decimal(found[1]) * NS[found[2]])


def bitrate(section: Section, key: str, report: Report) -> int | None:
    """A bit rate in bit/s: `500 kbit/s`."""
    text = word(section, key, report)
    if text is None:
        return None
    found = _QUANTITY.fullmatch(text)
    if not found or (found[2] or "") not in BITS or Decimal(found[1]) <= 0:
        report.error(text.at, "E603", f"`{text}` is no bit rate", "a number and a unit", f"for example `{key}: 500 kbit/s`")
        return None
    return int(Decimal(found[1]) * BITS[found[2] or ""])


def whole(section: Section, key: str, default: int, low: int, high: int, report: Report) -> int:
    """A whole number within [low, high]."""
    text = word(section, key, report)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        report.error(text.at, "E604", f"`{key}` is a whole number, not `{text}`")
        return default
    if not low <= value <= high:
        report.error(text.at, "E604", f"`{key}` is {low} to {high}, not {value}")
        return default
    return value


def number(section: Section, key: str, default: float, report: Report) -> float:
    """A finite number."""
    text = word(section, key, report)
    if text is None:
        return default
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text.strip()):
        report.error(text.at, "E604", f"`{key}` is a number, not `{text}`")
        return default
    return float(text)


def choice(section: Section, key: str, known: Iterable[str], default: str, report: Report) -> str:
    """One of the known words."""
    text = word(section, key, report)
    if text is None:
        return default
    known = tuple(known)
    if text not in known:
        report.error(text.at, "E605", f"`{key}` cannot be `{text}`", did_you_mean(text, known), f"known: {', '.join(known)}")
        return default
    return str(text)


def names(section: Section, report: Report) -> tuple[tuple[int, str], ...]:
    """The texts of an enumeration's values: `names: {0: off, 1: on}`."""
    value = section.get("names")
    if value is None:
        return ()
    if not isinstance(value, Section):
        report.error(place_of(value, section.at), "E602", "`names` takes a section: `{0: off, 1: on}`")
        return ()
    found = []
    for key, text in value.items():
        if not re.fullmatch(r"-?\d+", key) or not isinstance(text, Text):
            report.error(key.at, "E604", f"`names` has a whole number and its text on each line, not `{key}`")
        else:
            found.append((int(key), str(text)))
    return tuple(found)


def scalar(text: Text) -> int | float | bool | str:
    """An option for a library as it expects it: a number, true or false, or text."""
    if text.quoted:
        return str(text)
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return str(text)
