"""What the tests of the Modbus server share: a map of every type, requests as bytes, and whether somebody was turned away."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Iterator
from typing import Any

from runtime.child import ServiceOrder
from tests.aids.servers_process import ServerProcess, eventually
from tests.aids.servers_scan import TestScan

MAP = """
bms.soc: {register: input 0}
bms.current: [{register: input 2, as: float32, words: little}, {register: holding 40, as: float32, write: false}]
bms.cell_v: {register: input 10, as: uint16, scale: 0.001}
bms.cycles: {register: input 20, as: int32}
grid.energy: {register: input 22, as: int64}
plc.uptime: {register: input 26, as: uint32, scale: 1000000000}
bms.soc.quality: {register: input 30}
bms.ok.quality: {register: input 31, as: uint32}
pcs.state: {register: input 33, as: int16, bad: nan}
hmi.p_set: {register: holding 0, as: int16, scale: 0.1}
hmi.limit: {register: holding 1, as: int16}
hmi.steps: {register: holding 10, as: float64}
hmi.count: {register: holding 22, as: int64, words: little}
hmi.delay: {register: holding 26, as: uint32, scale: 1000000}
"hmi.steps[1]": {register: holding 30, as: float32}
bms.ok: {register: discrete 0}
bms.soc.good: {register: discrete 1}
hmi.enable: {register: coil 0}
"""


def published(scan: TestScan, name: str, value: Any) -> None:
    """Set a tag and wait until a snapshot with it is out."""
    scan.set(name, value)
    before = int(scan.stamps[0])
    eventually(lambda: scan.stamps[0] > before + 1)


def request(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            break
        data += part
    return data


def ask(port: int, data: bytes) -> bytes:
    """Send bytes; what comes back before the answer is complete or the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(data)
        header = receive(sock, 7)
        return header if len(header) < 7 else header + receive(sock, struct.unpack(">H", header[4:6])[0] - 1)


def is_turned_away(port: int) -> bool:
    """Whether a request on a new connection ends it without an answer."""
    try:
        return ask(port, request(1, 1, ONE_COIL)) == b""
    except ConnectionResetError:
        return True


ONE_COIL = b"\x01\x00\x00\x00\x01"


def listening_at(server: ServerProcess) -> dict[str, int]:
    """The ports of a server that listens in several ways, by scheme: `modbus-tcp`, `modbus-tls`."""

    def said() -> Any:
        assert server.process.poll() is None, server.log()
        try:
            return server.status()
        except FileNotFoundError:
            return None

    status = eventually(said, timeout=30)
    return {scheme: int(port) for scheme, port in re.findall(r"(modbus-\w+)://[^ ]*?:(\d+)", status["listening"])}


@contextlib.contextmanager
def serving_many_ways(order: ServiceOrder) -> Iterator[tuple[ServerProcess, int]]:
    """A server that listens in more ways than plain TCP, and its TCP port (0 where it has none)."""
    server = ServerProcess(order)
    try:
        yield server, listening_at(server).get("modbus-tcp", 0)
    finally:
        server.end()
