"""The answer to a write tells the truth: what the scan said, or that it has said nothing yet; and the audit log hears it all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.engine import north
from runtime.servers.opcua.write import STATUS
from tests.aids.servers_opcua import connected, url, with_client
from tests.aids.servers_opcua_raw import Raw
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan

Plant = tuple[TestScan, ServerProcess, int]
P_SET, LIMIT = ua.NodeId("hmi.p_set", 2), ua.NodeId("hmi.limit", 2)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    scan = TestScan(tmp_path_factory.mktemp("writes"))
    with serving(scan.order("opcua", anonymous="operator", every="50 ms")) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture(autouse=True)
def at_rest(plant: Plant) -> Iterator[None]:
    plant[0].taken.clear()
    yield
    plant[0].answer, plant[0].silent, plant[0].frozen = 0, False, False


def write_of(*values: Any, node: ua.NodeId = P_SET) -> ua.WriteRequest:
    wanted = [ua.WriteValue(node, ua.AttributeIds.Value, None, ua.DataValue(ua.Variant(v, ua.VariantType.Double))) for v in values]
    return ua.WriteRequest(Parameters=ua.WriteParameters(wanted))


async def answers(client: Client, request: ua.WriteRequest) -> list[str]:
    return [result.name for result in await client.uaclient.write(request.Parameters)]


def audited(server: ServerProcess, value: float) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log().splitlines()]
    return [line for line in lines if line["event"] == "write" and line["value"] == value]


@pytest.mark.parametrize("answer", [answer for answer in STATUS if answer in north.ANSWERS])
def test_each_answer_of_the_scan_has_its_status_alone_and_among_others(plant: Plant, answer: int) -> None:
    async def act(client: Client) -> list[str]:
        plant[0].answer = answer if answer != north.TAKEN else 0
        return await answers(client, write_of(1.0)) + await answers(client, write_of(1.0, 2.0))

    assert with_client(plant[2], act) == [ua.StatusCode(STATUS[answer]).name] * 3  # type: ignore[arg-type]


def test_of_many_writes_each_is_answered_for_itself_and_the_last_one_counts(plant: Plant) -> None:
    async def act(client: Client) -> list[str]:
        return await answers(client, write_of(1.0, 1000.0, 2.0, float("nan"), 3.0))

    assert with_client(plant[2], act) == ["Good", "BadOutOfRange", "Good", "BadOutOfRange", "Good"]
    assert [value for _, _, value, _ in plant[0].taken] == [1.0, 2.0, 3.0]
    assert plant[0].get("hmi.p_set") == 3.0


def test_what_has_no_value_is_refused_and_the_rest_is_written(plant: Plant) -> None:
    empty = [
        ua.Variant(None, ua.VariantType.Double, is_array=True),
        ua.Variant(None),
        ua.Variant([], ua.VariantType.Double),
        ua.Variant([[1.0], [2.0], [3.0]], ua.VariantType.Double, [3, 1]),
    ]
    steps = ua.NodeId("hmi.steps", 2)  # type: ignore[arg-type]

    async def act(client: Client) -> list[str]:
        request = write_of(5.0)
        request.Parameters.NodesToWrite += [ua.WriteValue(steps, ua.AttributeIds.Value, None, ua.DataValue(v)) for v in empty]
        return await answers(client, request)

    assert with_client(plant[2], act) == ["Good"] + ["BadTypeMismatch"] * 4


def test_nothing_is_good_that_the_scan_has_not_taken(plant: Plant) -> None:
    plant[0].silent = True
    assert with_client(plant[2], lambda client: answers(client, write_of(11.0))) == ["BadTimeout"]
    plant[0].frozen = True
    eventually(lambda: with_client(plant[2], lambda client: answers(client, write_of(12.0))) == ["BadNoCommunication"])
    assert plant[0].taken == []
    assert [line["answer"] for line in audited(plant[1], 11.0)] == ["no answer from the scan within 1 s"]
    plant[0].silent = plant[0].frozen = False
    eventually(lambda: with_client(plant[2], lambda client: answers(client, write_of(13.0))) == ["Good"])


def test_a_client_that_waits_less_than_the_scan_takes_is_told_so_and_the_audit_log_hears_the_rest(plant: Plant) -> None:
    """Good_CompletesAsynchronously (part 4, table 178), by the TimeoutHint of the request header."""
    plant[0].silent = True
    with Raw(plant[2], is_open=True) as client:
        client.enter()
        request = write_of(21.0)
        request.RequestHeader.TimeoutHint = 200  # type: ignore[assignment]
        name, rest = client.ask(request)
        assert name == "Good"
        assert int.from_bytes(rest.read(8)[4:], "little") == 0x002E0000
        assert not audited(plant[1], 21.0)
        plant[0].silent = False
        line = eventually(lambda: audited(plant[1], 21.0))[0]
    assert line["answer"] == "taken" and plant[0].get("hmi.p_set") == 21.0


def test_a_client_that_hangs_up_while_it_writes_is_in_the_audit_log(plant: Plant) -> None:
    async def act() -> None:
        plant[0].silent = True
        client = Client(url(plant[2]), timeout=5)
        await client.connect()
        writing = asyncio.ensure_future(client.get_node(P_SET).write_value(31.0))
        await asyncio.sleep(0.2)
        client.disconnect_socket()
        await asyncio.sleep(0.2)
        plant[0].silent = False
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    asyncio.run(act())
    assert eventually(lambda: audited(plant[1], 31.0))[0]["answer"] == "taken"
    assert plant[0].get("hmi.p_set") == 31.0


def test_one_who_waits_keeps_no_other_waiting(plant: Plant) -> None:
    async def act() -> list[str]:
        async with connected(plant[2]) as one, connected(plant[2]) as other:
            plant[0].silent = True
            waiting = asyncio.ensure_future(answers(one, write_of(41.0)))
            await asyncio.sleep(0.1)
            await asyncio.wait_for(other.get_node(P_SET).read_value(), 0.8)
            assert not waiting.done()
            return await waiting

    assert asyncio.run(act()) == ["BadTimeout"]
