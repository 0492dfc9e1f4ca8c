"""The OPC UA server: every tag with type, unit, range and quality, and the PLC as PLCopen pictures it.

It must not know devices.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from asyncua import Server, ua
from asyncua.server import server as asyncua_server
from asyncua.server import subscription_service

import runtime
from runtime.child import ServiceOrder
from runtime.servers.door import Door
from runtime.servers.opcua.access import GuardedServer
from runtime.servers.opcua.identity import Guest
from runtime.servers.opcua.operation import Operation
from runtime.servers.opcua.plcopen import DI, DI_URI, PLC, PLCOPEN_URI
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.security import secure
from runtime.servers.opcua.server_node import introduce
from runtime.servers.opcua.settings import OpcuaSettings, describe_opcua
from runtime.servers.opcua.site import ShownSite
from runtime.servers.opcua.types import NS
from runtime.servers.opcua.wire_connection import BoundedServer, Processor
from runtime.servers.opcua.wire_decode import harden
from runtime.servers.opcua.wire_subscription import Subscription
from runtime.servers.opcua.write import CommandingAttributes
from runtime.servers.opcua.writers import Writers
from runtime.servers.service import ListenError
from runtime.source import Report

log = structlog.get_logger()
PATH = "bessplc"
PRODUCT = "urn:bessplc"


class OpcuaServer:
    """A listening server, and the publisher that feeds it."""

    def __init__(self, server: Server, site: ShownSite, publisher: Publisher, operation: Operation, writers: Writers):
        guarded: Any = server.iserver
        self._server, self._site, self._publisher = server, site, publisher
        self._attributes: CommandingAttributes = guarded.attribute_service
        self._operation, self._writers = operation, writers
        self._publishing = asyncio.get_running_loop().create_task(publisher.run())
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
            **self._operation.counters(),
        }

    def tick(self) -> None:
        """End where publishing has ended: a server that shows old values as good is worse than none. Raises what ended it."""
        if self._publishing.done():
            self._publishing.result()
        self._operation.check()
        self._writers.check()
        self._put_out()
        if self._server.bserver is not None:
            self._server.bserver.look_after()  # type: ignore[attr-defined]

    def _put_out(self) -> None:
        """End the sessions of users who were removed, or whose role has changed, since they came in."""
        listener, guarded = self._server.bserver, self._server.iserver
        for client in list(listener.clients) if listener else ():
            session = client.processor.session if client.processor else None
            guest = session.user if session is not None and session.is_activated() else None
            if isinstance(guest, Guest) and not guarded.gate.identity.is_still(guest):  # type: ignore[attr-defined]
                guarded.gate.identity.note_put_out(guest)  # type: ignore[attr-defined]
                if client.transport is not None:
                    client.transport.abort()

    async def follow(self, order: ServiceOrder) -> None:
        """Show this order's tags and program; whoever monitors a tag that stays goes on, and events tell what is otherwise."""
        changes = self._site.follow(order)
        self._publisher.follow(order.tags)
        self._attributes.follow(order.tags)
        self._operation.follow(order)
        await self._site.tell(changes)

    async def close(self) -> None:
        self._publishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._publishing
        await self._operation.close()
        await self._writers.close()
        await self._server.stop()


async def prepare() -> Server:
    """Load the standard address space, which needs no order."""
    gc.disable()  # 100,000 objects that all stay: collecting while they are made doubles the time
    harden()
    asyncua_server.BinaryServer = BoundedServer  # type: ignore[misc]
    subscription_service.InternalSubscription = Subscription  # type: ignore[misc]
    server = Server(iserver=GuardedServer())
    await server.init()
    return server


async def open_server(order: ServiceOrder, door: Door, server: Server) -> OpcuaServer:
    """Build the address space and listen. Raises SiteError and ListenError."""
    report = Report()
    settings = describe_opcua(order.settings, report)
    report.raise_if_any()
    guarded: Any = server.iserver
    for problem in report.problems:
        log.warning(problem.message, place=str(problem.at), help=list(problem.help))
    await _introduce(server, order.site, await secure(server, settings, order, door), settings.namespace)
    site = ShownSite(guarded, order, door, settings.every)
    publisher = Processor.publisher = Subscription.publisher = Publisher(site.space.tags.values, order.tags, door, settings.every)
    publisher.also(site.find)
    guarded.is_tag, guarded.is_published = publisher.is_tag, publisher.is_ours
    guarded.attribute_service = CommandingAttributes(guarded.aspace, order.tags, door, publisher)
    introduce(guarded, settings, door)
    operation = Operation(guarded, door, publisher, site.space, site.parent, order)
    writers = Writers(order.state_dir, site.know_writers)
    await publisher.publish()
    await operation.start()
    await writers.start()
    await _listen(server, settings)
    gc.enable()
    return OpcuaServer(server, site, publisher, operation, writers)


async def _introduce(server: Server, site: str, uri: str, namespace: str) -> None:
    """Say who we are: names, build, and our namespace, which is always number 2."""
    server.set_server_name(f"bessplc {site}")
    server.application_type = ua.ApplicationType.Server
    server.product_uri = PRODUCT
    await server.set_application_uri(uri)
    await server.set_build_info(PRODUCT, "bessplc", "bessplc", runtime.__version__, "0", _installed())
    for index, name in ((NS, namespace or f"urn:bessplc:{site}"), (DI, DI_URI), (PLC, PLCOPEN_URI)):
        given = await server.register_namespace(name)
        if given != index:
            raise RuntimeError(f"the namespace {name} became number {given}, not {index}")


def _installed() -> datetime:
    """When this software came onto the machine: the nearest to a build date that an interpreted one has."""
    return datetime.fromtimestamp(Path(runtime.__file__).stat().st_mtime, UTC)


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
