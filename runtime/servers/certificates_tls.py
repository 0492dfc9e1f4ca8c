"""TLS with the site's certificate, and what is told of clients that it turns away. It must not know a protocol above TLS.

OpenSSL ends a handshake with an untrusted client before anybody sees the certificate, so nobody could trust it afterwards. The
message hook of Python's `ssl` shows it while the handshake goes on. It only looks: who comes in is still OpenSSL's to decide.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from runtime.servers.certificates_make import Own, make_private, put

if TYPE_CHECKING:
    from runtime.servers.certificates import Certificates

HANDSHAKE, CERTIFICATE, TLS_1_3 = 22, 11, 0x0304  # RFC 8446, 5.1, 4 and 4.1.2
HOOK = "_msg_callback"  # of CPython 3.8 and later, for debugging TLS; not in its documentation
QUIET, MOST_TOLD = 60.0, 20  # s: the same refusal is told once in this time, and no more than so many

log = structlog.get_logger()


def context_of(certificates: Certificates, own: Own, clients: str) -> ssl.SSLContext:
    """A TLS context of 1.2 or later that shows the site's certificate, and asks for the client's where told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    pem = ssl.DER_cert_to_PEM_cert(own.der)
    chain = own.certificate
    if chain.suffix.lower() in (".der", ".cer", ".crt") and b"-----BEGIN" not in chain.read_bytes():
        chain = certificates.folder / "own" / "shown.pem"
        make_private(certificates.folder)
        make_private(chain.parent)
        if not chain.exists() or chain.read_text() != pem:
            put({chain: (pem.encode(), 0o644)})
    context.load_cert_chain(chain, own.key)
    if clients != "none":
        context.verify_mode = ssl.CERT_REQUIRED if clients == "required" else ssl.CERT_OPTIONAL
        # A client's own certificate in `trusted/` is enough (partial chain). Not strict, whatever this Python's default is: the
        # self-signed ones of OPC UA tools have no basic constraints or key identifiers, and `judge` looks at what matters.
        context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
        admit([der for _, der in certificates.listed("trusted")], context)
        _Watch(certificates, context).begin()
    return context


def admit(trusted: Sequence[bytes], context: ssl.SSLContext) -> None:
    """Let the context know these certificates."""
    if trusted:
        context.load_verify_locations(cadata="".join(map(ssl.DER_cert_to_PEM_cert, trusted)))


class _Watch:
    """Sees the certificate of each client that shakes hands, and tells of those that will be turned away."""

    def __init__(self, certificates: Certificates, context: ssl.SSLContext):
        self._certificates, self._context = certificates, context
        self._told: dict[tuple[str, str], float] = {}

    def begin(self) -> None:
        # the C hook itself: ssl.SSLContext's own setter makes five enums of every record, 8 us of each Modbus request
        hook = getattr(ssl.SSLContext.__base__, HOOK, None)
        if hook is None:
            said = "untrusted TLS clients are turned away without a word: trust each by its file, `bessplc certificate trust FILE`"
            log.warning(said)
            return
        hook.__set__(self._context, self._hear)

    def _hear(self, _: Any, direction: str, version: int, kind: int, message: int, data: bytes) -> None:
        if kind != HANDSHAKE or message != CERTIFICATE or direction != "read":
            return
        chain = certificates_in(data, version)
        if chain:
            verdict = self._certificates.judge(b"".join(chain), purpose="tls")
            if verdict.is_taken:
                self._certificates.admit(self._context)  # OpenSSL looks next: trusted a moment ago is trusted now
            else:
                self._tell(verdict.text, f"{verdict.name} {verdict.fingerprint[:16]}".strip())
        elif self._context.verify_mode == ssl.CERT_REQUIRED:
            self._tell("it shows no certificate, and `clients: required` asks for one", "")

    def _tell(self, why: str, certificate: str) -> None:
        now = time.monotonic()
        if len(self._told) >= MOST_TOLD:
            self._told = {key: until for key, until in self._told.items() if until > now}
        if now >= self._told.get((certificate, why), 0.0) and len(self._told) < MOST_TOLD:
            self._told[certificate, why] = now + QUIET
            log.warning("turned away a TLS client", certificate=certificate, reason=why)


def certificates_in(message: bytes, version: int) -> list[bytes]:
    """The certificates of a TLS handshake message `Certificate` (RFC 5246, 7.4.2; RFC 8446, 4.4.2)."""
    is_new = version >= TLS_1_3
    at = 4 + (1 + message[4] if is_new and len(message) > 4 else 0)
    found: list[bytes] = []
    at += 3
    while at + 3 <= len(message):
        length = int.from_bytes(message[at : at + 3], "big")
        found.append(message[at + 3 : at + 3 + length])
        at += 3 + length
        if is_new:
            at += 2 + int.from_bytes(message[at : at + 2], "big")
    return found
