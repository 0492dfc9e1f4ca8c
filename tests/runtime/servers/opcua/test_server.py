"""The OPC UA server as a SCADA client meets it: asyncua is the client, the server is its own process over a real image."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyAes256Sha256RsaPss, SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import UaStatusCodeError
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.engine import north
from runtime.quality import BAD_NOT_CONNECTED, GOOD_LOCAL_OVERRIDE, UNCERTAIN_LAST_USABLE
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan
from tests.aids.servers_users import with_users

Act = Callable[[Client], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, ServerProcess, int]]:
    scan = TestScan(tmp_path_factory.mktemp("opcua"))
    order = scan.order("opcua", anonymous="operator", every="50 ms")
    users = {"eva": ("engineer", "volt"), "max": ("viewer", "amp")}
    with serving(with_users(order, scan.folder, **users)) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def scan(plant: Any) -> Iterator[TestScan]:
    scan: TestScan = plant[0]
    scan.taken.clear()
    yield scan
    scan.answer, scan.silent, scan.frozen = 0, False, False
    for name in scan.by_name:
        scan.spoil(name, 0)


def url(port: int, user: str = "") -> str:
    return f"opc.tcp://{user + '@' if user else ''}127.0.0.1:{port}/bessplc"


@asynccontextmanager
async def connected(port: int, user: str = "", password: str = "") -> AsyncIterator[Client]:
    client = Client(url(port), timeout=10)
    if user:
        client.set_user(user)
        client.set_password(password)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


def with_client(port: int, act: Act, user: str = "", password: str = "") -> Any:
    async def run() -> Any:
        async with connected(port, user, password) as client:
            return await act(client)

    return asyncio.run(run())


async def becomes(read: Callable[[], Coroutine[Any, Any, Any]], expected: Any, timeout: float = 5) -> None:
    until = time.monotonic() + timeout
    while (found := await read()) != expected:
        assert time.monotonic() < until, f"still {found!r}, not {expected!r}"
        await asyncio.sleep(0.02)


def status_of(node: Any) -> Callable[[], Coroutine[Any, Any, int]]:
    async def read() -> int:
        value = await node.read_data_value(raise_on_bad_status=False)
        return int(value.StatusCode.value)

    return read


async def refusal(writing: Coroutine[Any, Any, Any]) -> str:
    try:
        await writing
    except UaStatusCodeError as error:
        return type(error).__name__
    return "Good"


def test_the_access_level_is_the_tags_and_the_users_is_the_roles(plant: Any) -> None:
    async def act(client: Client) -> Any:
        found = {}
        for name in ("bms.soc", "hmi.p_set", "hmi.limit"):
            node = client.get_node(f"ns=2;s={name}")
            found[name] = [
                ua.AccessLevel.CurrentWrite in await node.get_access_level(),
                ua.AccessLevel.CurrentWrite in await node.get_user_access_level(),
            ]
        return found

    read_only, writable, above_me = [False, False], [True, True], [True, False]
    assert with_client(plant[2], act) == {"bms.soc": read_only, "hmi.p_set": writable, "hmi.limit": above_me}
    assert with_client(plant[2], act, "eva", "volt") == {"bms.soc": read_only, "hmi.p_set": writable, "hmi.limit": writable}
    assert with_client(plant[2], act, "max", "amp") == {"bms.soc": read_only, "hmi.p_set": above_me, "hmi.limit": above_me}


# values, qualities, times


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("bms.soc", 42.5),
        ("bms.current", -1e-300),
        ("bms.ok", True),
        ("bms.cycles", -(2**31)),
        ("grid.energy", 2**63 - 1),
        ("plc.uptime", -(2**63)),
        ("bms.cell_v", [3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7, 3.8]),
        ("bms.current", math.inf),
    ],
)
def test_a_value_arrives_exactly(plant: Any, scan: TestScan, tag: str, value: Any) -> None:
    scan.set(tag, value)
    with_client(plant[2], lambda client: becomes(client.get_node(f"ns=2;s={tag}").read_value, value))


def test_nan_arrives(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        async def is_nan() -> bool:
            return math.isnan(await client.get_node("ns=2;s=bms.current").read_value())

        await becomes(is_nan, True)

    scan.set("bms.current", math.nan)
    with_client(plant[2], act)


@pytest.mark.parametrize(
    ("quality", "value"),
    [
        (UNCERTAIN_LAST_USABLE, 33.0),
        (GOOD_LOCAL_OVERRIDE, 33.0),
        (BAD_NOT_CONNECTED, None),
    ],
)
def test_quality_is_the_status_code_and_a_bad_value_is_null(plant: Any, scan: TestScan, quality: int, value: Any) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=bms.soc")
        await becomes(status_of(node), quality)
        return (await node.read_data_value(raise_on_bad_status=False)).Value.Value

    scan.set("bms.soc", 33.0)
    scan.spoil("bms.soc", quality)
    assert with_client(plant[2], act) == value


def test_the_source_time_is_when_the_device_was_read(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=bms.soc")
        await becomes(status_of(node), 0)
        await becomes(node.read_value, 61.0)
        both = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both)
        both.NodesToRead.append(ua.ReadValueId(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value))
        return (await client.uaclient.read(both))[0]

    with scan._lock:
        scan.times[scan.by_name["bms.soc"].index] = time.monotonic_ns() - 250_000_000
        scan.column("bms.soc")[:] = 61.0
        read_at = time.time() - 0.25
    value = with_client(plant[2], act)
    assert abs(value.SourceTimestamp.timestamp() - read_at) < 0.1
    assert value.ServerTimestamp >= value.SourceTimestamp
    with scan._lock:
        scan.times[:] = 0


class Changes:
    """Collects what a subscription is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, int]] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        code = data.monitored_item.Value.StatusCode
        self.seen.append((node.nodeid.Identifier, value, int(code.value) if code is not None else 0))


def test_a_subscription_is_told_what_changed_and_nothing_else(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> list[Any]:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        nodes = [client.get_node(f"ns=2;s={name}") for name in ("bms.soc", "bms.current", "bms.cell_v")]
        await subscription.subscribe_data_change(nodes)
        await asyncio.sleep(0.5)
        changes.seen.clear()
        scan.set("bms.soc", 77.0)
        await until(lambda: ("bms.soc", 77.0, 0) in changes.seen)
        scan.spoil("bms.soc", UNCERTAIN_LAST_USABLE)
        await until(lambda: ("bms.soc", 77.0, UNCERTAIN_LAST_USABLE) in changes.seen)
        scan.set("bms.cell_v", [1, 2, 3, 4, 5, 6, 7, 8])
        await until(lambda: any(name == "bms.cell_v" for name, *_ in changes.seen))
        await asyncio.sleep(0.3)
        return changes.seen

    scan.set("bms.soc", 10.0)
    seen = with_client(plant[2], act)
    assert seen == [("bms.soc", 77.0, 0), ("bms.soc", 77.0, UNCERTAIN_LAST_USABLE), ("bms.cell_v", [1.0, 2, 3, 4, 5, 6, 7, 8], 0)]


async def until(condition: Callable[[], bool], timeout: float = 5) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.02)


def test_nan_that_stays_nan_is_no_change(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> int:
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(client.get_node("ns=2;s=bms.current"))
        await asyncio.sleep(0.4)
        changes.seen.clear()
        await asyncio.sleep(0.4)
        return len(changes.seen)

    scan.set("bms.current", math.nan)
    assert with_client(plant[2], act) == 0


# writing


def test_a_write_is_taken_by_the_scan_before_it_is_answered_and_can_be_read_back(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=hmi.p_set")
        await node.write_value(-123.5)
        return await node.read_value()

    assert with_client(plant[2], act) == -123.5
    assert scan.taken == [("hmi.p_set", 0, -123.5, "operator")]


@pytest.mark.parametrize(
    ("tag", "value", "kind"),
    [
        ("hmi.enable", True, ua.VariantType.Boolean),
        ("hmi.count", -(2**62) - 1, ua.VariantType.Int64),
        ("hmi.delay", 1_500_000_000, ua.VariantType.Int64),
    ],
)
def test_every_type_can_be_written(plant: Any, scan: TestScan, tag: str, value: Any, kind: Any) -> None:
    with_client(plant[2], lambda client: client.get_node(f"ns=2;s={tag}").write_value(value, kind))
    assert scan.taken == [(tag, 0, value, "operator")]


def test_an_array_is_written_whole_or_by_index_range(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> Any:
        node = client.get_node("ns=2;s=hmi.steps")
        await node.write_value([1.0, 2.0, 3.0], ua.VariantType.Double)
        item = ua.WriteValue(
            NodeId=node.nodeid,
            AttributeId=ua.AttributeIds.Value,
            IndexRange="1:2",
            Value=ua.DataValue(ua.Variant([8.0, 9.0], ua.VariantType.Double)),
        )
        results = await client.uaclient.write(ua.WriteParameters(NodesToWrite=[item]))
        beyond = ua.WriteValue(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value, IndexRange="2:3", Value=item.Value)
        results += await client.uaclient.write(ua.WriteParameters(NodesToWrite=[beyond]))
        return [result.name for result in results], await node.read_value()

    assert with_client(plant[2], act) == (["Good", "BadIndexRangeNoData"], [1.0, 8.0, 9.0])


@pytest.mark.parametrize(
    ("tag", "value", "kind", "expected"),
    [
        ("hmi.p_set", 500.5, ua.VariantType.Double, "BadOutOfRange"),
        ("hmi.p_set", math.nan, ua.VariantType.Double, "BadOutOfRange"),
        ("hmi.p_set", 1, ua.VariantType.Int64, "BadTypeMismatch"),
        ("hmi.p_set", 1.0, ua.VariantType.Float, "BadTypeMismatch"),
        ("hmi.p_set", [1.0], ua.VariantType.Double, "BadTypeMismatch"),
        ("hmi.p_set", "1", ua.VariantType.String, "BadTypeMismatch"),
        ("hmi.steps", 1.0, ua.VariantType.Double, "BadTypeMismatch"),
        ("hmi.steps", [1.0], ua.VariantType.Double, "BadTypeMismatch"),
        ("hmi.enable", 1, ua.VariantType.Byte, "BadTypeMismatch"),
        ("hmi.limit", 5, ua.VariantType.Int32, "BadUserAccessDenied"),
        ("bms.soc", 5.0, ua.VariantType.Double, "BadNotWritable"),
        ("bms.nothing", 5.0, ua.VariantType.Double, "BadNodeIdUnknown"),
    ],
)
def test_a_refused_write_says_why(plant: Any, scan: TestScan, tag: str, value: Any, kind: Any, expected: str) -> None:
    async def act(client: Client) -> str:
        return await refusal(client.get_node(f"ns=2;s={tag}").write_value(value, kind))

    assert with_client(plant[2], act) == expected
    assert scan.taken == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (north.OUT_OF_RANGE, "BadOutOfRange"),
        (north.NOT_FINITE, "BadOutOfRange"),
        (north.ROLE_TOO_LOW, "BadUserAccessDenied"),
        (north.NOT_WRITABLE, "BadNotWritable"),
        (north.NOT_RUNNING, "BadInvalidState"),
        (north.REMOTE_LOCKED, "BadInvalidState"),
    ],
)
def test_the_scan_has_the_last_word(plant: Any, scan: TestScan, answer: int, expected: str) -> None:
    async def act(client: Client) -> str:
        return await refusal(client.get_node("ns=2;s=hmi.p_set").write_value(1.0))

    scan.answer = answer
    assert with_client(plant[2], act) == expected


def test_a_scan_that_takes_no_command_is_bad_timeout_after_a_second(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> tuple[str, float]:
        began = time.monotonic()
        return await refusal(client.get_node("ns=2;s=hmi.p_set").write_value(1.0)), time.monotonic() - began

    scan.silent = True
    name, seconds = with_client(plant[2], act)
    assert name == "BadTimeout"
    assert 0.9 < seconds < 5


def test_only_values_are_written(plant: Any) -> None:
    async def act(client: Client) -> list[str]:
        node = client.get_node("ns=2;s=hmi.p_set")
        text = ua.DataValue(ua.Variant(ua.LocalizedText("mine"), ua.VariantType.LocalizedText))
        level = ua.DataValue(ua.Variant(255, ua.VariantType.Byte))
        server = client.get_node(ua.ObjectIds.Server_ServiceLevel)
        return [
            await refusal(node.write_attribute(ua.AttributeIds.DisplayName, text)),
            await refusal(node.write_attribute(ua.AttributeIds.AccessLevel, level)),
            await refusal(server.write_value(1, ua.VariantType.Byte)),
        ]

    assert with_client(plant[2], act, "eva", "volt") == ["BadNotWritable"] * 3


def test_every_write_leaves_an_audit_line(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        await client.get_node("ns=2;s=hmi.limit").write_value(7, ua.VariantType.Int32)

    with_client(plant[2], act, "eva", "volt")
    told = eventually(lambda: [n for n in plant[1].lines() if n["event"] == "write" and (n["user"], n["value"]) == ("eva", 7)])
    line = told[-1]
    assert (line["user"], line["role"], line["tag"], line["value"], line["answer"]) == ("eva", "engineer", "hmi.limit", 7, "taken")
    assert line["peer"].startswith("127.0.0.1:")


# who may


@pytest.mark.parametrize(("user", "password"), [("eva", "wrong"), ("admin", "admin"), ("Admin", ""), ("eva", "")])
def test_a_wrong_name_or_password_is_refused(plant: Any, user: str, password: str) -> None:
    with pytest.raises(UaStatusCodeError) as refused:
        with_client(plant[2], lambda client: client.get_namespace_array(), user, password)
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


def test_a_live_session_cannot_be_taken_over_from_another_channel(plant: Any) -> None:
    """asyncua 2.1 hands a live session to whoever names its token on a new channel; its tokens count up from 1001."""

    async def act() -> tuple[str, bytes]:
        async with connected(plant[2], "eva", "volt") as victim:
            token = victim.uaclient.protocol.authentication_token
            thief = Client(url(plant[2]), timeout=5)
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


def test_another_sessions_subscription_cannot_be_touched(plant: Any) -> None:
    async def act() -> list[str]:
        async with connected(plant[2]) as victim, connected(plant[2]) as thief:
            subscription = await victim.create_subscription(100, Changes())
            number = subscription.subscription_id
            deleted = await thief.uaclient.delete_subscriptions([number])
            wanted = ua.TransferSubscriptionsParameters([number], False)
            moved = await refusal(thief.uaclient.transfer_subscriptions(wanted))
            await subscription.subscribe_data_change(victim.get_node("ns=2;s=bms.soc"))
            return [deleted[0].name, moved]

    assert asyncio.run(act()) == ["BadSubscriptionIdInvalid", "BadSubscriptionIdInvalid"]


def test_nobody_registers_a_server(plant: Any) -> None:
    async def act(client: Client) -> str:
        evil = ua.RegisteredServer(ServerUri="urn:evil", ServerNames=[ua.LocalizedText("evil")])
        return await refusal(client.uaclient.register_server(evil))

    assert with_client(plant[2], act) == "BadServiceUnsupported"


def test_a_session_ends_with_its_connection(plant: Any) -> None:
    async def act() -> None:
        client = Client(url(plant[2]), timeout=5)
        await client.connect()
        await client.create_subscription(100, Changes())
        client.disconnect_socket()
        await asyncio.sleep(0.1)

    asyncio.run(act())
    eventually(lambda: plant[1].status()["subscriptions"] == 0 and plant[1].status()["clients"] == 0)


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
def test_hostile_bytes_end_nothing_but_their_connection(plant: Any, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.sendall(data)
        time.sleep(0.05)
    with_client(plant[2], lambda client: client.get_namespace_array())
    assert plant[1].process.poll() is None


def test_a_message_that_never_ends_is_cut_off(plant: Any) -> None:
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.sendall(b"HELF\xff\xff\xff\x7f")
        with pytest.raises(OSError):
            for _ in range(200):
                sock.sendall(b"x" * 65536)


def make_certificate(folder: Path, name: str, uri: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.pem", folder / f"{name}.der"
    use = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    asyncio.run(setup_self_signed_certificate(key, certificate, uri, socket.gethostname(), use, {"commonName": name}))
    return certificate, key


@pytest.mark.parametrize("policy", [SecurityPolicyBasic256Sha256, SecurityPolicyAes256Sha256RsaPss])
def test_with_a_certificate_the_channel_is_encrypted(tmp_path: Path, policy: Any) -> None:
    async def act(port: int) -> str:
        client = Client(url(port), timeout=10)
        client.application_uri = "urn:test:client"
        await client.set_security(policy, certificate=mine[0], private_key=mine[1], mode=ua.MessageSecurityMode.SignAndEncrypt)
        client.set_user("eva")
        client.set_password("volt")
        async with client:
            await client.get_node("ns=2;s=hmi.limit").write_value(3, ua.VariantType.Int32)
            return client.security_policy.URI

    make_certificate(tmp_path, "server", f"urn:{socket.gethostname()}:bessplc:plant1")
    mine = make_certificate(tmp_path, "client", "urn:test:client")
    scan = TestScan(tmp_path)
    order = scan.order("opcua", anonymous="none", trust="any", certificate="server.der", key="server.pem")
    with serving(with_users(order, tmp_path, eva=("engineer", "volt"))) as (_, port):
        assert asyncio.run(act(port)) == policy.URI
        with pytest.raises(UaStatusCodeError):
            with_client(port, lambda client: client.get_namespace_array())
    assert scan.taken == [("hmi.limit", 0, 3, "engineer")]
    scan.stop()


def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "server.der").write_bytes(b"no certificate")
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("opcua", certificate="server.der", key="server.pem"))
    assert server.process.wait(30) == 78
    assert server.log().count("error[E004]") == 1
    server.end()
    scan.stop()


# the scan comes and goes, and so does the server


def test_a_scan_that_hangs_is_without_communication_and_it_recovers_by_itself(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> str:
        node = client.get_node("ns=2;s=bms.soc")
        await becomes(status_of(node), 0)
        scan.frozen = True
        await becomes(status_of(node), 0x80310000)
        refused = await refusal(client.get_node("ns=2;s=hmi.p_set").write_value(1.0))
        scan.frozen = False
        await becomes(status_of(node), 0)
        return refused

    assert with_client(plant[2], act) == "BadNoCommunication"
    assert scan.taken == [], "a write that was refused must not be carried out later"


def test_a_restarted_scan_is_found_again(plant: Any, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        node = client.get_node("ns=2;s=hmi.p_set")
        scan.stop()
        await becomes(status_of(node), 0x80310000)
        scan.start()
        await becomes(status_of(node), 0)
        await node.write_value(8.0)

    with_client(plant[2], act)
    assert scan.taken == [("hmi.p_set", 0, 8.0, "operator")]


def test_a_killed_server_leaves_nothing_that_keeps_the_next_one_from_starting(tmp_path: Path) -> None:
    async def act(client: Client) -> float:
        await client.get_node("ns=2;s=hmi.p_set").write_value(3.0)
        return await client.get_node("ns=2;s=hmi.p_set").read_value()

    scan = TestScan(tmp_path)
    first = ServerProcess(scan.order("opcua", anonymous="operator"))
    port = first.wait_until_listening()
    assert with_client(port, act) == 3.0
    os.kill(first.process.pid, signal.SIGKILL)
    assert first.process.wait(5) == -signal.SIGKILL
    with serving(scan.order("opcua", anonymous="operator", port=str(port))) as (_, again):
        assert again == port
        assert with_client(port, act) == 3.0
    first.end()
    scan.stop()


def test_sigterm_ends_it_in_order_and_sigint_does_not(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("opcua"))
    server.wait_until_listening()
    os.kill(server.process.pid, signal.SIGINT)
    time.sleep(0.2)
    assert server.process.poll() is None
    assert server.end() == 0
    assert not (tmp_path / "opcua.json").exists()
    assert not (tmp_path / "opcua.commands").exists()
    scan.stop()


def test_a_port_in_use_names_the_port_and_how_to_change_it(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ServerProcess(scan.order("opcua", port=str(port)))
        assert server.process.wait(20) == 69
    (line,) = server.lines()
    assert f"port {port}" in line["event"] and "config/site.yaml" in line["event"]
    server.end()
    scan.stop()
