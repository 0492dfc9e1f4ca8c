"""Writes over OPC UA: what is taken, what is refused and why, and what stays of it in the audit log."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.engine import north
from tests.aids.servers_opcua import refusal, with_client
from tests.aids.servers_process import eventually
from tests.aids.servers_scan import TestScan


def test_a_write_is_taken_by_the_scan_before_it_is_answered_and_can_be_read_back(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=hmi.p_set")
        await node.write_value(-123.5)
        return await node.read_value()

    assert with_client(tag_site[2], act) == -123.5
    assert scan.taken == [("hmi.p_set", 0, -123.5, "operator")]


@pytest.mark.parametrize(
    ("tag", "value", "kind"),
    [
        ("hmi.enable", True, ua.VariantType.Boolean),
        ("hmi.count", -(2**62) - 1, ua.VariantType.Int64),
        ("hmi.delay", 1_500_000_000, ua.VariantType.Int64),
    ],
)
def test_every_type_can_be_written(tag_site: Any, scan: TestScan, tag: str, value: Any, kind: Any) -> None:
    with_client(tag_site[2], lambda client: client.get_node(f"ns=2;s={tag}").write_value(value, kind))
    assert scan.taken == [(tag, 0, value, "operator")]


def test_an_array_is_written_whole_or_by_index_range(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=hmi.steps")
        await node.write_value([1.0, 2.0, 3.0], ua.VariantType.Double)
        item = ua.WriteValue(
            NodeId=node.nodeid,
            AttributeId=ua.AttributeIds.Value,
            IndexRange="1:2",
            Value=ua.DataValue(ua.Variant([8.0, 9.0], ua.VariantType.Double)),
        )
        results = await client.uaclient.write(ua.WriteParameters(NodesToWrite=[item]))
        beyond = ua.WriteValue(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value, IndexRange="2:3", Value=item.Value)
        results += await client.uaclient.write(ua.WriteParameters(NodesToWrite=[beyond]))
        return [result.name for result in results], await node.read_value()

    assert with_client(tag_site[2], act) == (["Good", "BadIndexRangeNoData"], [1.0, 8.0, 9.0])


@pytest.mark.parametrize(
    ("tag", "value", "kind", "expected"),
    [
        ("hmi.p_set", 500.5, ua.VariantType.Double, "BadOutOfRange"),
        ("hmi.p_set", math.nan, ua.VariantType.Double, "BadOutOfRange"),
        ("hmi.p_set", 1, ua.VariantType.Int64, "BadTypeMismatch"),
        ("hmi.p_set", 1.0, ua.VariantType.Float, "BadTypeMismatch"),
        ("hmi.p_set", [1.0], ua.VariantType.Double, "BadTypeMismatch"),
        ("hmi.p_set", "1", ua.VariantType.String, "BadTypeMismatch"),
        ("hmi.steps", 1.0, ua.VariantType.Double, "BadTypeMismatch"),
        ("hmi.steps", [1.0], ua.VariantType.Double, "BadTypeMismatch"),
        ("hmi.enable", 1, ua.VariantType.Byte, "BadTypeMismatch"),
        ("hmi.limit", 5, ua.VariantType.Int32, "BadUserAccessDenied"),
        ("bms.soc", 5.0, ua.VariantType.Double, "BadNotWritable"),
        ("bms.nothing", 5.0, ua.VariantType.Double, "BadNodeIdUnknown"),
    ],
)
def test_a_refused_write_says_why(tag_site: Any, scan: TestScan, tag: str, value: Any, kind: Any, expected: str) -> None:
    async def act(client: Client) -> str:
        return await refusal(client.get_node(f"ns=2;s={tag}").write_value(value, kind))

    assert with_client(tag_site[2], act) == expected
    assert scan.taken == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (north.OUT_OF_RANGE, "BadOutOfRange"),
        (north.NOT_FINITE, "BadOutOfRange"),
        (north.ROLE_TOO_LOW, "BadUserAccessDenied"),
        (north.NOT_WRITABLE, "BadNotWritable"),
        (north.NOT_RUNNING, "BadInvalidState"),
        (north.REMOTE_LOCKED, "BadInvalidState"),
    ],
)
def test_the_scan_has_the_last_word(tag_site: Any, scan: TestScan, answer: int, expected: str) -> None:
    async def act(client: Client) -> str:
        return await refusal(client.get_node("ns=2;s=hmi.p_set").write_value(1.0))

    scan.answer = answer
    assert with_client(tag_site[2], act) == expected


def test_a_scan_that_takes_no_command_is_bad_timeout_after_a_second(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> tuple[str, float]:
        began = time.monotonic()
        return await refusal(client.get_node("ns=2;s=hmi.p_set").write_value(1.0)), time.monotonic() - began

    scan.silent = True
    name, seconds = with_client(tag_site[2], act)
    assert name == "BadTimeout"
    assert 0.9 < seconds < 5


def test_only_values_are_written(tag_site: Any) -> None:
    async def act(client: Client) -> list[str]:
        node = client.get_node("ns=2;s=hmi.p_set")
        text = ua.DataValue(ua.Variant(ua.LocalizedText("mine"), ua.VariantType.LocalizedText))
        level = ua.DataValue(ua.Variant(255, ua.VariantType.Byte))
        server = client.get_node(ua.ObjectIds.Server_ServiceLevel)
        return [
            await refusal(node.write_attribute(ua.AttributeIds.DisplayName, text)),
            await refusal(node.write_attribute(ua.AttributeIds.AccessLevel, level)),
            await refusal(server.write_value(1, ua.VariantType.Byte)),
        ]

    assert with_client(tag_site[2], act, "eva", "volt") == ["BadNotWritable"] * 3


def test_every_write_leaves_an_audit_line(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        await client.get_node("ns=2;s=hmi.limit").write_value(7, ua.VariantType.Int32)

    with_client(tag_site[2], act, "eva", "volt")
    told = eventually(lambda: [n for n in tag_site[1].lines() if n["event"] == "write" and (n["user"], n["value"]) == ("eva", 7)])
    line = told[-1]
    assert (line["user"], line["role"], line["tag"], line["value"], line["answer"]) == ("eva", "engineer", "hmi.limit", 7, "taken")
    assert line["peer"].startswith("127.0.0.1:")
