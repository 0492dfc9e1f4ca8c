"""Takes TCP clients in: whoever may not come is sent away before TLS or a protocol costs anything. It knows no protocol."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

import structlog

HANDSHAKE = 5.0  # s for a TLS client to say hello and show its certificate
BACKLOG = 256  # clients that the kernel keeps while we are busy

log = structlog.get_logger()


def listen_on(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address of the host, "" for all of this machine's. Raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))  # type: ignore[arg-type]
            sockets[-1].setblocking(False)
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


async def receive(listening: socket.socket, arrived: Callable[[socket.socket, str], None]) -> None:
    """Hand over each connection with its host's address as it comes, for as long as we live."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            accepted, address = await loop.sock_accept(listening)
        except OSError as error:  # the client has gone already, or we have no more files to open
            log.warning("a connection could not be taken", reason=str(error))
            await asyncio.sleep(0.1)
            continue
        arrived(accepted, address[0])
        await asyncio.sleep(0)  # in a flood of clients those who are seated have their turn too


async def seat(protocol: asyncio.Protocol, accepted: socket.socket, address: str, context: ssl.SSLContext | None) -> bool:
    """Have the protocol speak on the connection, once TLS stands where there is a context; whether it came to that."""
    limits = {"ssl_handshake_timeout": HANDSHAKE, "ssl_shutdown_timeout": 1.0} if context else {}
    try:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # uvloop does; asyncio not for what sock_accept gives
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, accepted, ssl=context, **limits)
    except OSError as error:  # a TLS error is one too
        log.debug("no connection", peer=address, reason=str(error))
        accepted.close()
        return False
    return True
