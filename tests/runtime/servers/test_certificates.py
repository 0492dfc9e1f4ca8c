"""The site's own certificate, and what is said to those of clients: each kind of wrong one by its own word."""

from __future__ import annotations

import shutil
import ssl
import stat
import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.servers import certificates as certificates_module
from runtime.servers import certificates_tls
from runtime.servers.certificates import Certificates
from runtime.servers.certificates_make import BUILT, Own, make, read_pair
from runtime.servers.certificates_read import CertificateError, chain_of, facts, fingerprint_of, pretty, read_certificate
from runtime.servers.certificates_tls import certificates_in
from tests.aids.servers_pki import URI, Made, made, odd_key, revocation_list

SITE = "urn:plc:bessplc:plant1"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    """A site's own certificate, made once."""
    return Certificates(tmp_path_factory.mktemp("own") / "pki").own_pair(SITE, ["plc", "10.1.0.5"])


@pytest.fixture
def pki(tmp_path: Path) -> Certificates:
    found = Certificates(tmp_path / "pki")
    for room in certificates_module.FOLDERS:
        (found.folder / room).mkdir(parents=True)
    return found


def put(pki: Certificates, room: str, one: Made | bytes, name: str = "one") -> None:
    (pki.folder / room / f"{name}.der").write_bytes(one if isinstance(one, bytes) else one.der)


# the site's own


def test_the_sites_own_certificate_is_an_opc_ua_application_instance_certificate(own: Own) -> None:
    """OPC UA part 6, 6.2.2, table 'Application Instance Certificate'."""
    found = x509.load_der_x509_certificate(own.der)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [SITE]
    assert names.get_values_for_type(x509.DNSName) == ["plc"]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == ["10.1.0.5"]
    assert all((usage.digital_signature, usage.content_commitment, usage.key_encipherment, usage.data_encipherment))
    assert {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= set(purposes)
    assert found.public_key().key_size == 3072 and found.signature_hash_algorithm.name == "sha256"  # type: ignore[union-attr]


def test_its_key_is_private_and_it_is_made_once_also_by_servers_that_start_together(own: Own) -> None:
    assert stat.S_IMODE(own.key.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (own.key.parent, own.key.parent.parent)] == [0o700, 0o700]
    found: list[bytes] = []
    again = Certificates(own.key.parent.parent)
    threads = [threading.Thread(target=lambda: found.append(again.own_pair(SITE, []).der)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [own.der] * 4


def test_a_folder_that_others_could_open_is_closed_to_them(pki: Certificates) -> None:
    """flock(2) asks for no more than a folder that can be opened: any user of this machine could have the servers wait."""
    pki.folder.chmod(0o755)
    pki.judge(made("scada").der, purpose="client")
    assert stat.S_IMODE(pki.folder.stat().st_mode) == 0o700 and pki.listed("rejected")


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl tool")
def test_openssl_reads_it_and_shows_the_same_fingerprint(own: Own) -> None:
    command = ["openssl", "x509", "-inform", "DER", "-in", str(own.certificate), "-noout", "-fingerprint", "-sha256"]
    assert pretty(fingerprint_of(own.der)) in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_clock_that_was_never_set_makes_a_certificate_that_is_valid_once_it_is(tmp_path: Path, monkeypatch: Any) -> None:
    from runtime.servers import certificates_make

    class Reset(certificates_make.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(1970, 1, 1, tzinfo=tz)

    monkeypatch.setattr(certificates_make, "datetime", Reset)
    make(tmp_path, SITE, ["plc"], bits=2048)
    found = x509.load_der_x509_certificate((tmp_path / "certificate.der").read_bytes())
    assert found.not_valid_before_utc == BUILT - timedelta(days=1) and found.not_valid_after_utc > BUILT + timedelta(days=3000)


def test_a_pair_that_does_not_fit_is_told(tmp_path: Path) -> None:
    certificate, _ = made("one", number=0).write(tmp_path, "one")
    _, other = made("two", number=1).write(tmp_path, "two")
    with pytest.raises(CertificateError, match="not the key"):
        read_pair(certificate, other)
    with pytest.raises(CertificateError, match="cannot be read"):
        read_pair(tmp_path / "none.der", other)
    (tmp_path / "broken.der").write_bytes(b"no certificate")
    with pytest.raises(CertificateError, match="no certificate"):
        read_pair(tmp_path / "broken.der", other)


def test_it_is_told_before_it_ends(pki: Certificates, tmp_path: Path) -> None:
    soon = read_pair(*made("plc", ends=timedelta(days=20)).write(tmp_path, "soon"))
    late = read_pair(*made("plc", ends=timedelta(days=-1), starts=timedelta(days=-9)).write(tmp_path, "late"))
    assert "19 days" in pki.worry(soon) and "clock" in pki.worry(late)


# judging


def test_a_client_is_trusted_once_its_certificate_was_put_there(pki: Certificates) -> None:
    scada = made("scada")
    first = pki.judge(scada.der, purpose="client", uri=URI)
    assert (first.why, first.name, first.fingerprint) == (
        "untrusted",
        "scada",
        scada.certificate.fingerprint(hashes.SHA256()).hex(),
    )
    (rejected,) = pki.listed("rejected")
    assert rejected[1] == scada.der and rejected[0].name.startswith("scada-")
    pki.trust(pki.find(pretty(first.fingerprint)[:23])[0])
    assert pki.judge(scada.der, purpose="client", uri=URI).is_taken
    assert not pki.listed("rejected")
    pki.reject(scada.der)
    assert pki.judge(scada.der, purpose="client").why == "untrusted"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"ends": timedelta(minutes=-1)}, "expired"),
        ({"starts": timedelta(minutes=5)}, "early"),
        ({"bits": 1024}, "weak"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "use"),
        ({"uri": "urn:test:other"}, "uri"),
    ],
)
def test_a_trusted_certificate_with_one_thing_wrong_is_refused_for_it(pki: Certificates, wrong: Any, why: str) -> None:
    one = made("scada", **wrong)
    put(pki, "trusted", one)
    verdict = pki.judge(one.der, purpose="client", uri=URI)
    assert verdict.why == why and (why not in ("early", "expired") or "clock" in verdict.text)
    assert not pki.listed("rejected"), "trusting it would not help"


@pytest.mark.parametrize(
    ("kind", "shown", "taken"),
    [("P-256", "EC 256", True), ("P-384", "EC 384", True), ("Ed25519", "Ed25519 256", True), ("P-192", "EC 192", False)],
)
def test_keys_of_other_kinds_than_rsa_are_known_by_their_strength(pki: Certificates, kind: str, shown: str, taken: bool) -> None:
    one = made("meter", private=odd_key(kind))
    put(pki, "trusted", one)
    assert facts(one.der)["key"] == shown
    assert pki.judge(one.der, purpose="tls").why == ("" if taken else "weak")


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl tool")
def test_a_signature_of_sha1_is_weak(pki: Certificates, tmp_path: Path) -> None:
    """Made by openssl: `cryptography` signs with SHA-1 no more."""
    file = tmp_path / "old.pem"
    command = f"openssl req -x509 -sha1 -newkey rsa:2048 -nodes -subj /CN=old -days 9 -keyout /dev/null -out {file}"
    subprocess.run(command.split(), check=True, capture_output=True)
    der = read_certificate(file)
    put(pki, "trusted", der)
    verdict = pki.judge(der, purpose="client")
    assert verdict.why == "weak" and "sha1" in verdict.text


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x82\xff\xff", b"no certificate", bytes(100_000)])
def test_what_is_no_certificate_is_broken(pki: Certificates, data: bytes) -> None:
    assert pki.judge(data, purpose="client").why == "broken"
    assert not list((pki.folder / "rejected").iterdir())


def test_every_byte_of_a_certificate_counts(pki: Certificates) -> None:
    scada = made("scada")
    put(pki, "trusted", scada)
    for n in range(0, len(scada.der), 7):
        bent = scada.der[:n] + bytes([scada.der[n] ^ 1]) + scada.der[n + 1 :]
        assert not pki.judge(bent, purpose="client").is_taken


def test_of_an_authority_that_is_trusted_every_client_is(pki: Certificates) -> None:
    root, other = made("root", ca=True, number=1), made("root", ca=True, number=2)
    put(pki, "trusted", root)
    assert pki.judge(made("scada", issuer=root).der, purpose="client", uri=URI).is_taken
    forged = pki.judge(made("scada", issuer=other).der, purpose="client")
    assert forged.why == "untrusted", "the same name, another key"


def test_an_issuer_only_completes_the_chain(pki: Certificates) -> None:
    root = made("root", ca=True, number=1)
    middle = made("middle", ca=True, number=2, issuer=root)
    scada = made("scada", issuer=middle)
    put(pki, "issuers", middle)
    assert pki.judge(scada.der, purpose="client").why == "untrusted"
    put(pki, "trusted", root)
    assert pki.judge(scada.der, purpose="client").is_taken
    (pki.folder / "issuers" / "one.der").unlink()
    assert pki.judge(scada.der, purpose="client").why == "untrusted"
    assert pki.judge(scada.der + middle.der, purpose="client").is_taken, "the client may bring the chain along"


def test_a_client_is_no_authority(pki: Certificates) -> None:
    scada = made("scada", number=1)
    put(pki, "trusted", scada)
    assert pki.judge(made("friend", issuer=scada).der, purpose="client").why == "untrusted"


def test_an_authority_that_has_ended_makes_nobody_trusted(pki: Certificates) -> None:
    root = made("root", ca=True, number=1, ends=timedelta(minutes=-1))
    put(pki, "trusted", root)
    assert pki.judge(made("scada", issuer=root).der, purpose="client").why == "untrusted"


def test_a_revoked_certificate_is_refused_by_its_own_authoritys_list_only(pki: Certificates) -> None:
    root, stranger = made("root", ca=True, number=1), made("root", ca=True, number=2)
    scada, hmi = made("scada", issuer=root), made("hmi", issuer=root)
    put(pki, "trusted", root)
    put(pki, "crl", revocation_list(root, scada, signer=stranger), "forged")
    assert pki.judge(scada.der, purpose="client").is_taken
    put(pki, "crl", revocation_list(root, scada), "right")
    assert pki.judge(scada.der, purpose="client").why == "revoked"
    assert pki.judge(hmi.der, purpose="client").is_taken


def test_a_persons_certificate_needs_no_trust_but_must_be_good(pki: Certificates) -> None:
    assert pki.judge(made("eva").der, purpose="user").is_taken
    assert pki.judge(made("eva", ends=timedelta(minutes=-1)).der, purpose="user").why == "expired"


def test_trusting_everybody_still_looks_at_the_rest(pki: Certificates) -> None:
    anybody = Certificates(pki.folder, trust_any=True)
    assert anybody.judge(made("scada").der, purpose="client").is_taken
    assert anybody.judge(made("scada", ends=timedelta(minutes=-1)).der, purpose="client").why == "expired"


def test_the_rejected_ones_are_bounded(pki: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates_module, "MOST_REJECTED", 5)
    last = [made(f"client{n}") for n in range(9)]
    for one in last:
        pki.judge(one.der, purpose="client")
    assert len(pki.listed("rejected")) == 5 and last[-1].der in [der for _, der in pki.listed("rejected")]


def test_a_client_that_makes_a_new_one_for_each_connection_does_not_wear_out_the_disk(
    pki: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates_module, "MOST_KEPT", 3)
    assert [pki.judge(made(f"flood{n}").der, purpose="client").why for n in range(6)] == ["untrusted"] * 6
    assert len(pki.listed("rejected")) == 3


def test_a_name_cannot_lead_out_of_the_folder(pki: Certificates) -> None:
    for name in ("../../etc/passwd", "\u202e/..", ".", "a" * 60):
        pki.judge(made(name).der, purpose="client")
    assert all(path.resolve().parent == (pki.folder / "rejected").resolve() for path, _ in pki.listed("rejected"))
    assert len(pki.listed("rejected")) == 4 and not list(pki.folder.parent.glob("*.der"))


def test_a_file_that_is_no_certificate_does_not_stop_the_others(pki: Certificates) -> None:
    scada = made("scada")
    put(pki, "trusted", b"no certificate", "broken")
    (pki.folder / "trusted" / "scada.pem").write_bytes(scada.pem)
    put(pki, "crl", b"no list", "broken")
    assert pki.judge(scada.der, purpose="client").is_taken


def test_files_and_chains_are_read_as_der_and_pem(tmp_path: Path) -> None:
    one, two = made("one"), made("two")
    (tmp_path / "one.pem").write_bytes(one.pem)
    (tmp_path / "two.der").write_bytes(two.der)
    assert read_certificate(tmp_path / "one.pem") == one.der and read_certificate(tmp_path / "two.der") == two.der
    assert chain_of(one.der + two.der) == [one.der, two.der]
    assert facts(one.der)["uris"] == [URI] and facts(one.der)["key"] == "RSA 2048"


# TLS


def shake(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[bytes | None, str]:
    """A handshake in memory: the client's certificate as the server sees it, and the TLS version."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = server.wrap_bio(to_server, to_client, server_side=True)
    there = client.wrap_bio(to_client, to_server, server_hostname="10.1.0.5")
    waiting = [there, here, there, here, there]
    for side in waiting:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    here.write(b"x")
    assert there.read(1) == b"x"
    return here.getpeercert(binary_form=True), str(here.version())


def client_context(own: Own, mine: Made | None, tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=own.der)
    if mine is not None:
        (tmp_path / "client.pem").write_bytes(mine.pem + mine.key_pem)
        context.load_cert_chain(tmp_path / "client.pem")
    return context


def test_the_sites_certificate_is_good_for_tls_and_a_trusted_client_is_seen(own: Own, pki: Certificates, tmp_path: Path) -> None:
    scada = made("scada")
    put(pki, "trusted", scada)
    server = pki.server_context(own, clients="required")
    assert shake(server, client_context(own, scada, tmp_path)) == (scada.der, "TLSv1.3")
    for stranger in (made("scada", number=1), None):
        with pytest.raises(ssl.SSLError):
            shake(server, client_context(own, stranger, tmp_path))


def test_an_issuer_makes_nobody_trusted_over_tls_and_later_trust_counts(own: Own, pki: Certificates, tmp_path: Path) -> None:
    root = made("root", ca=True, number=1)
    scada = made("scada", issuer=root)
    put(pki, "issuers", root)
    server = pki.server_context(own, clients="required")
    with pytest.raises(ssl.SSLError):
        shake(server, client_context(own, scada, tmp_path))
    put(pki, "trusted", root)
    pki.admit(server)
    assert shake(server, client_context(own, scada, tmp_path))[0] == scada.der


def test_the_chain_that_is_shown_is_never_half_written(own: Own, pki: Certificates) -> None:
    """Another server of the site may be reading it: the old file stays whole for whoever has it open."""
    shown = pki.folder / "own" / "shown.pem"
    shown.write_text("of the certificate before")
    with shown.open() as reading:
        pki.server_context(own)
        assert reading.read() == "of the certificate before"
    assert read_certificate(shown) == own.der and [path.name for path in shown.parent.iterdir()] == ["shown.pem"]


def test_old_tls_is_not_spoken_and_without_client_certificates_none_is_asked(own: Own, pki: Certificates, tmp_path: Path) -> None:
    server = pki.server_context(own)
    client = client_context(own, None, tmp_path)
    assert shake(server, client)[0] is None
    client.minimum_version = ssl.TLSVersion.TLSv1_2
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake(server, client)[1] == "TLSv1.2"
    assert server.minimum_version == ssl.TLSVersion.TLSv1_2


def test_self_signed_certificates_of_common_tools_are_good_for_tls_under_every_python(
    own: Own, pki: Certificates, tmp_path: Path
) -> None:
    """Without basic constraints, key usage or key identifiers, which `ssl` refuses where it is strict (a default of 3.13)."""
    server = pki.server_context(own, clients="required")
    assert not server.verify_flags & ssl.VERIFY_X509_STRICT and server.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    for one in (made("tool", bare=True), made("meter", private=odd_key("P-256")), made("node", private=odd_key("Ed25519"))):
        pki.trust(one.der)
        assert shake(server, client_context(own, one, tmp_path))[0] == one.der


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_a_client_that_openssl_turned_away_can_be_trusted_by_its_fingerprint(
    own: Own, pki: Certificates, tmp_path: Path, version: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    scada = made(f"scada{version.name}")
    server, client = pki.server_context(own, clients="required"), client_context(own, scada, tmp_path)
    client.minimum_version = client.maximum_version = version
    for _ in range(3):
        with pytest.raises(ssl.SSLError):
            shake(server, client)
    assert [der for _, der in pki.listed("rejected")] == [scada.der]
    said = capsys.readouterr().out
    assert said.count("turned away a TLS client") == 1 and fingerprint_of(scada.der)[:16] in said
    assert "bessplc certificate trust" in said
    pki.trust(scada.der)
    assert shake(server, client)[0] == scada.der, "without another look at the folder"


@pytest.mark.parametrize("cut", [0, 3, 4, 5, 7, 8, 10, 40, -1])
@pytest.mark.parametrize("version", [0x0303, 0x0304])
def test_a_certificate_message_that_was_cut_off_is_read_without_harm(pki: Certificates, cut: int, version: int) -> None:
    der = made("scada").der
    listed = len(der).to_bytes(3, "big") + der + (b"\0\0" if version == 0x0304 else b"")
    body = (b"\0" if version == 0x0304 else b"") + len(listed).to_bytes(3, "big") + listed
    message = b"\x0b" + len(body).to_bytes(3, "big") + body
    assert certificates_in(message, version) == [der]
    cut_off = certificates_in(message[:cut], version) if version == 0x0303 or cut != -1 else [b""]
    assert not pki.judge(b"".join(cut_off), purpose="tls").is_taken


def test_where_python_has_no_such_hook_the_log_says_what_to_do(
    own: Own, pki: Certificates, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(certificates_tls, "HOOK", "_no_such_hook")
    pki.server_context(own, clients="required")
    assert "bessplc certificate trust FILE" in capsys.readouterr().out
