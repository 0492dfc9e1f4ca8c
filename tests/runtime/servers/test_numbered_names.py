"""Tags of many devices (`rack[3].soc`) and of devices themselves (`device.rack1.lost`) in OPC UA, register maps and retain."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from asyncua import Server, ua

from runtime.engine import retain
from runtime.language.loader import read_yaml
from runtime.model import Tag
from runtime.servers.modbus.map_words import describe_map
from runtime.servers.opcua.space import build
from runtime.servers.opcua.tags import node_id
from runtime.source import Report
from tests.aids.site_text import load

RACKS = """for: rack in 1..12
device: rack{rack}
driver: fake
stale: 1 s
inputs:
  rack[{rack}].soc: {at: soc, type: LREAL, unit: "%", bad: hold}
  rack[{rack}].cell_v: {at: cell, count: 4, type: LREAL, unit: V, bad: hold}
"""


def tags() -> tuple[Tag, ...]:
    return load("", io={"racks": RACKS}).schedule.tags


@pytest.mark.parametrize(
    ("key", "tag", "part", "element", "count"),
    [
        ("rack[3].soc", "rack[3].soc", "value", 0, 1),
        ("RACK[12].SOC", "rack[12].soc", "value", 0, 1),
        ("rack[3].cell_v", "rack[3].cell_v", "value", 0, 4),
        ("rack[3].cell_v[2]", "rack[3].cell_v", "value", 1, 1),
        ("rack[3].cell_v[*]", "rack[3].cell_v", "value", 0, 4),
        ("rack[3].soc.good", "rack[3].soc", "good", 0, 1),
        ("rack[3].cell_v.quality", "rack[3].cell_v", "quality", 0, 1),
        ("device.rack3.lost", "device.rack3.lost", "value", 0, 1),
        ("device.rack3.errors_timeout", "device.rack3.errors_timeout", "value", 0, 1),
    ],
)
def test_a_register_map_names_them(key: str, tag: str, part: str, element: int, count: int) -> None:
    report = Report()
    section = read_yaml("io_maps/scada.yaml", f'"{key}": {"discrete" if part == "good" else "input"} 10', report)
    assert section is not None
    (entry,) = describe_map(section, tags(), report)
    assert not report.problems
    assert (entry.tag.name, entry.part, entry.element, entry.count) == (tag, part, element, count)


@pytest.mark.parametrize("key", ["rack[13].soc", "rick[*].soc", "rack[*].soh", "rack[3]"])
def test_a_register_map_refuses_what_is_no_tag(key: str) -> None:
    report = Report()
    section = read_yaml("io_maps/scada.yaml", f'"{key}": input 10', report)
    assert section is not None
    describe_map(section, tags(), report)
    assert [p.code for p in report.problems] == ["E101"]


def test_opc_ua_has_a_folder_for_each_rack_and_for_each_device() -> None:
    async def browse() -> None:
        server = Server()
        await server.init()
        known = {tag.name: tag for tag in tags()}
        build(server.iserver, "here", tuple(known.values()))
        for name, folder in (
            ("rack[12].soc", "rack[12]"),
            ("device.rack3.lost", "rack3"),
            ("device.rack3.errors_timeout", "rack3"),
        ):
            node = server.get_node(node_id(known[name]))
            assert (await node.read_browse_name()).Name == name.rpartition(".")[2]
            parent = await node.get_parent()
            assert parent is not None and (await parent.read_browse_name()).Name == folder
        access = await server.get_node(node_id(known["device.rack3.lost"])).read_attribute(ua.AttributeIds.AccessLevel)
        assert not access.Value.Value & 1 << ua.AccessLevel.CurrentWrite, "nobody writes how a device is"

    asyncio.run(browse())


def test_retained_values_of_numbered_tags_come_back(tmp_path: Path) -> None:
    lines = "\n".join(f"rack[{i}].limit: {{type: LREAL, unit: kW, default: 5 kW, retain: true, write: operator}}" for i in (1, 2))
    schedule = load("", lines).schedule
    kept = retain.retained(schedule)
    retain.save(tmp_path, kept, {"rack[1].limit": 7.5, "rack[2].limit": 8.5})
    warm = retain.restore(schedule, tmp_path)
    assert warm.restored == ("rack[1].limit", "rack[2].limit")
    values = [warm.schedule.initial[tag.offset : tag.offset + 8].view("f8")[0] for tag in kept]
    assert values == [7.5, 8.5]
