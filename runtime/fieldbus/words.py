"""Reads the typed words that drivers find in an io_map: durations, whole numbers, choices. It knows no driver."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from runtime.source import Report, Section, Text, did_you_mean, place_of

NS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
BITS = {"": 1, "bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6}
LONGEST = 8760 * NS["h"]  # more than a year is a slip of the pen, and must not reach the counters of ns
FASTEST = 10**9  # bit/s: no bus is faster
MOST_DIGITS = 18  # of a whole number that a library takes
_QUANTITY = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([^\s\d]\S*)?\s*")


def entry(section: Section, key: str) -> Any:
    """What stands under the key, or None."""
    return section.get(Text(key))


def word(section: Section, key: str, report: Report, *, needed: str = "") -> Text | None:
    """The scalar under `key`; where it is missing and `needed` says what for, that is a problem."""
    value = entry(section, key)
    if value is None:
        if needed:
            report.error(section.at, "E651", f"`{key}` is missing: {needed}")
        return None
    if not isinstance(value, Text):
        report.error(place_of(value, section.at), "E652", f"`{key}` takes one value, not a list or a section")
        return None
    return value


def duration(section: Section, key: str, default: int, report: Report) -> int:
    """A duration in nanoseconds, more than zero and a year at most: `100 ms`."""
    text = word(section, key, report)
    if text is None:
        return default
    found = _QUANTITY.fullmatch(text)
    if not found or found[2] not in NS or Decimal(found[1]) <= 0:
        report.error(text.at, "E653", f"`{text}` is no duration", "a number and a unit", f"for example `{key}: 100 ms`")
        return default
    if not 1 <= (length := Decimal(found[1]) * NS[found[2]]) <= LONGEST:
        report.error(text.at, "E653", f"`{key}` is {'a year at most' if length > 1 else 'at least 1 ns'}")
        return default
    return int(length)


def bitrate(section: Section, key: str, report: Report) -> int | None:
    """A bit rate in bit/s: `500 kbit/s`."""
    text = word(section, key, report)
    if text is None:
        return None
    found = _QUANTITY.fullmatch(text)
    if not found or (found[2] or "") not in BITS or Decimal(found[1]) <= 0:
        report.error(text.at, "E653", f"`{text}` is no bit rate", "a number and a unit", f"for example `{key}: 500 kbit/s`")
        return None
    if not 1 <= (rate := Decimal(found[1]) * BITS[found[2] or ""]) <= FASTEST:
        report.error(text.at, "E653", f"`{key}` is {'1 Gbit/s at most' if rate > 1 else 'at least 1 bit/s'}")
        return None
    return int(rate)


def whole(section: Section, key: str, default: int, low: int, high: int, report: Report) -> int:
    """A whole number within [low, high]."""
    text = word(section, key, report)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        report.error(text.at, "E654", f"`{key}` is a whole number, not `{text}`")
        return default
    if not low <= value <= high:
        report.error(text.at, "E654", f"`{key}` is {low} to {high}, not {value}")
        return default
    return value


def number(section: Section, key: str, default: float, report: Report) -> float:
    """A finite number."""
    text = word(section, key, report)
    if text is None:
        return default
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text.strip()):
        report.error(text.at, "E654", f"`{key}` is a number, not `{text}`")
        return default
    if not math.isfinite(found := float(text)):
        report.error(text.at, "E654", f"`{key}` is beyond all numbers: `{text[:40]}`")
        return default
    return found


def choice(section: Section, key: str, known: Iterable[str], default: str, report: Report) -> str:
    """One of the known words."""
    text = word(section, key, report)
    if text is None:
        return default
    known = tuple(known)
    if text not in known:
        report.error(text.at, "E655", f"`{key}` cannot be `{text}`", did_you_mean(text, known), f"known: {', '.join(known)}")
        return default
    return str(text)


def scalar(text: Text) -> int | float | bool | str:
    """An option for a library as it expects it: a number, true or false, or text."""
    if text.quoted:
        return str(text)
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(rf"[+-]?\d{{1,{MOST_DIGITS}}}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?\d+\.\d*", text) else str(text)
