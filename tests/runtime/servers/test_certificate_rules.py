"""What a certificate may be used for: RFC 5280, 4.2.1.3 (key usage), 4.2.1.9 (basic constraints) and 4.2.1.12 (extended)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.servers.certificates_rules import has_signed, may_be_client
from tests.aids.servers_pki import key

SIGNS = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
NEITHER = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
CERTIFIES = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
AUTHORITY, NO_AUTHORITY = (x509.BasicConstraints(ca=ca, path_length=None) for ca in (True, False))
SERVER, CLIENT, ANY = (
    x509.ExtendedKeyUsage([purpose])
    for purpose in (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
)


def certificate(name: str, *extensions: Any, issuer: str = "") -> x509.Certificate:
    """A certificate with these extensions and no other; all have the same key."""
    subject, signer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer or name))
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=signer, public_key=key().public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(key(), hashes.SHA256())


@pytest.mark.parametrize(
    ("extensions", "may"),
    [
        ((), True),
        ((SIGNS,), True),
        ((NEITHER,), False),
        ((CLIENT,), True),
        ((ANY,), True),
        ((SERVER,), False),
        ((SIGNS, SERVER), False),
        ((NEITHER, CLIENT), False),
    ],
)
def test_each_usage_that_stands_in_a_certificate_must_allow_a_client(extensions: Any, may: bool) -> None:
    assert may_be_client(certificate("scada", *extensions)) is may


@pytest.mark.parametrize(
    ("extensions", "may"),
    [
        ((AUTHORITY,), True),
        ((AUTHORITY, CERTIFIES), True),
        ((), False),
        ((CERTIFIES,), False),
        ((NO_AUTHORITY, CERTIFIES), False),
        ((AUTHORITY, SIGNS), False),
    ],
)
def test_an_issuer_says_itself_that_it_is_one(extensions: Any, may: bool) -> None:
    assert has_signed(certificate("root", *extensions), certificate("scada", issuer="root")) is may
