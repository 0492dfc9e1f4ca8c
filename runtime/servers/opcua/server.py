"""The OPC UA server: every tag with type, unit, range and quality.

It must not know devices or programs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import ipaddress
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from asyncua import Server, ua
from asyncua.common.connection import TransportLimits
from asyncua.server import server as asyncua_server
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol

import runtime
from runtime.child import ServiceOrder
from runtime.servers.opcua.access import GuardedServer
from runtime.servers.opcua.publish import Publisher, leave_out_the_copy
from runtime.servers.opcua.settings import OpcuaSettings, describe_opcua
from runtime.servers.opcua.space import build
from runtime.servers.opcua.types import NS
from runtime.servers.opcua.write import CommandingAttributes
from runtime.servers.service import Door, ListenError
from runtime.source import NOWHERE, Report

log = structlog.get_logger()
PATH = "bessplc"
LONGEST = 4 * 1024 * 1024  # bytes of one message: 10,000 tags fit; asyncua's own limit is 100 MB for each connection
CHUNK = 65535


class BoundedProtocol(OPCUAProtocol):
    """A connection that keeps no more unread bytes than one message may have."""

    def data_received(self, data: bytes) -> None:
        if len(self._buffer) + len(data) > LONGEST + CHUNK:
            log.warning("closed", peer=str(self.peer_name), reason=f"a message of more than {LONGEST} bytes")
            if self.transport is not None:
                self.transport.abort()
            return
        super().data_received(data)


class BoundedServer(BinaryServer):
    """asyncua's listener with bounded connections."""

    def _make_protocol(self) -> OPCUAProtocol:
        return BoundedProtocol(self.iserver, self._policies, self.clients, self.closing_tasks, self.limits)


class OpcuaServer:
    """A listening server, and the publisher that feeds it."""

    def __init__(self, server: Server, attributes: CommandingAttributes, publisher: Publisher, every: float):
        self._server, self._attributes, self._publisher = server, attributes, publisher
        self._publishing = asyncio.get_running_loop().create_task(publisher.run(every))
        self.listening = server.endpoint.geturl()

    def counters(self) -> dict[str, int]:
        listener = self._server.bserver
        clients = sum(1 for c in listener.clients if c.processor and c.processor.session) if listener else 0
        subscriptions = len(self._server.iserver.subscription_service.subscriptions)
        return {
            "clients": clients,
            "subscriptions": subscriptions,
            "published": self._publisher.published,
            "writes": self._attributes.writes,
        }

    def tick(self) -> None:
        """End where publishing has ended: a server that shows old values as good is worse than none. Raises what ended it."""
        if self._publishing.done():
            self._publishing.result()

    async def follow(self, order: ServiceOrder) -> None:
        """Not yet."""
        raise NotImplementedError

    async def close(self) -> None:
        self._publishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._publishing
        await self._server.stop()


async def prepare() -> Server:
    """Load the standard address space, which needs no order."""
    gc.disable()  # 100,000 objects that all stay: collecting while they are made doubles the time
    leave_out_the_copy()
    asyncua_server.BinaryServer = BoundedServer  # type: ignore[misc]
    server = Server(iserver=GuardedServer())
    await server.init()
    return server


async def open_server(order: ServiceOrder, door: Door, server: Server) -> OpcuaServer:
    """Build the address space and listen. Raises SiteError and ListenError."""
    report = Report()
    settings = describe_opcua(order.settings, report)
    report.raise_if_any()
    guarded: Any = server.iserver
    guarded.let_in(settings)
    await _introduce(server, order.site)
    await _secure(server, settings, Path(order.root))
    build(guarded, order.site, order.tags)
    publisher = Publisher(guarded.aspace, order.tags, door)
    guarded.attribute_service = CommandingAttributes(guarded.aspace, order.tags, door, publisher)
    await publisher.publish()
    await _listen(server, settings)
    gc.enable()
    return OpcuaServer(server, guarded.attribute_service, publisher, settings.every)


async def _introduce(server: Server, site: str) -> None:
    """Say who we are: names, build, and our namespace, which is always number 2."""
    server.set_server_name(f"bessplc {site}")
    server.application_type = ua.ApplicationType.Server
    await server.set_application_uri(f"urn:{socket.gethostname()}:bessplc:{site}")
    await server.set_build_info("urn:bessplc", "bessplc", "bessplc", runtime.__version__, "0", datetime.now())
    index = await server.register_namespace(f"urn:bessplc:{site}")
    if index != NS:
        raise RuntimeError(f"our namespace became number {index}, not {NS}")


async def _secure(server: Server, settings: OpcuaSettings, root: Path) -> None:
    """Offer encryption where the site has a certificate; warn where passwords would cross a network in the clear."""
    server.limits = TransportLimits(CHUNK, CHUNK, -(-LONGEST // CHUNK), LONGEST)
    policies = [ua.SecurityPolicyType.NoSecurity]
    if settings.certificate:
        await _load_identity(server, root / settings.certificate, root / settings.key)
        policies += [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt, ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt]
    elif settings.users and not _is_loopback(settings.host):
        log.warning("passwords are sent in the clear: give the server a `certificate` and a `key`", host=settings.host)
    server.set_security_policy(policies)


async def _load_identity(server: Server, certificate: Path, key: Path) -> None:
    report = Report()
    for path, load in ((certificate, server.load_certificate), (key, server.load_private_key)):
        try:
            await load(path)
        except (OSError, ValueError) as error:
            report.error(NOWHERE, "E004", f"{path} cannot be read as a certificate or key: {error}")
    report.raise_if_any()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _listen(server: Server, settings: OpcuaSettings) -> None:
    host, port = settings.host, settings.port
    with contextlib.closing(_try_port(host, port)) as found:
        port = port or found.getsockname()[1]
    server.set_endpoint(f"opc.tcp://{host}:{port}/{PATH}")
    try:
        await server.start()
    except OSError as error:
        raise ListenError(error, host, port) from error


def _try_port(host: str, port: int) -> socket.socket:
    """A socket bound as the server will be: asyncua logs a traceback where it cannot. Raises ListenError."""
    probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((host, port))
        probe.listen(1)
    except OSError as error:
        probe.close()
        if error.errno is None:
            error.errno = errno.EADDRNOTAVAIL
        raise ListenError(error, host, port) from error
    return probe
