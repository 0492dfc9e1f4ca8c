"""The Read service for plain values of tags, bytes in and bytes out. It knows no session and decides nothing about access.

A SCADA client that polls asks for hundreds of values at a time, and asyncua makes a dozen objects for each of them. Whatever is not
exactly the usual request is left to asyncua: `answer` returns None.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

from asyncua import ua

from runtime.servers.opcua.wire import Picture, failed, joined, ticks, timed

_REQUEST = b"\x01\x00" + struct.pack("<H", ua.ObjectIds.ReadRequest_Encoding_DefaultBinary)
_RESPONSE = b"\x01\x00" + struct.pack("<H", ua.ObjectIds.ReadResponse_Encoding_DefaultBinary)
_AFTER_TOKEN = struct.Struct("<qIIi")  # time stamp, request handle, diagnostics wanted, length of the audit entry id
_HINT = struct.Struct("<I")
_WANTED = struct.Struct("<dIi")  # greatest age, which times, how many nodes
_NAME = struct.Struct("<BHi")  # encoding, namespace, length of the name
_REST = struct.Struct("<IiHi")  # attribute, no index range, no data encoding
_HEADER = struct.Struct("<qII")  # time stamp, request handle, result
_NO_DETAILS = b"\x00" + b"\x00\x00\x00\x00" + b"\x00\x00\x00"  # no diagnostics, no strings, no additional header
_NO_DIAGNOSTICS = b"\x00\x00\x00\x00"
_VALUE = int(ua.AttributeIds.Value)
_STRING = ua.NodeIdType.String.value
_UNKNOWN = failed(int(ua.StatusCodes.BadNodeIdUnknown))
Names = Mapping[bytes, int]


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before every request: whose it is, and what the answer repeats."""

    token: bytes
    handle: int
    timeout: int
    end: int


def name_bytes(node: ua.NodeId) -> bytes:
    """A string node id as it stands in a request."""
    text = str(node.Identifier).encode()
    return _NAME.pack(_STRING, node.NamespaceIndex, len(text)) + text


def header(data: bytes, start: int) -> Header | None:
    """The request header at `start`; None where it is not the usual one: a 32-byte token, nothing additional."""
    if data[start : start + 7] != b"\x05\x00\x00\x20\x00\x00\x00":
        return None
    token, at = data[start + 7 : start + 39], start + 39
    _, handle, diagnostics, length = _AFTER_TOKEN.unpack_from(data, at)
    at += _AFTER_TOKEN.size + max(length, 0)
    (timeout,) = _HINT.unpack_from(data, at)
    if diagnostics or data[at + 4 : at + 7] != b"\x00\x00\x00":
        return None
    return Header(token, handle, timeout, at + 7)


def is_read(data: bytes, start: int) -> bool:
    """Whether a Read request begins here."""
    return data[start : start + 4] == _REQUEST


def answer(data: bytes, start: int, token: bytes, names: Names, picture: Picture) -> bytes | None:
    """The whole response to the Read request at `start`, None where it is not one for plain values of tags alone."""
    try:
        head = header(data, start + len(_REQUEST))
        if head is None or head.token != token:
            return None
        age, times, count = _WANTED.unpack_from(data, head.end)
        if not age >= 0 or times > ua.TimestampsToReturn.Neither or count <= 0:
            return None
        rows = _rows(data, head.end + _WANTED.size, count, names)
    except struct.error:
        return None
    if rows is None:
        return None
    values = picture.encode(rows)
    if times != ua.TimestampsToReturn.Both:
        values = [timed(value, times) for value in values]
    head_out = _RESPONSE + _HEADER.pack(ticks(time.time_ns()), head.handle, 0) + _NO_DETAILS
    return head_out + joined(values, count) + _NO_DIAGNOSTICS


def _rows(data: bytes, at: int, count: int, names: Names) -> list[int] | None:
    """The rows of the tags whose values are wanted; None where anything else is wanted, or nothing of ours."""
    rows: list[int] = []
    measure, rest, find = _NAME.unpack_from, _REST.unpack_from, names.get
    for _ in range(count):
        end = at + 7 + measure(data, at)[2]
        row = find(data[at:end])
        if row is None or rest(data, end) != _PLAIN:
            return None
        rows.append(row)
        at = end + 14
    return rows if at == len(data) else None


_PLAIN = (_VALUE, -1, 0, -1)
