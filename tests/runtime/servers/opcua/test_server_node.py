"""The standard's object Server: limits and state as they are, and nothing behind which there is nothing (OPC UA part 5, 6.3)."""

from __future__ import annotations

from typing import Any

from asyncua import Client, ua

from tests.aids.servers_alarms import Plant, Watch, act, becomes, call, signed_in
from tests.aids.servers_opcua import Changes, until

IDS = ua.ObjectIds
GET, RESEND = IDS.Server_GetMonitoredItems, IDS.Server_ResendData


def u32(number: int) -> ua.Variant:
    return ua.Variant(number, ua.VariantType.UInt32)


async def value(client: Client, name: str) -> Any:
    return await client.get_node(ua.NodeId(getattr(IDS, f"Server_{name}"))).read_value()


async def nodes_below(client: Client, top: int) -> list[Any]:
    """All nodes that the Server is made of, its namespaces' nodes aside."""
    found: dict[ua.NodeId, Any] = {}
    todo = [client.get_node(ua.NodeId(top))]
    while todo:
        for child in await todo.pop().get_children(refs=IDS.Aggregates):
            if child.nodeid.NamespaceIndex == 0 and child.nodeid not in found:
                found[child.nodeid] = child
                todo.append(child)
    return list(found.values())


def test_every_variable_of_the_server_has_a_value_or_says_why_not(plant: Plant) -> None:
    async def do(client: Client) -> list[str]:
        empty = []
        for node in await nodes_below(client, IDS.Server):
            if await node.read_node_class() == ua.NodeClass.Variable:
                found = await node.read_data_value(raise_on_bad_status=False)
                if found.StatusCode.is_good() and found.Value.Value is None:
                    empty.append(ua.ObjectIdNames[node.nodeid.Identifier])
        return empty

    assert act(plant[2], do) == []


def test_every_method_of_the_server_does_something(plant: Plant) -> None:
    async def do(client: Client) -> dict[str, str]:
        methods = [node for node in await nodes_below(client, IDS.Server) if await node.read_node_class() == ua.NodeClass.Method]
        return {(await node.read_browse_name()).Name: await call(client, IDS.Server, node.nodeid, u32(0)) for node in methods}

    assert act(plant[2], do) == {"GetMonitoredItems": "BadSubscriptionIdInvalid", "ResendData": "BadSubscriptionIdInvalid"}


def test_no_reference_of_the_server_leads_nowhere(plant: Plant) -> None:
    async def do(client: Client) -> list[str]:
        lost = []
        for node in [client.nodes.server, client.nodes.objects, *await nodes_below(client, IDS.Server)]:
            for reference in await node.get_references(direction=ua.BrowseDirection.Forward):
                answer = await client.get_node(reference.NodeId).read_attribute(
                    ua.AttributeIds.NodeClass, raise_on_bad_status=False
                )
                if not answer.StatusCode.is_good():
                    lost.append(f"{node} -> {reference.BrowseName.Name}")
        return lost

    assert act(plant[2], do) == []


def test_the_limits_that_are_told_are_those_that_hold(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        most = await value(client, "ServerCapabilities_OperationLimits_MaxNodesPerMethodCall")
        request = ua.CallMethodRequest(ua.NodeId(IDS.Server), ua.NodeId(GET), [u32(0)])
        within = await client.uaclient.call([request] * most)
        try:
            await client.uaclient.call([request] * (most + 1))
        except ua.UaStatusCodeError as error:
            beyond = type(error).__name__
        queue = await value(client, "ServerCapabilities_MaxMonitoredItemsQueueSize")
        subscription = await client.create_subscription(100, Watch())
        wanted = ua.MonitoredItemCreateRequest(ua.ReadValueId(ua.NodeId("bms.soc", 2), ua.AttributeIds.Value))
        wanted.RequestedParameters.QueueSize = 10 * queue
        params = ua.CreateMonitoredItemsParameters(subscription.subscription_id, ua.TimestampsToReturn.Both, [wanted])
        (made,) = await client.uaclient.create_monitored_items(params)
        return len(within) == most, beyond, made.RevisedQueueSize == queue

    assert act(plant[2], do) == (True, "BadTooManyOperations", True)


def test_the_service_level_falls_when_the_scan_is_silent(plant: Plant) -> None:
    """Of two redundant controllers clients take the one with the higher level (part 4, 6.6.2.4.2): 1 is "no data"."""
    site, _, port = plant

    async def do(client: Client) -> Any:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node(ua.NodeId(IDS.Server_ServiceLevel)))
        await until(lambda: changes.seen and changes.seen[-1][1] == 255)
        site.scan.frozen = True
        await until(lambda: changes.seen[-1][1] == 1)
        site.scan.frozen = False
        await until(lambda: changes.seen[-1][1] == 255)

    act(port, do)


def test_the_clock_of_the_server_runs(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        before = await value(client, "ServerStatus_CurrentTime")

        async def has_gone_on() -> bool:
            return bool((await value(client, "ServerStatus_CurrentTime")) > before)

        await becomes(has_gone_on, True)
        build = await value(client, "ServerStatus_BuildInfo")
        return build.ProductName, build.BuildDate < before, (await value(client, "LocalTime")).Offset % 15

    assert act(plant[2], do) == ("bessplc", True, 0)


def test_our_namespace_is_described(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        described = await client.get_node(ua.NodeId(IDS.Server_Namespaces)).get_child("2:urn:bessplc:plant1")
        names = ("NamespaceUri", "IsNamespaceSubset", "StaticNodeIdTypes")
        return [await (await described.get_child(f"0:{name}")).read_value() for name in names]

    assert act(plant[2], do) == ["urn:bessplc:plant1", False, []]


# GetMonitoredItems and ResendData (part 5, 9.1 and 9.2)


def test_a_client_asks_which_items_are_still_there(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        nodes = [client.get_node("ns=2;s=bms.soc"), client.nodes.namespace_array]  # of ours and of asyncua's
        handles = await subscription.subscribe_data_change(nodes)
        handles.append(await subscription.subscribe_events(client.nodes.server))
        found = await client.nodes.server.call_method(ua.NodeId(GET), u32(subscription.subscription_id))
        await subscription.unsubscribe(handles[0])
        after = await client.nodes.server.call_method(ua.NodeId(GET), u32(subscription.subscription_id))
        return sorted(handles), found, len(set(found[1])), after[0], sorted(handles[1:])

    handles, (servers, clients), different, after, left = act(plant[2], do)
    assert (servers, len(clients), different) == (handles, 3, 3)
    assert after == left


def test_a_client_has_the_newest_values_sent_again(plant: Plant) -> None:
    site, _, port = plant
    site.scan.set("bms.soc", 12.5)

    async def do(client: Client) -> Any:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change([client.get_node("ns=2;s=bms.soc"), client.nodes.namespace_array])
        await until(lambda: len({name for name, *_ in changes.seen}) == 2 and ("bms.soc", 12.5, 0) in changes.seen)
        changes.seen.clear()
        answer = await call(client, IDS.Server, RESEND, u32(subscription.subscription_id))
        await until(lambda: len(changes.seen) == 2)
        return answer, {name for name, *_ in changes.seen}

    assert act(port, do) == ("Good", {"bms.soc", IDS.Server_NamespaceArray})


def test_another_clients_subscription_is_not_told_of(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        async with signed_in(plant[2]) as other:
            theirs = await other.create_subscription(100, Watch())
            return [await call(client, IDS.Server, method, u32(theirs.subscription_id)) for method in (GET, RESEND)]

    assert act(plant[2], do) == ["BadUserAccessDenied"] * 2
