"""Puts the OPC UA server's security together: certificate, policies, trust list, users. It must not know tags."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from asyncua import Server, ua
from asyncua.common.connection import TransportLimits

from runtime.child import ServiceOrder
from runtime.servers.certificates import Certificates
from runtime.servers.certificates_make import Own, hosts_of, read_pair, uri_of
from runtime.servers.certificates_read import CertificateError
from runtime.servers.door import Door
from runtime.servers.opcua.identity import Identity
from runtime.servers.opcua.limits import CHUNK, CHUNKS, LONGEST
from runtime.servers.opcua.secure_channel import Gate
from runtime.servers.opcua.settings import OpcuaSettings
from runtime.servers.users import Users
from runtime.source import NOWHERE, Report

_TYPES = ua.SecurityPolicyType
SIGNED = (_TYPES.Basic256Sha256_Sign, _TYPES.Aes256Sha256RsaPss_Sign)
ENCRYPTED = (_TYPES.Basic256Sha256_SignAndEncrypt, _TYPES.Aes256Sha256RsaPss_SignAndEncrypt)

log = structlog.get_logger()


async def secure(server: Server, settings: OpcuaSettings, order: ServiceOrder, door: Door) -> str:
    """Give the server its certificate, policies and users; returns its application URI. Raises SiteError."""
    certificates = Certificates(Path(order.state_dir or order.run_dir) / "pki", trust_any=settings.trust == "any")
    own = await asyncio.to_thread(_own, certificates, settings, order)
    users = await asyncio.to_thread(Users, order.users)
    identity = Identity(settings, users, certificates, own, door)
    guarded: Any = server.iserver
    guarded.let_in(settings, identity.tokens(bool(order.users)))
    guarded.gate = Gate(settings, certificates, identity, door)
    server.limits = TransportLimits(CHUNK, CHUNK, CHUNKS, LONGEST)
    server.set_security_policy(policies(settings, own))
    if own is None:
        return uri_of(order.site)
    await server.load_certificate(own.der)
    guarded.private_key = own.private_key()
    worry = certificates.worry(own)
    if worry:
        log.warning(worry)
    return own.uri or uri_of(order.site)


def policies(settings: OpcuaSettings, own: Own | None) -> list[ua.SecurityPolicyType]:
    """The policies that are offered. Basic256Sha256 stands first: every client knows it, also to encrypt a password by."""
    unsecured = (_TYPES.NoSecurity,) if settings.takes_unsecured else ()
    if own is None:
        return list(unsecured)
    return [*unsecured, *(() if settings.security == "encrypt" else SIGNED), *ENCRYPTED]


def _own(certificates: Certificates, settings: OpcuaSettings, order: ServiceOrder) -> Own | None:
    report, root = Report(), Path(order.root)
    try:
        if settings.certificate:
            return read_pair(root / settings.certificate, root / settings.key)
        if order.state_dir:
            return certificates.own_pair(uri_of(order.site), hosts_of(settings.host))
    except (CertificateError, OSError) as error:
        report.error(NOWHERE, "E004", f"the server's certificate or key: {error}")
    if not settings.takes_unsecured and not report.errors:
        report.error(NOWHERE, "E903", "security needs a `certificate` and a `key`, or a state folder to make them in")
    report.raise_if_any()
    return None
