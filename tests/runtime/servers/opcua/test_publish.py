"""What a subscription is told, and when: sampling, filters, queues, modes and limits, as OPC UA part 4 defines them."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import Client, ua

from runtime.model import Tag
from runtime.quality import BAD_NOT_CONNECTED, UNCERTAIN_LAST_USABLE
from runtime.servers.opcua.wire_items import turns_for
from tests.aids.servers_opcua import until, url, with_client
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_scan import TestScan

EVERY = 50
OVERFLOW = 0x480
TAGS = (
    Tag("bms.soc", "LREAL", 0, 0, 0, "input", "%", "State of charge", 0.0, 200.0),
    Tag("bms.free", "LREAL", 0, 0, 0, "input", "", "Without a range"),
    Tag("bms.ok", "BOOL", 0, 0, 0, "input", "", "Ready"),
    Tag("bms.cell_v", "LREAL", 4, 0, 0, "input", "V", "Cell voltages", 0.0, 5.0),
    *(Tag(f"many.x{n}", "LREAL", 0, 0, 0, "input", "", "One of many") for n in range(1000)),
    *(
        Tag(f"set.p{n}", "LREAL", 0, 0, 0, "memory", "kW", "Setpoint", -500.0, 500.0, 0.0, "operator", "operator")
        for n in range(1000)
    ),
)
Plant = tuple[TestScan, ServerProcess, int]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    scan = TestScan(tmp_path_factory.mktemp("publish"), TAGS)
    with serving(scan.order("opcua", every=f"{EVERY} ms")) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def scan(plant: Plant) -> TestScan:
    scan = plant[0]
    for name in ("bms.soc", "bms.free", "bms.ok", "bms.cell_v"):
        scan.set(name, 0)
        scan.spoil(name, 0)
    time.sleep(3 * EVERY / 1000)
    return scan


class Told:
    """Everything that a subscription is told: values with their status codes, by client handle."""

    def __init__(self) -> None:
        self.values: list[tuple[int, Any, int]] = []
        self.messages: list[int] = []

    async def __call__(self, result: ua.PublishResult) -> None:
        for notification in result.NotificationMessage.NotificationData:
            self.messages.append(len(notification.MonitoredItems))
            for item in notification.MonitoredItems:
                value = item.Value
                self.values.append((item.ClientHandle, value.Value.Value, value.StatusCode.value if value.StatusCode else 0))

    def of(self, handle: int = 1) -> list[Any]:
        return [value for known, value, _ in self.values if known == handle]


async def subscribe(client: Client, told: Told, *items: dict[str, Any], every: float = EVERY, most: int = 0) -> Any:
    """A subscription with these items; `tag`, `queue`, `sampling`, `filter`, `oldest`, `mode`, `range` say what each wants."""
    parameters = ua.CreateSubscriptionParameters(
        RequestedPublishingInterval=every,
        RequestedLifetimeCount=1000,
        RequestedMaxKeepAliveCount=50,
        MaxNotificationsPerPublish=most,
    )
    subscription = await client.uaclient.create_subscription(parameters, told)
    wanted = [
        ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(
                NodeId=ua.NodeId(item["tag"], 2), AttributeId=ua.AttributeIds.Value, IndexRange=item.get("range")
            ),
            MonitoringMode=item.get("mode", ua.MonitoringMode.Reporting),
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=number,
                SamplingInterval=item.get("sampling", 0.0),
                Filter=item.get("filter"),
                QueueSize=item.get("queue", 1),
                DiscardOldest=item.get("oldest", True),
            ),
        )
        for number, item in enumerate(items, 1)
    ]
    asked = ua.CreateMonitoredItemsParameters(SubscriptionId=subscription.SubscriptionId, ItemsToCreate=wanted)
    asked.TimestampsToReturn = ua.TimestampsToReturn.Both
    results = await client.uaclient.create_monitored_items(asked)
    return SimpleNamespace(id=subscription.SubscriptionId, items=results, data=subscription)


async def steps(scan: TestScan, tag: str, values: list[Any]) -> None:
    """Set these values one after the other, each for longer than one sample takes."""
    for value in values:
        scan.set(tag, value)
        await asyncio.sleep(2.5 * EVERY / 1000)


def changes(
    kind: ua.DeadbandType = ua.DeadbandType.None_, value: float = 0.0, trigger: Any = ua.DataChangeTrigger.StatusValue
) -> Any:
    return ua.DataChangeFilter(Trigger=trigger, DeadbandType=kind, DeadbandValue=value)


def told_of(plant: Plant, item: dict[str, Any], tag: str, values: list[Any], **options: Any) -> list[Any]:
    """What one item is told while the tag takes these values."""
    told = Told()

    async def act(client: Client) -> None:
        await subscribe(client, told, item, **options)
        await asyncio.sleep(4 * EVERY / 1000)
        await steps(plant[0], tag, values)
        await asyncio.sleep(4 * EVERY / 1000)

    with_client(plant[2], act)
    return told.of()


# sampling


@pytest.mark.parametrize(
    ("interval", "turns"),
    [(0, 1), (10, 1), (50, 1), (99, 1), (100, 2), (249, 2), (250, 5), (1000, 20), (3_600_000, 50_000), (-1, 2), (math.inf, 1)],
)
def test_a_sampling_interval_is_the_longest_step_within_what_was_asked_for(interval: float, turns: int) -> None:
    """0 is as fast as can be, a negative one the subscription's, 200 ms here (part 4, 7.21)."""
    assert turns_for(interval, EVERY, 200) == turns


def test_an_item_is_told_its_value_at_once_and_then_each_change_once(plant: Plant, scan: TestScan) -> None:
    assert told_of(plant, {"tag": "bms.soc", "queue": 10}, "bms.soc", [1.0, 2.0, 2.0, 3.0]) == [0.0, 1.0, 2.0, 3.0]


def test_a_slow_item_is_told_only_the_newest_of_what_it_slept_through(plant: Plant, scan: TestScan) -> None:
    told = told_of(plant, {"tag": "bms.soc", "queue": 50, "sampling": 1000.0}, "bms.soc", [float(n) for n in range(1, 17)])
    assert told[0] == 0.0
    assert 2 <= len(told) <= 5, f"sixteen changes in two seconds, sampled once a second: {told}"


def test_nothing_of_a_thousand_items_is_lost(plant: Plant, scan: TestScan) -> None:
    """Every step of 100 ms arrives at every item, in order, where the queue has room."""
    told, names = Told(), [f"many.x{n}" for n in range(1000)]

    async def act(client: Client) -> None:
        await subscribe(client, told, *({"tag": name, "queue": 10} for name in names), every=100)
        for step in range(1, 16):
            with scan._lock:
                for name in names:
                    scan.column(name)[:] = step
            await asyncio.sleep(0.2)
        await until(lambda: sum(1 for _, value, _ in told.values if value == 15.0) == 1000)

    for name in names:
        scan.set(name, 0)
    time.sleep(0.2)
    with_client(plant[2], act)
    assert all(told.of(handle) == [float(step) for step in range(16)] for handle in range(1, 1001))


# filters


def test_a_deadband_is_around_the_value_sent_last(plant: Plant, scan: TestScan) -> None:
    """A slow drift must not stay unseen (part 4, 7.22.2: compared with the last value in the queue)."""
    item = {"tag": "bms.soc", "queue": 50, "filter": changes(ua.DeadbandType.Absolute, 1.0)}
    assert told_of(plant, item, "bms.soc", [0.6, 1.0, 1.2, 1.8, 2.3, 0.0]) == [0.0, 1.2, 2.3, 0.0]


def test_a_percent_deadband_is_of_the_tags_range(plant: Plant, scan: TestScan) -> None:
    """Part 8, 6.2: percent of EURange, which is 200 here."""
    item = {"tag": "bms.soc", "queue": 50, "filter": changes(ua.DeadbandType.Percent, 10.0)}
    assert told_of(plant, item, "bms.soc", [19.0, 21.0, 40.0, 42.0]) == [0.0, 21.0, 42.0]


def test_one_element_beyond_the_deadband_sends_the_array(plant: Plant, scan: TestScan) -> None:
    item = {"tag": "bms.cell_v", "queue": 50, "filter": changes(ua.DeadbandType.Absolute, 0.5)}
    told = told_of(plant, item, "bms.cell_v", [[0.4, 0.4, 0.4, 0.4], [0.4, 0.4, 0.4, 0.6]])
    assert told == [[0.0] * 4, [0.4, 0.4, 0.4, 0.6]]


@pytest.mark.parametrize(
    ("tag", "wanted", "expected"),
    [
        ("bms.ok", changes(ua.DeadbandType.Absolute, 1.0), "BadFilterNotAllowed"),
        ("bms.free", changes(ua.DeadbandType.Percent, 1.0), "BadDeadbandFilterInvalid"),
        ("bms.soc", changes(ua.DeadbandType.Percent, 101.0), "BadDeadbandFilterInvalid"),
        ("bms.soc", changes(ua.DeadbandType.Absolute, -1.0), "BadDeadbandFilterInvalid"),
        ("bms.soc", changes(ua.DeadbandType.Absolute, math.nan), "BadDeadbandFilterInvalid"),
        ("bms.soc", ua.EventFilter(), "BadFilterNotAllowed"),
        ("bms.soc", ua.AggregateFilter(), "BadMonitoredItemFilterUnsupported"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(plant: Plant, tag: str, wanted: Any, expected: str) -> None:
    async def act(client: Client) -> str:
        made = await subscribe(client, Told(), {"tag": tag, "filter": wanted})
        return str(made.items[0].StatusCode.name)

    assert with_client(plant[2], act) == expected


def test_a_status_trigger_hears_no_values(plant: Plant, scan: TestScan) -> None:
    told = Told()

    async def act(client: Client) -> None:
        await subscribe(client, told, {"tag": "bms.soc", "queue": 9, "filter": changes(trigger=ua.DataChangeTrigger.Status)})
        await steps(scan, "bms.soc", [1.0, 2.0])
        scan.spoil("bms.soc", UNCERTAIN_LAST_USABLE)
        await until(lambda: len(told.values) > 1)
        scan.spoil("bms.soc", BAD_NOT_CONNECTED)
        await until(lambda: len(told.values) > 2)

    with_client(plant[2], act)
    assert told.values == [(1, 0.0, 0), (1, 2.0, UNCERTAIN_LAST_USABLE), (1, None, BAD_NOT_CONNECTED)]


def test_a_time_trigger_hears_each_new_reading_of_the_same_value(plant: Plant, scan: TestScan) -> None:
    told = Told()
    item = {"tag": "bms.soc", "queue": 50, "filter": changes(trigger=ua.DataChangeTrigger.StatusValueTimestamp)}

    async def act(client: Client) -> None:
        await subscribe(client, told, item)
        await until(lambda: told.of()[:4] == [0.0] * 4)

    with_client(plant[2], act)


def test_a_part_of_an_array_changes_alone(plant: Plant, scan: TestScan) -> None:
    item = {"tag": "bms.cell_v", "queue": 9, "range": "1:2"}
    told = told_of(plant, item, "bms.cell_v", [[9, 0, 0, 9], [9, 1, 2, 9]])
    assert told == [[0.0, 0.0], [1.0, 2.0]]


# queues


@pytest.mark.parametrize(
    ("oldest", "size", "expected"),
    [
        (True, 1, [(5.0, 0)]),
        (True, 3, [(3.0, OVERFLOW), (4.0, 0), (5.0, 0)]),
        (False, 3, [(1.0, 0), (2.0, 0), (5.0, OVERFLOW)]),
        (True, 9, [(1.0, 0), (2.0, 0), (3.0, 0), (4.0, 0), (5.0, 0)]),
    ],
)
def test_a_full_queue_drops_as_it_was_asked_to_and_says_so(
    plant: Plant, scan: TestScan, oldest: bool, size: int, expected: list[Any]
) -> None:
    """Part 4, 5.12.1.5: the overflow bit stands where values are missing; a queue of one has none."""
    told = Told()

    async def act(client: Client) -> None:
        await subscribe(client, told, {"tag": "bms.soc", "queue": size, "oldest": oldest}, every=1500)
        await until(lambda: told.of() == [0.0])
        await steps(scan, "bms.soc", [1.0, 2.0, 3.0, 4.0, 5.0])
        await until(lambda: len(told.values) > len(expected))

    with_client(plant[2], act)
    assert [(value, code) for _, value, code in told.values[1:]] == expected


def test_queues_are_as_deep_as_asked_for_up_to_a_hundred(plant: Plant) -> None:
    async def act(client: Client) -> list[int]:
        made = await subscribe(client, Told(), *({"tag": "bms.soc", "queue": size} for size in (0, 1, 7, 2**31)))
        return [item.RevisedQueueSize for item in made.items]

    assert with_client(plant[2], act) == [1, 1, 7, 100]


def test_no_notification_is_longer_than_the_client_wants(plant: Plant) -> None:
    told = Told()

    async def act(client: Client) -> None:
        await subscribe(client, told, *({"tag": f"many.x{n}"} for n in range(100)), most=30)
        await until(lambda: len(told.values) == 100)

    with_client(plant[2], act)
    assert max(told.messages) <= 30
    assert sorted(handle for handle, *_ in told.values) == list(range(1, 101))


# modes, changes and ends


def test_a_disabled_item_is_silent_and_a_sampling_one_keeps_what_it_saw(plant: Plant, scan: TestScan) -> None:
    told = Told()

    async def act(client: Client) -> None:
        made = await subscribe(client, told, {"tag": "bms.soc", "queue": 9})
        ids = [made.items[0].MonitoredItemId]

        async def switch(mode: ua.MonitoringMode) -> None:
            await client.uaclient.set_monitoring_mode(
                ua.SetMonitoringModeParameters(SubscriptionId=made.id, MonitoringMode=mode, MonitoredItemIds=ids)
            )

        await until(lambda: told.of() == [0.0])
        await switch(ua.MonitoringMode.Disabled)
        await steps(scan, "bms.soc", [1.0, 2.0])
        assert told.of() == [0.0]
        await switch(ua.MonitoringMode.Sampling)
        await steps(scan, "bms.soc", [3.0, 4.0])
        assert told.of() == [0.0]
        await switch(ua.MonitoringMode.Reporting)
        await until(lambda: told.of() == [0.0, 2.0, 3.0, 4.0])

    with_client(plant[2], act)


def test_an_item_can_be_altered_while_it_runs(plant: Plant, scan: TestScan) -> None:
    told = Told()

    async def act(client: Client) -> Any:
        made = await subscribe(client, told, {"tag": "bms.soc", "queue": 9})
        wanted = ua.MonitoringParameters(ClientHandle=77, SamplingInterval=100.0, QueueSize=3)
        wanted.Filter = changes(ua.DeadbandType.Absolute, 5.0)
        request = ua.MonitoredItemModifyRequest(MonitoredItemId=made.items[0].MonitoredItemId, RequestedParameters=wanted)
        unknown = ua.MonitoredItemModifyRequest(MonitoredItemId=1, RequestedParameters=wanted)
        asked = ua.ModifyMonitoredItemsParameters(SubscriptionId=made.id, ItemsToModify=[request, unknown])
        results = await client.uaclient.modify_monitored_items(asked)
        await steps(scan, "bms.soc", [20.0, 22.0, 30.0])
        await until(lambda: told.of(77)[-1:] == [30.0])
        return [(r.StatusCode.name, r.RevisedSamplingInterval, r.RevisedQueueSize) for r in results]

    assert with_client(plant[2], act) == [("Good", 100.0, 3), ("BadMonitoredItemIdInvalid", 0, 0)]
    assert 22.0 not in told.of(77)


def test_what_is_deleted_is_told_nothing_and_another_of_the_same_tag_goes_on(plant: Plant, scan: TestScan) -> None:
    told = Told()

    async def act(client: Client) -> None:
        made = await subscribe(client, told, {"tag": "bms.soc", "queue": 9}, {"tag": "bms.soc", "queue": 9})
        ids = [made.items[0].MonitoredItemId, 1]
        asked = ua.DeleteMonitoredItemsParameters(SubscriptionId=made.id, MonitoredItemIds=ids)
        results = await client.uaclient.delete_monitored_items(asked)
        assert [result.name for result in results] == ["Good", "BadMonitoredItemIdInvalid"]
        await steps(scan, "bms.soc", [1.0])
        await until(lambda: told.of(2) == [0.0, 1.0])

    with_client(plant[2], act)
    assert 1.0 not in told.of(1)


# rude and slow clients


def test_a_client_that_reads_nothing_costs_the_others_nothing_and_the_server_no_memory(plant: Plant, scan: TestScan) -> None:
    """It asks for a thousand values again and again and takes no answer."""

    async def rude(client: Client) -> None:
        transport: Any = client.uaclient.protocol.transport
        transport.pause_reading()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = ua.ReadRequest()
        asked.Parameters.NodesToRead = [
            ua.ReadValueId(NodeId=ua.NodeId(f"many.x{n}", 2), AttributeId=ua.AttributeIds.Value) for n in range(1000)
        ]
        sent, patience = 0, 100
        while sent < 1000 and patience:  # 34 MB of answers
            if transport.get_write_buffer_size() < 100_000:
                client.uaclient.protocol._send_request(asked)
                sent, patience = sent + 1, 100
            patience -= 1
            await asyncio.sleep(0.005)

    async def act(client: Client) -> list[Any]:
        told = Told()
        before = resident_mb(plant[1].process.pid)
        guest = Client(url(plant[2]), timeout=60)
        await guest.connect()
        await rude(guest)
        await subscribe(client, told, {"tag": "bms.soc", "queue": 9})
        await steps(scan, "bms.soc", [1.0, 2.0, 3.0])
        await until(lambda: len(told.values) == 4)
        grown = resident_mb(plant[1].process.pid) - before
        guest.uaclient.protocol.transport.abort()  # type: ignore[union-attr]
        with_no_wait = asyncio.gather(guest.disconnect(), return_exceptions=True)
        await asyncio.wait([with_no_wait], timeout=2)
        return [told.of(), grown < 10]

    assert with_client(plant[2], act) == [[0.0, 1.0, 2.0, 3.0], True]


def resident_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
