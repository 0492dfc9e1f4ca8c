"""CAN nodes behind SLCAN adapters that misbehave on demand; their message is the time, so that a wrong one shows."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path

from tests.aids.fault_line import PtyLine, now_ms

CAN_CYCLE_S = 0.02
FLOOD = 60  # foreign frames in each cycle
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


def crc_j1850(data: bytes) -> int:
    """CRC-8/SAE-J1850."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc ^ 0xFF


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
