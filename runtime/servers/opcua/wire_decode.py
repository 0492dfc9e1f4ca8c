"""Closes what a message can do to asyncua's decoder: lengths below zero, and arrays that cost nothing to send. It knows no service.

A text of length -5 moves asyncua's buffer back by five bytes, so that a list of such texts is read for ever; and two thousand
million nulls are an array of nine bytes. Both come before anybody has asked who the client is.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary

_NESTED = (ua.VariantType.Null, ua.VariantType.Variant, ua.VariantType.DataValue, ua.VariantType.DiagnosticInfo)
_read, _skip, _array = Buffer.read, Buffer.skip, ua_binary.unpack_uatype_array


def harden() -> None:
    """Have this process decode no such message any more."""
    Buffer.read, Buffer.skip = _read_on, _skip_on  # type: ignore[method-assign]
    ua_binary.unpack_uatype_array = _plain_array  # type: ignore[assignment]


def _read_on(self: Buffer, size: int) -> bytes:
    if size < 0:
        raise ua.UaError(f"a length of {size}")
    return _read(self, size)


def _skip_on(self: Buffer, size: int) -> None:
    if size < 0:
        raise ua.UaError(f"a length of {size}")
    _skip(self, size)


def _plain_array(kind: ua.VariantType, data: Any) -> list[Any] | None:
    """An array in a Variant: of nothing, or of variants in variants, which no service of ours takes, there is none."""
    if kind in _NESTED:
        raise ua.UaError(f"an array of {kind.name}")
    return _array(kind, data)
