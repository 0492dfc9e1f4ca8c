"""Who gets in over OPC UA: channels by certificate, people by password or certificate, each wrong one refused by its own code.

asyncua is the client; what it would never send is put into its mouth. OPC UA part 4, 5.5 to 5.6 and 7.38, has the codes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies, uacrypto
from asyncua.crypto.security_policies import SecurityPolicyAes256Sha256RsaPss, SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import UaStatusCodeError

from runtime.child import ServiceOrder
from runtime.model import TagRegion
from runtime.servers.certificates import Certificates
from runtime.servers.opcua.identity import Caller, Identity, RefusedError
from runtime.servers.opcua.settings import OpcuaSettings
from runtime.servers.users import Users, add_certificate, read_users, remove_user
from runtime.source import Report
from tests.aids.servers_pki import URI, Made, made, revocation_list
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan
from tests.aids.servers_users import with_users

POLICIES = (SecurityPolicyBasic256Sha256, SecurityPolicyAes256Sha256RsaPss)
MODES = (ua.MessageSecurityMode.Sign, ua.MessageSecurityMode.SignAndEncrypt)
SECURE = ua.MessageSecurityMode.SignAndEncrypt
WORD = "volt-ampere"


@dataclass
class Site:
    """A server that asks for certificates, and one beside it that takes clients without."""

    folder: Path
    strict: ServerProcess
    strict_port: int
    lax: ServerProcess
    lax_port: int
    scada: Made
    root: Made

    @property
    def pki(self) -> Certificates:
        return Certificates(self.folder / "state" / "pki")

    @property
    def users(self) -> Path:
        return self.folder / "users.yaml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("security")
    scan = TestScan(folder)
    people = {"eva": ("engineer", WORD), "ida": ("operator", WORD), "leo": ("viewer", WORD)}
    order = replace(scan.order("opcua", security="sign", anonymous="viewer"), state_dir=str(folder / "state"))
    scada, root = made("scada"), made("root", ca=True, number=1)
    pki = Certificates(folder / "state" / "pki")
    pki.trust(scada.der)
    pki.trust(root.der)
    add = with_users(order, folder, **people)
    lax = replace(add, run_dir=str(folder / "lax"), settings={"port": "0", "allow": ["127.0.0.1"]})
    (folder / "lax").mkdir()
    (folder / "lax" / "scan.image").symlink_to(folder / "scan.image")
    for name in ("eva", "ida"):
        add_certificate(folder / "users.yaml", name, made(name, number=2).write(folder, name)[0])
    with serving(add) as (server, port), serving(lax) as (other, other_port):
        yield Site(folder, server, port, other, other_port, scada, root)
    scan.stop()


@contextlib.asynccontextmanager
async def connected(
    port: int,
    mine: Made | None = None,
    policy: Any = SecurityPolicyBasic256Sha256,
    mode: ua.MessageSecurityMode = SECURE,
    user: tuple[str, str] | None = None,
    person: Made | None = None,
    uri: str = URI,
) -> AsyncIterator[Client]:
    client = Client(f"opc.tcp://127.0.0.1:{port}/bessplc", timeout=5)
    client.application_uri = uri
    if mine is not None:
        await client.set_security(
            policy,
            certificate=uacrypto.CertProperties(mine.der, "der"),
            private_key=uacrypto.CertProperties(mine.key_pem, "pem"),
            mode=mode,
        )
    if user:
        client.set_user(user[0])
        client.set_password(user[1])
    if person is not None:
        await client.load_client_certificate(person.der)  # type: ignore[arg-type]
        await client.load_private_key(person.key_pem, extension="pem")  # type: ignore[arg-type]
    async with client:
        yield client


def outcome(port: int, *args: Any, **options: Any) -> str:
    """ "Good", or the name of the status code that the client is told."""

    async def act() -> str:
        try:
            async with connected(port, *args, **options) as client:
                await client.get_node("ns=2;s=bms.soc").read_data_value(raise_on_bad_status=False)
        except UaStatusCodeError as error:
            return type(error).__name__
        except (ConnectionError, TimeoutError, asyncio.CancelledError) as error:
            return type(error).__name__
        return "Good"

    return asyncio.run(act())


def logins(server: ServerProcess, user: str) -> list[str]:
    return [line["answer"] for line in server.lines() if line["event"] == "login" and line["user"] == user]


# channels


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_a_trusted_client_comes_in_by_either_policy_signed_or_encrypted(site: Site, policy: Any, mode: Any) -> None:
    assert outcome(site.strict_port, site.scada, policy, mode) == "Good"
    assert outcome(site.strict_port, site.scada, policy, mode, user=("eva", WORD)) == "Good"
    assert outcome(site.strict_port, site.scada, policy, mode, person=made_again(site, "eva")) == "Good"


def made_again(site: Site, name: str) -> Made:
    """The certificate that was given to this user."""
    from cryptography import x509

    return Made(x509.load_der_x509_certificate((site.folder / f"{name}.der").read_bytes()), made(name, number=2).private)


@pytest.mark.parametrize(
    ("wrong", "trusted", "code"),
    [
        ({}, False, "BadCertificateUntrusted"),
        ({"ends": timedelta(minutes=-1)}, True, "BadCertificateTimeInvalid"),
        ({"starts": timedelta(minutes=5)}, True, "BadCertificateTimeInvalid"),
        ({"bits": 1024}, True, "BadCertificatePolicyCheckFailed"),
        ({"uri": "urn:test:other"}, True, "BadCertificateUriInvalid"),
        ({"purpose": "1.3.6.1.5.5.7.3.1"}, True, "BadCertificateUseNotAllowed"),
    ],
    ids=["untrusted", "expired", "not yet valid", "weak key", "another application's", "a server's"],
)
def test_a_client_with_a_wrong_certificate_is_told_what_is_wrong(site: Site, wrong: Any, trusted: bool, code: str) -> None:
    if "purpose" in wrong:
        from cryptography.x509 import ObjectIdentifier

        wrong = {"purpose": ObjectIdentifier(wrong["purpose"])}
    one = made("stranger", number=3, **wrong)
    if trusted:
        site.pki.trust(one.der)
    assert outcome(site.strict_port, one) == code
    rejected = [der for _, der in site.pki.listed("rejected")]
    assert (one.der in rejected) == (code == "BadCertificateUntrusted")


def test_a_client_that_was_turned_away_comes_in_once_it_is_trusted_and_not_after_that(site: Site) -> None:
    hmi = made("hmi", number=3)
    assert outcome(site.strict_port, hmi) == "BadCertificateUntrusted"
    site.pki.trust(hmi.der)
    assert outcome(site.strict_port, hmi) == "Good"
    site.pki.reject(hmi.der)
    assert outcome(site.strict_port, hmi) == "BadCertificateUntrusted"


def test_an_authoritys_client_comes_in_until_it_is_revoked(site: Site) -> None:
    gateway = made("gateway", issuer=site.root, number=3)
    assert outcome(site.strict_port, gateway) == "Good"
    (site.folder / "state" / "pki" / "crl" / "root.crl").write_bytes(revocation_list(site.root, gateway))
    assert outcome(site.strict_port, gateway) == "BadCertificateRevoked"
    assert outcome(site.strict_port, made("other", issuer=site.root, number=3)) == "Good"


def test_the_certificate_of_another_without_its_key_opens_nothing(site: Site) -> None:
    thief = Made(site.scada.certificate, made("thief", number=4).private)
    assert outcome(site.strict_port, thief) != "Good"
    assert outcome(site.strict_port, site.scada) == "Good"


def test_a_session_needs_the_certificate_of_its_channel(site: Site) -> None:
    """asyncua itself looks only at the one that the request names."""

    async def act() -> str:
        async with contextlib.AsyncExitStack() as stack:
            client = Client(f"opc.tcp://127.0.0.1:{site.strict_port}/bessplc", timeout=5)
            certificate = uacrypto.CertProperties(site.scada.der, "der")
            private = uacrypto.CertProperties(site.scada.key_pem, "pem")
            await client.set_security(SecurityPolicyBasic256Sha256, certificate=certificate, private_key=private, mode=SECURE)
            client.application_uri = URI
            client.security_policy.host_certificate, own = made("victim").der, client.security_policy.host_certificate
            await client.connect_socket()
            stack.callback(client.disconnect_socket)
            await client.send_hello()
            client.security_policy.host_certificate, other = own, client.security_policy.host_certificate
            await client.open_secure_channel()
            client.security_policy.host_certificate = other
            try:
                await client.create_session()
            except UaStatusCodeError as error:
                return type(error).__name__
        return "Good"

    assert asyncio.run(act()) == "BadSecurityChecksFailed"


def test_what_is_offered_is_exactly_what_is_taken(site: Site) -> None:
    async def offered(port: int) -> set[tuple[str, str, frozenset[str]]]:
        found = await Client(f"opc.tcp://127.0.0.1:{port}/bessplc").connect_and_get_server_endpoints()
        return {
            (e.SecurityPolicyUri.split("#")[1], e.SecurityMode.name, frozenset(t.TokenType.name for t in e.UserIdentityTokens))
            for e in found
        }

    tokens = frozenset({"Anonymous", "UserName", "Certificate"})
    secured = {
        (policy, mode, tokens) for policy in ("Basic256Sha256", "Aes256_Sha256_RsaPss") for mode in ("Sign", "SignAndEncrypt")
    }
    assert asyncio.run(offered(site.strict_port)) == secured, "endpoints may be asked for without a certificate"
    assert asyncio.run(offered(site.lax_port)) == secured | {("None", "None_", tokens)}


def test_without_security_there_is_no_session_where_the_site_asks_for_it(site: Site) -> None:
    assert outcome(site.strict_port) == "BadSecurityPolicyRejected"
    assert outcome(site.strict_port, user=("eva", WORD)) == "BadSecurityPolicyRejected"
    assert outcome(site.lax_port) == "Good"


def test_who_is_turned_away_is_in_the_audit_log_with_the_reason(site: Site) -> None:
    outcome(site.strict_port, made("audited", number=3))
    said = lambda: [line for line in site.strict.lines() if line["event"] == "connect" and "audited" in line["subject"]]  # noqa: E731
    lines = eventually(said)
    assert len(lines) == 1 and "bessplc certificate trust" in lines[0]["answer"] and lines[0]["peer"] == "127.0.0.1"


def test_a_client_outside_of_the_allowed_networks_is_not_even_answered(site: Site) -> None:
    hello = (
        b"HELF" + (57).to_bytes(4, "little") + bytes(4) + 2 * (65535).to_bytes(4, "little") + bytes(8) + b"\x19\0\0\0" + b"x" * 25
    )

    def answered(address: str) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", site.lax_port), timeout=5, source_address=(address, 0)) as sock:
                sock.sendall(hello)
                return sock.recv(3)
        except ConnectionError:
            return b""

    assert answered("127.0.0.1") == b"ACK" and answered("127.0.0.2") == b""


# people


def test_a_password_in_the_clear_is_taken_from_nobody_who_could_be_overheard(tmp_path: Path) -> None:
    order = with_users(ServiceOrder("opcua", "", "", "", 0, (), TagRegion(0, 0, 0, 0, 0), (), {}), tmp_path, eva=("viewer", WORD))
    heard: list[str] = []
    door: Any = SimpleNamespace(note=lambda who, action, subject, answer, taken: heard.append(answer))
    identity = Identity(OpcuaSettings(), Users(order.users), Certificates(tmp_path), None, door)
    token = ua.UserNameIdentityToken(UserName="eva", Password=WORD.encode())

    def comes(is_private: bool) -> Any:
        return asyncio.run(identity.identify(token, ua.SignatureData(), Caller("10.0.0.5", 4000, bytes(32), is_private)))

    assert (comes(True).name, comes(True).plc_role) == ("eva", "viewer")
    with pytest.raises(RefusedError):
        comes(False)
    assert heard[-1] == "a password in the clear over a network"


def test_a_password_crosses_an_unsecured_channel_encrypted_only(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def listen(self: Any, params: Any, *args: Any) -> None:
        usual(self, params, *args)
        sent.append(params.UserIdentityToken)

    usual = Client._add_user_auth
    monkeypatch.setattr(Client, "_add_user_auth", listen)
    assert outcome(site.lax_port, user=("ida", WORD)) == "Good"
    (token,) = sent
    assert token.EncryptionAlgorithm == SecurityPolicyBasic256Sha256.AsymmetricEncryptionURI
    assert b"volt" not in bytes(token.Password)


def test_a_password_that_was_recorded_is_no_good_in_another_session(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, recorded = Client._encrypt_password, []

    def play_back(self: Client, password: str, uri: str) -> tuple[bytes, str]:
        recorded.append(usual(self, password, uri))
        return recorded[0]

    monkeypatch.setattr(Client, "_encrypt_password", play_back)
    assert outcome(site.lax_port, user=("ida", WORD)) == "Good"
    assert outcome(site.lax_port, user=("ida", WORD)) == "BadIdentityTokenInvalid"


def test_an_encryption_that_can_be_broken_is_not_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA 1.5 tells a patient attacker what was encrypted (Bleichenbacher, 1998); asyncua takes it."""

    def weakly(self: Client, password: str, uri: str) -> tuple[bytes, str]:
        key = uacrypto.x509_from_der(self.security_policy.peer_certificate).public_key()
        plain = ua.ua_binary.Primitives.Bytes.pack(password.encode() + self._server_nonce)
        return uacrypto.encrypt_rsa15(key, plain), "http://www.w3.org/2001/04/xmlenc#rsa-1_5"

    monkeypatch.setattr(Client, "_encrypt_password", weakly)
    assert outcome(site.lax_port, user=("ida", WORD)) == "BadIdentityTokenRejected"


def test_wrong_names_and_wrong_passwords_are_told_the_same_and_audited(site: Site) -> None:
    for name in ("leo", "nobody.at.all"):
        assert outcome(site.lax_port, user=(name, "guess-guess")) == "BadUserAccessDenied"
        eventually(lambda name=name: logins(site.lax, name) == ["wrong name or password"])  # type: ignore[misc]
    assert outcome(site.lax_port, user=("leo", WORD)) == "Good"
    eventually(lambda: logins(site.lax, "leo")[-1] == "let in")


def test_a_person_without_the_private_key_is_refused(site: Site) -> None:
    eva = made_again(site, "eva")
    assert (
        outcome(site.strict_port, site.scada, person=Made(eva.certificate, made("x", number=4).private))
        == "BadUserSignatureInvalid"
    )
    assert outcome(site.strict_port, site.scada, person=made("eva", number=2)) == "BadUserAccessDenied", "nobody's certificate"
    assert outcome(site.lax_port, person=eva) == "Good", "the signature proves it, also without security"


def test_a_persons_signature_is_for_this_session_and_this_server_only(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[Any] = []
    usual = security_policies.sign_asymmetric

    def play_back(key: Any, data: bytes, uri: str) -> Any:
        recorded.append(usual(key, data, uri))
        return recorded[0]

    monkeypatch.setattr(security_policies, "sign_asymmetric", play_back)
    eva = made_again(site, "eva")
    assert outcome(site.strict_port, site.scada, person=eva) == "Good"
    assert outcome(site.strict_port, site.scada, person=eva) == "BadUserSignatureInvalid"


def test_a_sha1_signature_is_not_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def weakly(key: Any, data: bytes, uri: str) -> Any:
        return uacrypto.sign_sha1(key, data), "http://www.w3.org/2000/09/xmldsig#rsa-sha1"

    monkeypatch.setattr(security_policies, "sign_asymmetric", weakly)
    assert outcome(site.strict_port, site.scada, person=made_again(site, "eva")) == "BadIdentityTokenRejected"


def test_a_user_who_is_removed_while_the_server_runs_is_out(site: Site) -> None:
    async def act() -> None:
        async with connected(site.strict_port, site.scada, person=made_again(site, "ida")) as client:
            node = client.get_node("ns=2;s=bms.soc")
            await node.read_data_value(raise_on_bad_status=False)
            remove_user(site.users, "ida")
            until = time.monotonic() + 15
            while time.monotonic() < until:
                await node.read_data_value(raise_on_bad_status=False)
                await asyncio.sleep(0.1)
            raise AssertionError("the session of a removed user goes on")

    with pytest.raises((ConnectionError, UaStatusCodeError, TimeoutError, asyncio.CancelledError)):
        asyncio.run(act())
    assert "ida" not in read_users(site.users, Report())
    assert outcome(site.strict_port, site.scada, person=made_again(site, "ida")) == "BadUserAccessDenied"
    assert outcome(site.strict_port, site.scada, user=("ida", WORD)) == "BadUserAccessDenied"


def test_a_guesser_is_locked_out(site: Site) -> None:
    for _ in range(7):
        assert outcome(site.lax_port, user=("kim", "guess-guess")) == "BadUserAccessDenied"
    eventually(lambda: any(answer.startswith("locked out") for answer in logins(site.lax, "kim")))
    eventually(lambda: outcome(site.lax_port, user=("eva", WORD)) == "Good", 30)
