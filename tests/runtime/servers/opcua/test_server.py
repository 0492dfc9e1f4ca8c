"""The OPC UA server as a process: its own certificate, a scan that comes and goes, its end, a port that is taken."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyAes256Sha256RsaPss
from asyncua.ua.uaerrors import UaStatusCodeError
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.aids.servers_opcua import becomes, refusal, status_of, url, with_client
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_scan import TestScan
from tests.aids.servers_users import with_users


def make_certificate(folder: Path, name: str, uri: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.pem", folder / f"{name}.der"
    use = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    asyncio.run(setup_self_signed_certificate(key, certificate, uri, socket.gethostname(), use, {"commonName": name}))
    return certificate, key


def test_with_a_certificate_of_the_sites_own_the_channel_is_encrypted(tmp_path: Path) -> None:
    policy = SecurityPolicyAes256Sha256RsaPss

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


def test_a_scan_that_hangs_is_without_communication_and_it_recovers_by_itself(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> str:
        node = client.get_node("ns=2;s=bms.soc")
        await becomes(lambda: status_of(node), 0)
        scan.frozen = True
        await becomes(lambda: status_of(node), 0x80310000)
        refused = await refusal(client.get_node("ns=2;s=hmi.p_set").write_value(1.0))
        scan.frozen = False
        await becomes(lambda: status_of(node), 0)
        return refused

    assert with_client(tag_site[2], act) == "BadNoCommunication"
    assert scan.taken == [], "a write that was refused must not be carried out later"


def test_a_restarted_scan_is_found_again(tag_site: Any, scan: TestScan) -> None:
    async def act(client: Client) -> None:
        node = client.get_node("ns=2;s=hmi.p_set")
        scan.stop()
        await becomes(lambda: status_of(node), 0x80310000)
        scan.start()
        await becomes(lambda: status_of(node), 0)
        await node.write_value(8.0)

    with_client(tag_site[2], act)
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
