"""Many writes in one OPC UA request: more than the command ring holds, in order, and without keeping anybody else waiting."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from asyncua import Client, ua

from runtime.model import Tag
from tests.aids.servers_opcua import connected, until, with_client
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_scan import TestScan

TAGS = (
    Tag("bms.soc", "LREAL", 0, 0, 0, "input", "%", "State of charge", 0.0, 200.0),
    *(Tag(f"set.p{n}", "LREAL", 0, 0, 0, "memory", "kW", "Setpoint", owner="operator", write="operator") for n in range(1000)),
)
BIG = [f"set.p{n}" for n in range(1000)]
Plant = tuple[TestScan, ServerProcess, int]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    scan = TestScan(tmp_path_factory.mktemp("writes"), TAGS)
    with serving(scan.order("opcua", anonymous="operator")) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def scan(plant: Plant) -> Iterator[TestScan]:
    plant[0].taken.clear()
    yield plant[0]
    plant[0].silent = False


async def write(client: Client, names: list[str], value: float) -> list[str]:
    wanted = [
        ua.WriteValue(
            NodeId=ua.NodeId(name, 2),
            AttributeId=ua.AttributeIds.Value,
            Value=ua.DataValue(ua.Variant(value, ua.VariantType.Double)),
        )
        for name in names
    ]
    return [result.name for result in await client.uaclient.write(ua.WriteParameters(NodesToWrite=wanted))]


def test_a_thousand_writes_in_one_request_are_all_taken_in_order(plant: Plant, scan: TestScan) -> None:
    """Four times what the command ring holds."""
    assert set(with_client(plant[2], lambda client: write(client, BIG, 5.0))) == {"Good"}
    assert [(name, value) for name, _, value, _ in scan.taken] == [(name, 5.0) for name in BIG]


def test_each_of_many_writes_has_its_own_answer(plant: Plant, scan: TestScan) -> None:
    names = ["set.p1", "bms.soc", "set.p2", "nowhere", "set.p3"]
    answers = with_client(plant[2], lambda client: write(client, names, 6.0))
    assert answers == ["Good", "BadNotWritable", "Good", "BadNodeIdUnknown", "Good"]


def test_a_single_write_does_not_wait_for_anothers_thousand(plant: Plant, scan: TestScan) -> None:
    async def act(client: Client) -> list[str]:
        async with connected(plant[2]) as other:
            many = asyncio.create_task(write(client, BIG, 7.0))
            await until(lambda: len(scan.taken) > 0)
            await write(other, ["set.p999"], -1.0)
            await many
        return [f"{value:g}" for name, _, value, _ in scan.taken if name == "set.p999"]

    assert with_client(plant[2], act) == ["-1", "7"], "the single write was taken before the last of the thousand"


def test_two_requests_of_many_take_turns(plant: Plant, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        async with connected(plant[2]) as other:
            await asyncio.gather(write(client, BIG[:500], 1.0), write(other, BIG[500:], 2.0))

    with_client(plant[2], act)
    values = [value for _, _, value, _ in scan.taken]
    assert len(values) == 1000
    assert sum(a != b for a, b in itertools.pairwise(values)) >= 4, "portion by portion"


def test_where_no_scan_answers_the_rest_is_not_even_asked(plant: Plant, scan: TestScan) -> None:
    """One second for the first portion, not one for each of sixteen; and nothing waits in the ring for a scan to come back."""

    async def act(client: Client) -> set[str]:
        scan.silent = True
        async with asyncio.timeout(10):
            return set(await write(client, BIG, 8.0))

    assert with_client(plant[2], act) == {"BadTimeout"}
