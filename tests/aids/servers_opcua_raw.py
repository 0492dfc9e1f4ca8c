"""An OPC UA client made of bytes: it sends what no well-behaved client would, without security, and says what came back."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary

NONE = b"http://opcfoundation.org/UA/SecurityPolicy#None"
CLOSED = "closed"


def text(data: bytes | None) -> bytes:
    return struct.pack("<i", -1) if data is None else struct.pack("<i", len(data)) + data


def code_name(code: int) -> str:
    return ua.StatusCode(code).name  # type: ignore[arg-type]


class Raw:
    """One connection. Whatever is asked returns the answer's type and its bytes, or ("ERR", name of the code), or `closed`."""

    def __init__(self, port: int, *, is_open: bool = False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        self.sequence, self.channel, self.token = 0, 0, 0
        self.session = ua.NodeId()
        if is_open:
            assert self.hello()[0] == "ACK"
            assert self.open_channel()[0] == "OPN"

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, kind: bytes, body: bytes, part: bytes = b"F") -> None:
        with suppress(ConnectionError):  # what it is told comes all the same
            self.socket.sendall(kind + part + struct.pack("<I", 8 + len(body)) + body)

    def hear(self) -> tuple[str, Any]:
        try:
            head = self._exactly(8)
            kind, size = head[:3].decode(), struct.unpack("<I", head[4:])[0]
            body = self._exactly(size - 8)
        except (ConnectionError, EOFError):
            return CLOSED, None
        return (kind, code_name(struct.unpack_from("<I", body)[0])) if kind == "ERR" else (kind, body)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            some = self.socket.recv(count - len(data))
            if not some:
                raise EOFError
            data += some
        return data

    def hello(self, receive: int = 65535, send: int = 65535, longest: int = 0, chunks: int = 0) -> tuple[str, Any]:
        self.send(b"HEL", struct.pack("<5I", 0, receive, send, longest, chunks) + text(b"opc.tcp://127.0.0.1"))
        return self.hear()

    def numbered(self, body: bytes) -> bytes:
        self.sequence += 1
        return struct.pack("<II", self.sequence, self.sequence) + body

    def open_channel(self, lifetime: int = 3_600_000, kind: Any = ua.SecurityTokenRequestType.Issue) -> tuple[str, Any]:
        request = ua.OpenSecureChannelRequest()
        request.Parameters = ua.OpenSecureChannelParameters(0, kind, ua.MessageSecurityMode.None_, b"", lifetime)  # type: ignore[arg-type]
        head = struct.pack("<I", self.channel) + text(NONE) + text(None) + text(None)
        self.send(b"OPN", head + self.numbered(struct_to_binary(request)))
        answered = self.hear()
        if answered[0] == "OPN":
            rest = Buffer(answered[1][4 + len(text(NONE)) + 8 + 8 :])
            response = struct_from_binary(ua.OpenSecureChannelResponse, rest)
            self.channel, self.token = response.Parameters.SecurityToken.ChannelId, response.Parameters.SecurityToken.TokenId
            return "OPN", response
        return answered

    def message(self, body: bytes, part: bytes = b"F") -> None:
        self.send(b"MSG", struct.pack("<II", self.channel, self.token) + self.numbered(body), part)

    def ask(self, request: Any) -> tuple[str, Any]:
        """The name of the response's status and its parameters as bytes."""
        request.RequestHeader.AuthenticationToken = self.session
        return self.ask_bytes(struct_to_binary(request))

    def ask_bytes(self, body: bytes) -> tuple[str, Any]:
        self.message(body)
        kind, data = self.hear()
        if kind != "MSG":
            return kind, data
        rest = Buffer(data[16:])
        nodeid_from_binary(rest)
        head = struct_from_binary(ua.ResponseHeader, rest)
        return head.ServiceResult.name, rest

    def create_session(self, timeout: float = 60_000.0) -> tuple[str, Any]:
        name, rest = self.ask(ua.CreateSessionRequest(Parameters=ua.CreateSessionParameters(RequestedSessionTimeout=timeout)))
        if name != "Good":
            return name, rest
        made = struct_from_binary(ua.CreateSessionResult, rest)
        self.session = made.AuthenticationToken
        return name, made

    def enter(self, timeout: float = 60_000.0) -> Raw:
        """Open a session and come in without a name."""
        assert self.create_session(timeout)[0] == "Good"
        request = ua.ActivateSessionRequest()
        request.Parameters.UserIdentityToken = ua.AnonymousIdentityToken(PolicyId="anonymous")
        assert self.ask(request)[0] == "Good"
        return self
