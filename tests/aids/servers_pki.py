"""Certificates for tests, right ones and wrong ones, made by `cryptography` and not by our code."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

URI = "urn:test:scada"


@functools.cache
def key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A private key; the same number gives the same key, since making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    private: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        kind = serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """`name.der` and `name.pem` (the key)."""
        certificate, private = folder / f"{name}.der", folder / f"{name}.pem"
        certificate.write_bytes(self.der)
        private.write_bytes(self.key_pem)
        return certificate, private


def made(
    name: str,
    *,
    issuer: Made | None = None,
    uri: str = URI,
    starts: timedelta = timedelta(days=-1),
    ends: timedelta = timedelta(days=30),
    bits: int = 2048,
    ca: bool = False,
    purpose: Any = ExtendedKeyUsageOID.CLIENT_AUTH,
    hashed: Any = None,
    number: int = 0,
    private: Any = None,
    bare: bool = False,
) -> Made:
    """A certificate of this name, self-signed where it has no issuer; OPC UA part 6, 6.2.2 where nothing else is asked.

    `private` is a key of another kind than RSA; a `bare` one has names and no other extension, as many tools make it.
    """
    private, now = private or key(number, bits), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder(subject_name=subject, public_key=private.public_key(), serial_number=x509.random_serial_number())
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
    )
    if not bare:
        usage = x509.KeyUsage(not ca, not ca, not ca, not ca, False, ca or not issuer, ca, False, False)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), True).add_extension(usage, True)
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), *hosts]), False)
    if not ca and not bare:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
    signer = issuer.private if issuer else private
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashed or hashes.SHA256()
    return Made(builder.sign(signer, digest), private)


def odd_key(kind: str) -> Any:
    """A key of another kind than RSA."""
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"P-192": ec.SECP192R1(), "P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[kind])


def revocation_list(issuer: Made, *revoked: Made, signer: Made | None = None) -> bytes:
    """The list of what this authority has revoked; `signer` forges it."""
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(issuer_name=issuer.certificate.subject)
    builder = builder.last_update(now - timedelta(hours=1)).next_update(now + timedelta(days=7))
    for one in revoked:
        entry = x509.RevokedCertificateBuilder(one.certificate.serial_number, now - timedelta(hours=1)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign((signer or issuer).private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
