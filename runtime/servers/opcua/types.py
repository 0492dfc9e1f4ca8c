"""The few asyncua values that are made everywhere, from plain Python ones. It knows nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua

NS = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def standard(number: int) -> ua.NodeId:
    """The node of the standard address space with this number (`ua.ObjectIds`)."""
    return ua.NodeId(number)  # type: ignore[arg-type]


def named(identifier: str) -> ua.NodeId:
    """The node of our namespace with this name: `ns=2;s=bms.soc`."""
    return ua.NodeId(identifier, NS)  # type: ignore[arg-type]


def status(code: int) -> ua.StatusCode:
    """A status code from its number."""
    return ua.StatusCode(code)  # type: ignore[arg-type]


def stamped(value: ua.Variant, code: int, source: datetime | None = None, server: datetime | None = None) -> ua.DataValue:
    """A value with its status and times."""
    return ua.DataValue(value, status(code), source, server)  # type: ignore[arg-type]


def null() -> ua.Variant:
    """No value: what a bad status goes with (OPC UA part 4, 7.7.1)."""
    return ua.Variant(None, ua.VariantType.Null)


def variant(value: Any, kind: ua.VariantType, *, is_array: bool = False) -> ua.Variant:
    """A value of that type."""
    return ua.Variant(value, kind, is_array=is_array)


def text(words: str) -> ua.Variant:
    """Words that a person reads."""
    return variant(ua.LocalizedText(words, "en"), ua.VariantType.LocalizedText)


def at(time: int) -> datetime:
    """Nanoseconds since 1970 UTC as OPC UA's libraries have a time: in whole microseconds."""
    return _EPOCH + timedelta(microseconds=time // 1000)
