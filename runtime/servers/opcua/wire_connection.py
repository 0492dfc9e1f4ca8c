"""Connections that stay within their bounds and answer the usual Read at once. They know no tag: the publisher has them.

A client that does not read what it asked for is not asked for more: its connection is not read from until it has taken its answers.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from asyncua import ua
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol

from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.secure_channel import GuardedProcessor
from runtime.servers.opcua.types import standard
from runtime.servers.opcua.wire_read import answer, is_read

log = structlog.get_logger()
LONGEST = 4 * 1024 * 1024  # bytes of one message: 10,000 tags fit; asyncua's own limit is 100 MB for each connection
CHUNK = 65535
_READ = standard(ua.ObjectIds.ReadRequest_Encoding_DefaultBinary)


class Processor(GuardedProcessor):
    """asyncua's processor of messages behind the gate, except for reads of plain tag values."""

    publisher: Publisher  # set once, before the server listens

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

    def connection_made(self, transport: Any) -> None:
        self.peer_name = transport.get_extra_info("peername")
        if not self.iserver.gate.admits(str(self.peer_name[0])):  # type: ignore[attr-defined]
            transport.abort()
            return
        super().connection_made(transport)
        if self.processor is not None and self.transport is not None:
            self.processor = Processor(self.iserver, self.transport, self.limits)
            self.processor.set_policies(self.policies)

    def data_received(self, data: bytes) -> None:
        if len(self._buffer) + len(data) > LONGEST + CHUNK:
            log.warning("closed", peer=str(self.peer_name), reason=f"a message of more than {LONGEST} bytes")
            if self.transport is not None:
                self.transport.abort()
            return
        super().data_received(data)

    def pause_writing(self) -> None:
        """The client takes its answers more slowly than it asks: hear no more questions until it has taken them."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has taken them."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()


class BoundedServer(BinaryServer):
    """asyncua's listener with bounded connections."""

    def _make_protocol(self) -> OPCUAProtocol:
        return BoundedProtocol(self.iserver, self._policies, self.clients, self.closing_tasks, self.limits)
