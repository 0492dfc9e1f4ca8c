"""Values, qualities, times and access levels as a SCADA client reads them: asyncua is the client, the image is real."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

import pytest
from asyncua import Client, ua

from runtime import quality
from runtime.quality import UNCERTAIN_LAST_USABLE
from tests.aids.servers_opcua import Changes, becomes, status_of, until, with_client
from tests.aids.servers_scan import TestScan


def test_the_access_level_is_the_tags_and_the_users_is_the_roles(tag_site: Any) -> None:
    async def act(client: Client) -> Any:
        found = {}
        for name in ("bms.soc", "hmi.p_set", "hmi.limit"):
            node = client.get_node(f"ns=2;s={name}")
            found[name] = [
                ua.AccessLevel.CurrentWrite in await node.get_access_level(),
                ua.AccessLevel.CurrentWrite in await node.get_user_access_level(),
            ]
        return found

    read_only, writable, above_me = [False, False], [True, True], [True, False]
    assert with_client(tag_site[2], act) == {"bms.soc": read_only, "hmi.p_set": writable, "hmi.limit": above_me}
    assert with_client(tag_site[2], act, "eva", "volt") == {"bms.soc": read_only, "hmi.p_set": writable, "hmi.limit": writable}
    assert with_client(tag_site[2], act, "max", "amp") == {"bms.soc": read_only, "hmi.p_set": above_me, "hmi.limit": above_me}


# values, qualities, times


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("bms.soc", 42.5),
        ("bms.current", -1e-300),
        ("bms.ok", True),
        ("bms.cycles", -(2**31)),
        ("grid.energy", 2**63 - 1),
        ("plc.uptime", -(2**63)),
        ("bms.cell_v", [3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7, 3.8]),
        ("bms.current", math.inf),
    ],
)
def test_a_value_arrives_exactly(tag_site: Any, scan: TestScan, tag: str, value: Any) -> None:
    scan.set(tag, value)
    with_client(tag_site[2], lambda client: becomes(client.get_node(f"ns=2;s={tag}").read_value, value))


def test_nan_arrives(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        async def is_nan() -> bool:
            return math.isnan(await client.get_node("ns=2;s=bms.current").read_value())

        await becomes(is_nan, True)

    scan.set("bms.current", math.nan)
    with_client(tag_site[2], act)


# OPC 10000-6, annex A.2
STATUS = {
    "Good": 0x00000000,
    "Good_LocalOverride": 0x00960000,
    "Uncertain_LastUsableValue": 0x40900000,
    "Uncertain_SubstituteValue": 0x40910000,
    "Bad_WaitingForInitialData": 0x80320000,
    "Bad_NoCommunication": 0x80310000,
    "Bad_ConfigurationError": 0x80890000,
    "Bad_NotConnected": 0x808A0000,
    "Bad_DeviceFailure": 0x808B0000,
    "Bad_SensorFailure": 0x808C0000,
    "Bad_OutOfRange": 0x803C0000,
}


def test_the_engine_has_no_quality_that_the_table_here_leaves_out() -> None:
    assert {name: number for number, name in quality.NAMES.items()} == STATUS
    assert all(getattr(ua.StatusCodes, name.replace("_", "")) == number for name, number in STATUS.items())


@pytest.mark.parametrize("name", STATUS)
def test_quality_is_the_status_code_and_a_bad_value_is_null(tag_site: Any, scan: TestScan, name: str) -> None:
    async def act(client: Client) -> None:
        async def seen() -> tuple[int, Any]:
            found = await client.get_node("ns=2;s=bms.soc").read_data_value(raise_on_bad_status=False)
            return found.StatusCode.value, found.Value.Value

        await becomes(seen, (STATUS[name], None if name.startswith("Bad") else 33.0))

    scan.set("bms.soc", 33.0)
    scan.spoil("bms.soc", STATUS[name])
    with_client(tag_site[2], act)


def test_the_source_time_is_when_the_device_was_read(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=bms.soc")
        await becomes(lambda: status_of(node), 0)
        await becomes(node.read_value, 61.0)
        both = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both)
        both.NodesToRead.append(ua.ReadValueId(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value))
        return (await client.uaclient.read(both))[0]

    with scan._lock:
        scan.times[scan.by_name["bms.soc"].index] = time.monotonic_ns() - 250_000_000
        scan.column("bms.soc")[:] = 61.0
        read_at = time.time() - 0.25
    value = with_client(tag_site[2], act)
    assert abs(value.SourceTimestamp.timestamp() - read_at) < 0.1
    assert value.ServerTimestamp >= value.SourceTimestamp
    with scan._lock:
        scan.times[:] = 0


def test_a_subscription_is_told_what_changed_and_nothing_else(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> list[Any]:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        nodes = [client.get_node(f"ns=2;s={name}") for name in ("bms.soc", "bms.current", "bms.cell_v")]
        await subscription.subscribe_data_change(nodes)
        await asyncio.sleep(0.5)
        changes.seen.clear()
        scan.set("bms.soc", 77.0)
        await until(lambda: ("bms.soc", 77.0, 0) in changes.seen)
        scan.spoil("bms.soc", UNCERTAIN_LAST_USABLE)
        await until(lambda: ("bms.soc", 77.0, UNCERTAIN_LAST_USABLE) in changes.seen)
        scan.set("bms.cell_v", [1, 2, 3, 4, 5, 6, 7, 8])
        await until(lambda: any(name == "bms.cell_v" for name, *_ in changes.seen))
        await asyncio.sleep(0.3)
        return changes.seen

    scan.set("bms.soc", 10.0)
    seen = with_client(tag_site[2], act)
    assert seen == [("bms.soc", 77.0, 0), ("bms.soc", 77.0, UNCERTAIN_LAST_USABLE), ("bms.cell_v", [1.0, 2, 3, 4, 5, 6, 7, 8], 0)]


def test_nan_that_stays_nan_is_no_change(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> int:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=bms.current"))
        await asyncio.sleep(0.4)
        changes.seen.clear()
        await asyncio.sleep(0.4)
        return len(changes.seen)

    scan.set("bms.current", math.nan)
    assert with_client(tag_site[2], act) == 0
