"""Devices that misbehave on demand, on Modbus TCP, Modbus RTU and CAN; their values are the time, so that a wrong one shows.

`python -m tests.aids.fault_plant ORDER`; ORDER is JSON:
{"tcp": {"m1": PORT}, "rtu": {"r1": LINK}, "can": {"c1": [LINK, ID]}, "seed": 1}.

Commands are JSON lines: {"do": "fault", "device": "m1", "kind": "timeout"}, {"do": "clear", "device": "m1"}. A faulty answer
carries poison, never the time, unless the fault is in how the answer travels.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import socket
import struct
import sys
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.aids.fieldbus_child import answer

UNIT = 1
CAN_CYCLE_S = 0.02
SLOW_S, TOO_SLOW_S, DRIBBLE_S = 0.15, 1.5, 0.004
FLOOD = 60  # foreign frames in each cycle
EXCEPTIONS = {f"exception_{code}": code for code in (1, 2, 3, 4, 5, 6, 8, 10, 11)}
ANSWERS = ("timeout", *EXCEPTIONS, "wrong_unit", "wrong_function", "short", "wrong_count", "garbage", "slow", "too_slow", "dribble")
TCP_KINDS = (*ANSWERS, "refused", "reset", "closed", "wrong_transaction", "wrong_protocol", "cut", "noise_after")
RTU_KINDS = (*ANSWERS, "crc", "cut", "noise_before", "unplugged")
CAN_KINDS = (
    "cut",
    "wrong_length",
    "crc",
    "alive_stuck",
    "alive_jump",
    "not_available",
    "silence",
    "garbage",
    "flood",
    "extended",
    "remote",
    "unplugged",
)
NOT_AVAILABLE = 0xFFFF


def now_ms() -> int:
    """The truth: CLOCK_MONOTONIC in ms, 32 bits."""
    return time.monotonic_ns() // 1_000_000 % 2**32


def crc_rtu(data: bytes) -> bytes:
    """CRC-16/MODBUS (Modbus over serial line 1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)


def crc_j1850(data: bytes) -> int:
    """CRC-8/SAE-J1850."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc ^ 0xFF


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


class PtyLine:
    """One end of a pty pair whose other end is linked to a path: a serial port that can be pulled."""

    def __init__(self, link: Path, receive: Callable[[bytes], None]):
        self.link, self.receive = link, receive
        self.near = self.far = -1
        self.plug()

    def plug(self) -> None:
        self.near, self.far = os.openpty()
        for end in (self.near, self.far):
            tty.setraw(end)
        os.set_blocking(self.near, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.far))
        asyncio.get_running_loop().add_reader(self.near, self._readable)

    def unplug(self) -> None:
        asyncio.get_running_loop().remove_reader(self.near)
        self.link.unlink(missing_ok=True)
        os.close(self.near)
        os.close(self.far)
        self.near = -1

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.receive(os.read(self.near, 65536))

    def write(self, data: bytes) -> None:
        """Write what fits; a full line loses the rest, as a serial port does."""
        if self.near >= 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self.near, data)


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


def truth_frame(ms: int, alive: int, low: int | None = None) -> bytes:
    """The CAN message of dbc/truth.dbc: T, ALIVE, LOW, CRC."""
    body = struct.pack("<IBH", ms, alive, ms & 0x7FFF if low is None else low)
    return body + bytes([crc_j1850(body)])


class CanDevice:
    """A CAN node behind an SLCAN adapter: one message every 20 ms, with alive counter and CRC."""

    def __init__(self, link: Path, identifier: int, seed: int):
        self.random = random.Random(seed)
        self.identifier = identifier
        self.kind = ""
        self.alive = 0
        self.frozen = b""
        self.is_open = False
        self.line = PtyLine(link, self._receive)
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._speak())

    async def fault(self, kind: str) -> None:
        self.kind, self.frozen = kind, truth_frame(now_ms(), self.alive)
        if kind == "unplugged":
            self.line.unplug()

    async def clear(self) -> None:
        was, self.kind = self.kind, ""
        if was == "unplugged":
            self.line.plug()

    def _receive(self, data: bytes) -> None:
        for command in data.split(b"\r"):
            if command[:1] in (b"O", b"C"):
                self.is_open = command[:1] == b"O"

    async def _speak(self) -> None:
        while True:
            await asyncio.sleep(CAN_CYCLE_S)
            if self.is_open and self.kind != "unplugged":
                self.alive = (self.alive + 1) % 16
                self.line.write(self._lines())

    def _text(self, data: bytes, mark: str = "t") -> bytes:
        digits = 3 if mark in "tr" else 8
        return f"{mark}{self.identifier:0{digits}X}{len(data)}{data.hex().upper()}\r".encode()

    def _lines(self) -> bytes:
        """What is sent in this cycle."""
        kind, right = self.kind, self._text(truth_frame(now_ms(), self.alive))
        poison = self.random.randbytes(7)
        if kind == "silence":
            return b""
        if kind == "cut":
            return right[: self.random.randint(1, len(right) - 2)] + b"\r"
        if kind == "wrong_length":
            return self._text(poison[: self.random.randint(0, 7)])
        if kind == "crc":
            return self._text(poison + bytes([crc_j1850(poison) ^ self.random.randint(1, 255)]))
        if kind == "alive_stuck":
            return self._text(self.frozen)
        if kind == "alive_jump":
            self.alive = (self.alive + self.random.randint(1, 10)) % 16
            return self._text(truth_frame(now_ms(), self.alive))
        if kind == "not_available":
            return self._text(truth_frame(now_ms(), self.alive, NOT_AVAILABLE))
        if kind == "garbage":
            return self.random.randbytes(self.random.randint(1, 80))
        if kind == "flood":
            foreign = [f"t{self.random.randrange(0x200, 0x7FF):03X}8{self.random.randbytes(8).hex()}\r" for _ in range(FLOOD)]
            return right + "".join(foreign).encode()
        if kind == "extended":
            return self._text(poison + bytes([crc_j1850(poison)]), "T")
        if kind == "remote":
            return f"r{self.identifier:03X}8\r".encode()
        return right


class Plant:
    """All devices of this process and the commands of the campaign."""

    def __init__(self, order: dict[str, Any]):
        seed = order["seed"]
        self.devices: dict[str, Any] = {}
        for number, (name, port) in enumerate(order.get("tcp", {}).items()):
            self.devices[name] = TcpDevice(port, seed + number)
        for number, (name, link) in enumerate(order.get("rtu", {}).items()):
            self.devices[name] = RtuDevice(Path(link), seed + 100 + number)
        for number, (name, (link, identifier)) in enumerate(order.get("can", {}).items()):
            self.devices[name] = CanDevice(Path(link), identifier, seed + 200 + number)

    async def do(self, asked: dict[str, Any]) -> Any:
        device = self.devices[asked["device"]]
        if asked["do"] == "fault":
            await device.fault(asked["kind"])
        else:
            await device.clear()
        return True


async def main() -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    plant = Plant(json.loads(sys.argv[1]))
    for device in plant.devices.values():
        await device.start()
    tasks, buffer = [], ""

    async def reply(line: str) -> None:
        try:
            answer(await plant.do(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - the campaign shows it
            answer({"error": repr(error)})

    def read() -> None:
        nonlocal buffer
        data = os.read(0, 1 << 16).decode()
        if not data:
            end.set()
            return
        *lines, buffer = (buffer + data).split("\n")
        tasks.extend(loop.create_task(reply(line)) for line in lines)

    loop.add_reader(0, read)
    answer({"pid": os.getpid()})
    await end.wait()


if __name__ == "__main__":
    asyncio.run(main())
