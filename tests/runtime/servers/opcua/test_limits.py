"""What one client of the OPC UA server may have, so that others have enough; and that the server says so."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import struct_to_binary
from asyncua.ua.uaprotocol_auto import ContentFilter, ContentFilterElement, EventFilter, LiteralOperand

from runtime.servers.opcua import limits
from runtime.servers.opcua.filters import MOST_ELEMENTS, Where, judge_filter
from tests.aids.servers_opcua import Changes, connected, refusal, url, with_client
from tests.aids.servers_opcua_raw import CLOSED, Raw
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan

Plant = tuple[TestScan, ServerProcess, int]
SOC = ua.NodeId("bms.soc", 2)  # type: ignore[arg-type]
SERVER = ua.NodeId(ua.ObjectIds.Server)  # type: ignore[arg-type]

MESSAGE = ua.SimpleAttributeOperand(BrowsePath=[ua.QualifiedName("Message")], AttributeId=13)  # type: ignore[arg-type]
BOTH = ua.TimestampsToReturn.Both


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    scan = TestScan(tmp_path_factory.mktemp("limits"))
    with serving(scan.order("opcua", every="50 ms", clients="16")) as (server, port):
        yield scan, server, port
        assert server.process.poll() is None, "the server lives on"
    scan.stop()


def item(node: ua.NodeId, attribute: Any = ua.AttributeIds.Value, queue: int = 1) -> ua.MonitoredItemCreateRequest:
    wanted = ua.MonitoringParameters(ClientHandle=1, SamplingInterval=0.0, QueueSize=queue, DiscardOldest=True)  # type: ignore[arg-type]
    read = ua.ReadValueId(NodeId=node, AttributeId=attribute)
    return ua.MonitoredItemCreateRequest(read, ua.MonitoringMode.Reporting, wanted)


def test_the_server_says_its_limits(plant: Plant) -> None:
    async def act(client: Client) -> dict[str, int]:
        named = {name: getattr(ua.ObjectIds, f"Server_ServerCapabilities_{name}") for name in limits.TOLD}
        return {name: await client.get_node(number).read_value() for name, number in named.items()}

    assert with_client(plant[2], act) == limits.TOLD


def test_a_request_for_more_than_the_limit_is_refused_and_one_for_as_many_is_not(plant: Plant) -> None:
    browse = ua.BrowseRequest(
        Parameters=ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(NodeId=SOC)] * (limits.BROWSE + 1))
    )
    path = ua.BrowsePath(SERVER, ua.RelativePath([ua.RelativePathElement(TargetName=ua.QualifiedName("x"))]))
    paths = ua.TranslateBrowsePathsToNodeIdsRequest()
    paths.Parameters.BrowsePaths = [path] * (limits.PATHS + 1)
    with Raw(plant[2], is_open=True) as client:
        client.enter()
        assert [client.ask(one)[0] for one in (browse, paths)] == ["BadTooManyOperations"] * 2
        del browse.Parameters.NodesToBrowse[-1], paths.Parameters.BrowsePaths[-1]
        assert client.ask(paths)[0] == "Good"
        assert client.ask(ua.ReadRequest())[0] == "BadNothingToDo"


def test_a_session_has_so_many_subscriptions_and_another_still_has_its_own(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as greedy:
        greedy.enter()
        asked = ua.CreateSubscriptionRequest(Parameters=ua.CreateSubscriptionParameters(1000.0, 300, 100))
        answers = [greedy.ask(asked)[0] for _ in range(limits.OF_A_SESSION + 1)]
        assert answers == ["Good"] * limits.OF_A_SESSION + ["BadTooManySubscriptions"]

        async def act(client: Client) -> None:
            await client.create_subscription(100, Changes())

        with_client(plant[2], act)


def test_event_items_and_items_of_other_attributes_have_a_limit_too(plant: Plant) -> None:
    async def act(client: Client) -> list[list[str]]:
        subscription = await client.create_subscription(1000, Changes())
        event = item(SERVER, ua.AttributeIds.EventNotifier)
        event.RequestedParameters.Filter = EventFilter([MESSAGE])
        found = []
        for wanted, count in (
            (event, limits.EVENT_ITEMS_OF_A_SESSION),
            (item(SOC, ua.AttributeIds.DisplayName), limits.OTHERS_OF_A_SESSION),
        ):
            asked = ua.CreateMonitoredItemsParameters(subscription.subscription_id, BOTH, [wanted] * (count + 1))
            names = [result.StatusCode.name for result in await client.uaclient.create_monitored_items(asked)]
            found.append([names[0], names[count - 1], names[count]])
        return found

    assert with_client(plant[2], act) == [["Good", "Good", "BadTooManyMonitoredItems"]] * 2


@pytest.mark.parametrize("interval", [0.0, -1.0, math.nan, math.inf, 1e-300])
def test_no_interval_is_faster_than_tags_are_published(plant: Plant, interval: float) -> None:
    async def act(client: Client) -> float:
        wanted = ua.CreateSubscriptionParameters(interval, 100, 10, 0, True, 0)  # type: ignore[arg-type]
        return float((await client.uaclient.create_subscription(wanted, lambda _: None)).RevisedPublishingInterval)

    assert 50.0 <= with_client(plant[2], act) <= limits.SLOWEST


def test_more_publish_requests_than_subscriptions_need_are_given_back(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        client.enter()
        assert client.ask(ua.PublishRequest())[0] == "BadNoSubscription"
        asked = ua.CreateSubscriptionRequest(Parameters=ua.CreateSubscriptionParameters(60_000.0, 300, 100))
        assert client.ask(asked)[0] == "Good"
        assert client.ask(ua.PublishRequest())[0] == "Good"  # the first one is answered at once
        request = ua.PublishRequest()
        request.RequestHeader.AuthenticationToken = client.session
        for _ in range(11):
            client.message(struct_to_binary(request))
        assert client.ask(ua.PublishRequest())[0] == "BadTooManyPublishRequests"


def test_who_never_comes_in_and_who_stays_without_a_session_is_put_out(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as silent, Raw(plant[2], is_open=True) as left:
        left.enter()
        assert left.ask(ua.CloseSessionRequest())[0] == "Good"
        began = time.monotonic()
        assert silent.hear()[0] == CLOSED
        left.socket.settimeout(limits.PATIENCE * 2)
        assert left.hear()[0] == CLOSED
        assert time.monotonic() - began < limits.PATIENCE * 5


def test_a_thousand_connections_opened_and_left_keep_nobody_out(plant: Plant) -> None:
    strangers: list[socket.socket] = []
    try:
        for n in range(1000):
            strangers.append(socket.create_connection(("127.0.0.1", plant[2]), timeout=5))
            if n % 250 == 249:
                with_client(plant[2], lambda client: client.get_node(SOC).read_data_value(raise_on_bad_status=False))
    finally:
        for stranger in strangers:
            stranger.close()


def test_the_system_finds_out_when_the_other_end_is_gone(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        port = client.socket.getsockname()[1]

        def timers() -> list[str]:
            with open("/proc/net/tcp") as table:
                rows = [line.split() for line in table]
            return [row[5].partition(":")[0] for row in rows if row[2].endswith(f":{port:04X}")]

        eventually(lambda: timers() == ["02"])  # a keepalive timer runs


def test_the_keys_of_a_channel_last_an_hour_at_most(plant: Plant) -> None:
    with Raw(plant[2]) as client:
        client.hello()
        for wanted, given in ((0xFFFFFFFF, 3_600_000), (0, 10_000)):
            kind = ua.SecurityTokenRequestType.Renew if client.channel else ua.SecurityTokenRequestType.Issue
            assert client.open_channel(wanted, kind)[1].Parameters.SecurityToken.RevisedLifetime == given


def test_a_client_that_asks_to_be_told_and_takes_nothing_costs_the_others_no_time(plant: Plant) -> None:
    """Fifty publish requests wait, thousands of values change each time, and it reads none of them."""
    scan = plant[0]

    async def act() -> tuple[float, float]:
        async with connected(plant[2]) as other:
            rude = Client(url(plant[2]), timeout=60)
            await rude.connect()
            wanted = ua.CreateSubscriptionParameters(50.0, 300, 100, 0, True, 0)  # type: ignore[arg-type]
            made = await rude.uaclient.create_subscription(wanted, lambda _: None)
            asked = ua.CreateMonitoredItemsParameters(made.SubscriptionId, BOTH, [item(SOC, queue=100)] * 5000)
            await rude.uaclient.create_monitored_items(asked)
            rude.uaclient.protocol.transport.pause_reading()  # type: ignore[union-attr]
            before, slowest = megabytes(plant[1]), 0.0
            for n in range(40):
                scan.set("bms.soc", float(n))
                began = time.monotonic()
                await other.get_node(SOC).read_value()
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.05)
            grown = megabytes(plant[1]) - before
            rude.uaclient.protocol.transport.abort()  # type: ignore[union-attr]
            await asyncio.wait([asyncio.ensure_future(refusal(rude.disconnect()))], timeout=1)
            return slowest, grown

    slowest, grown = asyncio.run(act())
    assert slowest < 1.0
    assert grown < 60
    eventually(lambda: plant[1].status()["clients"] == 0)


def megabytes(server: ServerProcess) -> float:
    with open(f"/proc/{server.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


# filters: each is judged at every event


def _filter(*elements: ContentFilterElement) -> EventFilter:
    return EventFilter([MESSAGE], ContentFilter(list(elements)))


def _literal(value: Any) -> LiteralOperand:
    return LiteralOperand(ua.Variant(value))


def test_a_filter_that_would_be_too_much_work_is_refused() -> None:
    long = ContentFilterElement(ua.FilterOperator.Like, [_literal("x"), _literal("%" * 5000)])
    many = ContentFilterElement(ua.FilterOperator.InList, [_literal(1)] * 600)
    assert [ua.StatusCode(judge_filter(_filter(one))[0]).name for one in (long, many)] == ["BadEventFilterInvalid"] * 2  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.inf, math.nan, 1e308])
def test_a_number_that_cannot_be_cast_is_null_and_ends_nothing(value: float) -> None:
    """An OverflowError here ended the task that tells alarms, and with it the server: any viewer could."""
    kind = LiteralOperand(ua.Variant(ua.NodeId(ua.ObjectIds.Int32), ua.VariantType.NodeId))
    wanted = ContentFilter([ContentFilterElement(ua.FilterOperator.Cast, [_literal(value), kind])])
    assert Where(None, wanted).holds(object()) is False  # type: ignore[arg-type]


def test_a_filter_as_deep_as_it_may_be_is_judged() -> None:
    last = MOST_ELEMENTS - 1
    chain = [ContentFilterElement(ua.FilterOperator.Not, [ua.ElementOperand(n + 1)]) for n in range(last)]
    chain.append(ContentFilterElement(ua.FilterOperator.IsNull, [_literal(1)]))
    assert judge_filter(_filter(*chain))[0] == 0
    assert Where(None, ContentFilter(chain)).holds(object()) is (last % 2 == 1)  # type: ignore[arg-type]
