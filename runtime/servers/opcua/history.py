"""HistoryRead of raw values (part 11, 6.5.3) from the site's records: both directions, bounds, continuation points.

A read is answered in a thread of its own and in portions, so that a read of years delays nobody. A continuation point holds all
that is needed to go on; nothing is kept for a client that never comes back. It knows no scan.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.history import HistoryManager

from runtime.model import Tag
from runtime.quality import is_bad
from runtime.servers.opcua.tags import TYPES
from runtime.servers.opcua.types import standard, status
from runtime.servers.opcua.wire import joined, ticks
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.states import Sample

MOST_VALUES = 5_000  # of one answer, 150 kB; the rest is fetched with its continuation points
MOST_NODES = 50
_CODES, _IDS = ua.StatusCodes, ua.ObjectIds
_DATA = standard(_IDS.HistoryData_Encoding_DefaultBinary)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 2**52  # us: 142 years after 1970, still within 64 bits of ns
_NEVER = ua.get_win_epoch()  # a time that a client leaves out
_BOUND_MISSING = int(_CODES.BadBoundNotFound)
_VALUE, _STATUS, _SOURCE, _SERVER = 0x01, 0x02, 0x04, 0x08  # part 6, 5.2.2.17
_PACKED = {"BOOL": "<?", "DINT": "<i", "LINT": "<q", "TIME": "<q", "LREAL": "<d"}
_POINT = struct.Struct("<4sqqqIII??")
_MARK = b"raw1"

Past = Callable[[str, int, int, int, bool], list[Sample]]  # Records.history


@dataclass(frozen=True, slots=True)
class Range:
    """What is still to be read: samples of the whole microseconds `low` to `high` (both included).

    `at` and `skip` say where to go on: that sample time (ns), without so many that were told already. `count` is the most of one
    answer, `left` how many altogether, 0 for all; `has_end` whether the value beyond the end closes them.
    """

    low: int
    high: int
    at: int
    skip: int
    count: int
    left: int
    is_backward: bool
    has_end: bool

    def past_its_samples(self) -> Range:
        """What is left when only the value beyond the end is still to be told."""
        return replace(self, at=self.low * 1000 - 1 if self.is_backward else self.high * 1000 + 1000, skip=0)

    def pack(self) -> bytes:
        """The continuation point."""
        return _POINT.pack(_MARK, *astuple(self))


def unpack(point: bytes) -> Range:
    """The range of a continuation point. Raises ServiceError where it is none of ours."""
    if len(point) != _POINT.size or not point.startswith(_MARK):
        raise ServiceError(_CODES.BadContinuationPointInvalid)
    found = Range(*_POINT.unpack(point)[1:])
    is_sound = 0 <= found.low <= _LATEST and 0 <= found.high <= _LATEST and 0 <= found.at <= _LATEST * 1000
    if not is_sound or found.skip > MOST_VALUES:
        raise ServiceError(_CODES.BadContinuationPointInvalid)
    return found


def range_of(details: ua.ReadRawModifiedDetails) -> tuple[Range, int, int]:
    """The range that the details ask for, with its begin and its end. Raises ServiceError where fewer than two things are said."""
    count = int(details.NumValuesPerNode)
    start, end = _microseconds(details.StartTime), _microseconds(details.EndTime)
    if (start is None) + (end is None) + (not count) > 1:
        raise ServiceError(_CODES.BadHistoryOperationInvalid)
    is_open = start is None or end is None
    begin, stop = (end, -1) if start is None else (start, _LATEST + 1 if end is None else end)
    assert begin is not None and stop is not None
    is_backward = begin > stop
    if begin == stop:
        low = high = begin
    elif is_backward:  # the end itself is left out, so that ranges that follow each other have no value twice
        low, high = stop + 1, begin
    else:
        low, high = begin, stop - 1
    at = high * 1000 + 999 if is_backward else low * 1000
    has_end = bool(details.ReturnBounds) and not is_open and begin != stop
    wanted = Range(low, high, at, 0, count, count if is_open else 0, is_backward, has_end)
    return wanted, begin, stop


class PastValues(HistoryManager):
    """Answers HistoryRead. `tags` are those that can be read, with the names that the records know them by."""

    def __init__(self, server: Any, past: Past):
        super().__init__(server)
        self._past = past
        self._tags: Mapping[str, Tag] = {}
        self._nodes: Any = server.aspace
        self._threads = ThreadPoolExecutor(1, "history")
        self.reads = 0
        _declare(server.aspace)

    def show(self, tags: Iterable[Tag], recorded: frozenset[str] | None) -> None:
        """Answer for those of the tags that are recorded; None: for all, since it cannot be read which these are."""
        known = frozenset(name.lower() for name in recorded) if recorded is not None else None
        self._tags = {tag.name: tag for tag in tags if not tag.length and (known is None or tag.name.lower() in known)}

    async def read_history(self, params: ua.HistoryReadParameters) -> list[ua.HistoryReadResult]:
        """The HistoryRead service (part 4, 5.11.3)."""
        nodes = params.NodesToRead or []
        if not nodes:
            raise ServiceError(_CODES.BadNothingToDo)
        if len(nodes) > MOST_NODES:
            raise ServiceError(_CODES.BadTooManyOperations)
        if params.TimestampsToReturn not in (0, 1, 2):
            raise ServiceError(_CODES.BadTimestampsToReturnInvalid)
        self.reads += 1
        if params.ReleaseContinuationPoints:  # nothing is held for them
            return [ua.HistoryReadResult() for _ in nodes]
        loop = asyncio.get_running_loop()
        share = max(MOST_VALUES // len(nodes), 1)
        return [await loop.run_in_executor(self._threads, self._answer, params, wanted, share) for wanted in nodes]

    def _answer(self, params: ua.HistoryReadParameters, wanted: ua.HistoryReadValueId, share: int) -> ua.HistoryReadResult:
        try:
            return self._read(params, wanted, share)
        except ServiceError as error:
            return ua.HistoryReadResult(StatusCode=status(error.code))
        except NotKeptError:  # part 11, 6.2.2: an empty answer would say that there was nothing
            return ua.HistoryReadResult(StatusCode=status(_CODES.BadDataUnavailable))

    def _read(self, params: ua.HistoryReadParameters, wanted: ua.HistoryReadValueId, share: int) -> ua.HistoryReadResult:
        details = params.HistoryReadDetails
        node = wanted.NodeId
        tag = self._tags.get(node.Identifier) if node.NamespaceIndex == 2 else None  # type: ignore[call-overload]
        if tag is None:
            raise ServiceError(_CODES.BadHistoryOperationUnsupported if node in self._nodes else _CODES.BadNodeIdUnknown)
        if not isinstance(details, ua.ReadRawModifiedDetails) or details.IsReadModified:
            raise ServiceError(_CODES.BadHistoryOperationUnsupported)
        if wanted.IndexRange:
            raise ServiceError(_CODES.BadIndexRangeNoData)  # arrays are not recorded
        found: list[Sample] = []
        if wanted.ContinuationPoint:
            asked = unpack(wanted.ContinuationPoint)
            stop = asked.low - 1 if asked.is_backward else asked.high + 1
        else:
            asked, begin, stop = range_of(details)
            if details.ReturnBounds:
                found = self._before(tag.name, begin, asked.is_backward)
        room = min(share, asked.count or share, asked.left or share)
        if asked.left and found:
            if asked.left == len(found):
                return _result(found, None, tag, int(params.TimestampsToReturn))
            asked = replace(asked, left=asked.left - len(found))
        some, rest = self._portion(tag.name, asked, max(room - len(found), 0))
        found += some
        if rest is None and asked.has_end:
            if len(found) < room:
                found.append(self._at_or_beyond(tag.name, stop, asked.is_backward))
            else:
                rest = asked.past_its_samples()
        return _result(found, rest, tag, int(params.TimestampsToReturn))

    def _portion(self, tag: str, asked: Range, most: int) -> tuple[list[Sample], Range | None]:
        """At most so many samples of the range, and what is left to be read of it."""
        low, high = asked.low * 1000, asked.high * 1000 + 999
        low, high = (low, min(high, asked.at)) if asked.is_backward else (max(low, asked.at), high)
        if low > high:
            return [], None
        samples = self._past(tag, low, high, asked.skip + most + 1, asked.is_backward)[asked.skip :]
        told = samples[:most]
        left = asked.left - len(told) if asked.left else 0
        if len(samples) <= most or (asked.left and left <= 0):
            return told, None
        if not told:
            return told, asked
        at = told[-1].time
        skip = sum(1 for sample in told if sample.time == at) + (asked.skip if at == asked.at else 0)
        return told, replace(asked, at=at, skip=skip, left=left)

    def _before(self, tag: str, begin: int, is_backward: bool) -> list[Sample]:
        """The value that bounds the range at its begin, where none lies on it."""
        if self._past(tag, begin * 1000, begin * 1000 + 999, 1, False):
            return []
        return [self._at_or_beyond(tag, begin, not is_backward)]

    def _at_or_beyond(self, tag: str, time: int, is_backward: bool) -> Sample:
        """The first value at that time or beyond it, away from the range."""
        if is_backward:
            found = self._past(tag, 0, time * 1000 + 999, 1, True)
        else:
            found = self._past(tag, time * 1000, _LATEST * 1000, 1, False)
        return found[0] if found else Sample(time * 1000, None, _BOUND_MISSING)

    async def stop(self) -> None:
        """End the thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _microseconds(time: datetime | None) -> int | None:
    if time is None or time.replace(tzinfo=None) <= _NEVER.replace(tzinfo=None):
        return None
    moment = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return min(max((moment - _EPOCH) // timedelta(microseconds=1), 0), _LATEST)


def _result(samples: list[Sample], rest: Range | None, tag: Tag, times: int) -> ua.HistoryReadResult:
    """The samples as HistoryData, encoded here so that the server's own thread need not."""
    mask = _STATUS | _VALUE | (0, _SERVER)[times in (1, 2)] | (0, _SOURCE)[times in (0, 2)]
    data = [_encoded(sample, tag, mask) for sample in samples]
    body: Any = ua.ExtensionObject(TypeId=_DATA, Body=joined(data, len(data)))  # type: ignore[arg-type]
    code = _CODES.Good if samples else _CODES.GoodNoData
    return ua.HistoryReadResult(status(code), rest.pack() if rest is not None else None, body)  # type: ignore[arg-type]


def _encoded(sample: Sample, tag: Tag, mask: int) -> bytes:
    value = _value(sample, tag)
    parts = [bytes((mask, TYPES[tag.type].value)) + value if value else bytes((mask, 0))]
    parts.append(struct.pack("<I", sample.quality))
    stamp = struct.pack("<q", ticks(sample.time))
    return b"".join(parts) + stamp * (bool(mask & _SOURCE) + bool(mask & _SERVER))


def _value(sample: Sample, tag: Tag) -> bytes:
    """The value in the tag's type; empty, which is null, where it is bad or was recorded as a type that does not fit any more."""
    if sample.value is None or is_bad(sample.quality):
        return b""
    try:
        return struct.pack(_PACKED[tag.type], float(sample.value) if tag.type == "LREAL" else int(sample.value))
    except (struct.error, ValueError, OverflowError):
        return b""


def _declare(aspace: Any) -> None:
    """Say what this server can do with history (part 11, 5.4)."""
    flags = {"AccessHistoryDataCapability": True, "AccessHistoryEventsCapability": False, "InsertDataCapability": False}
    flags |= {"ReplaceDataCapability": False, "UpdateDataCapability": False, "DeleteRawCapability": False}
    flags |= {f"{what}EventCapability": False for what in ("Insert", "Replace", "Update", "Delete")}
    flags |= {"DeleteAtTimeCapability": False, "InsertAnnotationCapability": False, "ServerTimestampSupported": False}
    numbers = {"HistoryServerCapabilities_MaxReturnDataValues": MOST_VALUES, "HistoryServerCapabilities_MaxReturnEventValues": 0}
    numbers["Server_ServerCapabilities_OperationLimits_MaxNodesPerHistoryReadData"] = MOST_NODES
    values = {f"HistoryServerCapabilities_{name}": ua.Variant(flag, ua.VariantType.Boolean) for name, flag in flags.items()}
    values |= {name: ua.Variant(number, ua.VariantType.UInt32) for name, number in numbers.items()}
    for name, value in values.items():
        number = getattr(_IDS, name, None)
        node = aspace.get(standard(number)) if number is not None else None
        if node is not None:
            node.attributes[ua.AttributeIds.Value].value = ua.DataValue(value)
