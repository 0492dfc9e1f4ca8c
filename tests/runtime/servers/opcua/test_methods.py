"""Methods as a client calls them (OPC UA part 4, 5.12.2): commands of the site, and what a call may be refused for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.server.address_space import AddressSpace

from runtime.engine import north
from runtime.model import Tag
from runtime.servers.opcua.commands import Commands
from runtime.servers.opcua.methods import Methods
from runtime.servers.opcua.nodes import make_object, object_face
from tests.aids.servers_alarms import Plant, act, call, signed_in
from tests.aids.servers_process import eventually

COMMANDS = "/commands"
RESET, OPEN, MODE, STATISTICS = (f"{COMMANDS}/{name}" for name in ("hmi.reset", "hmi.open", "hmi.mode", "ResetStatistics"))


def text(words: str) -> ua.Variant:
    return ua.Variant(words, ua.VariantType.String)


def test_the_commands_stand_below_the_site(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        commands = await client.nodes.objects.get_child(["2:bessplc", "2:plant1", "2:Commands"])
        methods = {(await m.read_browse_name()).Name: m for m in await commands.get_methods()}
        about = (await methods["hmi.reset"].read_description()).Text
        inputs = await (await methods["Set hmi.mode"].get_child("0:InputArguments")).read_value()
        return commands.nodeid.to_string(), list(methods), about, inputs

    node, methods, about, inputs = act(plant[2], do)
    assert node == "ns=2;s=/commands"
    assert methods == ["Set hmi.mode", "hmi.open", "hmi.reset", "ResetStatistics"]
    assert about == "Reset all trips"
    assert [(i.Name, i.Description.Text) for i in inputs] == [("value", "the number or the text: 0 standby, 1 follow, 2 island")]


def test_a_command_is_a_write_of_the_caller_and_its_answer_is_the_scans(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        good = await call(client, COMMANDS, RESET)
        site.scan.answer = north.REMOTE_LOCKED
        return good, await call(client, COMMANDS, RESET)

    assert act(port, do, "operator") == ("Good", "BadInvalidState")
    assert site.scan.taken == [("hmi.reset", 0, 1, "operator")]
    kept = eventually(lambda: [d for d in site.records.deeds(subject="hmi.reset", user="the_operator") if not d.taken])
    assert (kept[0].action, kept[0].answer) == ("write", "refused: the site is in local control")


@pytest.mark.parametrize(
    ("value", "answer", "mode"),
    [
        (text("island"), "Good", 2),
        (text(" Follow "), "Good", 1),
        (text("2"), "Good", 2),
        (ua.Variant(1, ua.VariantType.Int32), "Good", 1),
        (ua.Variant(2, ua.VariantType.Byte), "Good", 2),
        (ua.Variant(ua.LocalizedText("follow"), ua.VariantType.LocalizedText), "Good", 1),
        (text("fly"), "BadOutOfRange", None),
        (text(""), "BadOutOfRange", None),
        (ua.Variant(3, ua.VariantType.Int32), "BadOutOfRange", None),
        (ua.Variant(1.0, ua.VariantType.Double), "BadOutOfRange", None),
        (ua.Variant(True, ua.VariantType.Boolean), "BadOutOfRange", None),
        (ua.Variant(None, ua.VariantType.Null), "BadOutOfRange", None),
        (ua.Variant([1], ua.VariantType.Int32), "BadInvalidArgument", None),
    ],
)
def test_a_mode_is_set_by_its_number_or_its_text(plant: Plant, value: ua.Variant, answer: str, mode: int | None) -> None:
    site, _, port = plant
    assert act(port, lambda client: call(client, COMMANDS, MODE, value)) == answer
    assert site.scan.taken == ([] if mode is None else [("hmi.mode", 0, mode, "operator")])


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", set()), ("operator", {RESET, MODE}), ("engineer", {RESET, MODE, OPEN, STATISTICS})],
)
def test_who_may_call_what(plant: Plant, role: str, may: set[str]) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        answers, shown = {}, {}
        for method in (RESET, OPEN, MODE, STATISTICS):
            answers[method] = await call(client, COMMANDS, method, *([text("follow")] if method == MODE else []))
            value = await client.get_node(ua.NodeId(method, 2)).read_attribute(ua.AttributeIds.UserExecutable)
            shown[method] = value.Value.Value
        return answers, shown

    site.scan.answer = north.TAKEN
    answers, shown = act(port, do, role)
    assert {method for method, answer in answers.items() if answer == "BadUserAccessDenied"} == set(answers) - may
    assert {method for method in may if answers[method] != "Good"} <= {STATISTICS}, "the small scan knows no statistics"
    assert {method for method, executable in shown.items() if executable} == may
    denied = {f"{method} of {COMMANDS}" for method in set(answers) - may}

    def kept() -> set[str]:
        return {d.subject for d in site.records.deeds(user=f"the_{role}") if d.answer == "BadUserAccessDenied" and not d.taken}

    eventually(lambda: kept() >= denied)


def test_two_roles_call_at_the_same_time_each_in_its_own_name(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        async with signed_in(plant[2], "viewer") as other:
            calls = [call(who, COMMANDS, RESET) for who in (client, other) * 10]
            return await asyncio.gather(*calls)

    assert act(plant[2], do) == ["Good", "BadUserAccessDenied"] * 10


NO_SUBSCRIPTION = ua.Variant(1, ua.VariantType.UInt32)


@pytest.mark.parametrize(
    ("object_", "method", "arguments", "answer"),
    [
        (COMMANDS, RESET, [text("x")], "BadTooManyArguments"),
        (COMMANDS, MODE, [], "BadArgumentsMissing"),
        (COMMANDS, f"{COMMANDS}/no.such", [], "BadMethodInvalid"),
        (COMMANDS, "bms.soc", [], "BadMethodInvalid"),
        ("no such object", RESET, [], "BadNodeIdUnknown"),
        ("bms.soc", RESET, [], "BadMethodInvalid"),
        (ua.ObjectIds.Server, ua.ObjectIds.Server_GetMonitoredItems, [NO_SUBSCRIPTION], "BadSubscriptionIdInvalid"),
        (ua.ObjectIds.ConditionType, ua.ObjectIds.ConditionType_ConditionRefresh, [text("1")], "BadInvalidArgument"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(plant: Plant, object_: Any, method: Any, arguments: list[Any], answer: str) -> None:
    assert act(plant[2], lambda client: call(client, object_, method, *arguments)) == answer


def test_no_scan_no_command(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        site.scan.frozen = True
        await asyncio.sleep(1.2)
        return await call(client, COMMANDS, RESET)

    assert act(port, do) == "BadNoCommunication"
    assert site.scan.taken == []


def test_another_program_has_other_commands() -> None:
    aspace: Any = AddressSpace()
    parent = object_face("/bessplc/plant1", "plant1")
    aspace[parent.id] = make_object(parent, [])
    anybody: Any = None
    commands = Commands(aspace, Methods(aspace, anybody), anybody, anybody, parent)
    pulse = Tag("hmi.reset", "BOOL", 0, 0, 0, write="operator", pulse=True)
    mode = Tag("hmi.mode", "DINT", 0, 0, 0, write="operator", names=((0, "off"), (1, "on")))

    def shown() -> tuple[set[str], int]:
        children = [r for r in aspace[ua.NodeId(COMMANDS, 2)].references if r.IsForward and r.NodeClass == ua.NodeClass.Method]
        assert all(child.NodeId in aspace for child in children)
        return {str(child.BrowseName.Name) for child in children}, len(aspace.keys())

    commands.follow([pulse, mode])
    assert shown() == ({"hmi.reset", "Set hmi.mode", "ResetStatistics"}, 6)
    commands.follow([replace(pulse, name="hmi.close"), replace(mode, write="")])
    assert shown() == ({"hmi.close", "ResetStatistics"}, 4)
