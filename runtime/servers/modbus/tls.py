"""Modbus/TCP Security: what TLS needs, and the role in a client's certificate. It knows no request.

Source: MODBUS/TCP Security Protocol Specification (MB-TCP-Security v2.1): TLS 1.2 or later, port 802, the role as an extension.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import structlog

from runtime.child import ServiceOrder
from runtime.model import ROLES
from runtime.servers.certificates import Certificates
from runtime.servers.certificates_make import hosts_of, uri_of
from runtime.servers.certificates_read import CertificateError
from runtime.servers.modbus.settings import TlsSettings
from runtime.source import NOWHERE, Problem, SiteError

log = structlog.get_logger()

ROLE_EXTENSION = "1.3.6.1.4.1.50316.802.1"
UTF8_STRING = 0x0C
JUDGE_AGAIN = 10.0  # s: a certificate may have expired, or be on a list of revoked ones


class Tls:
    """The site's certificate as a TLS context, and what it says to those of clients."""

    def __init__(self, settings: TlsSettings, host: str, order: ServiceOrder):
        """Make the certificate where there is none, which takes a second. Raises SiteError."""
        if not order.state_dir:
            raise SiteError([Problem(NOWHERE, "E943", "the site has no state folder to keep a certificate for TLS in")])
        self._asks = settings.clients != "none"
        self._certificates = Certificates(Path(order.state_dir) / "pki")
        try:
            own = self._certificates.own_pair(uri_of(order.site), hosts_of(host))
            self.context = self._certificates.server_context(own, clients=settings.clients)
        except (CertificateError, OSError) as error:
            raise SiteError([Problem(NOWHERE, "E943", f"the site's certificate cannot be used for TLS: {error}")]) from error
        self._last = self._listed()
        self._due = 0.0

    def judge(self, transport: Any) -> tuple[str, bytes | None]:
        """Why a client must go ("" where it may stay), and its certificate: none over plain TCP, or where it showed none."""
        secured = transport.get_extra_info("ssl_object")
        certificate: bytes | None = secured.getpeercert(True) if secured is not None and self._asks else None
        if certificate is None:
            return "", None
        verdict = self._certificates.judge(certificate, purpose="tls")
        return verdict.text if not verdict.is_taken else "", certificate

    def refresh(self) -> bool:
        """Let clients in whose certificates were put into `trusted/` since; those taken out are turned away by `judge`.

        Whether those who are connected must be judged again: where anything has changed, and now and then for what time changes.
        """
        known, now = self._listed(), time.monotonic()
        added = [der for room, der in known - self._last if room == "trusted"]
        if self._asks and added:
            self._certificates.admit(self.context)
            log.info("trusts more certificates", count=len(added))
        is_due = known != self._last or now >= self._due
        if is_due:
            self._last, self._due = known, now + JUDGE_AGAIN
        return is_due

    def _listed(self) -> frozenset[tuple[str, bytes]]:
        return frozenset((room, der) for room in ("trusted", "issuers") for _, der in self._certificates.listed(room))


def role_in(certificate: bytes) -> str:
    """The role that stands in a certificate's Modbus role extension, "" where there is none or none of ours."""
    from cryptography import x509  # costs 40 ms: only a site with certificates needs it

    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        found = extensions.get_extension_for_oid(x509.ObjectIdentifier(ROLE_EXTENSION)).value
    except (ValueError, x509.ExtensionNotFound):
        return ""
    assert isinstance(found, x509.UnrecognizedExtension)
    role = _text(found.value).lower()
    return role if role in ROLES else ""


def _text(der: bytes) -> str:
    """An ASN.1 UTF8String of less than 128 bytes, "" for anything else: no role has a longer name."""
    if len(der) < 2 or der[0] != UTF8_STRING or der[1] > 127 or len(der) != 2 + der[1]:
        return ""
    return der[2:].decode("utf-8", "replace")
