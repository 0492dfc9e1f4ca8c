"""Making a site's own certificate, and reading a pair that the site brings along. It must not know who is trusted.

One certificate serves all servers: an OPC UA application instance certificate (OPC UA part 6, 6.2.2) is also good for TLS.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runtime.servers.certificates_read import CertificateError, alternatives_of, blocks_of, key_of, load

KEY_BITS = 3072
DAYS = 3650
BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # a clock that says less was never set


@dataclass(frozen=True, slots=True)
class Own:
    """The certificate that the site shows, with its key."""

    certificate: Path
    key: Path
    der: bytes
    uri: str

    def private_key(self) -> Any:
        """The private key itself. Raises CertificateError."""
        return read_key(self.key)


def uri_of(site: str) -> str:
    """The application URI of a site's servers on this machine."""
    return f"urn:{quote(socket.gethostname())}:bessplc:{quote(site)}"


def hosts_of(host: str) -> tuple[str, ...]:
    """The names and addresses under which clients reach a server that listens on `host`."""
    name = socket.gethostname()
    own = [host] if host and host not in ("0.0.0.0", "::") else _addresses(name)
    return tuple(dict.fromkeys([name, "localhost", "127.0.0.1", *own]))


def _addresses(name: str) -> list[str]:
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None)})
    except OSError:
        return []


def make(folder: Path, uri: str, hosts: Sequence[str], days: int = DAYS, bits: int = KEY_BITS) -> None:
    """Write a new self-signed certificate (`certificate.der`, and `.pem` for browsers) and its key (`key.pem`, 0600)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    certificate = _sign(key, uri, hosts, days)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    pem, der = (certificate.public_bytes(kind) for kind in (serialization.Encoding.PEM, serialization.Encoding.DER))
    files = {"key.pem": (secret, 0o600), "certificate.pem": (pem, 0o644), "certificate.der": (der, 0o644)}
    put({folder / name: found for name, found in files.items()})


def _sign(key: Any, uri: str, hosts: Sequence[str], days: int) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = max(datetime.now(UTC), BUILT)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"bessplc@{socket.gethostname()}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "bessplc"),
        ]
    )
    usage = x509.KeyUsage(True, True, True, True, False, True, False, False, False)  # as part 6, table 37 asks of a self-signed one
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    public = key.public_key()
    builder = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=public, serial_number=x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), *map(_general_name, hosts)]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(usage, True)
        .add_extension(purposes, False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False)
    )
    return builder.sign(key, hashes.SHA256())


def _general_name(host: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return x509.DNSName(host)


def make_private(folder: Path) -> None:
    """The folder, made where there is none, closed to other users of this machine; also one of before that was open to them."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.stat().st_mode & 0o007:
            return
    _give(folder, folder.parent)
    with contextlib.suppress(PermissionError):  # root's, from before: only root can close it
        folder.chmod(0o700)


def _give(to_give: Path | int, folder: Path) -> None:
    """Have it belong to whom the folder belongs to: root makes files that the user who runs the site must read."""
    owner = folder.stat()
    with contextlib.suppress(PermissionError):  # only root can give things away, and nobody else has to
        os.chown(to_give, owner.st_uid, owner.st_gid)


def put(files: Mapping[Path, tuple[bytes, int]]) -> None:
    """Write each file with its mode aside, then rename all: an old key never stands beside a new certificate for long."""
    written: list[tuple[str, Path]] = []
    try:
        for path, (data, mode) in files.items():
            handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            written.append((aside, path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
                _give(file.fileno(), path.parent)
                os.fsync(file.fileno())
        while written:
            os.replace(*written[0])
            del written[0]
    finally:
        for aside, _ in written:
            Path(aside).unlink(missing_ok=True)


def read_key(path: Path) -> Any:
    """The RSA private key in a PEM or DER file. Raises CertificateError."""
    from cryptography.hazmat.primitives import serialization

    try:
        data = path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None
    read = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        return read(data, None)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"{path} is no private key without a password: {type(error).__name__}") from None


def read_pair(certificate: Path, key: Path) -> Own:
    """A certificate and its key, which must belong together. Raises CertificateError."""
    try:
        der = blocks_of(certificate.read_bytes())[0]
    except OSError as error:
        raise CertificateError(f"{certificate} cannot be read: {error.strerror}") from None
    found = load(der, str(certificate))
    kind, bits = key_of(found)
    if kind != "RSA" or bits < 2048:
        raise CertificateError(f"{certificate} has a key of {kind} {bits}: RSA with 2048 bits or more is needed")
    if read_key(key).public_key() != found.public_key():
        raise CertificateError(f"{key} is not the key of {certificate}; `bessplc certificate new --force` makes a new pair")
    uris, _ = alternatives_of(found)
    return Own(certificate, key, der, uris[0] if uris else "")
