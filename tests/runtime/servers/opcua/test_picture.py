"""The PLC as the companion specification "OPC UA Information Model for IEC 61131-3" 1.02 pictures it, seen by a client.

Node ids, names and supertypes are those of the nodesets of the OPC Foundation (PLCopen 1.02 of 2020-11-25, DI 1.05).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from asyncua import Client, ua

from blocks import catalogue
from tests.aids.servers_opcua import Changes, becomes, names, refusal, status_of, until, with_client
from tests.aids.servers_process import serving
from tests.aids.servers_program import Program
from tests.aids.servers_scan import TestScan

DI, PLC = "http://opcfoundation.org/UA/DI/", "http://PLCopen.org/OpcUa/IEC61131-3/"
NODESETS = Path(__file__).parents[3] / "clients/node_modules/node-opcua-nodesets/nodesets"
DI_NODESET = NODESETS / "Opc.Ua.Di.NodeSet2.xml"
DEVICE_SET, PLC_PATH = "ns=3;i=5001", ["3:DeviceSet", "2:plant1", "4:Resources", "2:scan"]
TYPES = [  # id, browse name, supertype, abstract
    ("ns=3;i=1001", "TopologyElementType", "i=58", True),
    ("ns=3;i=15063", "ComponentType", "ns=3;i=1001", True),
    ("ns=3;i=1002", "DeviceType", "ns=3;i=15063", True),
    ("ns=3;i=1003", "BlockType", "ns=3;i=1001", True),
    ("ns=3;i=1004", "ConfigurableObjectType", "i=58", False),
    ("ns=3;i=1005", "FunctionalGroupType", "i=61", False),
    ("ns=4;i=1001", "CtrlConfigurationType", "ns=3;i=1001", False),
    ("ns=4;i=1002", "CtrlResourceType", "ns=3;i=1002", False),
    ("ns=4;i=1003", "CtrlProgramOrganizationUnitType", "ns=3;i=1003", True),
    ("ns=4;i=1004", "CtrlProgramType", "ns=4;i=1003", True),
    ("ns=4;i=1005", "CtrlFunctionBlockType", "ns=4;i=1003", True),
    ("ns=4;i=1006", "CtrlTaskType", "i=58", False),
    ("ns=4;i=1007", "SFCType", "i=58", False),
    ("ns=4;i=4001", "HasInputVar", "i=47", False),
    ("ns=4;i=4002", "HasOutputVar", "i=47", False),
    ("ns=4;i=4003", "HasInOutVar", "i=47", False),
    ("ns=4;i=4004", "HasLocalVar", "i=47", False),
    ("ns=4;i=4005", "HasExternalVar", "i=35", False),
    ("ns=4;i=4006", "With", "i=32", False),
]
MANDATORY = {  # what a type declares with the modelling rule Mandatory
    "ns=3;i=1002": {
        "Manufacturer",
        "Model",
        "HardwareRevision",
        "SoftwareRevision",
        "DeviceRevision",
        "DeviceManual",
        "SerialNumber",
        "RevisionCounter",
    },
    "ns=3;i=1004": {"SupportedTypes"},
    "ns=4;i=1001": {"Resources"},
    "ns=4;i=1002": {"Tasks", "Programs"},
    "ns=4;i=1006": {"Priority"},
}
HAS_INPUT, HAS_OUTPUT, HAS_LOCAL, WITH = (ua.NodeId(4000 + n, 4) for n in (1, 2, 4, 6))
NO_COMMUNICATION = 0x80310000


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, Program, int]]:
    scan = TestScan(tmp_path_factory.mktemp("picture"))
    program = Program(scan)
    with serving(program.order(anonymous="operator", every="50 ms", namespace="urn:example:park")) as (_, port):
        yield scan, program, port
    scan.stop()


async def type_of(node: Any) -> str:
    return (await node.read_type_definition()).to_string()


def test_the_namespaces_stand_in_a_fixed_order_and_ours_is_the_sites(plant: Any) -> None:
    namespaces = with_client(plant[2], lambda client: client.get_namespace_array())
    assert namespaces[0] == "http://opcfoundation.org/UA/"
    assert namespaces[2:] == ["urn:example:park", DI, PLC]


def test_the_types_have_their_official_ids_names_and_supertypes(plant: Any) -> None:
    async def act(client: Client) -> list[Any]:
        found = []
        for node_id, *_ in TYPES:
            node = client.get_node(node_id)
            parents = await node.get_referenced_nodes(ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
            name = await node.read_browse_name()
            assert name.NamespaceIndex == node.nodeid.NamespaceIndex
            is_abstract = (await node.read_attribute(ua.AttributeIds.IsAbstract)).Value.Value
            found.append((node_id, name.Name, parents[0].nodeid.to_string(), is_abstract))
        return found

    assert with_client(plant[2], act) == TYPES


@pytest.mark.skipif(not DI_NODESET.exists(), reason="node-opcua's copy of the DI nodeset is not here: npm ci in tests/clients")
def test_what_we_have_of_di_is_what_its_nodeset_says(plant: Any) -> None:
    schema = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
    nodes = {node.get("NodeId"): node for node in ElementTree.parse(DI_NODESET).getroot() if node.get("NodeId")}
    rules = {"i=78": "Mandatory", "i=80": "Optional", None: ""}

    def said(node_id: str) -> tuple[str, str, str]:
        node = nodes[node_id.replace("ns=3", "ns=1")]
        references = node.findall(f"{schema}References/{schema}Reference")
        above = [r.text for r in references if r.get("ReferenceType") == "HasSubtype" and r.get("IsForward") == "false"]
        rule = next((r.text for r in references if r.get("ReferenceType") == "HasModellingRule"), None)
        return str(node.get("BrowseName")).removeprefix("1:"), str((above or [""])[0]).replace("ns=1", "ns=3"), rules[rule]

    async def act(client: Client) -> None:
        for name, node_id in [(name, node_id) for node_id, name, *_ in TYPES if node_id.startswith("ns=3")]:
            assert said(node_id)[0] == name
            assert said(node_id)[1] == next(above for known, _, above, _ in TYPES if known == node_id)
        parts = [part for owner in ("ns=3;i=1002", "ns=3;i=1004") for part in await client.get_node(owner).get_children()]
        ours = [part.nodeid.to_string() for part in parts if await part.read_node_class() != ua.NodeClass.ObjectType]
        assert len(ours) == 9
        for node_id in ours:
            part = client.get_node(node_id)
            rule = await part.get_referenced_nodes(ua.ObjectIds.HasModellingRule)
            assert said(node_id)[::2] == ((await part.read_browse_name()).Name, (await names(rule))[0])

    with_client(plant[2], act)


def test_both_namespaces_say_that_only_a_part_of_them_is_here(plant: Any) -> None:
    async def act(client: Client) -> Any:
        spaces = client.get_node(ua.ObjectIds.Server_Namespaces)
        found = {}
        for name in (ua.QualifiedName(DI, 3), ua.QualifiedName(PLC, 4)):
            space = await spaces.get_child([name])
            assert await type_of(space) == f"i={ua.ObjectIds.NamespaceMetadataType}"
            parts = [await (await space.get_child(f"0:{part}")).read_value() for part in ("NamespaceVersion", "IsNamespaceSubset")]
            found[name.Name] = parts
        return found

    assert with_client(plant[2], act) == {DI: ["1.05.0", True], PLC: ["1.02", True]}


def test_what_a_type_demands_every_object_of_it_has(plant: Any) -> None:
    async def act(client: Client) -> dict[str, Any]:
        missing: dict[str, Any] = {}

        async def supertypes(node_id: str) -> list[str]:
            parents = await client.get_node(node_id).get_referenced_nodes(ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
            above = parents[0].nodeid.to_string() if parents else ""
            return [node_id, *(await supertypes(above) if above and above != "i=58" else [])]

        async def check(node: Any) -> None:
            wanted = set().union(*(MANDATORY.get(kind, set()) for kind in await supertypes(await type_of(node))))
            children = await node.get_children(refs=ua.ObjectIds.HasComponent) + await node.get_children(
                refs=ua.ObjectIds.HasProperty
            )
            if not wanted <= set(await names(children)):
                missing[node.nodeid.to_string()] = wanted - set(await names(children))
            for child in children:
                if await child.read_node_class() == ua.NodeClass.Object and child.nodeid.Identifier != "/plc/scan/GlobalVars":
                    await check(child)

        await check(client.get_node("ns=2;s=/plc"))
        return missing

    assert with_client(plant[2], act) == {}


def test_device_resource_tasks_and_programs_stand_where_the_specification_has_them(plant: Any) -> None:
    async def act(client: Client) -> Any:
        device = await client.nodes.objects.get_child(PLC_PATH[:2])
        resource = await client.nodes.objects.get_child(PLC_PATH)
        tasks, programs, global_vars = [await resource.get_child(f"4:{name}") for name in ("Tasks", "Programs", "GlobalVars")]
        kinds = [await type_of(node) for node in (device, resource, tasks, programs, global_vars)]
        task_names = await names(await tasks.get_children())
        return kinds, task_names, await names(await programs.get_children()), await names(await global_vars.get_children())

    kinds, tasks, programs, areas = with_client(plant[2], act)
    assert kinds == ["ns=4;i=1001", "ns=4;i=1002", "ns=3;i=1004", "ns=3;i=1004", "ns=3;i=1005"]
    assert tasks == ["SupportedTypes", "protection", "control"]
    assert programs == ["SupportedTypes", "safety", "dispatch", "cells", "NodeVersion"]
    assert areas == ["bms", "grid", "hmi", "pcs", "plc"]


def test_a_task_says_its_interval_its_priority_and_how_long_it_takes(plant: Any) -> None:
    _, program, port = plant
    for ns in (1_000_000, 2_000_000, 60_000_000):
        program.ran("control", ns)

    async def act(client: Client) -> dict[str, Any]:
        node = client.get_node("ns=2;s=/tasks/control")
        assert await type_of(node) == "ns=4;i=1006"
        assert await type_of(await node.get_child("2:MaxTime")) == f"i={ua.ObjectIds.AnalogUnitType}"
        figures = await node.get_properties() + await node.get_variables()
        return {(await figure.read_browse_name()).Name: await figure.read_value() for figure in figures}

    found = with_client(port, act)
    assert (found["Interval"], found["Priority"]) == ("T#50ms", 1)
    assert (found["LastTime"], found["MaxTime"], found["MeanTime"]) == (60_000.0, 60_000.0, 21_000.0)
    assert (found["Runs"], found["Overruns"]) == (3, 1)


def test_a_program_says_with_which_task_it_runs(plant: Any) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=/programs/dispatch")
        tasks = await node.get_referenced_nodes(WITH, ua.BrowseDirection.Forward)
        executes = await tasks[0].get_referenced_nodes(WITH, ua.BrowseDirection.Inverse)
        kind = client.get_node(await node.read_type_definition())
        above = await kind.get_referenced_nodes(ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
        return await names(tasks), await names(executes), above[0].nodeid.to_string()

    assert with_client(plant[2], act) == (["control"], ["dispatch", "cells"], "ns=4;i=1004")


def test_an_instance_has_its_pins_by_direction_with_the_words_of_the_catalogue(plant: Any) -> None:
    pid = catalogue()["PID"]

    async def act(client: Client) -> Any:
        program = client.get_node("ns=2;s=/programs/dispatch")
        instances = await program.get_referenced_nodes(HAS_LOCAL, ua.BrowseDirection.Forward)
        droop = await program.get_child("2:droop")
        pins = [
            [(await n.read_browse_name()).Name for n in await droop.get_referenced_nodes(how, ua.BrowseDirection.Forward)]
            for how in (HAS_INPUT, HAS_OUTPUT, HAS_LOCAL)
        ]
        kind = client.get_node(await droop.read_type_definition())
        parents = await kind.get_referenced_nodes(ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
        texts = [(await (await droop.get_child(f"2:{pin.name}")).read_description()).Text for pin in pid.pins]
        return await names(instances), pins, parents[0].nodeid.to_string(), (await kind.read_description()).Text, texts

    instances, pins, parent, text, texts = with_client(plant[2], act)
    assert instances == ["droop", "smooth"], "what the compiler made of an expression hangs in no folder"
    assert pins == [[pin.name for pin in pid.pins if pin.kind == kind] for kind in ("input", "output", "var")]
    assert parent == "ns=4;i=1005"
    assert pid.doc in text
    assert texts == [pin.doc for pin in pid.pins]


def test_a_step_hangs_below_its_sequence(plant: Any) -> None:
    async def act(client: Client) -> Any:
        node = await client.nodes.objects.get_child([*PLC_PATH, "4:Programs", "2:safety", "2:contactors", "2:closed"])
        return node.nodeid.to_string()

    assert with_client(plant[2], act) == "ns=2;s=/blocks/safety.contactors.closed"


def test_many_instances_stand_in_folders_of_two_hundred(plant: Any) -> None:
    async def act(client: Client) -> Any:
        folders = await client.get_node("ns=2;s=/programs/cells").get_children()
        inside = [await folder.get_children() for folder in folders]
        parent = await inside[1][49].get_parent()
        return await names(folders), [len(some) for some in inside], inside[1][49].nodeid.to_string(), parent == folders[1]

    found = with_client(plant[2], act)
    assert found == (["wait[1] to wait[200]", "wait[201] to wait[250]"], [200, 50], "ns=2;s=/blocks/cells.wait[250]", True)


@pytest.mark.parametrize(
    ("pin", "value"), [("dispatch.droop.OUT", 12.5), ("cells.wait[250].Q", True), ("dispatch.smooth.IN#lag.OUT", -3.0)]
)
def test_any_pin_can_be_read_by_its_name_without_browsing(plant: Any, pin: str, value: Any) -> None:
    plant[1].set(pin, value)
    with_client(plant[2], lambda client: becomes(client.get_node(f"ns=2;s=/pins/{pin}").read_value, value))


def test_a_monitored_pin_is_sampled(plant: Any) -> None:
    program = plant[1]
    program.set("dispatch.droop.OUT", 0.0)

    async def act(client: Client) -> list[Any]:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=/pins/dispatch.droop.OUT"))
        await until(lambda: changes.seen)
        program.set("dispatch.droop.OUT", 99.0)
        await until(lambda: len(changes.seen) == 2)
        await asyncio.sleep(0.3)
        return [value for _, value, _ in changes.seen]

    assert with_client(plant[2], act) == [0.0, 99.0], "told once each, not at every sample"


def test_pins_are_read_only_and_what_is_no_pin_is_unknown(plant: Any) -> None:
    async def act(client: Client) -> list[str]:
        return [
            await refusal(client.get_node("ns=2;s=/pins/dispatch.droop.OUT").write_value(1.0)),
            await refusal(client.get_node("ns=2;s=/pins/dispatch.droop.NOPIN").read_value()),
            await refusal(client.get_node("ns=2;s=/blocks/dispatch.nothing").read_browse_name()),
            await refusal(client.get_node("ns=2;s=/pins/").read_value()),
        ]

    assert with_client(plant[2], act) == ["BadNotWritable", "BadNodeIdUnknown", "BadNodeIdUnknown", "BadNodeIdUnknown"]


def test_without_a_scan_pins_and_figures_are_without_communication(plant: Any) -> None:
    scan, _, port = plant

    async def act(client: Client) -> None:
        nodes = [client.get_node(f"ns=2;s={name}") for name in ("/pins/dispatch.droop.OUT", "/tasks/control/Runs")]
        scan.frozen = True
        for node in nodes:
            await becomes(lambda node=node: status_of(node), NO_COMMUNICATION)
        scan.frozen = False
        for node in nodes:
            await becomes(lambda node=node: status_of(node), 0)

    with_client(port, act)
