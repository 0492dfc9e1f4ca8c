"""Alarms on the shelf and suppressed ones, as an operator's station meets them (OPC UA part 9, 5.8.17): asyncua is the client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asyncua import Client, ua

from tests.aids.servers_alarms import Plant, Watch, act, becomes, call, signed_in
from tests.aids.servers_process import eventually

IDS = ua.ObjectIds
TIMED, TIMED2 = IDS.ShelvedStateMachineType_TimedShelve, IDS.ShelvedStateMachineType_TimedShelve2
ONE_SHOT, UNSHELVE = IDS.ShelvedStateMachineType_OneShotShelve, IDS.ShelvedStateMachineType_Unshelve
STATE, MOVE, LEFT = "ShelvingState/CurrentState", "ShelvingState/LastTransition", "ShelvingState/UnshelveTime"
FIELDS = (
    "SuppressedOrShelved",
    "Retain",
    STATE,
    f"{STATE}/Id",
    f"{MOVE}/Id",
    LEFT,
    "ActiveState/Id",
    "AckedState/Id",
    "ClientUserId",
)
HALF_AN_HOUR = 1_800_000.0  # ms
DOOR = "/alarms/door"


def lasting(milliseconds: Any, kind: ua.VariantType = ua.VariantType.Double) -> ua.Variant:
    """The argument of TimedShelve."""
    return ua.Variant(milliseconds, kind)


def saying(comment: str) -> ua.Variant:
    return ua.Variant(ua.LocalizedText(comment), ua.VariantType.LocalizedText)


def shown(event: Any) -> tuple[Any, ...]:
    """How an event says that its alarm is shelved: the state and the last move by their nodes in the standard's machine."""
    told = vars(event)
    return (
        told[STATE].Text,
        told[f"{STATE}/Id"].Identifier,
        told[f"{MOVE}/Id"].Identifier,
        told["SuppressedOrShelved"],
        told["Retain"],
    )


def test_what_an_operator_shelves_everybody_sees_until_it_is_unshelved(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        async with signed_in(port, "viewer") as onlooker:
            watch = await Watch(site).start_with(onlooker, *FIELDS, "ClientUserId")
            left = onlooker.get_node(f"ns=2;s={DOOR}/{LEFT}")
            answers = [await call(client, DOOR, TIMED, lasting(HALF_AN_HOUR))]
            (shelved,) = await watch.until(lambda: watch.told("door"))
            times = [await left.read_value()]
            await asyncio.sleep(0.1)
            times.append(await left.read_value())
            answers.append(await call(client, DOOR, UNSHELVE))
            await watch.until(lambda: watch.told("door")[1:])
            return answers, shelved, watch.told("door")[1], times, await left.read_value()

    answers, shelved, back, times, at_rest = act(port, do, "operator")
    assert answers == ["Good", "Good"]
    assert shown(shelved) == ("TimedShelved", IDS.ShelvedStateMachineType_TimedShelved, 2935, True, True)
    assert shelved.ClientUserId == "the_operator"
    assert HALF_AN_HOUR - 60_000 < times[1] <= times[0] - 100 < vars(shelved)[LEFT] <= HALF_AN_HOUR
    assert shown(back) == ("Unshelved", IDS.ShelvedStateMachineType_Unshelved, 2940, False, False)
    assert (vars(back)[LEFT], at_rest) == (0.0, 0.0)
    deeds = eventually(lambda: site.records.deeds(subject="door", user="the_operator", limit=2)[1:] and site.records.deeds(limit=2))
    assert [(deed.action, deed.answer, deed.taken, deed.new) for deed in reversed(deeds)] == [
        ("shelve", "taken", True, {"seconds": 1800.0, "comment": ""}),
        ("unshelve", "taken", True, None),
    ]


@pytest.mark.parametrize(
    ("alarm", "method", "arguments", "answer"),
    [
        ("door", TIMED, [lasting(0.0)], "BadShelvingTimeOutOfRange"),
        ("door", TIMED, [lasting(-1.0)], "BadShelvingTimeOutOfRange"),
        ("door", TIMED, [lasting(float("nan"))], "BadShelvingTimeOutOfRange"),
        ("door", TIMED, [lasting(float("inf"))], "BadShelvingTimeOutOfRange"),
        ("off_low", TIMED, [lasting(3_600_001.0)], "BadShelvingTimeOutOfRange"),  # one hour at most
        ("door", TIMED, [lasting(5, ua.VariantType.Int32)], "BadInvalidArgument"),
        ("door", TIMED, [], "BadArgumentsMissing"),
        ("door", UNSHELVE, [], "BadConditionNotShelved"),
        ("over", TIMED, [lasting(1000.0)], "BadMethodInvalid"),  # nobody may shelve it: it has no ShelvingState
        ("no_such", ONE_SHOT, [], "BadNodeIdUnknown"),
    ],
)
def test_a_shelving_that_cannot_be_is_refused_as_part_9_says(
    plant: Plant, alarm: str, method: int, arguments: list[ua.Variant], answer: str
) -> None:
    assert act(plant[2], lambda client: call(client, f"/alarms/{alarm}", method, *arguments)) == answer


def test_what_is_shelved_is_not_shelved_again(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        return [await call(client, DOOR, m, *a) for m, a in ((ONE_SHOT, ()), (ONE_SHOT, ()), (TIMED, (lasting(1000.0),)))]

    assert act(plant[2], do) == ["Good", "BadConditionAlreadyShelved", "BadConditionAlreadyShelved"]


def test_a_viewer_shelves_nothing(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        executable = await client.get_node(ua.NodeId(TIMED)).read_attribute(ua.AttributeIds.UserExecutable)
        return [await call(client, DOOR, TIMED, lasting(1000.0)), await call(client, DOOR, UNSHELVE), executable.Value.Value]

    assert act(plant[2], do, "viewer") == ["BadUserAccessDenied", "BadUserAccessDenied", False]
    assert not any(state.shelved for state in plant[0].records.alarms())


@pytest.mark.parametrize("machine", ["ShelvedStateMachineType", "AlarmConditionType_ShelvingState"])
@pytest.mark.parametrize("on", [DOOR, f"{DOOR}/ShelvingState"])
def test_the_methods_work_on_the_condition_and_on_its_machine_by_either_name(plant: Plant, machine: str, on: str) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        calls = (("TimedShelve2", lasting(5000.0), saying("hinge breaks")), ("Unshelve2", saying("mended")))
        calls += (("OneShotShelve2", saying("once")), ("Unshelve",), ("OneShotShelve",), ("Unshelve",))  # type: ignore[assignment]
        return [(await call(client, on, getattr(IDS, f"{machine}_{name}"), *given), kept()) for name, *given in calls]

    def kept() -> str:
        return next(state.comment for state in site.records.alarms() if state.name == "door")

    comments = ["hinge breaks", "mended", "once", "once", "once", "once"]
    assert act(port, do) == [("Good", comment) for comment in comments]


def test_a_one_shot_ends_when_the_alarm_clears(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start_with(client, *FIELDS)
        site.set("off_low", active=True)
        await call(client, "/alarms/off_low", ONE_SHOT)
        site.set("off_low", active=False)
        await watch.until(lambda: watch.told("off_low")[3:])
        return watch.told("off_low")

    _, shelved, cleared, over = act(port, do)
    assert shown(shelved)[:3] == ("OneShotShelved", IDS.ShelvedStateMachineType_OneShotShelved, 2936)
    assert 3_500_000 < vars(shelved)[LEFT] <= 3_600_000, "the longest that the site allows ends a one shot, too (5.8.2)"
    assert shown(cleared)[0] == "OneShotShelved"
    assert shown(over)[:4] == ("Unshelved", IDS.ShelvedStateMachineType_Unshelved, 2943, False)


def test_what_is_active_on_the_shelf_is_told_and_is_unacknowledged_when_it_comes_off(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start_with(client, *FIELDS)
        await call(client, DOOR, TIMED, lasting(100.0))
        site.set("door", active=True)
        site.records.acknowledge("door", WHO)
        await asyncio.sleep(0.1)
        site.records.end_shelvings()  # as the process `records` does
        await watch.until(lambda: watch.told("door")[3:])
        return [(vars(e)["ActiveState/Id"], vars(e)["AckedState/Id"], shown(e)[0]) for e in watch.told("door")]

    states = act(port, do)
    assert states[0] == (False, True, "TimedShelved")
    assert states[-1] == (True, False, "Unshelved")


def test_a_shelving_that_is_over_is_shown_so_though_nobody_enters_its_end(plant: Plant) -> None:
    """The process `records` may be down, or its disk full."""
    site, _, port = plant
    site.set("door", active=True)

    async def do(client: Client) -> Any:
        answer = await call(client, DOOR, TIMED, lasting(100.0))
        state = client.get_node(f"ns=2;s={DOOR}/{STATE}/Id")
        await becomes(state.read_value, ua.NodeId(IDS.ShelvedStateMachineType_Unshelved))
        watch = await Watch().start_with(client, *FIELDS)
        number = ua.Variant(watch.subscription.subscription_id, ua.VariantType.UInt32)
        await call(client, IDS.ConditionType, IDS.ConditionType_ConditionRefresh, number)
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types())
        return answer, watch.told("door")

    answer, (event,) = act(port, do)
    assert (answer, shown(event)[0], event.SuppressedOrShelved) == ("Good", "Unshelved", False)
    assert (vars(event)["ActiveState/Id"], vars(event)["AckedState/Id"]) == (True, False), "nobody has seen it in the list yet"


WHO: Any = type("Who", (), {"user": "test", "role": "operator", "peer": "local"})()


def test_a_refresh_brings_what_is_shelved_though_it_does_not_stand(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        await call(client, DOOR, TIMED, lasting(HALF_AN_HOUR))
        watch = await Watch().start_with(client, *FIELDS)
        number = ua.Variant(watch.subscription.subscription_id, ua.VariantType.UInt32)
        await call(client, IDS.ConditionType, IDS.ConditionType_ConditionRefresh, number)
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types())
        return watch.told("door")

    (event,) = act(plant[2], do)
    assert shown(event)[0] == "TimedShelved" and vars(event)["ActiveState/Id"] is False


def test_the_machine_as_a_node_has_all_that_its_type_demands(plant: Plant) -> None:
    async def demanded(client: Client) -> set[str]:
        """What the standard's own nodes say."""
        kind, found = client.get_node(ua.NodeId(IDS.ShelvedStateMachineType)), set()
        while kind.nodeid.Identifier != IDS.BaseObjectType:
            for ref in await kind.get_references(IDS.Aggregates, ua.BrowseDirection.Forward):
                rules = [rule.NodeId.Identifier for rule in await client.get_node(ref.NodeId).get_references(IDS.HasModellingRule)]
                found |= {ref.BrowseName.Name} if rules == [IDS.ModellingRule_Mandatory] else set()
            kind = (await kind.get_referenced_nodes(IDS.HasSubtype, ua.BrowseDirection.Inverse))[0]
        return found

    async def do(client: Client) -> Any:
        machine = await client.get_node(f"ns=2;s={DOOR}").get_child("0:ShelvingState")
        names = {ref.BrowseName.Name for ref in await machine.get_references(IDS.Aggregates, ua.BrowseDirection.Forward)}
        state, left = await machine.get_child("0:CurrentState"), await machine.get_child("0:UnshelveTime")
        types = [(await node.read_type_definition()).Identifier for node in (machine, state)]
        most = await client.get_node(f"ns=2;s={DOOR}/MaxTimeShelved").read_value()
        parent = await machine.get_parent()
        without = {ref.BrowseName.Name for ref in await client.get_node("ns=2;s=/alarms/over").get_references(IDS.Aggregates)}
        return (
            await demanded(client),
            names,
            types,
            (await left.read_data_type()).Identifier,
            most,
            parent.nodeid.to_string(),
            without,
        )

    wanted, names, types, duration, most, parent, without = act(plant[2], do)
    assert {"CurrentState", "UnshelveTime", "TimedShelve", "Unshelve", "OneShotShelve"} <= wanted <= names
    assert {"LastTransition", "TimedShelve2", "OneShotShelve2", "Unshelve2"} <= names
    assert types == [IDS.ShelvedStateMachineType, IDS.FiniteStateVariableType]
    assert (duration, most, parent) == (IDS.Duration, 8 * 3_600_000.0, f"ns=2;s={DOOR}")
    assert not {"ShelvingState", "MaxTimeShelved"} & without and {"SuppressedState", "LatchedState"} <= without


def test_suppression_by_design_is_told_both_ways(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start_with(client, "SuppressedState", "SuppressedState/Id", "SuppressedOrShelved", "Retain")
        site.suppress("over", so=True)
        site.suppress("over", so=False)
        await watch.until(lambda: watch.told("over")[1:])
        return [(e.SuppressedState.Text, vars(e)["SuppressedState/Id"], e.SuppressedOrShelved) for e in watch.told("over")]

    assert act(port, do) == [("Suppressed", True, True), ("Unsuppressed", False, False)]


def test_the_end_of_a_shelving_can_be_watched_coming(plant: Plant) -> None:
    class Values(Watch):
        def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
            self.events.append(value)

    async def do(client: Client) -> Any:
        values = Values()
        subscription = await client.create_subscription(50, values)
        await subscription.subscribe_data_change(client.get_node(f"ns=2;s={DOOR}/{LEFT}"))
        await values.until(lambda: values.events == [0.0])
        await call(client, DOOR, TIMED, lasting(HALF_AN_HOUR))
        await values.until(lambda: len(values.events) > 4)
        state = client.get_node(f"ns=2;s={DOOR}/{STATE}/Id")
        await becomes(state.read_value, ua.NodeId(IDS.ShelvedStateMachineType_TimedShelved))
        return values.events[1:]

    left = act(plant[2], do)
    assert left == sorted(left, reverse=True) and left[0] > left[-1]
