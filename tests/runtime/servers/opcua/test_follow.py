"""Online change as an OPC UA client sees it: another program runs, and its session, subscription and items go on."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua

from runtime import child
from runtime.model import Tag
from tests.aids.servers_opcua import Changes, becomes, names, refusal, status_of, until, with_client
from tests.aids.servers_process import ServerProcess, eventually
from tests.aids.servers_program import BLOCKS, TASKS, Program
from tests.aids.servers_scan import TAGS, TestScan

UNKNOWN = 0x80340000  # Bad_NodeIdUnknown (OPC 10000-6, annex A.2)
EVENTS = [ua.ObjectIds.GeneralModelChangeEventType, ua.ObjectIds.SemanticChangeEventType]


class Plant:
    """A scan, its server, and `change`: the scan ends and another one with other tags and blocks runs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.scan = TestScan(folder)
        self.program = Program(self.scan)
        self.server = ServerProcess(self.program.order(anonymous="operator", every="50 ms"), more_later=True)
        self.port = self.server.wait_until_listening()

    def change(self, tags: Sequence[Tag], blocks: Any = BLOCKS, tasks: Any = TASKS) -> None:
        self.scan.stop()
        self.scan = TestScan(self.folder, tags, generation=self.scan.generation + 1)
        self.program = Program(self.scan, blocks, tasks)
        child.give(self.server.process, self.program.order(anonymous="operator", every="50 ms"), more_later=True)
        eventually(lambda: f"{self.scan.generation:016x}" in self.server.log())

    def end(self) -> None:
        self.server.end()
        self.scan.stop()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    found = Plant(tmp_path_factory.mktemp("follow"))
    yield found
    found.end()


@pytest.fixture
def plant(one: Plant) -> Iterator[Plant]:
    yield one
    one.change(TAGS)  # and back: the next test begins as this one did


def other(*changed: Tag, without: Sequence[str] = ()) -> list[Tag]:
    """The usual tags, some of them others or new, in another order: their places in memory are others too."""
    by_name = {tag.name: tag for tag in reversed(TAGS) if tag.name not in without} | {tag.name: tag for tag in changed}
    return list(by_name.values())


def usual(name: str, **words: Any) -> Tag:
    return dataclasses.replace(next(tag for tag in TAGS if tag.name == name), **words)


async def value_of(client: Client, name: str) -> Any:
    """The value, None while there is none: a new program's tags wait for its first picture."""
    return (await client.get_node(f"ns=2;s={name}").read_data_value(raise_on_bad_status=False)).Value.Value


async def watching(client: Client, *identifiers: str) -> Changes:
    changes = Changes()
    subscription = await client.create_subscription(50, changes)
    await subscription.subscribe_data_change([client.get_node(f"ns=2;s={identifier}") for identifier in identifiers])
    await subscription.subscribe_events(ua.ObjectIds.Server, EVENTS)
    await until(lambda: len({name for name, *_ in changes.seen}) == len(identifiers))
    return changes


def test_items_of_tags_that_stay_go_on_with_their_values_in_their_new_places(plant: Plant) -> None:
    async def act(client: Client) -> None:
        changes = await watching(client, "bms.soc", "grid.energy")
        await asyncio.to_thread(plant.change, other(Tag("bms.new", "LREAL", 0, 0, 0)))
        plant.scan.set("bms.soc", 61.0)
        plant.scan.set("grid.energy", 2**40)
        await until(lambda: ("bms.soc", 61.0, 0) in changes.seen and ("grid.energy", 2**40, 0) in changes.seen)
        await client.get_node("ns=2;s=hmi.p_set").write_value(-7.5)
        assert plant.scan.get("hmi.p_set") == -7.5

    with_client(plant.port, act)


def test_the_change_itself_tells_nothing_of_tags_that_did_not_change(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        changes = await watching(client, "bms.soc")
        await until(lambda: changes.seen[-1][2] == 0)
        told = len(changes.seen)
        await asyncio.to_thread(plant.change, other(Tag("bms.new", "LREAL", 0, 0, 0)))
        await becomes(lambda: value_of(client, "bms.new"), 0.0)
        await asyncio.sleep(0.3)
        return changes.seen[told:]

    assert with_client(plant.port, act) == []


def test_a_new_tag_is_there_and_an_event_says_so(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        area = client.get_node("ns=2;s=/bessplc/plant1/bms")
        before, version = await names(await area.get_children()), client.get_node("ns=2;s=/tags/NodeVersion")
        first = await version.read_value()
        changes = await watching(client, "bms.soc")
        await asyncio.to_thread(plant.change, other(Tag("bms.new", "LREAL", 0, 0, 0, "input", "A")))
        await until(lambda: changes.events)
        plant.scan.set("bms.new", 4.0)
        await becomes(lambda: value_of(client, "bms.new"), 4.0)
        added = set(await names(await area.get_children())) - set(before)
        return changes.events[0], added, first, await version.read_value()

    event, added, first, then = with_client(plant.port, act)
    assert event.EventType.Identifier == ua.ObjectIds.GeneralModelChangeEventType
    told = {change.Affected.to_string(): change.Verb for change in event.Changes}
    assert told["ns=2;s=bms.new"] == ua.ModelChangeStructureVerbMask.NodeAdded
    assert "ns=2;s=/tags" in told and "ns=2;s=/plc/scan/Programs" in told
    assert added == {"new"}
    assert first != then, "NodeVersion of the folder (part 3, 5.2.5.2)"


def test_a_removed_tag_is_told_once_and_is_unknown(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        changes = await watching(client, "bms.current", "bms.current/EURange", "bms.soc")
        await asyncio.to_thread(plant.change, other(without=["bms.current"]))
        await until(lambda: changes.events)
        await asyncio.sleep(0.4)
        told = {change.Affected.to_string(): change.Verb for change in changes.events[0].Changes}
        node = client.get_node("ns=2;s=bms.current")
        gone = [name for name, _, code in changes.seen if code == UNKNOWN]
        return gone, told["ns=2;s=bms.current"], await refusal(node.read_value())

    gone, verb, refused = with_client(plant.port, act)
    assert sorted(gone) == ["bms.current", "bms.current/EURange"]
    assert verb == ua.ModelChangeStructureVerbMask.NodeDeleted
    assert refused == "BadNodeIdUnknown"


def test_a_tag_that_comes_back_is_told_again_by_the_same_item_and_node(plant: Plant) -> None:
    async def act(client: Client) -> None:
        changes = await watching(client, "bms.current", "bms.current/EURange")
        await asyncio.to_thread(plant.change, other(without=["bms.current"]))
        await until(lambda: ("bms.current", None, UNKNOWN) in changes.seen)
        changes.seen.clear()
        await asyncio.to_thread(plant.change, other(Tag("aaa.first", "BOOL", 0, 0, 0)))
        plant.scan.set("bms.current", 17.0)
        await until(lambda: ("bms.current", 17.0, 0) in changes.seen)
        assert await client.get_node("ns=2;s=bms.current").read_value() == 17.0

    with_client(plant.port, act)


def test_a_tag_with_another_type_keeps_its_item(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        changes = await watching(client, "bms.cycles")
        await asyncio.to_thread(plant.change, other(usual("bms.cycles", type="LREAL")))
        plant.scan.set("bms.cycles", 2.5)
        await until(lambda: changes.seen[-1] == ("bms.cycles", 2.5, 0) and changes.events)
        told = {change.Affected.to_string(): change.Verb for change in changes.events[0].Changes}
        return told["ns=2;s=bms.cycles"], (await client.get_node("ns=2;s=bms.cycles").read_data_type()).Identifier

    assert with_client(plant.port, act) == (ua.ModelChangeStructureVerbMask.DataTypeChanged, ua.ObjectIds.Double)


def test_another_unit_or_range_is_a_change_of_meaning(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        changes = await watching(client, "hmi.p_set", "hmi.p_set/EURange")
        await asyncio.to_thread(plant.change, other(usual("hmi.p_set", unit="MW", maximum=2.0)))
        await until(lambda: len(changes.events) == 2)
        await until(lambda: any(name.endswith("EURange") and value.High == 2.0 for name, value, _ in changes.seen))
        unit = await client.get_node("ns=2;s=hmi.p_set/EngineeringUnits").read_value()
        return changes.events, unit.DisplayName.Text

    (model, semantic), unit = with_client(plant.port, act)
    assert "ns=2;s=hmi.p_set" not in [change.Affected.to_string() for change in model.Changes]
    assert semantic.EventType.Identifier == ua.ObjectIds.SemanticChangeEventType
    assert [change.Affected.to_string() for change in semantic.Changes] == ["ns=2;s=hmi.p_set"]
    assert unit == "MW"


def test_pins_and_tasks_are_those_of_the_program_that_runs(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        program = client.get_node("ns=2;s=/programs/dispatch")
        pins = ["/pins/dispatch.droop.OUT", "/pins/dispatch.smooth.OUT"]
        assert await names(await program.get_children()) == ["droop", "smooth"]
        changes = await watching(client, *pins)
        blocks = {"LAG": ["dispatch.filter"], "PID": ["dispatch.droop"], "SUB": ["safety.dv"]}
        tasks = (dataclasses.replace(TASKS[0], every=2), TASKS[1])
        await asyncio.to_thread(plant.change, other(), blocks, tasks)
        plant.program.set("dispatch.droop.OUT", 5.5)
        await until(lambda: (pins[0], 5.5, 0) in changes.seen and (pins[1], None, UNKNOWN) in changes.seen)
        interval = await client.get_node("ns=2;s=/tasks/protection/Interval").read_value()
        return interval, await names(await program.get_children()), await status_of(client.get_node("ns=2;s=" + pins[1]))

    assert with_client(plant.port, act) == ("T#20ms", ["filter", "droop"], UNKNOWN)


def test_an_item_that_was_told_so_can_still_be_deleted(plant: Plant) -> None:
    async def act(client: Client) -> Any:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        nodes = [client.get_node(f"ns=2;s={name}") for name in ("bms.current", "bms.current/EURange", "bms.soc")]
        handles = await subscription.subscribe_data_change(nodes)
        await asyncio.to_thread(plant.change, other(without=["bms.current"]))
        await subscription.unsubscribe(handles)
        await subscription.delete()
        return await client.get_node("ns=2;s=bms.soc").read_data_value(raise_on_bad_status=False)

    assert with_client(plant.port, act) is not None
    assert plant.server.process.poll() is None
