"""Alarms and conditions as an operator's station meets them (OPC UA part 9): asyncua is the client, the records are real."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.quality import BAD_NO_COMMUNICATION
from tests.aids.servers_alarms import FLOOD, AlarmSite, Plant, Watch, act, call, signed_in
from tests.aids.servers_process import ServerProcess, eventually, serving

IDS = ua.ObjectIds
ACKNOWLEDGE = IDS.AcknowledgeableConditionType_Acknowledge
CONFIRM = IDS.AcknowledgeableConditionType_Confirm
ADD_COMMENT = IDS.ConditionType_AddComment


def said(event: Any, comment: str = "") -> tuple[ua.Variant, ua.Variant]:
    """The arguments of Acknowledge, Confirm and AddComment."""
    event_id = event if isinstance(event, bytes) else event.EventId
    return ua.Variant(event_id, ua.VariantType.ByteString), ua.Variant(ua.LocalizedText(comment), ua.VariantType.LocalizedText)


# what an operator says


def test_acknowledging_with_a_comment_is_seen_by_another_client_and_in_the_audit_log(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        async with signed_in(port, "viewer") as onlooker:
            watch = await Watch(site).start(onlooker)
            site.set("cell_hot_h", active=True, value=46.0)
            (event,) = await watch.until(lambda: watch.told("cell_hot_h"))
            answer = await call(client, event.NodeId, ACKNOWLEDGE, *said(event, "seen"))
            after = (await watch.until(lambda: watch.told("cell_hot_h")[1:]))[0]
            again = await call(client, event.NodeId, ACKNOWLEDGE, *said(event))
            return answer, again, event, after

    answer, again, event, after = act(port, do, "operator")
    assert (answer, again) == ("Good", "BadConditionBranchAlreadyAcked")
    assert (vars(after)["AckedState/Id"], after.Comment.Text, after.ClientUserId) == (True, "seen", "the_operator")
    assert after.Retain is True, "it is still active"
    assert after.EventId != event.EventId
    kept = eventually(lambda: site.records.deeds(subject="cell_hot_h", user="the_operator")[1:])
    assert [
        (d.action, d.answer, d.taken, d.new) for d in reversed(site.records.deeds(subject="cell_hot_h", user="the_operator"))
    ] == [
        ("acknowledge", "taken", True, "seen"),
        ("acknowledge", "acknowledged already", False, None),
    ]
    assert kept[0].who.peer.startswith("127.0.0.1:")


def test_of_two_clients_only_one_acknowledges(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        async with signed_in(port) as other:
            watch = await Watch(site).start(client)
            site.set("cell_hot_h", active=True)
            (event,) = await watch.until(lambda: watch.told("cell_hot_h"))
            calls = [call(c, event.NodeId, ACKNOWLEDGE, *said(event)) for c in (client, other)]
            return sorted(await asyncio.gather(*calls))

    assert act(port, do) == ["BadConditionBranchAlreadyAcked", "Good"]


def test_an_alarm_that_came_again_is_not_acknowledged_by_its_older_event(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        site.set("door", active=True)
        first = (await watch.until(lambda: watch.told("door")))[0]
        site.set("door", active=False)
        site.set("door", active=True)
        third = (await watch.until(lambda: watch.told("door")[2:]))[0]
        return [await call(client, first.NodeId, ACKNOWLEDGE, *said(event)) for event in (first, third)]

    assert act(port, do) == ["BadEventIdUnknown", "Good"]


@pytest.mark.parametrize(
    ("condition", "event", "answer"),
    [
        ("/alarms/no_such", b"\0" * 7 + b"\1", "BadNodeIdUnknown"),
        ("bms.soc", b"\0" * 7 + b"\1", "BadNodeIdUnknown"),
        ("/alarms/door", b"nonsense", "BadEventIdUnknown"),
        ("/alarms/door", b"", "BadEventIdUnknown"),
        ("/alarms/door", b"\xff" * 8, "BadEventIdUnknown"),
        ("/alarms/door", b"\0" * 100, "BadEventIdUnknown"),
    ],
)
def test_a_wrong_condition_or_event_is_refused(plant: Plant, condition: str, event: bytes, answer: str) -> None:
    async def do(client: Client) -> Any:
        return [await call(client, condition, method, *said(event, "x")) for method in (ACKNOWLEDGE, CONFIRM, ADD_COMMENT)]

    assert act(plant[2], do) == [answer] * 3


@pytest.mark.parametrize(("role", "answer"), [("viewer", "BadUserAccessDenied"), ("engineer", "Good"), ("admin", "Good")])
def test_only_operators_and_above_have_a_say(plant: Plant, role: str, answer: str) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        site.set("door", active=True)
        (event,) = await watch.until(lambda: watch.told("door"))
        executable = await client.get_node(ua.NodeId(ACKNOWLEDGE)).read_attribute(ua.AttributeIds.UserExecutable)
        answers = {await call(client, event.NodeId, method, *said(event, "x")) for method in (ADD_COMMENT, ACKNOWLEDGE)}
        return answers, executable.Value.Value

    assert act(port, do, role) == ({answer}, answer == "Good")
    if answer != "Good":
        refused = eventually(lambda: [d for d in site.records.deeds(user=f"the_{role}") if d.action == "call"])
        assert (refused[0].answer, refused[0].taken) == ("BadUserAccessDenied", False)


def test_a_site_that_asks_for_confirmation_gets_it(plant: Plant) -> None:
    site, _, port = plant
    site.declare(confirm=True)

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        site.set("door", active=True)
        site.set("door", active=False)
        event = (await watch.until(lambda: watch.told("door")[1:]))[-1]
        answers = [await call(client, event.NodeId, method, *said(event)) for method in (CONFIRM, ACKNOWLEDGE, CONFIRM, CONFIRM)]
        await watch.until(lambda: len(watch.told("door")) == 4)
        return answers, [(vars(e)["AckedState/Id"], vars(e)["ConfirmedState/Id"], e.Retain) for e in watch.told("door")[2:]]

    answers, states = act(port, do)
    assert answers == ["BadConditionBranchAlreadyConfirmed", "Good", "Good", "BadConditionBranchAlreadyConfirmed"]
    assert states == [(True, False, True), (True, True, False)]


def test_a_comment_changes_nothing_else(plant: Plant) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        site.set("door", active=True)
        (event,) = await watch.until(lambda: watch.told("door"))
        answer = await call(client, event.NodeId, ADD_COMMENT, *said(event, "electrician is on the way"))
        return answer, (await watch.until(lambda: watch.told("door")[1:]))[0]

    answer, after = act(port, do)
    assert (answer, after.Comment.Text) == ("Good", "electrician is on the way")
    assert (vars(after)["ActiveState/Id"], vars(after)["AckedState/Id"]) == (True, False)


def test_nobody_switches_an_alarm_off(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        return [await call(client, "/alarms/door", method) for method in (IDS.ConditionType_Disable, IDS.ConditionType_Enable)]

    assert act(plant[2], do, "admin") == ["BadNotExecutable", "BadConditionAlreadyEnabled"]


# refresh, restart, flood


async def refresh(client: Client, subscription: Any, item: int | None = None) -> str:
    numbers = [subscription.subscription_id] + ([item] if item is not None else [])
    method = IDS.ConditionType_ConditionRefresh if item is None else IDS.ConditionType_ConditionRefresh2
    return await call(client, IDS.ConditionType, method, *(ua.Variant(n, ua.VariantType.UInt32) for n in numbers))


@pytest.mark.parametrize("of_one_item", [False, True])
def test_a_refresh_brings_what_is_retained_between_its_marks_with_the_same_event_ids(plant: Plant, of_one_item: bool) -> None:
    site, _, port = plant

    async def do(client: Client) -> Any:
        earlier = await Watch(site).start(client)
        site.set("cell_hot_h", "door", active=True)
        site.set("door", active=False)
        site.set("soc_low_l", active=True)
        await earlier.until(lambda: len(earlier.events) == 4)
        newest = {event.ConditionName: event.EventId for event in earlier.events}
        watch = await Watch().start(client)
        answer = await refresh(client, watch.subscription, watch.item if of_one_item else None)
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types())
        return answer, newest, watch

    answer, newest, watch = act(port, do)
    assert answer == "Good"
    assert (watch.types()[0], watch.types()[-1]) == (IDS.RefreshStartEventType, IDS.RefreshEndEventType)
    assert {event.ConditionName: event.EventId for event in watch.events[1:-1]} == newest
    assert len(watch.events) == 5


def test_a_refresh_of_what_is_not_ones_own_is_refused(plant: Plant) -> None:
    async def do(client: Client) -> Any:
        async with signed_in(plant[2]) as other:
            theirs, ours = await Watch().start(other), await Watch().start(client)
            return await refresh(client, theirs.subscription), await refresh(client, ours.subscription, 9999)

    assert act(plant[2], do) == ("BadSubscriptionIdInvalid", "BadMonitoredItemIdInvalid")


def test_conditions_outlive_the_server(tmp_path: Any) -> None:
    site = AlarmSite(tmp_path, roles=())

    async def first(client: Client) -> Any:
        watch = await Watch(site).start(client)
        site.set("door", active=True)
        (event,) = await watch.until(lambda: watch.told("door"))
        await call(client, event.NodeId, ADD_COMMENT, *said(event, "before the restart"))
        return (await watch.until(lambda: watch.told("door")[1:]))[0]

    async def second(client: Client) -> Any:
        watch = await Watch().start(client)
        await refresh(client, watch.subscription)
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types())
        (event,) = watch.told("door")
        return event, await call(client, event.NodeId, ACKNOWLEDGE, *said(event))

    try:
        with serving(site.order()) as (server, port):
            before = act(port, first)
            server.process.kill()
            server.process.wait(10)
        with serving(site.order()) as (_, port):
            after, answer = act(port, second)
    finally:
        site.end()
    assert (after.EventId, after.Comment.Text, after.Time) == (before.EventId, "before the restart", before.Time)
    assert answer == "Good"


def test_an_alarm_that_stands_for_longer_than_events_are_kept_is_told_as_it_is_and_as_no_other(tmp_path: Any) -> None:
    site = AlarmSite(tmp_path, roles=())

    async def do(client: Client) -> Any:
        watch = await Watch().start(client)
        await refresh(client, watch.subscription)
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types())
        told = {name: watch.told(name) for name in ("door", "soc_low_l")}
        return {name: [(vars(event)["ActiveState/Id"], event.Retain) for event in events] for name, events in told.items()}

    try:
        site.set("door", active=True)
        site.set("soc_low_l", active=True)
        site.set("soc_low_l", active=False)
        site.records.trim(most=2)  # the door's event is gone; the next one is another alarm's, and not its newest
        with serving(site.order()) as (_, port):
            assert act(port, do) == {"door": [(True, True)], "soc_low_l": [(False, True)]}
    finally:
        site.end()


def test_an_alarm_of_the_scan_is_told_by_way_of_the_records_process(tmp_path: Any) -> None:
    site = AlarmSite(tmp_path, roles=())
    order = site.order()

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        for value, active in ((60.5, True), (20.0, False)):
            site.scan.set("bms.t_cell", value)
            site.scan.set("alarm.cell_hot_hh", active)
            await watch.until(lambda: [e for e in watch.told("cell_hot_hh") if vars(e)["ActiveState/Id"] is active])  # noqa: B023
        site.scan.spoil("alarm.door", BAD_NO_COMMUNICATION)
        await watch.until(lambda: watch.told("door"))
        return watch.told("cell_hot_hh"), watch.told("door")[0]

    records = ServerProcess(replace(order, service="records", settings={}))
    try:
        with serving(order) as (_, port):
            (came, went), door = act(port, do)
    finally:
        records.end()
        site.end()
    assert (vars(came)["ActiveState/Id"], vars(went)["ActiveState/Id"], went.Retain) == (True, False, True)
    assert came.EventId < went.EventId and came.Time < went.Time
    assert (door.Quality.value, vars(door)["ActiveState/Id"]) == (BAD_NO_COMMUNICATION, False)


def test_a_thousand_alarms_in_one_scan_are_all_told_while_values_go_on(plant: Plant) -> None:
    site, _, port = plant

    class Values(Watch):
        seen = 0

        def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
            self.seen += 1

    async def do(client: Client) -> Any:
        names = [f"flood_{n}" for n in range(FLOOD)]
        watch = await Watch(site).start(client)
        values = Values(site)
        subscription = await client.create_subscription(50, values)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=bms.soc"))
        await asyncio.to_thread(site.set, *names, active=True)
        before, n = values.seen, 0
        while len(watch.events) < FLOOD:
            n += 1
            assert n < 600, f"{len(watch.events)} events came"
            site.scan.set("bms.soc", float(n % 100))
            await asyncio.sleep(0.05)
        assert await refresh(client, watch.subscription) == "Good"
        await watch.until(lambda: IDS.RefreshEndEventType in watch.types(), 30)
        return [e.ConditionName for e in watch.events[:FLOOD]], len(watch.events), values.seen - before

    told, count, values = act(port, do)
    assert told == [f"flood_{n}" for n in range(FLOOD)]
    assert count == 2 * FLOOD + 2
    assert values >= 1, "values were published while the flood was told"
