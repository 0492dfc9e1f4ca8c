"""Modbus over TLS: who shows which certificate, and what it lets them do. Source: MODBUS/TCP Security Protocol Specification."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pymodbus.pdu import DecodePDU

from runtime.child import ServiceOrder
from runtime.servers.certificates_read import facts, fingerprint_of, read_certificate
from runtime.servers.modbus.settings import TlsSettings
from runtime.servers.modbus.tls import Tls, role_in
from runtime.servers.users import add_certificate, add_user, remove_certificate, set_role
from tests.aids.servers_modbus import ONE_COIL, ask, listening_at, request
from tests.aids.servers_modbus_tls import Badge, ask_secured, context_of, make_badge
from tests.aids.servers_pki import made
from tests.aids.servers_process import ServerProcess, eventually
from tests.aids.servers_scan import TestScan

READ, WRITE = request(1, 1, ONE_COIL), request(2, 1, b"\x05\x00\x00\xff\x00")
DENIED = request(2, 1, b"\x85\x02")


@dataclass
class Site:
    """Two servers over one scan: `optional` asks for certificates, `required` wants them and has no plain port."""

    scan: TestScan
    folder: Path
    own: Path
    badges: dict[str, Badge]
    optional: dict[str, int]
    required: dict[str, int]
    server: ServerProcess


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    roles = {
        "operator": "operator",
        "viewer": "viewer",
        "guest": None,
        "eva": None,
        "odd": "Emperor",
        "late": None,
        "ida": None,
        "old": "operator",
    }
    badges = {name: make_badge(folder, name, role, days=-1 if name == "old" else 30) for name, role in roles.items()}
    stranger = make_badge(folder, "stranger", "admin")
    trusted = folder / "state" / "pki" / "trusted"
    trusted.mkdir(parents=True)
    for name in set(badges) - {"late"}:
        (trusted / f"{name}.der").write_bytes(badges[name].der)
    add_user(folder / "users.yaml", "eva", "engineer")
    add_certificate(folder / "users.yaml", "eva", badges["eva"].pem)
    add_user(folder / "users.yaml", "ida", "engineer")
    add_certificate(folder / "users.yaml", "ida", badges["ida"].pem)
    scan = TestScan(folder)
    words = {"clients_per_address": "64", "write": {"127.0.0.1": "operator", "127.0.0.0/8": "viewer"}}
    base = scan.order("modbus", **words)
    base = replace(base, state_dir=str(folder / "state"), users=str(folder / "users.yaml"))
    other = folder / "other"
    other.mkdir()
    orders = [
        with_words(base, tls={"port": "0", "clients": "optional"}),
        with_words(base, tls={"port": "0"}, port="none", write=["127.0.0.0/8"]),
    ]
    servers = []
    ports = []
    scans = [scan, TestScan(other)]
    for order, one in zip(orders, scans, strict=True):
        servers.append(ServerProcess(replace(order, run_dir=str(one.folder))))
        ports.append(listening_at(servers[-1]))
    own = folder / "state" / "pki" / "own" / "certificate.pem"
    yield Site(scan, folder, own, badges | {"stranger": stranger}, ports[0], ports[1], servers[0])
    for server in servers:
        server.end()
    for one in scans:
        one.stop()


def with_words(order: ServiceOrder, **words: Any) -> ServiceOrder:
    return replace(order, settings={**order.settings, **words})


def test_a_client_sees_the_sites_own_certificate_and_is_answered_with_the_header_of_modbus_tcp(site: Site) -> None:
    """Unlike pymodbus' TLS framer, which leaves the header out: the specification (4) puts the whole ADU into TLS."""
    (answer,) = ask_secured(site.optional["modbus-tls"], context_of(None, site.own), READ)
    assert answer[:7] == b"\x00\x01\x00\x00\x00\x04\x01"
    pdu = DecodePDU(False).decode(answer[7:])
    assert pdu is not None and pdu.bits[0] is False


@pytest.mark.parametrize(
    ("name", "answer"),
    [("operator", WRITE), ("viewer", DENIED), ("guest", DENIED), ("odd", DENIED), ("eva", WRITE)],
)
def test_what_one_may_write_stands_in_the_certificate_or_in_the_users_file(site: Site, name: str, answer: bytes) -> None:
    answers = ask_secured(site.optional["modbus-tls"], context_of(site.badges[name]), READ, WRITE)
    assert [len(answers), answers[-1]] == [2, answer]


def test_a_client_without_a_certificate_has_the_role_of_its_network(site: Site) -> None:
    assert ask_secured(site.optional["modbus-tls"], context_of(None), WRITE) == [WRITE]
    assert ask(site.optional["modbus-tcp"], WRITE) == WRITE


def test_a_network_takes_away_what_a_certificate_gives(site: Site) -> None:
    """Eva is an engineer, her network is the operators'."""
    site.scan.taken.clear()
    ask_secured(site.optional["modbus-tls"], context_of(site.badges["eva"]), WRITE)
    eventually(lambda: site.scan.taken)
    assert site.scan.taken == [("hmi.enable", 0, 1, "operator")]


def test_the_audit_line_names_the_user_of_the_certificate(site: Site) -> None:
    ask_secured(site.optional["modbus-tls"], context_of(site.badges["eva"]), WRITE)
    eventually(lambda: any(line.get("audit") and line["user"] == "eva" for line in site.server.lines()))


@pytest.mark.parametrize("name", ["stranger", "old"])
@pytest.mark.parametrize("where", ["optional", "required"])
def test_an_untrusted_or_expired_certificate_gets_no_answer(site: Site, name: str, where: str) -> None:
    assert ask_secured(getattr(site, where)["modbus-tls"], context_of(site.badges[name]), READ) == []


def test_where_certificates_are_required_nobody_comes_in_without(site: Site) -> None:
    assert list(site.required) == ["modbus-tls"]
    assert ask_secured(site.required["modbus-tls"], context_of(None), READ) == []
    assert ask_secured(site.required["modbus-tls"], context_of(site.badges["operator"]), WRITE) == [WRITE]


def test_plain_modbus_on_the_tls_port_gets_no_answer(site: Site) -> None:
    try:
        answer = ask(site.required["modbus-tls"], READ)
    except (ConnectionResetError, TimeoutError):
        answer = b""
    assert answer[:2] != READ[:2] and len(answer) < 10


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_before_1_2_is_refused(site: Site) -> None:
    context = context_of(site.badges["operator"])
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    assert ask_secured(site.optional["modbus-tls"], context, READ) == []
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert len(ask_secured(site.optional["modbus-tls"], context, READ)) == 1


def test_a_certificate_that_is_trusted_later_comes_in_and_one_taken_out_does_not(site: Site) -> None:
    context, port = context_of(site.badges["late"]), site.required["modbus-tls"]
    assert ask_secured(port, context, READ) == []
    file = site.folder / "state" / "pki" / "trusted" / "late.der"
    file.write_bytes(site.badges["late"].der)
    eventually(lambda: ask_secured(port, context, READ))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, context.wrap_socket(plain) as connected:
        connected.sendall(READ)
        assert connected.recv(10)[:2] == READ[:2]
        time.sleep(1.2)  # the server looks once a second
        file.unlink()
        eventually(lambda: ask_secured(port, context, READ) == [])
        with contextlib.suppress(ConnectionResetError):
            assert connected.recv(1) == b"", "whoever is connected is shown out too"


@contextlib.contextmanager
def connected(port: int, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """A client that was answered, so the server knows it by now."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, context.wrap_socket(plain) as sock:
        sock.sendall(READ)
        assert sock.recv(10)[:2] == READ[:2]
        yield sock


def is_ended(sock: ssl.SSLSocket) -> bool:
    """Waits for the server to end the connection, longer than it needs; an idle one would stay for a minute."""
    sock.settimeout(20)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_connection_ends_with_the_role_or_the_certificate_that_its_user_had(site: Site) -> None:
    """A right that was taken away is not kept by whoever stays connected."""
    users, port, context = site.folder / "users.yaml", site.optional["modbus-tls"], context_of(site.badges["ida"])
    with connected(port, context) as sock:
        set_role(users, "ida", "viewer")
        assert is_ended(sock)
    with connected(port, context) as sock:
        remove_certificate(users, "ida", fingerprint_of(site.badges["ida"].der))
        assert is_ended(sock)


@pytest.fixture
def own_order(site: Site, tmp_path: Path) -> ServiceOrder:
    """A server with a state folder of its own that has the site's certificate already."""
    shutil.copytree(site.own.parent, tmp_path / "pki" / "own")
    return replace(site.server.order, state_dir=str(tmp_path))


def test_an_issuer_that_comes_while_the_server_runs_is_no_anchor_of_the_handshake(own_order: ServiceOrder) -> None:
    """It only completes the chain: in `trusted/` it is one (OPC UA part 12, 7.8.3.1 on trust lists)."""
    tls, root = Tls(TlsSettings(), "127.0.0.1", own_order), made("root", ca=True)
    folder = Path(own_order.state_dir) / "pki"
    for room, anchors in (("issuers", []), ("trusted", [root.der])):
        (folder / room / "root.der").write_bytes(root.der)
        tls.refresh()
        assert tls.context.get_ca_certs(binary_form=True) == anchors


def test_a_site_may_have_any_name(own_order: ServiceOrder, tmp_path: Path) -> None:
    """An umlaut and a blank in the URI of the certificate that is made at the first start."""
    Tls(TlsSettings(), "127.0.0.1", replace(own_order, site="Speicher S\u00fcd", state_dir=str(tmp_path / "new")))
    own = read_certificate(tmp_path / "new" / "pki" / "own" / "certificate.der")
    assert facts(own)["uris"][0].endswith(":Speicher%20S%C3%BCd")


def test_whoever_may_not_come_in_or_finds_no_place_never_sees_a_handshake(own_order: ServiceOrder, tmp_path: Path) -> None:
    """A handshake costs a signature with the site's key: nobody outside `allow` shall have one, nor one host a thousand."""
    scan = TestScan(tmp_path)
    words = {"tls": {"port": "0", "clients": "none"}, "port": "none", "allow": "127.0.0.1", "clients_per_address": "2"}
    server = ServerProcess(replace(scan.order("modbus", **words), state_dir=own_order.state_dir))
    port, context = listening_at(server)["modbus-tls"], context_of(None)

    def shakes_hands(host: str = "127.0.0.1") -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(host, 0)) as plain:
            try:
                context.wrap_socket(plain).close()
            except (ssl.SSLError, ConnectionError):
                return False
        return True

    assert not shakes_hands("127.0.0.2")
    with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):  # they say nothing
        assert not shakes_hands()
    eventually(shakes_hands)
    said = [(line["peer"], line["reason"]) for line in server.lines() if line["event"] == "turned away"]
    assert said[0] == ("127.0.0.2", "not in `allow`") and "clients_per_address" in said[1][1]
    assert server.end() == 0
    scan.stop()


def test_the_role_is_read_from_the_extension_of_the_specification_only(tmp_path: Path) -> None:
    assert role_in(make_badge(tmp_path, "a", "Engineer").der) == "engineer"
    assert role_in(make_badge(tmp_path, "b", "root").der) == ""
    assert role_in(make_badge(tmp_path, "c").der) == ""
    assert role_in(b"no certificate") == ""
