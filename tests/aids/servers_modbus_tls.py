"""Clients with certificates for the Modbus/TLS server: made here, with or without the role of the Modbus specification."""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.aids.servers_modbus import receive

MODBUS_ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")


@dataclass(frozen=True)
class Badge:
    """A client's certificate and key."""

    pem: Path
    key: Path
    der: bytes


def make_badge(folder: Path, name: str, role: str | None = None, days: int = 30) -> Badge:
    """A self-signed certificate; `role` becomes the extension of MODBUS/TCP Security, a UTF8String."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=365))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if role is not None:
        text = role.encode()
        value = x509.UnrecognizedExtension(MODBUS_ROLE, bytes((0x0C, len(text))) + text)
        builder = builder.add_extension(value, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    badge = Badge(folder / f"{name}.pem", folder / f"{name}.key", certificate.public_bytes(serialization.Encoding.DER))
    badge.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    badge.key.write_bytes(key.private_bytes(*plain))
    return badge


def context_of(badge: Badge | None, server: Path | None = None) -> ssl.SSLContext:
    """What a client needs; it believes only the server whose certificate is the file `server`, where told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = server is not None
    context.verify_mode = ssl.CERT_REQUIRED if server is not None else ssl.CERT_NONE
    if server is not None:
        context.load_verify_locations(server)
    if badge is not None:
        context.load_cert_chain(badge.pem, badge.key)
    return context


def ask_secured(port: int, context: ssl.SSLContext, *requests: bytes) -> list[bytes]:
    """The answers to requests over one TLS connection; none where the server ends it or lets nobody in."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as sock,
        ):
            answers = []
            for one in requests:
                sock.sendall(one)
                header = receive(sock, 7)
                if len(header) < 7:
                    return answers
                answers.append(header + receive(sock, struct.unpack(">H", header[4:6])[0] - 1))
            return answers
    except (ssl.SSLError, ConnectionError):
        return []
