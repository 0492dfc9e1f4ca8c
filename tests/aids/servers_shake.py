"""TLS clients with a certificate of their own choice, and what they see of a server that may turn them away."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from tests.aids.servers_pki import Made


def tls_context(folder: Path, mine: Made | None, server: bytes = b"") -> ssl.SSLContext:
    """A client's context: it shows `mine`, and believes only the certificate `server` (DER), or any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = bool(server)
    context.verify_mode = ssl.CERT_REQUIRED if server else ssl.CERT_NONE
    if server:
        context.load_verify_locations(cadata=server)
    if mine is not None:
        file = folder / "shaking.pem"
        file.write_bytes(mine.pem + mine.key_pem)
        context.load_cert_chain(file)
    return context


def shake_and_ask(port: int, context: ssl.SSLContext, request: bytes, host: str = "127.0.0.1") -> str:
    """ "answered", "closed" where the server ends the connection without a word, or the TLS alert."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=host) as sock,
        ):
            sock.sendall(request)
            return "answered" if sock.recv(1) else "closed"
    except ssl.SSLError as error:
        return str(error.reason)
    except ConnectionError:
        return "closed"


def shown_by(port: int) -> bytes:
    """The certificate that a TLS server shows, DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as sock:
        return sock.getpeercert(binary_form=True) or b""
