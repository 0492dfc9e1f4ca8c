"""Modbus TCP servers and RTU slaves that misbehave on demand; their registers are the time, so that a wrong one shows.

A faulty answer carries poison, never the time, unless the fault is in how the answer travels.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from pathlib import Path

from tests.aids.fault_line import PtyLine, now_ms

UNIT = 1
SLOW_S, TOO_SLOW_S, DRIBBLE_S = 0.15, 1.5, 0.004
EXCEPTIONS = {f"exception_{code}": code for code in (1, 2, 3, 4, 5, 6, 8, 10, 11)}
ANSWERS = ("timeout", *EXCEPTIONS, "wrong_unit", "wrong_function", "short", "wrong_count", "garbage", "slow", "too_slow", "dribble")
TCP_KINDS = (*ANSWERS, "refused", "reset", "closed", "wrong_transaction", "wrong_protocol", "cut", "noise_after")
RTU_KINDS = (*ANSWERS, "crc", "cut", "noise_before", "unplugged")


def crc_rtu(data: bytes) -> bytes:
    """CRC-16/MODBUS (Modbus over serial line 1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)


def registers(function: int, address: int, count: int) -> bytes:
    """Holding 0 and 1: the time in ms; input 10 to 13: the time in us; 0 elsewhere."""
    ms, us = now_ms(), time.monotonic_ns() // 1000
    cells = {0: ms >> 16, 1: ms & 0xFFFF} if function == 3 else {10 + i: us >> 16 * (3 - i) & 0xFFFF for i in range(4)}
    return b"".join(struct.pack(">H", cells.get(address + i, 0)) for i in range(count))


class Modbus:
    """What a Modbus device answers to a request's PDU; a transport puts its frame around it."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.kind = ""
        self.requests = 0

    def pdu(self, request: bytes) -> bytes:
        """The answer to a read, as it is when nothing is wrong."""
        function, address, count = struct.unpack(">BHH", request[:5])
        if function not in (3, 4):
            return bytes([function | 0x80, 1])
        values = registers(function, address, count)
        return bytes([function, len(values)]) + values

    def poison(self, request: bytes) -> bytes:
        """A well-formed answer with values that were never true."""
        count = struct.unpack(">H", request[3:5])[0] if len(request) >= 5 else 1
        return bytes([request[0], 2 * count & 0xFF]) + self.random.randbytes(2 * count)

    def wrong_pdu(self, request: bytes) -> tuple[int, bytes] | None:
        """Unit and PDU of a fault that lies in the answer itself, or None where the fault lies elsewhere."""
        kind, poison = self.kind, self.poison(request)
        if kind in EXCEPTIONS:
            return UNIT, bytes([request[0] | 0x80, EXCEPTIONS[kind]])
        if kind == "wrong_unit":
            return UNIT + 1, poison
        if kind == "wrong_function":
            return UNIT, bytes([7 - request[0]]) + poison[1:]  # 3 and 4 change places
        if kind == "short":
            return UNIT, poison[:-2]
        if kind == "wrong_count":
            return UNIT, bytes([poison[0], poison[1] + 2]) + poison[2:] + self.random.randbytes(2)
        return None


class TcpDevice(Modbus):
    """A Modbus TCP server."""

    def __init__(self, port: int, seed: int):
        super().__init__(seed)
        self.port = port
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def fault(self, kind: str) -> None:
        self.kind = kind
        if kind == "refused":
            assert self.server is not None
            self.server.close()
            self._abort()

    async def clear(self) -> None:
        was, self.kind = self.kind, ""
        if was == "refused":
            await self.start()

    def _abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(7)
                transaction, _, length, _ = struct.unpack(">HHHB", head)
                await self._answer(writer, transaction, await reader.readexactly(length - 1))
        self.writers.discard(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, transaction: int, request: bytes) -> None:
        self.requests += 1
        kind = self.kind
        wrong = self.wrong_pdu(request)
        unit, pdu = wrong or (UNIT, self.pdu(request))
        if kind in ("timeout", "refused"):
            return
        if kind == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if kind in ("reset", "closed"):
            writer.close()
            raise ConnectionResetError
        if kind == "wrong_transaction":
            transaction, pdu = (transaction + 1) % 65536, self.poison(request)
        if kind == "garbage":
            writer.write(self.random.randbytes(self.random.randint(1, 60)))
            return
        if kind == "wrong_protocol":
            pdu = self.poison(request)
        frame = struct.pack(">HHHB", transaction, int(kind == "wrong_protocol") * 7, len(pdu) + 1, unit) + pdu
        if kind == "cut":
            frame = frame[: self.random.randint(1, len(frame) - 1)]
        if kind == "noise_after":
            frame += self.random.randbytes(self.random.randint(1, 20))
        if kind == "slow":
            await asyncio.sleep(SLOW_S)
            frame = frame[:7] + self.pdu(request)
        if kind == "too_slow":  # the values are those of the request's time: taken for a newer answer they are old
            await asyncio.sleep(TOO_SLOW_S)
        for part in [frame[i : i + 1] for i in range(len(frame))] if kind == "dribble" else [frame]:
            writer.write(part)
            if kind == "dribble":
                await asyncio.sleep(DRIBBLE_S)


class RtuDevice(Modbus):
    """A Modbus RTU slave on a serial line."""

    def __init__(self, link: Path, seed: int):
        super().__init__(seed)
        self.rest = b""
        self.tasks: set[asyncio.Task[None]] = set()
        self.line = PtyLine(link, self._receive)

    async def start(self) -> None:
        """The line is open since it was made."""

    async def fault(self, kind: str) -> None:
        self.kind = kind
        if kind == "unplugged":
            self.line.unplug()

    async def clear(self) -> None:
        was, self.kind = self.kind, ""
        if was == "unplugged":
            self.rest = b""
            self.line.plug()

    def _receive(self, data: bytes) -> None:
        """Reads are eight bytes; whatever does not end with their CRC is skipped byte by byte."""
        self.rest += data
        while len(self.rest) >= 8:
            frame = self.rest[:8]
            if frame[0] == UNIT and crc_rtu(frame[:6]) == frame[6:]:
                self.rest = self.rest[8:]
                task = asyncio.get_running_loop().create_task(self._answer(frame[1:6]))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            else:
                self.rest = self.rest[1:]

    async def _answer(self, request: bytes) -> None:
        self.requests += 1
        kind = self.kind
        wrong = self.wrong_pdu(request)
        unit, pdu = wrong or (UNIT, self.pdu(request))
        if kind == "timeout":
            return
        if kind == "garbage":
            self.line.write(self.random.randbytes(self.random.randint(1, 60)))
            return
        if kind == "slow":
            await asyncio.sleep(SLOW_S)
            pdu = self.pdu(request)
        body = bytes([unit]) + pdu
        frame = body + crc_rtu(body)
        if kind == "crc":  # what interference does to a frame: bits change on the way
            at = self.random.randrange(3, len(frame) - 2)
            frame = frame[:at] + bytes([frame[at] ^ self.random.randint(1, 255)]) + frame[at + 1 :]
        if kind == "cut":
            frame = frame[: self.random.randint(1, len(frame) - 1)]
        if kind == "noise_before":
            frame = self.random.randbytes(self.random.randint(1, 10)) + frame
        if kind == "too_slow":
            await asyncio.sleep(TOO_SLOW_S)
        for part in [frame[i : i + 1] for i in range(len(frame))] if kind == "dribble" else [frame]:
            self.line.write(part)
            if kind == "dribble":
                await asyncio.sleep(DRIBBLE_S)
