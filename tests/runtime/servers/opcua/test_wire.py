"""Our bytes are asyncua's bytes, for every value that a tag can have; and its decoder understands what we send."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, BAD_NOT_CONNECTED, GOOD, GOOD_LOCAL_OVERRIDE, UNCERTAIN_LAST_USABLE
from runtime.servers.opcua.types import named, null, stamped, variant
from runtime.servers.opcua.wire import Picture, elements, overflowed, part, part_of, sealed, ticks, timed
from runtime.servers.opcua.wire_read import answer, name_bytes
from tests.aids.servers_scan import lay_out_region

NOW = 1_900_000_000_123_456_789
TOKEN = bytes(range(32))
NUMPY = {"BOOL": np.uint8, "DINT": np.int32, "LINT": np.int64, "TIME": np.int64, "LREAL": np.float64}
VALUES: dict[str, Any] = {
    "BOOL": st.booleans(),
    "DINT": st.integers(-(2**31), 2**31 - 1),
    "LINT": st.integers(-(2**63), 2**63 - 1),
    "TIME": st.integers(-(2**63), 2**63 - 1),
    "LREAL": st.floats(),
}
QUALITIES = st.sampled_from((GOOD, GOOD_LOCAL_OVERRIDE, UNCERTAIN_LAST_USABLE, BAD_NOT_CONNECTED))
TAGS, REGION = lay_out_region(Tag(f"a.{kind}{length}".lower(), kind, length, 0, 0) for kind in VALUES for length in (0, 1, 3, 200))


def picture_of(values: dict[str, Any], qualities: dict[str, int] | None = None, read: int = 0, wall: int = NOW) -> Picture:
    """What the publisher would have after taking a snapshot of these values."""
    memory = np.zeros(REGION.size, np.uint8)
    snapshot = SimpleNamespace(memory=memory, wall=wall, monotonic=10**12)
    snapshot.qualities = memory[REGION.quality :][: 4 * REGION.tags].view(np.uint32)
    snapshot.times = memory[REGION.source_time :][: 8 * REGION.tags].view(np.int64)
    snapshot.times[:] = read
    for tag in TAGS:
        column = memory[tag.offset :][: np.dtype(NUMPY[tag.type]).itemsize * max(tag.length, 1)].view(NUMPY[tag.type])
        column[:] = values.get(tag.name, 0)
        snapshot.qualities[tag.index] = (qualities or {}).get(tag.name, GOOD)
    picture = Picture(TAGS, REGION.size)
    picture.take(snapshot, NOW)  # type: ignore[arg-type]
    return picture


@given(st.data(), st.integers(0, 10**12), st.integers(0, 2**62))
def test_a_values_bytes_are_those_that_asyncua_makes(data: st.DataObject, read: int, wall: int) -> None:
    tag = data.draw(st.sampled_from(TAGS))
    one = VALUES[tag.type]
    value = data.draw(st.lists(one, min_size=tag.length, max_size=tag.length)) if 0 < tag.length < 10 else data.draw(one)
    picture = picture_of({tag.name: value}, {tag.name: data.draw(QUALITIES)}, read, wall)
    assert picture.encoded(tag.index) == struct_to_binary(picture.data_value(tag.index))


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: tag.name)
def test_asyncua_decodes_what_was_in_memory(tag: Tag) -> None:
    found = struct_from_binary(ua.DataValue, Buffer(picture_of({tag.name: 1}, {tag.name: GOOD_LOCAL_OVERRIDE}).encoded(tag.index)))
    assert found.Value.Value == ([1] * tag.length if tag.length else 1)
    assert bool(found.Value.is_array) == bool(tag.length)
    assert found.StatusCode.value == GOOD_LOCAL_OVERRIDE
    assert found.SourceTimestamp == found.ServerTimestamp == datetime(2030, 3, 17, 17, 46, 40, 123456, UTC)


def test_time_is_counted_from_1601_in_steps_of_100_ns() -> None:
    """OPC UA part 6, 5.2.2.5: the Unix epoch is 11,644,473,600 s after it."""
    assert ticks(0) == 11_644_473_600 * 10**7
    assert ticks(1_999) - ticks(0) == 10


def test_a_silent_scan_makes_every_value_null_and_without_communication() -> None:
    picture = picture_of({})
    picture.silence(NOW)
    for tag in TAGS:
        found = struct_from_binary(ua.DataValue, Buffer(picture.encoded(tag.index)))
        assert (found.Value.Value, found.StatusCode.value) == (None, BAD_NO_COMMUNICATION)


def test_what_changed_is_found_by_value_and_by_quality() -> None:
    picture = picture_of({})
    same = picture_of({"a.lreal3": [0, 0, 5.0]}, {"a.bool0": BAD_NOT_CONNECTED})
    snapshot = SimpleNamespace(
        memory=same._memory, qualities=same._qualities, times=np.zeros(len(TAGS), np.int64), wall=NOW, monotonic=10**12
    )
    changed, stamped_anew = picture.take(snapshot, NOW)  # type: ignore[arg-type]
    assert {TAGS[row].name for row in np.flatnonzero(changed)} == {"a.lreal3", "a.bool0"}
    assert not stamped_anew.any()


@pytest.mark.parametrize("wanted", list(ua.TimestampsToReturn)[:4])
def test_only_the_times_that_were_asked_for_are_sent(wanted: ua.TimestampsToReturn) -> None:
    whole = picture_of({"a.lint3": [1, 2, 3]}).encoded(11)
    found = struct_from_binary(ua.DataValue, Buffer(timed(whole, wanted)))
    both = ua.TimestampsToReturn.Both
    assert (found.SourceTimestamp is not None) == (wanted in (ua.TimestampsToReturn.Source, both))
    assert (found.ServerTimestamp is not None) == (wanted in (ua.TimestampsToReturn.Server, both))
    assert found.Value == struct_from_binary(ua.DataValue, Buffer(whole)).Value


def test_an_overflow_is_a_bit_of_the_status() -> None:
    """Part 4, 7.39.1: InfoType DataValue (10) in bits 10 and 11, Overflow in bit 7."""
    row = next(tag.index for tag in TAGS if tag.name == "a.lreal0")
    whole = picture_of({"a.lreal0": math.pi}, {"a.lreal0": UNCERTAIN_LAST_USABLE}).encoded(row)
    found = struct_from_binary(ua.DataValue, Buffer(overflowed(whole)))
    assert (found.Value.Value, found.StatusCode.value) == (math.pi, UNCERTAIN_LAST_USABLE | 1 << 10 | 1 << 7)


def test_a_part_of_an_array_is_an_array() -> None:
    tag = next(tag for tag in TAGS if tag.name == "a.dint3")
    picture = picture_of({"a.dint3": [7, 8, 9]})
    found = struct_from_binary(ua.DataValue, Buffer(part(picture.encoded(tag.index), tag, 1, 2)))
    assert found.Value == ua.Variant([8, 9], ua.VariantType.Int32)
    assert part_of(picture.data_value(tag.index), "1:2") == found


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("0", 3, (0, 0)),
        ("1:2", 3, (1, 2)),
        ("1:9", 3, (1, 2)),  # part 4, 7.27: what exists of a range that reaches beyond the end
        ("3", 3, ua.StatusCodes.BadIndexRangeNoData),
        ("0", 0, ua.StatusCodes.BadIndexRangeNoData),
        ("2:1", 3, ua.StatusCodes.BadIndexRangeInvalid),
        ("1:1", 3, ua.StatusCodes.BadIndexRangeInvalid),
        ("-1", 3, ua.StatusCodes.BadIndexRangeInvalid),
        ("0,1", 3, ua.StatusCodes.BadIndexRangeInvalid),
    ],
)
def test_an_index_range_is_read_as_the_standard_says(text: str, length: int, expected: Any) -> None:
    assert elements(text, length) == expected


@given(st.sampled_from((0, GOOD_LOCAL_OVERRIDE, BAD_NOT_CONNECTED)), st.booleans())
def test_a_value_made_elsewhere_is_completed_with_times(code: int, has_source: bool) -> None:
    made = stamped(variant("text", ua.VariantType.String), code, datetime(2030, 1, 1, tzinfo=UTC) if has_source else None)
    found = struct_from_binary(ua.DataValue, Buffer(sealed(made, NOW)))
    assert found.StatusCode.value == code
    assert found.Value.Value == (None if code >> 31 else "text")
    assert found.ServerTimestamp is not None
    assert found.SourceTimestamp == (made.SourceTimestamp or found.ServerTimestamp)


# the Read service

NAMES = {name_bytes(named(tag.name)): tag.index for tag in TAGS}
KNOWN = st.sampled_from([tag.name for tag in TAGS])


def request(names: list[str], **changes: Any) -> bytes:
    """A Read request as asyncua's own client encodes it."""
    asked = ua.ReadRequest()
    asked.RequestHeader.AuthenticationToken = ua.NodeId(changes.pop("token", TOKEN), 0, ua.NodeIdType.ByteString)
    asked.RequestHeader.RequestHandle = 4711
    asked.RequestHeader.TimeoutHint = 4000
    asked.Parameters.TimestampsToReturn = changes.pop("times", ua.TimestampsToReturn.Both)
    asked.Parameters.MaxAge = changes.pop("age", 0.0)
    item: dict[str, Any] = {"AttributeId": ua.AttributeIds.Value, **changes}
    asked.Parameters.NodesToRead = [ua.ReadValueId(NodeId=named(name), **item) for name in names]
    return struct_to_binary(asked)


def asked(data: bytes) -> bytes | None:
    return answer(data, 0, TOKEN, NAMES, picture_of({}))


def test_the_name_of_a_tag_is_its_node_id_as_asyncua_encodes_it() -> None:
    from asyncua.ua.ua_binary import nodeid_to_binary

    for name in ("bms.soc", "a.größe"):
        assert name_bytes(named(name)) == nodeid_to_binary(named(name))


@given(st.lists(KNOWN, min_size=1, max_size=30), st.sampled_from(list(ua.TimestampsToReturn)[:4]))
def test_asyncua_reads_our_response(names: list[str], times: ua.TimestampsToReturn) -> None:
    response = asked(request(names, times=times))
    assert response is not None
    buffer = Buffer(response)
    assert nodeid_from_binary(buffer).Identifier == ua.ObjectIds.ReadResponse_Encoding_DefaultBinary
    buffer.rewind()
    found = struct_from_binary(ua.ReadResponse, buffer)
    assert len(buffer) == 0, "nothing is left over"
    assert (found.ResponseHeader.RequestHandle, found.ResponseHeader.ServiceResult.value) == (4711, 0)
    kinds = {tag.name: tag.length for tag in TAGS}
    assert [len(v.Value.Value) if v.Value.is_array else 0 for v in found.Results] == [kinds[name] for name in names]


@pytest.mark.parametrize(
    "data",
    [
        request([]),
        request(["a.bool0", "a.nothing"]),
        request(["a.bool0"], token=bytes(32)),
        request(["a.bool0"], AttributeId=ua.AttributeIds.DisplayName),
        request(["a.bool3"], IndexRange="1"),
        request(["a.bool3"], DataEncoding=ua.QualifiedName("Default XML")),
        request(["a.bool0"], age=-1.0),
        request(["a.bool0"], age=math.nan),
        request(["a.bool0"]) + b"\0",
        request(["a.bool0"])[:-1],
    ],
    ids=["no nodes", "unknown tag", "token", "attribute", "range", "encoding", "age", "nan", "longer", "shorter"],
)
def test_anything_unusual_is_left_to_asyncua(data: bytes) -> None:
    assert asked(data) is None


@given(st.lists(KNOWN, min_size=1, max_size=3), st.data())
def test_no_broken_request_does_harm(names: list[str], data: st.DataObject) -> None:
    broken = bytearray(request(names))
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(4, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    assert asked(cut) is None or isinstance(asked(cut), bytes)


def test_a_null_is_what_a_bad_status_goes_with() -> None:
    assert struct_to_binary(stamped(null(), BAD_NOT_CONNECTED))[1] == 0
