"""Connections that stay within their bounds and answer the usual Read at once. They know no tag: the publisher has them.

A client that does not read what it asked for is not asked for more: its connection is not read from until it has taken its answers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import Counter
from typing import Any

import structlog
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.ua.ua_binary import header_from_binary, uatcp_to_binary

from runtime.servers.opcua.limits import CHUNK, LONGEST, PATIENCE, STALLED, STRANGERS, UNSENT
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.secure_channel import GuardedProcessor
from runtime.servers.opcua.types import standard, status
from runtime.servers.opcua.wire_read import answer, is_read

log = structlog.get_logger()
_KINDS = (b"HEL", b"OPN", b"MSG", b"CLO")  # what a client may send (part 6, 7.1.2.2)
_HEAD = struct.Struct("<3ssI")
_CODES = ua.StatusCodes
_READ = standard(ua.ObjectIds.ReadRequest_Encoding_DefaultBinary)


class Processor(GuardedProcessor):
    """asyncua's processor of messages behind the gate, except for reads of plain tag values."""

    publisher: Publisher  # set once, before the server listens

    def get_publish_request(self, subscription_id: Any) -> Any:
        """A request to publish with; none while the client does not take what was published to it before."""
        if self._transport.get_write_buffer_size() > UNSENT:
            return None
        return super().get_publish_request(subscription_id)

    async def process_message(self, seqhdr: ua.SequenceHeader, body: Any) -> Any:
        data, start = body._data, body.cur_pos
        if is_read(data, start):
            response = self._answer(data[start : start + len(body)], body)
            if response is not None:
                self._transport.write(self._connection.message_to_binary(response, request_id=seqhdr.RequestId))
                return True
        return await super().process_message(seqhdr, body)

    def _answer(self, data: bytes, body: Any) -> bytes | None:
        session = self.session
        if session is None or not session.is_activated():
            return None
        permissions = self._connection.security_policy.permissions
        if permissions is not None and permissions.check_validity(session.user, _READ, body) is False:
            return None  # asyncua refuses it in its own words
        token: Any = session.auth_token.Identifier
        response = answer(data, 0, token, self.publisher.names, self.publisher.picture)
        if response is not None:
            self.session_last_activity = time.monotonic()
            session.touch()
        return response


class BoundedProtocol(OPCUAProtocol):
    """A connection that keeps no more unread bytes than one message may have, and no more unsent ones than it must."""

    def __init__(self, server: BoundedServer):
        clients: Any = server.clients
        super().__init__(server.iserver, server.policies, clients, server.closing_tasks, server.limits)
        self._server = server
        self._may_answer = asyncio.Event()
        self._may_answer.set()
        self._pending = 0  # bytes of the messages that wait
        self._is_refused = False
        self._strange_since = self._stalled_since = self._closing_since = 0.0

    @property
    def host(self) -> str:
        """Where it comes from."""
        return str(self.peer_name[0]) if isinstance(self.peer_name, tuple) else str(self.peer_name)

    @property
    def has_session(self) -> bool:
        """Whether somebody was let in here, and is still in."""
        session = self.processor.session if self.processor is not None else None
        return session is not None and session.is_activated()

    def connection_made(self, transport: Any) -> None:
        self.peer_name = transport.get_extra_info("peername")
        if not self.iserver.gate.admits(self.host) or not self._server.make_room():  # type: ignore[attr-defined]
            transport.abort()
            return
        _keep_alive(transport.get_extra_info("socket"))
        self._strange_since = time.monotonic()
        super().connection_made(transport)
        if self.processor is not None and self.transport is not None:
            self.processor = Processor(self.iserver, self.transport, self.limits)
            self.processor.set_policies(self.policies)

    def data_received(self, data: bytes) -> None:
        """Cut what came into messages; what cannot become one ends the connection before the rest of it has come."""
        if self._is_refused:
            return
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _HEAD.size:
            kind, part, size = _HEAD.unpack_from(self._buffer, at)
            if kind not in _KINDS or part not in (b"F", b"C", b"A"):
                self._refuse(_CODES.BadTcpMessageTypeInvalid)
                return
            if not _HEAD.size + 4 < size <= CHUNK:
                self._refuse(_CODES.BadTcpMessageTooLarge)
                return
            if len(self._buffer) - at < size:
                break
            if self._pending + size > LONGEST + CHUNK or self.messages.full():
                self._refuse(_CODES.BadTcpNotEnoughResources)
                return
            message = Buffer(self._buffer[at : at + size])
            self._pending += size
            self.messages.put_nowait((header_from_binary(message), message))
            at += size
        self._buffer = self._buffer[at:]

    def _refuse(self, code: int) -> None:
        self._is_refused, self._buffer = True, b""
        log.warning("closed", peer=str(self.peer_name), reason=status(code).name)
        if self.transport is not None:
            told: Any = ua.ErrorMessage(status(code), "")  # type: ignore[arg-type]
            self.transport.write(uatcp_to_binary(ua.MessageType.Error, told))  # type: ignore[arg-type]
            self.transport.close()

    async def _process_one_msg(self, header: Any, buf: Buffer) -> bool:
        await self._may_answer.wait()
        self._pending -= header.header_size + header.body_size
        return await super()._process_one_msg(header, buf)

    def pause_writing(self) -> None:
        """The client takes its answers more slowly than it asks: hear no more questions until it has taken them."""
        self._may_answer.clear()
        self._stalled_since = time.monotonic()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has taken them."""
        self._may_answer.set()
        self._stalled_since = 0.0
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def look_after(self, now: float) -> None:
        """End the connection where nobody is in it, where its keys are too old, or where its client takes nothing any more."""
        transport, processor = self.transport, self.processor
        if transport is None or not isinstance(processor, Processor):
            return
        if transport.is_closing():  # a client that takes nothing does not let it end in order
            self._closing_since = self._closing_since or now
            if now - self._closing_since > 1.0:
                transport.abort()
            return
        self._strange_since = 0.0 if self.has_session else self._strange_since or now
        is_strange = self._strange_since and now - self._strange_since > PATIENCE
        is_stalled = self._stalled_since and now - self._stalled_since > STALLED
        if is_strange or is_stalled or now > processor.keys_until:
            reason = "no session" if is_strange else "takes no answers" if is_stalled else "its keys were not renewed in time"
            log.info("closed", peer=str(self.peer_name), reason=reason)
            transport.abort()


def _keep_alive(sock: Any) -> None:
    """Have the system find out within a minute that the other end is gone without a word."""
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3)):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)


class BoundedServer(BinaryServer):
    """asyncua's listener with bounded connections."""

    clients: list[BoundedProtocol]  # type: ignore[assignment]

    @property
    def policies(self) -> list[Any]:
        """What is offered."""
        return self._policies

    def _make_protocol(self) -> OPCUAProtocol:
        return BoundedProtocol(self)

    def make_room(self) -> bool:
        """Whether one more may connect. Where too many have no session, the oldest goes (part 4, 5.6.2): of the address that has
        the most of them, so that a flood from one drives nobody else out.
        """
        strangers = [client for client in self.clients if not client.has_session]
        if len(strangers) < STRANGERS:
            return True
        most = Counter(client.host for client in strangers).most_common(1)[0][0]
        oldest = next(client for client in strangers if client.host == most)
        self.clients.remove(oldest)
        if oldest.transport is not None:
            oldest.transport.abort()
        return True

    def look_after(self) -> None:
        """End what nobody uses any more; once a second."""
        now = time.monotonic()
        for client in list(self.clients):
            client.look_after(now)
