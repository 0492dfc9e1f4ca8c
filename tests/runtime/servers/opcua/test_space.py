"""The address space of the tags as an integrator's client meets it: folders, types, units, ranges, texts, who wrote last."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.language.units import SIMPLE
from runtime.model import Tag
from runtime.servers.audit import Deed, Who
from runtime.servers.opcua.units import UNECE, unit_id
from runtime.servers.records.store import Records
from runtime.source import Position
from tests.aids.servers_opcua import Changes, becomes, names, until, with_client
from tests.aids.servers_process import serving
from tests.aids.servers_scan import TAGS, TestScan

OURS = (
    Tag("pcs.grid", "BOOL", 0, 0, 0, "input", "", "Grid switch", names=((0, "open"), (1, "closed"))),
    Tag("pcs.mode", "DINT", 0, 0, 0, "memory", "", "Mode", names=((-1, "off"), (3, "on")), owner="operator", write="operator"),
    Tag("bms.t", "LREAL", 0, 0, 0, "input", "°C", "Temperature", owner="device rack1", at=Position("io_maps/rack1.yaml", 14, 3)),
    *(Tag(f"cell.v{n}", "LREAL", 0, 0, 0, "input", "V") for n in range(1, 451)),
)
IDS = ua.ObjectIds


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, Any, int]]:
    scan = TestScan(tmp_path_factory.mktemp("space"), [*TAGS, *OURS])
    state = tmp_path_factory.mktemp("state")
    order = dataclasses.replace(scan.order("opcua", anonymous="operator", every="50 ms"), state_dir=str(state))
    with serving(order) as (_, port):
        yield scan, state, port
    scan.stop()


def node(client: Client, name: str) -> Any:
    return client.get_node(f"ns=2;s={name}")


async def property_of(client: Client, tag: str, name: str) -> Any:
    return await (await node(client, tag).get_child(name)).read_value()


# folders


def test_a_tag_stands_below_its_site_and_area(plant: Any) -> None:
    async def act(client: Client) -> Any:
        found = await client.nodes.objects.get_child(["2:bessplc", "2:plant1", "2:bms", "2:soc"])
        areas = await (await client.nodes.objects.get_child(["2:bessplc", "2:plant1"])).get_children(refs=IDS.Organizes)
        return found.nodeid.to_string(), await names(areas), await client.get_namespace_array()

    node_id, areas, namespaces = with_client(plant[2], act)
    assert node_id == "ns=2;s=bms.soc"
    assert areas == ["bms", "cell", "grid", "hmi", "pcs", "plc"]
    assert namespaces[2] == "urn:bessplc:plant1"


def test_many_tags_stand_in_folders_of_two_hundred_in_the_order_of_their_numbers(plant: Any) -> None:
    async def act(client: Client) -> Any:
        area = await client.nodes.objects.get_child(["2:bessplc", "2:plant1", "2:cell"])
        folders = await area.get_children()
        inside = [await folder.get_children() for folder in folders]
        parent = await inside[2][49].get_parent()
        return await names(folders), [len(some) for some in inside], (inside[2][49].nodeid.Identifier, parent == folders[2])

    found = with_client(plant[2], act)
    assert found == (["v1 to v200", "v201 to v400", "v401 to v450"], [200, 200, 50], ("cell.v450", True))


def test_all_tags_are_in_the_flat_folder(plant: Any) -> None:
    async def act(client: Client) -> Any:
        tags = await client.nodes.objects.get_child("2:Tags")
        folders = await tags.get_children(refs=IDS.Organizes)
        found = [tag for folder in folders for tag in await folder.get_children()]
        return [len(await folder.get_children()) for folder in folders], {tag.nodeid.Identifier for tag in found}

    sizes, found = with_client(plant[2], act)
    assert found == {tag.name for tag in (*TAGS, *OURS)}
    assert max(sizes) <= 200


def test_a_tag_is_browsed_by_the_last_part_of_its_name_and_shown_by_the_whole(plant: Any) -> None:
    async def act(client: Client) -> Any:
        tag = node(client, "bms.soc")
        return (await tag.read_browse_name()).Name, (await tag.read_display_name()).Text

    assert with_client(plant[2], act) == ("soc", "bms.soc")


def test_every_reference_has_its_way_back(plant: Any) -> None:
    async def act(client: Client) -> list[str]:
        broken, seen, todo = [], set(), [client.get_node("ns=2;s=/bessplc"), client.get_node("ns=2;s=/plc")]
        while todo:
            here = todo.pop()
            if here.nodeid in seen or here.nodeid.NamespaceIndex != 2:
                continue
            seen.add(here.nodeid)
            for child in (await here.get_children())[:5]:
                back = await child.get_references(IDS.HierarchicalReferences, ua.BrowseDirection.Inverse)
                if child.nodeid.NamespaceIndex == 2 and here.nodeid not in [reference.NodeId for reference in back]:
                    broken.append(f"{here} -> {child}")
                todo.append(child)
        return broken

    assert with_client(plant[2], act) == []


# types


@pytest.mark.parametrize(
    ("tag", "type", "rank"),
    [
        ("bms.soc", IDS.Double, -1),
        ("bms.ok", IDS.Boolean, -1),
        ("bms.cycles", IDS.Int32, -1),
        ("grid.energy", IDS.Int64, -1),
        ("plc.uptime", IDS.Int64, -1),
        ("bms.cell_v", IDS.Double, 1),
    ],
)
def test_every_type_has_its_data_type(plant: Any, tag: str, type: int, rank: int) -> None:
    async def act(client: Client) -> Any:
        found = node(client, tag)
        return (await found.read_data_type()).Identifier, int(await found.read_value_rank())

    assert with_client(plant[2], act) == (type, rank)


def test_variables_are_of_the_types_of_part_8_with_the_properties_that_these_demand(plant: Any) -> None:
    async def act(client: Client) -> Any:
        found = {}
        for name in ("hmi.p_set", "bms.t", "pcs.mode", "pcs.grid", "bms.ok"):
            properties = await names(await node(client, name).get_properties())
            found[name] = ((await node(client, name).read_type_definition()).Identifier, {p for p in properties if p[:4] != "Last"})
        return found

    assert with_client(plant[2], act) == {
        "hmi.p_set": (IDS.AnalogItemType, {"EURange", "EngineeringUnits", "Definition"}),
        "bms.t": (IDS.AnalogUnitType, {"EngineeringUnits", "Definition"}),
        "pcs.mode": (IDS.MultiStateValueDiscreteType, {"EnumValues", "ValueAsText", "Definition"}),
        "pcs.grid": (IDS.TwoStateDiscreteType, {"FalseState", "TrueState"}),
        "bms.ok": (IDS.DataItemType, set()),
    }


def test_unit_range_text_and_where_the_value_comes_from(plant: Any) -> None:
    async def act(client: Client) -> Any:
        unit, limits = [await property_of(client, "hmi.p_set", f"0:{name}") for name in ("EngineeringUnits", "EURange")]
        text = (await node(client, "hmi.p_set").read_description()).Text
        return unit, limits, text, await property_of(client, "bms.t", "0:Definition")

    unit, limits, text, definition = with_client(plant[2], act)
    assert unit.UnitId == 4937556  # UNECE "KWT" packed, as the OPC Foundation's UNECE_to_OPCUA.csv lists it
    assert (unit.DisplayName.Text, limits.Low, limits.High, text) == ("kW", -500.0, 500.0, "Power setpoint")
    assert definition == "device rack1 (io_maps/rack1.yaml:14:3)"


# from UNECE_to_OPCUA.csv of the OPC Foundation (UNECE recommendation 20)
@pytest.mark.parametrize(
    ("unit", "number"),
    [
        ("V", 5655636),
        ("A", 4279632),
        ("kW", 4937556),
        ("%", 20529),
        ("°C", 4408652),
        ("Hz", 4740186),
        ("s", 5457219),
        ("rad", 4405297),
        ("deg", 17476),
        ("kvarh", 19251),
        ("mHz", 5067866),
        ("uF", 13391),
    ],
)
def test_units_have_their_unece_numbers(unit: str, number: int) -> None:
    assert unit_id(UNECE[unit][0]) == number


def test_every_unit_that_a_site_can_write_has_its_code_except_those_that_unece_leaves_out() -> None:
    without = {"varh", "VAh", "MVAh", "GVA", "Gvar", "mK", "pu", "1", "EUR", "kEUR", "MEUR", "ct"}
    assert {unit for unit in SIMPLE if unit and unit not in UNECE} == without


def test_enumerations_say_their_texts(plant: Any) -> None:
    async def act(client: Client) -> Any:
        strings = await property_of(client, "pcs.state", "0:EnumStrings")
        values = await property_of(client, "pcs.mode", "0:EnumValues")
        states = [(await property_of(client, "pcs.grid", f"0:{name}")).Text for name in ("FalseState", "TrueState")]
        return [text.Text for text in strings], [(value.Value, value.DisplayName.Text) for value in values], states

    assert with_client(plant[2], act) == (["off", "standby", "running"], [(-1, "off"), (3, "on")], ["open", "closed"])


def test_the_text_of_a_value_follows_the_value(plant: Any) -> None:
    scan = plant[0]
    scan.set("pcs.mode", -1)

    async def act(client: Client) -> list[Any]:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(node(client, "pcs.mode/ValueAsText"))
        await until(lambda: changes.seen and changes.seen[-1][1].Text == "off")
        scan.set("pcs.mode", 3)
        await until(lambda: changes.seen[-1][1].Text == "on")
        scan.set("pcs.mode", 77)
        await until(lambda: not changes.seen[-1][1].Text)
        return changes.seen

    with_client(plant[2], act)


def test_a_time_says_that_it_counts_nanoseconds(plant: Any) -> None:
    async def act(client: Client) -> Any:
        unit = await property_of(client, "plc.uptime", "0:EngineeringUnits")
        return (await node(client, "plc.uptime").read_description()).Text, unit.DisplayName.Text

    assert with_client(plant[2], act) == ("Time since start (nanoseconds)", "ns")


# who wrote


def test_the_last_writer_is_told_whichever_server_took_the_write(plant: Any) -> None:
    _, state, port = plant

    async def act(client: Client) -> Any:
        await node(client, "hmi.count").write_value(5, ua.VariantType.Int64)

        async def is_me() -> bool:
            writer = await property_of(client, "hmi.count", "2:LastWriter")
            return bool(writer) and writer.startswith("anonymous, opcua, 127.0.0.1:")

        await becomes(is_me, True)
        records = Records(state)
        records.keep(
            Deed(
                "modbus",
                Who("", "operator", "10.0.0.9:502"),
                "write",
                "hmi.count",
                "taken",
                True,
                new=6,
                time=1_800_000_000 * 10**9,
            )
        )
        records.flush()
        records.close()
        await becomes(lambda: property_of(client, "hmi.count", "2:LastWriter"), "modbus, 10.0.0.9:502")
        return await property_of(client, "hmi.count", "2:LastWriteTime"), await property_of(client, "hmi.delay", "2:LastWriter")

    when, never = with_client(port, act)
    assert when.timestamp() == 1_800_000_000
    assert never is None
