"""The TLS of a server that stands under the site's own certificate, which is made at the first start. It knows no protocol."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

from runtime.child import ServiceOrder
from runtime.servers.certificates import Certificates
from runtime.servers.certificates_make import hosts_of, uri_of
from runtime.servers.certificates_read import CertificateError
from runtime.source import NOWHERE, Report

log = structlog.get_logger()


def context_of(order: ServiceOrder, host: str, what: str, report: Report) -> ssl.SSLContext | None:
    """TLS for `what`, a server that listens on this host; None where there is no certificate, and the report says why."""
    certificates = Certificates(Path(order.state_dir or order.run_dir) / "pki")
    try:
        own = certificates.own_pair(uri_of(order.site), hosts_of(host))
        worry = certificates.worry(own)
        if worry:
            log.warning(worry)
        return certificates.server_context(own)
    except (CertificateError, OSError) as error:
        report.error(NOWHERE, "E943", f"no TLS for {what}: {error}")
        return None
