"""Rude and hostile clients of the OPC UA server: sessions and subscriptions that are not theirs, and bytes that are no message."""

from __future__ import annotations

import asyncio
import math
import random
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import struct_to_binary

from tests.aids.servers_opcua import Changes, connected, refusal, url, with_client
from tests.aids.servers_opcua_raw import CLOSED, Raw
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan
from tests.aids.servers_users import with_users

Plant = tuple[TestScan, ServerProcess, int]
SOC = ua.NodeId("bms.soc", 2)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    scan = TestScan(tmp_path_factory.mktemp("attacks"))
    order = scan.order("opcua", anonymous="viewer", every="50 ms", clients="24")
    with serving(with_users(order, scan.folder, admin=("viewer", "volt"), eva=("engineer", "amp"))) as (server, port):
        yield scan, server, port
        assert server.process.poll() is None, "the server lives on"
    scan.stop()


def seconds_of_cpu(server: ServerProcess) -> float:
    with open(f"/proc/{server.process.pid}/stat") as line:
        words = line.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def megabytes(server: ServerProcess) -> float:
    with open(f"/proc/{server.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def read_of(*nodes: ua.NodeId) -> ua.ReadRequest:
    wanted = [ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value) for node in nodes]
    return ua.ReadRequest(Parameters=ua.ReadParameters(NodesToRead=wanted))


# sessions


@pytest.mark.parametrize("token", [ua.NodeId(), ua.NodeId(1001), ua.NodeId(bytes(32), 0, ua.NodeIdType.ByteString)])
def test_on_the_channel_of_a_session_another_token_is_worth_nothing(plant: Plant, token: ua.NodeId) -> None:
    with Raw(plant[2], is_open=True) as client:
        own = client.enter().session
        client.session = token
        browse = ua.BrowseRequest(Parameters=ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(NodeId=SOC)]))
        answers = [client.ask(request)[0] for request in (read_of(SOC), browse, ua.CloseSessionRequest())]
        client.session = own
        assert client.ask(read_of(SOC))[0] == "Good"
    assert answers == ["BadSessionIdInvalid"] * 3


def test_a_session_that_was_closed_is_of_no_use(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        client.enter()
        assert client.ask(ua.CloseSessionRequest())[0] == "Good"
        activate = ua.ActivateSessionRequest()
        activate.Parameters.UserIdentityToken = ua.AnonymousIdentityToken(PolicyId="anonymous")
        assert [client.ask(request)[0] for request in (read_of(SOC), activate)] == ["BadSessionClosed"] * 2


def test_a_live_session_is_not_given_to_another_user_who_is_refused(plant: Plant) -> None:
    async def act(client: Client) -> str:
        wrong = await refusal(client.activate_session("eva", "wrong"))
        assert await refusal(client.get_node(SOC).write_value(1.0)) == "BadNotWritable"
        written = client.get_node("ns=2;s=hmi.p_set").write_value(1.0)
        return f"{wrong}, {await refusal(written)}"

    assert with_client(plant[2], act) == "BadUserAccessDenied, BadUserAccessDenied"


def test_a_user_named_admin_is_what_the_users_file_says(plant: Plant) -> None:
    async def act() -> list[str]:
        client = Client(url(plant[2]), timeout=10)
        client.set_user("admin")
        client.set_password("volt")
        async with client:
            written = client.get_node("ns=2;s=hmi.p_set").write_value(1.0)
            return [await refusal(written), await refusal(client.nodes.objects.add_folder(2, "mine"))]

    assert asyncio.run(act()) == ["BadUserAccessDenied"] * 2


@pytest.mark.parametrize("wanted", [math.nan, math.inf, -1.0, 0.0, 1e300])
def test_no_session_is_without_an_end(plant: Plant, wanted: float) -> None:
    with Raw(plant[2], is_open=True) as client:
        name, made = client.create_session(wanted)
        assert name == "Good"
        assert 1_000 <= made.RevisedSessionTimeout <= 600_000


def test_one_address_cannot_take_all_sessions_and_gets_them_back_when_it_leaves(plant: Plant) -> None:
    guests: list[Raw] = []
    try:
        for _ in range(18):  # three quarters of 24
            guests.append(Raw(plant[2], is_open=True).enter())
        with Raw(plant[2], is_open=True) as client:
            assert client.create_session()[0] == "BadTooManySessions"
    finally:
        for guest in guests:
            guest.socket.close()
    eventually(lambda: plant[1].status()["clients"] == 0)
    with_client(plant[2], lambda client: client.get_namespace_array())


def test_sessions_opened_and_closed_on_one_channel_leave_nothing_behind(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        for _ in range(200):
            client.enter()
            assert client.ask(ua.CloseSessionRequest())[0] == "Good"
        before = seconds_of_cpu(plant[1])
        time.sleep(1)
        assert seconds_of_cpu(plant[1]) - before < 0.5
    eventually(lambda: plant[1].status()["clients"] == 0)


# what is another's


def test_everything_that_names_anothers_subscription_is_refused(plant: Plant) -> None:
    async def act() -> list[str]:
        async with connected(plant[2]) as victim, connected(plant[2]) as thief:
            subscription = await victim.create_subscription(100, Changes())
            item = await subscription.subscribe_data_change(victim.get_node(SOC))
            own, session = subscription.subscription_id, thief.uaclient
            await thief.create_subscription(1000, Changes())
            wanted = ua.MonitoredItemCreateRequest(ItemToMonitor=ua.ReadValueId(NodeId=SOC, AttributeId=ua.AttributeIds.Value))
            asked: list[Any] = [
                session.create_monitored_items(ua.CreateMonitoredItemsParameters(SubscriptionId=own, ItemsToCreate=[wanted])),
                session.modify_monitored_items(ua.ModifyMonitoredItemsParameters(SubscriptionId=own)),
                session.delete_monitored_items(ua.DeleteMonitoredItemsParameters(own, [item])),
                session.set_monitoring_mode(ua.SetMonitoringModeParameters(own, ua.MonitoringMode.Disabled, [item])),
                session.set_publishing_mode(ua.SetPublishingModeParameters(False, [own])),
                session.update_subscription(ua.ModifySubscriptionParameters(own, 1000.0, 100, 10, 0, 0)),
                session.republish(ua.RepublishParameters(own, 1)) if hasattr(session, "republish") else _as_refused(),
            ]
            names = [await refusal(one) for one in asked]
            assert (await session.delete_subscriptions([own]))[0].name == "BadSubscriptionIdInvalid"
            return names

    assert set(asyncio.run(act())) == {"BadSubscriptionIdInvalid"}


async def _as_refused() -> None:
    raise ua.uaerrors.BadSubscriptionIdInvalid


def test_subscriptions_do_not_outlive_their_session_whatever_the_client_asks_for(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        client.enter()
        wanted = ua.CreateSubscriptionParameters(100.0, 15000, 5000)
        for _ in range(3):
            assert client.ask(ua.CreateSubscriptionRequest(Parameters=wanted))[0] == "Good"
        eventually(lambda: plant[1].status()["subscriptions"] == 3)
        assert client.ask(ua.CloseSessionRequest(DeleteSubscriptions=False))[0] == "Good"
        eventually(lambda: plant[1].status()["subscriptions"] == 0)


def test_nobody_changes_the_address_space_and_nobody_registers(plant: Plant) -> None:
    server = ua.NodeId(ua.ObjectIds.Server)  # type: ignore[arg-type]

    async def act() -> list[str]:
        client = Client(url(plant[2]), timeout=10)
        client.set_user("eva")
        client.set_password("amp")
        async with client:
            session = client.uaclient
            evil = ua.RegisteredServer(ServerUri="urn:evil", ServerNames=[ua.LocalizedText("evil")])
            asked: list[Any] = [
                session.add_nodes([ua.AddNodesItem(ParentNodeId=server, BrowseName=ua.QualifiedName("x", 2))]),
                session.delete_nodes(ua.DeleteNodesParameters([ua.DeleteNodesItem(SOC, True)])),
                session.add_references([ua.AddReferencesItem(SourceNodeId=server, TargetNodeId=SOC)]),
                session.delete_references([ua.DeleteReferencesItem(SourceNodeId=server, TargetNodeId=SOC)]),
                session.register_server(evil),
                session.register_server2(ua.RegisterServer2Parameters(Server=evil)),
            ]
            names = [await refusal(one) for one in asked]
            await client.get_node(SOC).read_data_value(raise_on_bad_status=False)
            return names

    assert asyncio.run(act()) == ["BadUserAccessDenied"] * 4 + ["BadServiceUnsupported"] * 2


# the order of the protocol, and bytes


def test_a_message_before_a_channel_and_a_channel_before_a_hello_are_refused(plant: Plant) -> None:
    with Raw(plant[2]) as client:
        assert client.open_channel() == ("ERR", "BadTcpMessageTypeInvalid")
    with Raw(plant[2]) as client:
        client.hello()
        assert client.ask(ua.GetEndpointsRequest()) == ("ERR", "BadTcpSecureChannelUnknown")
    with Raw(plant[2]) as client:
        client.hello()
        assert client.hello() == ("ERR", "BadTcpMessageTypeInvalid")


def test_what_only_a_server_says_ends_the_connection(plant: Plant) -> None:
    """asyncua takes an Acknowledge from a client, and with it that messages may be as long as the client likes."""
    for kind, body in ((b"ACK", struct.pack("<5I", 0, 1 << 31, 1 << 31, 0, 0)), (b"ERR", struct.pack("<Ii", 0, -1))):
        with Raw(plant[2], is_open=True) as client:
            client.send(kind, body)
            assert client.hear() == ("ERR", "BadTcpMessageTypeInvalid")
            assert client.hear()[0] == CLOSED


@pytest.mark.parametrize("size", [0, 1, 64, 8191])
def test_a_client_that_takes_crumbs_only_is_refused(plant: Plant, size: int) -> None:
    """An answer of 700 kB in pieces of a byte each would be minutes of work."""
    with Raw(plant[2]) as client:
        assert client.hello(receive=size) == ("ERR", "BadConnectionRejected")


def test_a_message_that_is_too_long_is_refused_before_it_has_come(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        client.socket.sendall(b"MSGF" + struct.pack("<I", 70_000))
        assert client.hear() == ("ERR", "BadTcpMessageTooLarge")


def test_a_stranger_sends_one_chunk_at_most(plant: Plant) -> None:
    with Raw(plant[2], is_open=True) as client:
        client.message(b"\x01\x00" + bytes(60_000), b"C")
        client.send(
            b"MSG", struct.pack("<4I", client.channel, client.token, client.sequence + 1, client.sequence) + bytes(60_000), b"C"
        )
        assert client.hear() == ("ERR", "BadRequestTooLarge")


def _header_with(extra: bytes) -> bytes:
    """A GetEndpoints request whose header carries this as its additional header: decoded before anybody is asked who he is."""
    return struct.pack("<BBHBBqIIiI", 1, 0, _ENDPOINTS, 0, 0, 0, 1, 0, -1, 0) + extra


def _extension(identifier: int, body: bytes) -> bytes:
    return struct.pack("<BBHBi", 1, 0, identifier, 1, len(body)) + body


_ENDPOINTS = ua.ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary
_LITERAL = ua.ObjectIds.LiteralOperand_Encoding_DefaultBinary
_ANONYMOUS = ua.ObjectIds.AnonymousIdentityToken_Encoding_DefaultBinary


@pytest.mark.parametrize(
    "extra",
    [
        _extension(_LITERAL, b"\x80" + struct.pack("<i", 2**31 - 1)),
        _extension(_LITERAL, b"\x8c" + struct.pack("<ii", 2**31 - 1, -4)),
        _extension(_ANONYMOUS, struct.pack("<i", -4)),
        _extension(_LITERAL, b"\x18" * 5000),
        _extension(_LITERAL, b"\xc6" + struct.pack("<i", 1) + bytes(4) + struct.pack("<iii", 2, 30_000, 30_000)),
    ],
    ids=["two thousand million nulls", "texts that rewind", "a negative length", "variants in variants", "a huge matrix"],
)
def test_no_small_message_is_much_work(plant: Plant, extra: bytes) -> None:
    before, was = seconds_of_cpu(plant[1]), megabytes(plant[1])
    with Raw(plant[2], is_open=True) as client:
        client.message(_header_with(extra))
        client.hear()
    with_client(plant[2], lambda client: client.get_namespace_array())
    assert seconds_of_cpu(plant[1]) - before < 1.5
    assert megabytes(plant[1]) - was < 30


def test_bytes_gone_wrong_at_any_layer_end_their_connection_only(plant: Plant) -> None:
    chance = random.Random(5)
    before = seconds_of_cpu(plant[1])
    with Raw(plant[2], is_open=True) as witness:
        witness.enter()
        for n in range(150):
            with Raw(plant[2], is_open=n % 4 > 0) as client:
                if n % 4 == 3:
                    client.enter()
                body = bytearray(_broken(client, chance))
                for _ in range(chance.randint(1, 6)):
                    body[chance.randrange(len(body))] = chance.choice((0, 255, 127, 128, chance.randrange(256)))
                client.socket.sendall(bytes(body))
            if n % 10 == 0:
                assert witness.ask(read_of(SOC))[0] == "Good"
    assert seconds_of_cpu(plant[1]) - before < 10


def _broken(client: Raw, chance: random.Random) -> bytes:
    item = ua.MonitoredItemCreateRequest(ItemToMonitor=ua.ReadValueId(NodeId=SOC, AttributeId=ua.AttributeIds.Value))
    requests: list[Any] = [
        read_of(SOC, SOC),
        ua.WriteRequest(Parameters=ua.WriteParameters([ua.WriteValue(SOC, ua.AttributeIds.Value, None, ua.DataValue(1.0))])),
        ua.CreateMonitoredItemsRequest(Parameters=ua.CreateMonitoredItemsParameters(SubscriptionId=1, ItemsToCreate=[item])),
        ua.CallRequest(Parameters=ua.CallParameters([ua.CallMethodRequest(SOC, SOC, [ua.Variant(1)])])),
        ua.CreateSessionRequest(),
        ua.CloseSecureChannelRequest(),
    ]
    request = chance.choice(requests)
    request.RequestHeader.AuthenticationToken = client.session
    body = struct.pack("<II", client.channel, client.token) + client.numbered(struct_to_binary(request))
    return chance.choice((b"MSGF", b"MSGF", b"MSGC", b"OPNF", b"CLOF")) + struct.pack("<I", 8 + len(body)) + body
