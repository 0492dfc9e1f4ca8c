"""Who gets in, and what a rude client can do to others: wrong passwords, stolen sessions, hostile bytes."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.uaerrors import UaStatusCodeError

from tests.aids.servers_opcua import Changes, connected, refusal, url, with_client
from tests.aids.servers_process import eventually, serving
from tests.aids.servers_scan import TestScan


@pytest.mark.parametrize(("user", "password"), [("eva", "wrong"), ("admin", "admin"), ("Admin", ""), ("eva", "")])
def test_a_wrong_name_or_password_is_refused(tag_site: Any, user: str, password: str) -> None:
    with pytest.raises(UaStatusCodeError) as refused:
        with_client(tag_site[2], lambda client: client.get_namespace_array(), user, password)
    assert type(refused.value).__name__ == "BadUserAccessDenied"


def test_a_nameless_client_only_looks_where_the_site_says_nothing(tmp_path: Path) -> None:
    async def act(client: Client) -> tuple[str, str]:
        node = client.get_node("ns=2;s=hmi.p_set")
        await node.read_value()
        return await refusal(node.write_value(1.0)), await refusal(client.nodes.objects.add_folder(2, "mine"))

    scan = TestScan(tmp_path)
    with serving(scan.order("opcua")) as (_, port):
        assert with_client(port, act) == ("BadUserAccessDenied", "BadUserAccessDenied")
    assert scan.taken == []
    scan.stop()


def test_a_live_session_cannot_be_taken_over_from_another_channel(tag_site: Any) -> None:
    """asyncua 2.1 hands a live session to whoever names its token on a new channel; its tokens count up from 1001."""

    async def act() -> tuple[str, bytes]:
        async with connected(tag_site[2], "eva", "volt") as victim:
            token = victim.uaclient.protocol.authentication_token
            thief = Client(url(tag_site[2]), timeout=5)
            await thief.connect_socket()
            try:
                await thief.send_hello()
                await thief.open_secure_channel()
                thief.uaclient.protocol.authentication_token = token
                name = await refusal(thief.activate_session())
            finally:
                thief.disconnect_socket()
            assert await victim.get_node("ns=2;s=bms.soc").read_data_value(raise_on_bad_status=False)
            return name, token.Identifier

    name, token = asyncio.run(act())
    assert name == "BadSessionIdInvalid"
    assert isinstance(token, bytes) and len(token) == 32


def test_another_sessions_subscription_cannot_be_touched(tag_site: Any) -> None:
    async def act() -> list[str]:
        async with connected(tag_site[2]) as victim, connected(tag_site[2]) as thief:
            subscription = await victim.create_subscription(100, Changes())
            number = subscription.subscription_id
            deleted = await thief.uaclient.delete_subscriptions([number])
            wanted = ua.TransferSubscriptionsParameters([number], False)
            [moved] = await thief.uaclient.transfer_subscriptions(wanted)
            await subscription.subscribe_data_change(victim.get_node("ns=2;s=bms.soc"))
            return [deleted[0].name, moved.StatusCode.name]

    assert asyncio.run(act()) == ["BadSubscriptionIdInvalid", "BadSubscriptionIdInvalid"]


def test_nobody_registers_a_server(tag_site: Any) -> None:
    async def act(client: Client) -> str:
        evil = ua.RegisteredServer(ServerUri="urn:evil", ServerNames=[ua.LocalizedText("evil")])
        return await refusal(client.uaclient.register_server(evil))

    assert with_client(tag_site[2], act) == "BadServiceUnsupported"


def test_a_session_ends_with_its_connection(tag_site: Any) -> None:
    async def act() -> None:
        client = Client(url(tag_site[2]), timeout=5)
        await client.connect()
        await client.create_subscription(100, Changes())
        client.disconnect_socket()
        await asyncio.sleep(0.1)

    asyncio.run(act())
    eventually(lambda: tag_site[1].status()["subscriptions"] == 0 and tag_site[1].status()["clients"] == 0)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 64,
        b"HELF\xff\xff\xff\x7f",
        b"HELF\x08\x00\x00\x00",
        b"MSGF\x10\x00\x00\x00" + b"\xff" * 8,
    ],
    ids=["http", "zeros", "huge", "empty hello", "message first"],
)
def test_hostile_bytes_end_nothing_but_their_connection(tag_site: Any, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", tag_site[2]), timeout=5) as sock:
        sock.sendall(data)
        time.sleep(0.05)
    with_client(tag_site[2], lambda client: client.get_namespace_array())
    assert tag_site[1].process.poll() is None


def test_a_message_that_never_ends_is_cut_off(tag_site: Any) -> None:
    with socket.create_connection(("127.0.0.1", tag_site[2]), timeout=5) as sock:
        sock.sendall(b"HELF\xff\xff\xff\x7f")
        with pytest.raises(OSError):
            for _ in range(200):
                sock.sendall(b"x" * 65536)
