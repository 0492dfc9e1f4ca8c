"""Reading certificates: files, fingerprints, names, dates. It must not know who is trusted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509

LARGEST = 64 * 1024  # bytes of a certificate file or chain
_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----(.+?)-----END \1-----", re.DOTALL)


class CertificateError(ValueError):
    """A file that is no certificate, key or revocation list, and why."""


def sha256(data: bytes) -> str:
    """The SHA-256 in 64 small digits."""
    return hashlib.sha256(data).hexdigest()


def fingerprint_of(der: bytes) -> str:
    """The fingerprint of a certificate: the SHA-256 of its DER bytes, as every tool shows it."""
    return sha256(der)


def pretty(fingerprint: str) -> str:
    """`4A:0B:...`, as `openssl x509 -fingerprint -sha256` prints it."""
    return ":".join(re.findall("..", fingerprint.upper()))


def blocks_of(data: bytes) -> list[bytes]:
    """The DER of each certificate or revocation list in PEM text; or the data itself where it is no PEM."""
    try:
        return [base64.b64decode(found[2]) for found in _PEM.finditer(data)] or [data]
    except binascii.Error:
        return [data]


def read_certificate(path: Path) -> bytes:
    """The DER of the (first) certificate in a PEM or DER file. Raises CertificateError."""
    try:
        if path.stat().st_size > LARGEST:
            raise CertificateError(f"{path} is too large for a certificate")
        der = blocks_of(path.read_bytes())[0]
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None
    load(der, str(path))
    return der


def load(der: bytes, shown: str = "this") -> x509.Certificate:
    """The certificate in these bytes. Raises CertificateError."""
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(der)
        found.public_key()  # an unknown kind of key, and extensions that contradict each other, show here and not later
        _ = found.extensions, found.subject, found.issuer  # read when asked for, and not before
    except Exception as error:  # noqa: BLE001 - the library raises six kinds, and a certificate comes from anybody
        raise CertificateError(f"{shown} is no certificate: {type(error).__name__}") from None
    return found


def read_list(der: bytes) -> x509.CertificateRevocationList:
    """The revocation list in these bytes. Raises CertificateError."""
    from cryptography import x509

    try:
        return x509.load_der_x509_crl(der)
    except ValueError:
        raise CertificateError("no revocation list") from None


def chain_of(data: bytes) -> list[bytes]:
    """The certificates of a chain, one after the other as OPC UA sends them (part 6, 6.2.6), the sender's own first."""
    found: list[bytes] = []
    while data and len(found) < 8:
        length = _length(data)
        found.append(data[:length])
        data = data[length:]
    return found


def _length(data: bytes) -> int:
    """How long the DER value at the start of the data is: all of the data where it is no DER."""
    if len(data) < 2 or data[0] != 0x30:
        return len(data)
    if data[1] < 0x80:
        return 2 + data[1]
    digits = data[1] & 0x7F
    return 2 + digits + int.from_bytes(data[2 : 2 + digits], "big") if 1 <= digits <= 4 else len(data)


def name_of(certificate: x509.Certificate) -> str:
    """The common name, or the whole subject where it has none; printable."""
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(found[0].value) if found else certificate.subject.rfc4514_string()
    return "".join(c if c.isprintable() else "?" for c in text)[:100]


def alternatives_of(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """The application URIs, and the host names and addresses, of the certificate's subject alternative name."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return names.get_values_for_type(x509.UniformResourceIdentifier), hosts


def key_of(certificate: x509.Certificate) -> tuple[str, int]:
    """The kind of key, `RSA`, `EC`, `Ed25519` or another, and its bits."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, EllipticCurvePublicKey):
        return "EC", key.key_size
    return ("Ed25519", 256) if isinstance(key, Ed25519PublicKey) else (type(key).__name__, 0)


def facts(der: bytes) -> dict[str, Any]:
    """What a person wants to know of a certificate, for tables and JSON. Raises CertificateError."""
    found = load(der)
    uris, hosts = alternatives_of(found)
    kind, bits = key_of(found)
    return {
        "name": name_of(found),
        "fingerprint": pretty(fingerprint_of(der)),
        "issuer": found.issuer.rfc4514_string(),
        "not_before": _day(found.not_valid_before_utc),
        "not_after": _day(found.not_valid_after_utc),
        "uris": uris,
        "hosts": hosts,
        "key": f"{kind} {bits}",
    }


def _day(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
