"""Tag values as OPC UA sends them: the bytes of a DataValue, straight from a picture of the tags. It knows no session.

A value's bytes in memory are its bytes on the wire, so a DataValue is a head (what follows), those bytes, and a tail (status and
times): the same bytes that asyncua makes in 30 times as long out of four objects. Every DataValue made here has a status and both
times, so that its last 20 bytes are always its tail.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence

import numpy as np
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from blocks import declare
from runtime.engine.north import Snapshot
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA, is_bad
from runtime.servers.opcua.tags import TYPES
from runtime.servers.opcua.types import at, null, stamped, variant

SIZES = {name: kind.size for name, kind in declare.TYPES.items()}
_NUMPY = {"BOOL": "?", "DINT": "<i4", "LINT": "<i8", "TIME": "<i8", "LREAL": "<f8"}
_1970 = 116_444_736_000_000_000  # in ticks of 100 ns since 1601 (OPC UA part 6, 5.2.2.5)
_VALUE, _STATUS, _SOURCE, _SERVER, _ARRAY = 0x01, 0x02, 0x04, 0x08, 0x80  # part 6, 5.2.2.17 and 5.2.2.16
_ALL = _VALUE | _STATUS | _SOURCE | _SERVER
_RANGE = re.compile(r"(\d{1,9})(?::(\d{1,9}))?\Z")
_NULL = bytes((_ALL, 0))
_TAIL = struct.Struct("<Iqq")
TIMES, TAIL = 16, 20  # bytes at the end: both times; status and both times
_OVERFLOW = 0x480  # InfoType DataValue, and the bit Overflow (part 4, 7.39)


def ticks(nanoseconds: int) -> int:
    """Nanoseconds since 1970 as OPC UA counts time, whole microseconds."""
    return _1970 + nanoseconds // 1000 * 10


class Picture:
    """All tags of one snapshot, as they are read and published until the next is taken."""

    def __init__(self, tags: Sequence[Tag], size: int):
        self.tags = tuple(tags)
        self._rows = np.array([tag.index for tag in tags], np.intp)
        self._places = [(_head(tag), tag.offset, tag.offset + max(tag.length, 1) * SIZES[tag.type]) for tag in tags]
        self._owners = np.full(size, len(tags), np.int32)  # which row each byte belongs to
        for row, (_, start, end) in enumerate(self._places):
            self._owners[start:end] = row
        self._memory, self._raw = np.zeros(size, np.uint8), bytes(size)
        self._qualities = np.full(len(tags), BAD_WAITING_FOR_INITIAL_DATA, np.uint32)
        self.time = 0
        self._sources = np.zeros(len(tags), np.int64)
        self._freeze()

    def take(self, snapshot: Snapshot, now: int) -> tuple[np.ndarray, np.ndarray]:
        """Turn to this snapshot; by row whether value or quality changed, and whether the source time did."""
        raw, qualities = snapshot.memory.tobytes(), snapshot.qualities[self._rows]
        memory = np.frombuffer(raw, np.uint8)
        changed = np.zeros(len(self.tags) + 1, bool)
        changed[self._owners[np.flatnonzero(memory != self._memory)]] = True  # the last for bytes that are no tag's value
        changed = changed[:-1]
        changed |= qualities != self._qualities
        read = snapshot.times[self._rows]
        sources = np.where(read != 0, snapshot.wall - (snapshot.monotonic - read), snapshot.wall)
        stamped_anew = sources != self._sources
        self._memory, self._raw = memory, raw
        self._qualities, self._sources, self.time = qualities, sources, now
        self._freeze()
        return changed, stamped_anew

    def silence(self, now: int) -> None:
        """No scan tells anything any more: every tag is without communication from now on."""
        self._qualities = np.full(len(self.tags), BAD_NO_COMMUNICATION, np.uint32)
        self._sources = np.full(len(self.tags), now, np.int64)
        self.time = now
        self._freeze()

    def _freeze(self) -> None:
        self._ticks = ticks(self.time)
        self._encoded: dict[int, bytes] = {}

    def encoded(self, row: int) -> bytes:
        """The tag's DataValue as bytes."""
        known = self._encoded.get(row)
        return known if known is not None else self.encode((row,))[0]

    def encode(self, rows: Sequence[int] | np.ndarray) -> list[bytes]:
        """The DataValues of these tags as bytes; each is made once, for all who want it."""
        chosen = np.asarray(rows, np.intp)
        sources = (_1970 + self._sources[chosen] // 1000 * 10).tolist()
        made, places, raw, now, encoded = [], self._places, self._raw, self._ticks, self._encoded
        for row, quality, source in zip(chosen.tolist(), self._qualities[chosen].tolist(), sources, strict=True):
            data = encoded.get(row)
            if data is None:
                tail = _TAIL.pack(quality, source, now)
                if quality >> 31:  # a bad value is null (OPC UA part 4, 7.7.1)
                    data = _NULL + tail
                else:
                    head, start, end = places[row]
                    data = head + raw[start:end] + tail
                encoded[row] = data
            made.append(data)
        return made

    def data_value(self, row: int) -> ua.DataValue:
        """The same as asyncua's object, for whoever does not read bytes."""
        tag, quality = self.tags[row], int(self._qualities[row])
        source, server = at(int(self._sources[row])), at(self.time)
        if is_bad(quality):
            return stamped(null(), quality, source, server)
        values = self.column(row).tolist()
        value = variant(values if tag.length else values[0], TYPES[tag.type], is_array=bool(tag.length))
        return stamped(value, quality, source, server)

    def column(self, row: int) -> np.ndarray:
        """The tag's elements; one for a scalar."""
        _, start, end = self._places[row]
        return np.frombuffer(self._raw[start:end], _NUMPY[self.tags[row].type])


def _head(tag: Tag) -> bytes:
    kind = TYPES[tag.type].value
    return struct.pack("<BBi", _ALL, kind | _ARRAY, tag.length) if tag.length else bytes((_ALL, kind))


def sealed(value: ua.DataValue, now: int) -> bytes:
    """The bytes of a DataValue made elsewhere, completed so that it ends in a status and both times."""
    code = value.StatusCode.value if value.StatusCode is not None else 0
    server = value.ServerTimestamp or at(now)
    whole = stamped(null() if is_bad(code) or value.Value is None else value.Value, code, value.SourceTimestamp or server, server)
    return struct_to_binary(whole)


def overflowed(data: bytes) -> bytes:
    """The same value, marked: others before it were dropped."""
    code, source, server = _TAIL.unpack_from(data, len(data) - TAIL)
    return data[:-TAIL] + _TAIL.pack(code | _OVERFLOW, source, server)


def timed(data: bytes, wanted: int) -> bytes:
    """The value with the times that were asked for: 0 the source's, 1 the server's, 2 both, 3 neither (part 4, 7.40)."""
    if wanted == ua.TimestampsToReturn.Both:
        return data
    if wanted == ua.TimestampsToReturn.Source:
        return bytes((data[0] & ~_SERVER,)) + data[1:-8]
    if wanted == ua.TimestampsToReturn.Server:
        return bytes((data[0] & ~_SOURCE,)) + data[1:-16] + data[-8:]
    return bytes((data[0] & ~(_SOURCE | _SERVER),)) + data[1:-16]


def part(data: bytes, tag: Tag, first: int, last: int) -> bytes:
    """Elements `first` to `last` (from 0) of an array's value."""
    if data[1] == 0:
        return data
    size = SIZES[tag.type]
    some = data[6 + first * size : 6 + (last + 1) * size]
    return data[:2] + struct.pack("<i", last - first + 1) + some + data[-TAIL:]


def index_range(text: str) -> tuple[int, int] | None:
    """First and last element (from 0) of an index range of one dimension, None where it is none (part 4, 7.27)."""
    match = _RANGE.match(text)
    if match is None or (match[2] is not None and int(match[2]) <= int(match[1])):
        return None
    return int(match[1]), int(match[2] or match[1])


def elements(text: str, length: int) -> tuple[int, int] | int:
    """First and last element (from 0) of an index range, or the status code that says what is wrong with it (part 4, 7.27).

    `length` is 0 for a scalar, of which there are no parts.
    """
    found = index_range(text)
    if found is None:
        return int(ua.StatusCodes.BadIndexRangeInvalid)
    first, last = found
    return (first, min(last, length - 1)) if first < length else int(ua.StatusCodes.BadIndexRangeNoData)


def part_of(value: ua.DataValue, text: str) -> ua.DataValue:
    """The elements of an array that an index range names; a value that is null stays as it is."""
    whole = value.Value
    if whole is None or whole.Value is None:
        return value
    found = elements(text, len(whole.Value) if whole.is_array else 0)
    if isinstance(found, int):
        return stamped(null(), found)
    some = variant(whole.Value[found[0] : found[1] + 1], whole.VariantType, is_array=True)
    code = value.StatusCode.value if value.StatusCode is not None else 0
    return stamped(some, code, value.SourceTimestamp, value.ServerTimestamp)


def joined(values: Iterable[bytes], count: int) -> bytes:
    """An array of what is encoded already."""
    return struct.pack("<i", count) + b"".join(values)


def failed(code: int) -> bytes:
    """A DataValue that only says why there is none, as asyncua encodes it: a null value and a status."""
    return struct.pack("<BBI", _VALUE | _STATUS, 0, code)
