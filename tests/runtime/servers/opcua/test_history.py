"""HistoryRead of raw values as part 11, 6.5.3 has it: asyncua is the client, the records are real files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.quality import BAD_NO_COMMUNICATION, UNCERTAIN_LAST_USABLE
from tests.aids.servers_alarms import Plant, act

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEVER = datetime(1601, 1, 1, tzinfo=UTC)  # what a client sends for a time that it leaves out
DAY = [START + timedelta(seconds=n) for n in range(100)]  # bms.soc: one value a second, n
MANY = 12_000  # of bms.cycles, one a millisecond


@pytest.fixture(scope="module")
def past(alarm_site: Plant) -> Plant:
    site = alarm_site[0]
    site.record("bms.soc", [ns(t) for t in DAY], [float(n) for n in range(100)])
    site.record("bms.cycles", [ns(START) + n * 1_000_000 for n in range(MANY)], list(range(MANY)))
    qualities = (0, UNCERTAIN_LAST_USABLE, BAD_NO_COMMUNICATION)
    site.record("bms.ok", [ns(t) for t in DAY[:3]], [1, 1, 0], qualities)
    return alarm_site


def ns(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


async def read(
    client: Client,
    start: datetime | None,
    end: datetime | None,
    count: int = 0,
    *,
    bounds: bool = False,
    tag: str = "bms.soc",
    point: bytes | None = None,
    **words: Any,
) -> Any:
    details = ua.ReadRawModifiedDetails(False, start or NEVER, end or NEVER, count, bounds)
    wanted = ua.HistoryReadValueId(NodeId=ua.NodeId(tag, 2), ContinuationPoint=point)
    params = ua.HistoryReadParameters(
        words.get("details", details), words.get("times", ua.TimestampsToReturn.Both), False, [wanted]
    )
    params.ReleaseContinuationPoints = words.get("release", False)
    return (await client.uaclient.history_read(params))[0]


def values(result: Any) -> list[Any]:
    return [value.Value.Value if value.Value is not None else None for value in result.HistoryData.DataValues]


def seconds(*numbers: int) -> list[datetime]:
    return [DAY[n] for n in numbers]


@pytest.mark.parametrize(
    ("start", "end", "count", "bounds", "expected"),
    [  # as table 23 of part 11, 6.5.3.2 has it: the end is left out, unless it bounds
        (10, 13, 0, False, [10, 11, 12]),
        (13, 10, 0, False, [13, 12, 11]),
        (10, 13, 0, True, [10, 11, 12, 13]),
        (13, 10, 0, True, [13, 12, 11, 10]),
        (10.5, 12.5, 0, False, [11, 12]),
        (10.5, 12.5, 0, True, [10, 11, 12, 13]),
        (12.5, 10.5, 0, True, [13, 12, 11, 10]),
        (10, None, 3, False, [10, 11, 12]),
        (None, 10, 3, False, [10, 9, 8]),
        (10.5, None, 3, True, [10, 11, 12]),
        (10, 10, 0, False, [10]),
        (10, 10, 0, True, [10]),
        (98, None, 10, False, [98, 99]),
        (-5, 2, 0, True, [None, 0, 1, 2]),
        (98, 500, 0, True, [98, 99, None]),
    ],
)
def test_a_range_brings_what_the_standard_says(past: Plant, start: Any, end: Any, count: int, bounds: bool, expected: Any) -> None:
    times = [None if t is None else START + timedelta(seconds=t) for t in (start, end)]
    result = act(past[2], lambda client: read(client, *times, count, bounds=bounds))
    assert (values(result), result.ContinuationPoint, result.StatusCode.name) == (expected, None, "Good")
    missing = [v for v in result.HistoryData.DataValues if v.Value.Value is None]
    assert {v.StatusCode.name for v in missing} == ({"BadBoundNotFound"} if None in expected else set())


def test_values_come_with_type_quality_and_source_time(past: Plant) -> None:
    result = act(past[2], lambda client: read(client, DAY[0], DAY[3], tag="bms.ok"))
    found = [(v.Value.VariantType, v.Value.Value, v.StatusCode.value, v.SourceTimestamp) for v in result.HistoryData.DataValues]
    boolean = ua.VariantType.Boolean
    assert found == [
        (boolean, True, 0, DAY[0]),
        (boolean, True, UNCERTAIN_LAST_USABLE, DAY[1]),
        (ua.VariantType.Null, None, BAD_NO_COMMUNICATION, DAY[2]),
    ]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("count", [0, 7_000, 900])
def test_a_long_range_comes_in_portions_and_nothing_twice(past: Plant, backward: bool, count: int) -> None:
    end = START + timedelta(milliseconds=MANY)

    async def do(client: Client) -> Any:
        found: list[Any] = []
        most, point, answers = 0, None, 0
        while point is not None or not answers:
            times = (end, START) if backward else (START, end)
            result = await read(client, *times, count, tag="bms.cycles", point=point)
            most, point, answers = max(most, len(values(result))), result.ContinuationPoint, answers + 1
            found += values(result)
        return found, most, answers

    found, most, answers = act(past[2], do)
    expected: Sequence[int] = range(MANY)
    assert found == (list(reversed(expected))[:-1] if backward else list(expected))
    assert most <= (min(count, 5_000) if count else 5_000)
    assert answers == -(-len(found) // most)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("times", "expected"), [((10.5, 12.5), [10, 11, 12, 13]), ((12, 10), [12, 11, 10]), ((98, 500), [98, 99, None])]
)
def test_bounds_count_among_the_values_of_one_answer(past: Plant, times: Any, expected: list[Any], count: int) -> None:
    async def do(client: Client) -> Any:
        found, sizes, point = [], [], None
        while point is not None or not sizes:
            start, end = (START + timedelta(seconds=t) for t in times)
            result = await read(client, start, end, count, bounds=True, point=point)
            found += values(result)
            sizes.append(len(values(result)))
            point = result.ContinuationPoint
        return found, sizes

    found, sizes = act(past[2], do)
    assert found == expected
    assert max(sizes) <= count


def test_of_a_range_without_an_end_only_so_many_are_told(past: Plant) -> None:
    async def do(client: Client) -> Any:
        first = await read(client, START, None, 6_000, tag="bms.cycles")
        second = await read(client, START, None, 6_000, tag="bms.cycles", point=first.ContinuationPoint)
        return values(first) + values(second), second.ContinuationPoint

    assert act(past[2], do) == (list(range(6_000)), None)


def test_what_is_recorded_while_a_client_reads_is_neither_lost_nor_told_twice(past: Plant) -> None:
    site, _, port = past
    later = START + timedelta(days=2)

    async def do(client: Client) -> Any:
        found, point, written, answers = [], None, 0, 0
        while point is not None or not answers:
            if answers < 5:
                more = range(written, written + 30)
                site.record("bms.cycles", [ns(later) + n * 1_000_000 for n in more], more)
                written += 30
            result = await read(client, later, later + timedelta(seconds=9), 20, tag="bms.cycles", point=point)
            point, answers = result.ContinuationPoint, answers + 1
            found += values(result)
        return found, written

    found, written = act(port, do)
    assert found == list(range(written))


def test_samples_of_the_same_instant_are_told_once_each_over_portions(past: Plant) -> None:
    site, _, port = past
    later = START + timedelta(days=1)
    site.record("bms.cycles", [ns(later)] * 25, list(range(25)))

    async def do(client: Client) -> Any:
        found, point, answers = [], None, 0
        while point is not None or not answers:
            result = await read(client, later, later + timedelta(seconds=1), 10, tag="bms.cycles", point=point)
            point, answers = result.ContinuationPoint, answers + 1
            found += values(result)
        return sorted(found), answers

    assert act(port, do) == (list(range(25)), 3)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ({"tag": "hmi.p_set"}, "BadHistoryOperationUnsupported"),
        ({"tag": "no.such"}, "BadNodeIdUnknown"),
        ({"start": None, "end": None, "count": 5}, "BadHistoryOperationInvalid"),
        ({"end": None}, "BadHistoryOperationInvalid"),
        ({"details": ua.ReadProcessedDetails()}, "BadHistoryOperationUnsupported"),
        ({"details": ua.ReadRawModifiedDetails(True, START, DAY[5], 0, False)}, "BadHistoryOperationUnsupported"),
        ({"point": b"raw1"}, "BadContinuationPointInvalid"),
        ({"point": b"raw1" + b"\xff" * 100}, "BadContinuationPointInvalid"),
        ({"point": b"raw1" + b"\x80" * 38}, "BadContinuationPointInvalid"),
        ({"start": START - timedelta(days=9), "end": START - timedelta(days=8)}, "GoodNoData"),
        ({"release": True, "point": b"anything"}, "Good"),
    ],
)
def test_what_cannot_be_read_is_told(past: Plant, words: dict[str, Any], answer: str) -> None:
    wanted = {"start": START, "end": DAY[5], **words}
    assert act(past[2], lambda client: read(client, **wanted)).StatusCode.name == answer


def test_the_variables_say_which_of_them_have_a_history_and_a_viewer_may_read_it(past: Plant) -> None:
    async def do(client: Client) -> Any:
        shown = {}
        for tag in ("bms.soc", "hmi.p_set"):
            node = client.get_node(f"ns=2;s={tag}")
            historizing = await node.read_attribute(ua.AttributeIds.Historizing)
            levels = [await node.get_access_level(), await node.get_user_access_level()]
            shown[tag] = [historizing.Value.Value, *(ua.AccessLevel.HistoryRead in level for level in levels)]
        soc = client.get_node("ns=2;s=bms.soc")
        return shown, await soc.read_raw_history(DAY[10], DAY[12], 0, False)

    shown, found = act(past[2], do, "viewer")
    assert shown == {"bms.soc": [True, True, True], "hmi.p_set": [False, False, False]}
    assert [value.Value.Value for value in found] == [10.0, 11.0]
