"""A python-can bus over a local SEQPACKET socket: one packet a frame, for tests and benchmarks of buses that are no SocketCAN.

A packet is a `struct can_frame` or `struct canfd_frame` of linux/can.h; error frames carry their flag. The channel is the
path of the socket that the far end listens on, or the number of a descriptor.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from pathlib import Path
from typing import Any

import can
from can.interfaces import BACKENDS

from runtime.fieldbus import can_bus

HEAD = struct.Struct("=IBB2x")
EXTENDED, REMOTE, ERROR = 1 << 31, 1 << 30, 1 << 29


def pack(identifier: int, data: bytes, *, extended: bool = False, error: bool = False) -> bytes:
    """A frame as a packet."""
    flags = (EXTENDED if extended else 0) | (ERROR if error else 0)
    return HEAD.pack(identifier | flags, len(data), 0) + data.ljust(64 if len(data) > 8 else 8, b"\0")


def unpack(packet: bytes) -> tuple[int, bool, bytes]:
    """Identifier, whether it has 29 bits, and data of a packet."""
    word, length, _ = HEAD.unpack_from(packet)
    return word & 0x1FFFFFFF, bool(word & EXTENDED), packet[8 : 8 + length]


class PairBus(can.BusABC):
    """One end of the pair. `state` can be set, as a controller's would change by itself."""

    def __init__(self, channel: str, **settings: Any):
        self.channel_info = f"pair {channel}"
        if str(channel).isdigit():
            self.socket = socket.socket(fileno=int(channel))
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.connect(str(channel))
        self.now = can.BusState.ACTIVE
        super().__init__(channel, **settings)

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if not select.select([self.socket], [], [], timeout)[0]:
            return None, False
        packet = self.socket.recv(72)
        if not packet:
            raise can.CanOperationError("the far end is closed")
        word, length, _ = HEAD.unpack_from(packet)
        message = can.Message(
            timestamp=time.time(),
            arbitration_id=word & 0x1FFFFFFF,
            is_extended_id=bool(word & EXTENDED),
            is_error_frame=bool(word & ERROR),
            is_remote_frame=bool(word & REMOTE),
            is_fd=len(packet) > 16,
            dlc=length,
            data=packet[8 : 8 + length],
            check=False,
        )
        return message, False

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        try:
            self.socket.send(pack(msg.arbitration_id, bytes(msg.data), extended=msg.is_extended_id), socket.MSG_DONTWAIT)
        except OSError as error:
            raise can.CanOperationError(error.strerror or "", error.errno) from error

    def fileno(self) -> int:
        return self.socket.fileno()

    def shutdown(self) -> None:
        super().shutdown()
        self.socket.close()

    @property
    def state(self) -> can.BusState:
        return self.now


def register() -> None:
    """Make `interface: pair` known to python-can in this process."""
    can_bus.LINUX_ERRORS |= {"pair"}
    BACKENDS["pair"] = (__name__, "PairBus")
    for module in (can.util, can.interfaces):
        module.VALID_INTERFACES = frozenset(module.VALID_INTERFACES | {"pair"})  # type: ignore[misc]


def register_for_children(folder: Path) -> dict[str, str]:
    """The environment in which another process knows `interface: pair`: a package that has nothing but its entry point."""
    info = folder / "canpair-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: canpair\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[can.interface]\npair = {__name__}:PairBus\n")
    return {"PYTHONPATH": str(folder)}
