"""The words `fallback` and `timeout` of a register map: the value that a register goes back to. It knows no socket and no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runtime.model import Tag
from runtime.servers.integers import INTEGERS, holds
from runtime.servers.modbus.map import Entry
from runtime.servers.words import seconds
from runtime.source import Report, place_of

USUAL_TIMEOUT = 60.0  # s, as OpenEMS


def with_fallback(entry: Entry, line: Mapping[Any, Any], report: Report) -> Entry | None:
    """The entry with its fallback and time-out, where the line gives one; None where it cannot have it."""
    text, timeout = line.get("fallback"), line.get("timeout")
    if text is None:
        if timeout is not None:
            at = place_of(timeout, entry.at)
            report.error(
                at, "E945", f"`{entry.name}` has a timeout but no fallback", "what is to be written then?", "add `fallback: 0`"
            )
            return None
        return entry
    why = "nobody may write it here" if not entry.writable else "a pulse does not stand" if entry.tag.pulse else ""
    if why:
        report.error(place_of(text, entry.at), "E945", f"`{entry.name}` has no use for a fallback", why)
        return None
    try:
        return replace(entry, fallback=_value(text, entry.tag), seconds=_timeout(timeout))
    except ValueError as error:
        report.error(place_of(text, entry.at), "E945", f"`fallback` of `{entry.name}`: {error}")
        return None


def _timeout(text: Any) -> float:
    if text is None:
        return USUAL_TIMEOUT
    return math.inf if text == "never" else seconds(0.1, 86400)(text)


def _value(text: Any, tag: Tag) -> float | int | bool:
    """The value in the tag's own type. Raises ValueError with what was expected."""
    if tag.type == "BOOL":
        if text not in ("true", "false"):
            raise ValueError(f"`{text}` is neither true nor false")
        return bool(text == "true")
    number = str(text)
    if tag.unit:
        number = number.removesuffix(tag.unit).rstrip()
    try:
        value = float(number)
        whole = int(number) if tag.type in INTEGERS else 0
    except ValueError:
        unit = f" {tag.unit}" if tag.unit else ""
        raise ValueError(f"`{text}` is no {'whole ' if tag.type in INTEGERS else ''}number such as `0{unit}`") from None
    low, high = tag.minimum, tag.maximum
    if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
        ends = " to ".join(f"{end:g}" if end is not None else "any" for end in (low, high))
        raise ValueError(f"{text} is outside the tag's range, {ends}")
    if tag.type in INTEGERS:
        if not holds(tag.type, whole):
            raise ValueError(f"{text} does not fit {tag.type}")
        return whole
    return value
