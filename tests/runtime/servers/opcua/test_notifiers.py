"""Where events can be subscribed to, and how a client finds the alarms of a tag (OPC UA part 3, 7.15 to 7.17; part 9, annex B)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import Client, ua

from tests.aids.servers_alarms import Plant, Watch, act, call

IDS = ua.ObjectIds
SITE, ALARMS = "ns=2;s=/bessplc/plant1", "ns=2;s=/alarms"


async def to(client: Client, node: str, reference: int, direction: Any = ua.BrowseDirection.Forward) -> list[str]:
    found = await client.get_node(node).get_references(reference, direction, includesubtypes=False)
    return [reference.NodeId.to_string() for reference in found]


def test_a_client_finds_its_way_from_the_server_to_the_condition(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        return [
            await to(client, "i=2253", IDS.HasNotifier),
            await to(client, SITE, IDS.HasNotifier),
            await to(client, ALARMS, IDS.HasEventSource),
            await to(client, "ns=2;s=bms.t_cell", IDS.HasCondition),
            await to(client, "ns=2;s=alarm.door", IDS.HasCondition),
        ]

    server, site, sources, hot, door = act(plant[2], do)
    assert (server, site) == ([SITE], [ALARMS])
    assert sources[:3] == ["ns=2;s=bms.t_cell", "ns=2;s=bms.soc", "ns=2;s=alarm.door"]
    assert (hot, door) == (["ns=2;s=/alarms/cell_hot_h", "ns=2;s=/alarms/cell_hot_hh"], ["ns=2;s=/alarms/door"])


def test_every_way_leads_back(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        back = ua.BrowseDirection.Inverse
        return [
            await to(client, SITE, IDS.HasNotifier, back),
            await to(client, ALARMS, IDS.HasNotifier, back),
            await to(client, "ns=2;s=bms.t_cell", IDS.HasEventSource, back),
            await to(client, "ns=2;s=/alarms/cell_hot_h", IDS.HasCondition, back),
        ]

    assert act(plant[2], do) == [["i=2253"], [SITE], [ALARMS], ["ns=2;s=bms.t_cell"]]


@pytest.mark.parametrize("notifier", [SITE, ALARMS])
def test_events_come_by_every_notifier_above_and_a_refresh_too(plant: Plant, notifier: str) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = Watch(site)
        watch.subscription = await client.create_subscription(50, watch)
        await watch.subscription.subscribe_events(client.get_node(notifier), IDS.AlarmConditionType)
        site.set("door", active=True)
        (event,) = await watch.until(lambda: watch.told("door"))
        number = ua.Variant(watch.subscription.subscription_id, ua.VariantType.UInt32)
        answer = await call(client, IDS.ConditionType, IDS.ConditionType_ConditionRefresh, number)
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types())
        ids = [told.EventId for told in watch.events]
        return answer, [e.EventId == event.EventId for e in watch.told("door")], ids

    answer, same, ids = act(port, do)
    assert (answer, same) == ("Good", [True, True])
    assert len(set(ids)) == len(ids) - 1, "only what is told again has the EventId that it had"


def test_a_node_that_notifies_nobody_refuses(plant: Plant) -> None:
    async def do(client: Client) -> str:
        subscription = await client.create_subscription(50, Watch())
        try:
            await subscription.subscribe_events(client.get_node("ns=2;s=/bessplc"), IDS.AlarmConditionType)
        except ua.UaStatusCodeError as error:
            return type(error).__name__
        return "Good"

    assert act(plant[2], do) == "BadServiceUnsupported"
