"""The single questions asked about a certificate: key, dates, use, who signed it. It must not know folders or who is trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.servers.certificates_make import BUILT
from runtime.servers.certificates_read import CertificateError, key_of, load

LEAST_RSA_BITS, LEAST_EC_BITS = 2048, 256
STRONG_HASHES = ("sha256", "sha384", "sha512")


def weakness(certificate: Any) -> str:
    """Why the key or the signature is too weak, "" where it is not (OPC UA part 7, policy Basic256Sha256)."""
    kind, bits = key_of(certificate)
    if (kind == "RSA" and bits < LEAST_RSA_BITS) or (kind == "EC" and bits < LEAST_EC_BITS):
        return f"its {kind} key has {bits} bits: {LEAST_RSA_BITS if kind == 'RSA' else LEAST_EC_BITS} or more are needed"
    if kind not in ("RSA", "EC", "Ed25519"):
        return f"its kind of key is not known: {kind}"
    try:
        hashed = certificate.signature_hash_algorithm
    except Exception as error:  # noqa: BLE001 - whatever the library does not know is not taken
        return f"its signature is of an unknown kind: {type(error).__name__}"
    if hashed is not None and hashed.name not in STRONG_HASHES:
        return f"it is signed with {hashed.name}: SHA-256 or better is needed"
    return ""


def wrong_time(certificate: Any) -> tuple[str, str]:
    """`early` or `expired` with a sentence, by the wall clock of this machine; two empty ones while it is valid."""
    now = datetime.now(UTC)
    clock = f"by this machine's clock, {now:%Y-%m-%d %H:%M} UTC"
    if now < BUILT:
        clock += ", which was never set"
    if now < certificate.not_valid_before_utc:
        return "early", f"valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M}: not yet, {clock}"
    if now > certificate.not_valid_after_utc:
        return "expired", f"ended {certificate.not_valid_after_utc:%Y-%m-%d %H:%M}, {clock}"
    return "", ""


def is_old_list(crl: Any) -> bool:
    """Whether a newer revocation list should be there by now."""
    ends = crl.next_update_utc
    return ends is not None and datetime.now(UTC) > ends + timedelta(days=1)


def may_be_client(certificate: Any) -> bool:
    """Whether its extensions let a client sign with it; one without these extensions may."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    usage, purposes = _extension(certificate, x509.KeyUsage), _extension(certificate, x509.ExtendedKeyUsage)
    if usage is not None and not usage.digital_signature:
        return False
    clients = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    return purposes is None or any(purpose in purposes for purpose in clients)


def _extension(certificate: Any, kind: Any) -> Any:
    """What this extension says, None where the certificate has none."""
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def has_signed(issuer: Any, certificate: Any) -> bool:
    """Whether `issuer` is an authority, valid and strong today, and has signed this certificate."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    if issuer.subject != certificate.issuer or weakness(issuer) or wrong_time(issuer)[0]:
        return False
    basic, usage = _extension(issuer, x509.BasicConstraints), _extension(issuer, x509.KeyUsage)
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def is_certificate(der: bytes) -> bool:
    """Whether these bytes are one."""
    try:
        load(der)
    except CertificateError:
        return False
    return True
