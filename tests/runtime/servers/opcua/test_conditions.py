"""What the events of a condition say, and the condition as a node, held against the standard's own types (OPC UA part 9)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from asyncua import Client, Server, ua

from runtime import child
from tests.aids.servers_alarms import Plant, Watch, act, becomes

IDS = ua.ObjectIds


# what an event says


def test_a_limit_alarm_tells_all_that_the_standard_demands(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client, IDS.NonExclusiveLevelAlarmType)
        site.set("cell_hot_hh", active=True, value=61.0)
        return await watch.until(lambda: watch.told("cell_hot_hh"))

    (event,) = act(port, do)
    told = vars(event)
    assert event.EventType == ua.NodeId(IDS.NonExclusiveLevelAlarmType)
    assert (event.SourceNode.to_string(), event.SourceName) == ("ns=2;s=bms.t_cell", "bms.t_cell")
    assert event.InputNode == event.SourceNode
    assert (event.Severity, event.LastSeverity, event.Message.Text) == (900, 900, "Cell too hot")
    assert (event.ConditionName, event.NodeId.to_string()) == ("cell_hot_hh", "ns=2;s=/alarms/cell_hot_hh")
    assert event.BranchId.is_null() and event.Retain is True
    states = {name: told[name] for name in told if name.endswith("/Id")}
    assert states | {"EnabledState/Id": True, "ActiveState/Id": True, "HighHighState/Id": True} == states
    assert (states["AckedState/Id"], states["ConfirmedState/Id"]) == (False, True)
    assert told["ActiveState"].Text == "Active" and told["AckedState"].Text == "Unacknowledged"
    assert event.Quality.is_good() and len(event.EventId) == 8 and event.Time == event.ReceiveTime


def test_a_condition_without_a_limit_is_off_normal_and_its_source_is_its_tag(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client, IDS.OffNormalAlarmType)
        site.set("door", active=True)
        return await watch.until(lambda: watch.told("door"))

    (event,) = act(port, do)
    assert event.EventType == ua.NodeId(IDS.OffNormalAlarmType)
    assert (event.SourceName, event.Severity) == ("alarm.door", 600)
    assert event.InputNode.is_null() and event.NormalState.is_null()


CLASS, SETPOINT, LATCHED = "ConditionClassId", "SetpointNode", "LatchedState/Id"


@pytest.mark.parametrize(
    ("alarm", "kind", "facts"),
    [
        ("off_low", IDS.NonExclusiveDeviationAlarmType, {SETPOINT: "ns=2;s=hmi.p_set", CLASS: "i=11164", "LowState/Id": True}),
        ("drain_falling", IDS.NonExclusiveRateOfChangeAlarmType, {CLASS: "i=11164", "LowState/Id": True, SETPOINT: None}),
        ("over", IDS.OffNormalAlarmType, {"Message": "OVR_VLT_ALARM: Cell voltage high", CLASS: "i=11166", LATCHED: True}),
    ],
)
def test_a_deviation_a_rate_and_a_latched_fault_are_what_part_9_calls_them(
    plant: Plant, alarm: str, kind: int, facts: dict[str, Any]
) -> None:
    """i=11164 is the class of the process; i=11166 that of the system, here of the bus that the error comes from (5.9)."""
    site, _, port = plant

    def plain(value: Any) -> Any:
        return value.to_string() if isinstance(value, ua.NodeId) else getattr(value, "Text", value)

    async def do(client: Client) -> Any:
        watch = await Watch(site).start_with(client, *facts)
        site.set(alarm, active=True, value=1.0)
        return await watch.until(lambda: watch.told(alarm))

    (event,) = act(port, do)
    assert event.EventType == ua.NodeId(kind)
    assert {path: plain(vars(event)[path]) for path in facts} == facts


async def mandatory_fields(server: Server, kind: int) -> set[str]:
    """The paths that the standard's own nodes declare as mandatory for events of that type, its supertypes included."""
    found: set[str] = set()

    async def look(node: Any, path: str) -> None:
        for ref in await node.get_references(IDS.Aggregates, ua.BrowseDirection.Forward, ua.NodeClass.Variable):
            child = server.get_node(ref.NodeId)
            rules = [r.NodeId.Identifier for r in await child.get_references(IDS.HasModellingRule)]
            if rules == [IDS.ModellingRule_Mandatory]:
                found.add(path + ref.BrowseName.Name)
                await look(child, f"{path}{ref.BrowseName.Name}/")

    node = server.get_node(ua.NodeId(kind))
    while node.nodeid.Identifier != IDS.BaseObjectType:
        await look(node, "")
        node = (await node.get_referenced_nodes(IDS.HasSubtype, ua.BrowseDirection.Inverse))[0]
    return found


KINDS = {
    "soc_low_l": IDS.NonExclusiveLevelAlarmType,
    "door": IDS.OffNormalAlarmType,
    "off_low": IDS.NonExclusiveDeviationAlarmType,
    "drain_falling": IDS.NonExclusiveRateOfChangeAlarmType,
}


@pytest.fixture(scope="module")
def mandatory() -> dict[int, set[str]]:
    async def read() -> dict[int, set[str]]:
        server = Server()
        await server.init()
        return {kind: await mandatory_fields(server, kind) for kind in KINDS.values()}

    return asyncio.run(read())


@pytest.mark.parametrize(("alarm", "kind"), KINDS.items())
def test_no_mandatory_field_of_the_type_is_left_out(plant: Plant, mandatory: dict[int, set[str]], alarm: str, kind: int) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        wanted = sorted(mandatory[kind])
        base = ua.NodeId(IDS.BaseEventType)
        clauses = [
            ua.SimpleAttributeOperand(base, [ua.QualifiedName(name) for name in path.split("/")], ua.AttributeIds.Value)
            for path in wanted
        ]
        watch = Watch(site)
        subscription = await client.create_subscription(50, watch)
        await subscription._subscribe(client.nodes.server, ua.AttributeIds.EventNotifier, ua.EventFilter(clauses))
        site.set(alarm, active=True, value=1.0)
        (event,) = await watch.until(lambda: watch.told(alarm))  # of its type or not: what came before is of others
        return dict(zip(wanted, event.event_fields, strict=True))

    fields = act(port, do)
    assert {"EventId", "ActiveState/Id", "Quality/SourceTimestamp", "InputNode"} <= set(fields)
    assert [path for path, field in fields.items() if field.VariantType == ua.VariantType.Null] == []


# the conditions as nodes


def test_every_alarm_is_a_node_with_all_that_its_type_demands(plant: Plant, mandatory: dict[int, set[str]]) -> None:
    site, _, port = plant
    site.set("soc_low_l", active=True, value=3.5)

    async def do(client: Client) -> Any:
        folder = await client.nodes.objects.get_child(["2:bessplc", "2:plant1", "2:Alarms"])
        names = [(await node.read_browse_name()).Name for node in (await folder.get_children())[:4]]
        node = await folder.get_child("2:soc_low_l")
        kind = (await node.read_type_definition()).Identifier
        for path in sorted(mandatory[kind]):
            child = await node.get_child([f"0:{name}" for name in path.split("/")])
            assert child.nodeid.to_string() == f"ns=2;s=/alarms/soc_low_l/{path}"
            assert (await child.read_data_value()).Value.VariantType != ua.VariantType.Null, path
        methods = [(await method.read_browse_name()).Name for method in await node.get_methods()]
        active = client.get_node("ns=2;s=/alarms/soc_low_l/ActiveState/Id")
        await becomes(active.read_value, True)
        site.set("soc_low_l", active=False)
        await becomes(active.read_value, False)
        return names, kind, methods

    names, kind, methods = act(port, do)
    assert names == ["cell_hot_h", "cell_hot_hh", "soc_low_l", "door"]
    assert kind == IDS.NonExclusiveLevelAlarmType
    assert methods == ["Acknowledge", "Confirm", "AddComment", "Enable", "Disable"]


def test_a_condition_has_other_parts_when_its_alarm_is_declared_otherwise(plant: Plant) -> None:
    site, server, port = plant
    order = site.order()
    others = tuple(replace(alarm, is_latched=True, shelve=0) if alarm.name == "door" else alarm for alarm in order.alarms)

    async def parts(client: Client) -> set[str]:
        found = await client.get_node("ns=2;s=/alarms/door").get_references(IDS.Aggregates, ua.BrowseDirection.Forward)
        return {ref.BrowseName.Name for ref in found} & {"ShelvingState", "MaxTimeShelved", "LatchedState"}

    async def do(client: Client) -> None:
        await becomes(lambda: parts(client), {"ShelvingState", "MaxTimeShelved"})
        child.give(server.process, replace(order, alarms=others), more_later=True)
        await becomes(lambda: parts(client), {"LatchedState"})
        child.give(server.process, order, more_later=True)
        await becomes(lambda: parts(client), {"ShelvingState", "MaxTimeShelved"})

    act(port, do)


def test_a_field_of_a_condition_can_be_monitored(plant: Plant) -> None:
    site, _, port = plant

    class Values(Watch):
        def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
            self.events.append(value)

    async def do(client: Client) -> Any:
        values = Values(site)
        subscription = await client.create_subscription(50, values)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=/alarms/door/ActiveState/Id"))
        await values.until(lambda: values.events == [False])
        site.set("door", active=True)
        await values.until(lambda: values.events == [False, True])

    act(port, do)
