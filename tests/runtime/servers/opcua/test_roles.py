"""The role matrix of the OPC UA server, cell by cell; the table that was seen is written to build/role_matrix_opcua.md."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.servers.opcua.conditions import condition_id
from tests.aids.servers_alarms import AlarmSite, call, refusal, signed_in
from tests.aids.servers_process import serving

MATRIX = Path(__file__).parents[4] / "build" / "role_matrix_opcua.md"
ROLES = ("viewer", "operator", "engineer", "admin")
NO, GOOD = "BadUserAccessDenied", "Good"
SOC = "ns=2;s=bms.soc"


async def read(client: Client) -> str:
    return await refusal(client.get_node(SOC).read_data_value())


async def level(client: Client, tag: str) -> str:
    return (
        "writable" if ua.AccessLevel.CurrentWrite in await client.get_node(f"ns=2;s={tag}").get_user_access_level() else "readable"
    )


async def write(client: Client, tag: str, kind: ua.VariantType) -> str:
    return await refusal(client.get_node(f"ns=2;s={tag}").write_value(1, kind))


async def acknowledge(client: Client) -> str:
    """Nothing waits to be acknowledged: who may is told that, who may not is told so first."""
    alarm, method = condition_id("door"), ua.ObjectIds.AcknowledgeableConditionType_Acknowledge
    return await call(client, alarm, method, ua.Variant(b"none", ua.VariantType.ByteString), ua.Variant(ua.LocalizedText("")))


async def unshelve(client: Client) -> str:
    """Nothing is shelved: who may is told that."""
    return await call(client, condition_id("door"), ua.ObjectIds.ShelvedStateMachineType_Unshelve)


async def history(client: Client) -> str:
    details = ua.ReadRawModifiedDetails(NumValuesPerNode=1)
    asked = ua.HistoryReadParameters(
        HistoryReadDetails=details, NodesToRead=[ua.HistoryReadValueId(NodeId=client.get_node(SOC).nodeid)]
    )
    asked.HistoryReadDetails.StartTime = ua.win_epoch_to_datetime(130_000_000_000_000_000)
    found = await client.uaclient.history_read(asked)
    return GOOD if found[0].StatusCode.is_good() else found[0].StatusCode.name


async def add_node(client: Client) -> str:
    return await refusal(client.nodes.objects.add_folder(2, "mine"))


async def delete_node(client: Client) -> str:
    return await refusal(client.delete_nodes([client.get_node(SOC)]))


_Ask = Callable[[Client], Coroutine[Any, Any, str]]
DOUBLE, DINT = ua.VariantType.Double, ua.VariantType.Int32
# what is asked, and the answer for viewer, operator, engineer, admin
CELLS: dict[str, tuple[_Ask, tuple[str, str, str, str]]] = {
    "read a value": (read, (GOOD,) * 4),
    "browse": (lambda c: refusal(c.nodes.objects.get_children()), (GOOD,) * 4),
    "read history": (history, (GOOD,) * 4),
    "level of an operator's tag": (lambda c: level(c, "hmi.p_set"), ("readable", *("writable",) * 3)),
    "level of an engineer's tag": (lambda c: level(c, "hmi.limit"), (*("readable",) * 2, *("writable",) * 2)),
    "level of a measured tag": (lambda c: level(c, "bms.soc"), ("readable",) * 4),
    "write an operator's tag": (lambda c: write(c, "hmi.p_set", DOUBLE), (NO, *(GOOD,) * 3)),
    "write an engineer's tag": (lambda c: write(c, "hmi.limit", DINT), (NO, NO, GOOD, GOOD)),
    "write a measured tag": (lambda c: write(c, "bms.soc", DOUBLE), ("BadNotWritable",) * 4),
    "call an operator's pulse": (lambda c: call(c, "/commands", "/commands/hmi.reset"), (NO, *(GOOD,) * 3)),
    "call an engineer's pulse": (lambda c: call(c, "/commands", "/commands/hmi.open"), (NO, NO, GOOD, GOOD)),
    "acknowledge an alarm, of no known event": (acknowledge, (NO, *("BadEventIdUnknown",) * 3)),
    "unshelve an alarm that is not shelved": (unshelve, (NO, *("BadConditionNotShelved",) * 3)),
    "add a node": (add_node, (NO,) * 4),
    "delete a node": (delete_node, (NO,) * 4),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    site = AlarmSite(tmp_path_factory.mktemp("roles"))
    site.record("bms.soc", [time.time_ns()], [50.0])
    found: dict[tuple[str, str], str] = {}

    async def look(port: int) -> None:
        for role in ROLES:
            async with signed_in(port, role) as client:
                for what, (ask, _) in CELLS.items():
                    found[what, role] = await ask(client)
        found["come in", "without a name"] = await refusal(_come_in(port))

    with serving(site.order(anonymous="none")) as (_, port):
        asyncio.run(look(port))
    site.end()
    lines = [f"| {what} | {' | '.join(found[what, role] for role in ROLES)} |" for what in CELLS]
    head = f"| OPC UA | {' | '.join(ROLES)} |\n|{'---|' * (len(ROLES) + 1)}\n"
    MATRIX.parent.mkdir(exist_ok=True)
    text = (
        head
        + "\n".join(lines)
        + f"\n\nWithout a name, where the site says `anonymous: none`: {found['come in', 'without a name']}.\n"
    )
    MATRIX.write_text(text)
    return found


async def _come_in(port: int) -> None:
    async with signed_in(port):
        pass


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", CELLS)
def test_a_role_may_what_it_may_and_nothing_else(seen: dict[tuple[str, str], str], what: str, role: str) -> None:
    assert seen[what, role] == CELLS[what][1][ROLES.index(role)]


def test_where_nobody_comes_without_a_name_nobody_does(seen: dict[tuple[str, str], str]) -> None:
    assert seen["come in", "without a name"] == "BadIdentityTokenRejected"
