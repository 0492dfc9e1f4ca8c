"""One table over the servers that ask for certificates: each kind of wrong one, what its owner sees, and what the log says.

OPC UA's codes are those of part 4, 7.38.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from asyncua import Client, ua
from asyncua.crypto import uacrypto
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import UaStatusCodeError

from runtime.servers.certificates import FOLDERS, Certificates
from runtime.servers.users import add_certificate, add_user, remove_user
from tests.aids.servers_modbus import ONE_COIL, listening_at, receive
from tests.aids.servers_modbus import request as modbus_request
from tests.aids.servers_pki import URI, Made, made, revocation_list
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan
from tests.aids.servers_shake import shake_and_ask, shown_by, tls_context

READ, HEALTH = modbus_request(1, 1, ONE_COIL), b"GET /health/live HTTP/1.1\r\nhost: plc\r\n\r\n"


@dataclass
class Site:
    """The three servers of one site, which share its certificates."""

    folder: Path
    opcua: ServerProcess
    modbus: ServerProcess
    rest: ServerProcess
    root: Made
    ida: Made

    @property
    def pki(self) -> Certificates:
        return Certificates(self.folder / "state" / "pki")

    @property
    def rejected(self) -> list[bytes]:
        return [der for _, der in self.pki.listed("rejected")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("table")
    pki, root = Certificates(folder / "state" / "pki"), made("root", ca=True, number=1)
    pki.trust(root.der)
    ida = made("ida", number=3)
    pki.trust(ida.der)
    add_user(folder / "users.yaml", "ida", "operator")
    add_certificate(folder / "users.yaml", "ida", ida.write(folder, "ida")[0])
    scan = TestScan(folder)
    orders = (
        scan.order("opcua", security="sign", anonymous="viewer"),
        scan.order("modbus", tls={"port": "0"}, port="none", clients_per_address="64"),
        scan.order("rest"),
    )
    at = {"state_dir": str(folder / "state"), "users": str(folder / "users.yaml")}
    servers = [ServerProcess(replace(order, **at)) for order in orders]
    try:
        for server in (servers[0], servers[2]):
            server.wait_until_listening(90)
        listening_at(servers[1])
        yield Site(folder, *servers, root, ida)
    finally:
        for server in servers:
            server.end()
        scan.stop()


def over_opcua(site: Site, one: Made) -> str:
    """ "Good", or the name of the status code that the client is told."""

    async def act() -> str:
        client = Client(f"opc.tcp://127.0.0.1:{site.opcua.wait_until_listening()}/bessplc", timeout=5)
        client.application_uri = URI
        await client.set_security(
            SecurityPolicyBasic256Sha256,
            certificate=uacrypto.CertProperties(one.der, "der"),
            private_key=uacrypto.CertProperties(one.key_pem, "pem"),
            mode=ua.MessageSecurityMode.SignAndEncrypt,
        )
        try:
            async with client:
                return "Good"
        except UaStatusCodeError as error:
            return type(error).__name__

    return asyncio.run(act())


def over_modbus(site: Site, one: Made | None) -> bool:
    """Whether a request is answered. asyncio ends a connection that it refuses before the TLS alert is on its way."""
    return shake_and_ask(listening_at(site.modbus)["modbus-tls"], tls_context(site.folder, one), READ) == "answered"


def told(server: ServerProcess, name: str) -> str:
    """What the server's log says of the client whose certificate has this name."""

    def found() -> str:
        lines = [line for line in server.lines() if line["level"] == "warning" and name in str(line)]
        return " ".join(str(line.get("reason") or line.get("answer")) for line in lines)

    return str(eventually(found))


TABLE = {  # what is wrong, whether it is trusted; what the owner sees over OPC UA and over Modbus/TLS; what the log says
    "good": ({}, True, "Good", True, ""),
    "untrusted": ({}, False, "BadCertificateUntrusted", False, "bessplc certificate trust"),
    "expired": ({"ends": timedelta(minutes=-1)}, True, "BadCertificateTimeInvalid", False, "clock"),
    "early": ({"starts": timedelta(minutes=5)}, True, "BadCertificateTimeInvalid", False, "not yet"),
    "another's URI": ({"uri": "urn:test:other"}, True, "BadCertificateUriInvalid", True, ""),
}


@pytest.mark.parametrize("row", TABLE)
def test_a_client_is_told_what_is_wrong_and_so_is_the_log(site: Site, row: str) -> None:
    wrong, is_trusted, code, is_answered, says = TABLE[row]
    for server, number in ((site.opcua, 2), (site.modbus, 3)):
        name = f"{list(TABLE).index(row)}-{server.order.service}"
        one = made(name, number=number, **wrong)
        if is_trusted:
            site.pki.trust(one.der)
        if server is site.opcua:
            assert over_opcua(site, one) == code
        else:
            assert over_modbus(site, one) is is_answered
        assert (one.der in site.rejected) == (not is_trusted), "what can be trusted is there to be trusted, and nothing else"
        assert not says or says in told(server, name)


def test_a_revoked_client_gets_no_answer_from_either(site: Site) -> None:
    gateway = made("gateway", issuer=site.root, number=2)
    assert (over_opcua(site, gateway), over_modbus(site, gateway)) == ("Good", True)
    (site.folder / "state" / "pki" / "crl" / "root.crl").write_bytes(revocation_list(site.root, gateway))
    assert over_opcua(site, gateway) == "BadCertificateRevoked"
    assert not over_modbus(site, gateway), "OpenSSL knows the authority only: the certificate is judged before the first byte"
    assert "revoked" in told(site.opcua, "gateway") and "revoked" in told(site.modbus, "gateway")


def test_a_tls_client_that_was_turned_away_is_in_at_once_when_its_fingerprint_was_trusted(site: Site) -> None:
    meter = made("meter", number=3)
    assert not over_modbus(site, meter)
    (line,) = [line for line in site.modbus.lines() if "meter" in line.get("certificate", "")]
    (der,) = site.pki.find(line["certificate"].split()[-1])
    site.pki.trust(der)
    assert over_modbus(site, meter), "also before the server has looked at its folders again"


def test_a_client_that_shows_none_is_told_of_in_the_log(site: Site) -> None:
    assert not over_modbus(site, None)
    eventually(lambda: any("shows no certificate" in str(line.get("reason")) for line in site.modbus.lines()))


def test_a_user_who_is_removed_loses_a_connection_that_is_open_for_months(site: Site) -> None:
    port, context = listening_at(site.modbus)["modbus-tls"], tls_context(site.folder, site.ida)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as sock:
        sock.sendall(READ)
        assert receive(sock, 10)
        remove_user(site.folder / "users.yaml", "ida")
        assert sock.recv(1) == b"", "within seconds, without being asked"


def test_strict_clients_believe_the_sites_certificate_by_its_names_and_no_other(site: Site) -> None:
    """What Python 3.13 sets by itself: RFC 5280 to the letter."""
    port, own = site.rest.wait_until_listening(), site.pki.read_own()
    for name in ("localhost", "127.0.0.1"):
        strict = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(own.der))
        strict.verify_flags |= ssl.VERIFY_X509_STRICT
        assert httpx.get(f"https://{name}:{port}/health/live", verify=strict).status_code == 200
    for one, request_, server in ((port, HEALTH, "REST"), (listening_at(site.modbus)["modbus-tls"], READ, "Modbus")):
        context = tls_context(site.folder, None, own.der)
        assert shake_and_ask(one, context, request_, "plc.example.com") == "CERTIFICATE_VERIFY_FAILED", server


def test_a_renewed_certificate_is_shown_from_the_next_start_on_and_until_then_the_old_one_with_its_key(site: Site) -> None:
    old = site.pki.read_own()
    tls = [site.rest.wait_until_listening(), listening_at(site.modbus)["modbus-tls"]]
    new = site.pki.renew(old.uri, ["localhost", "127.0.0.1"], 30)
    assert new.der != old.der and set(map(shown_by, tls)) == {old.der}
    beside = site.folder / "beside"
    beside.mkdir(exist_ok=True)
    (beside / "scan.image").symlink_to(site.folder / "scan.image")
    with serving(replace(site.rest.order, run_dir=str(beside))) as (again, port):
        assert shown_by(port) == new.der
        assert any("29 days" in line["event"] for line in again.lines())


def test_the_folders_are_what_an_opc_ua_person_expects(site: Site) -> None:
    assert {path.name for path in (site.folder / "state" / "pki").iterdir()} == set(FOLDERS)
