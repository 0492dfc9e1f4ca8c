"""SocketCAN by its own socket: hundreds of frames a call, with the kernel's time stamps, drops and filters. It knows no message.

One `recvmmsg` fills the rows that one compiled call reads; python-can makes an object of each frame. The bit rate is the
interface's: `ip link set can0 up type can bitrate 500000 restart-ms 100` sets it, and a restart after bus-off. The layouts
here are those of 64-bit little-endian Linux.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from runtime.fieldbus.can_fault import ERR_ALL, Fault
from runtime.fieldbus.can_tables import EXTENDED, MOST_DELAY, WIDEST
from runtime.fieldbus.can_wire import RECEIVE_BUFFER, Batch
from runtime.fieldbus.compiled import compiled

CHUNK = 512  # frames a call
FRAME, HEAD = 72, 8  # bytes of struct canfd_frame and of what stands before its data
CONTROL = 8  # words for what the kernel says beside a frame: a time stamp (4 words) and a count of drops (3)
MOST_FILTERS = 512  # CAN_RAW_FILTER_MAX
# Numbers of asm-generic/socket.h and linux/can/raw.h that Python's socket module does not name.
SO_RCVBUFFORCE, SO_TIMESTAMPNS, SO_RXQ_OVFL = 33, 35, 40
SOL_CAN_RAW, CAN_RAW_FILTER, CAN_RAW_ERR_FILTER, CAN_RAW_FD_FRAMES = 101, 1, 2, 5
EFF_FLAG, RTR_FLAG, ERR_FLAG, EFF_MASK, SFF_MASK = 1 << 31, 1 << 30, 1 << 29, 0x1FFFFFFF, 0x7FF
FD_BRS = 0x01
FITS = ctypes.sizeof(ctypes.c_size_t) == 8 and sys.byteorder == "little"  # whether the layouts here are this machine's
S_DROPS, S_ERRORS, S_REMOTE = range(3)
FULL = (errno.ENOBUFS, errno.EAGAIN)


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_size_t), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr, pointers as numbers."""

    _fields_ = [
        ("name", ctypes.c_size_t),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_size_t),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_size_t),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_size_t),  # an int, and what fills struct msghdr up to whole words
        ("received", ctypes.c_uint32),
    ]


CONTROL_AT, RECEIVED_AT = _Message.control_length.offset // 4, _Message.received.offset // 4  # in words of 4 bytes


@compiled
def read_control(words, size, found):  # type: ignore[no-untyped-def]
    """What the kernel says beside a frame: found[0] the wall's time (ns) or 0, found[1] the drops so far or -1."""
    found[0], found[1] = 0, -1
    at = 0
    while 8 * at + 16 <= size:
        length, kind = words[at], words[at + 1] >> 32
        if length < 16 or 8 * at + length > size:
            return
        if kind == SO_TIMESTAMPNS:
            found[0] = words[at + 2] * 1_000_000_000 + words[at + 3]
        elif kind == SO_RXQ_OVFL:
            found[1] = words[at + 2] & 0xFFFFFFFF
        at += (length + 7) // 8


@compiled
def read_frames(frames, headers, controls, count, batch, clock, errors, seen):  # type: ignore[no-untyped-def]
    """Append received frames to the batch; returns its new count. `headers`: uint32 words of mmsghdr, `seen`: S_ counters.

    `clock` is (monotonic ns - wall ns, monotonic now). Error frames are copied to `errors`, remote frames left out.
    """
    row, keys, data, lengths, times = batch
    words = frames.view(np.uint32)
    found = np.zeros(2, np.int64)
    for i in range(count):
        read_control(controls[i], np.int64(headers[i, CONTROL_AT]), found)
        if found[1] >= 0:
            seen[S_DROPS] = found[1]
        identifier = np.int64(words[i, 0])
        length = min(np.int64(frames[i, 4]), np.int64(headers[i, RECEIVED_AT]) - HEAD)
        if length < 0 or identifier & RTR_FLAG:
            seen[S_REMOTE] += 1
            continue
        if identifier & ERR_FLAG:
            place = seen[S_ERRORS]
            if place < len(errors):
                errors[place] = frames[i]
            seen[S_ERRORS] += 1
            continue
        keys[row] = (identifier & EFF_MASK) | EXTENDED if identifier & EFF_FLAG else identifier & SFF_MASK
        data[row, :length] = frames[i, HEAD : HEAD + length]
        lengths[row] = length
        then = found[0] + clock[0]
        times[row] = then if clock[1] - MOST_DELAY < then <= clock[1] else clock[1]
        row += 1
    return row


def open_socket(interface: str, flexible: bool, keys: Collection[int] | None) -> socket.socket:
    """A raw socket on a CAN interface. Raises OSError with what to do where the interface is missing or down."""
    try:
        raw = socket.socket(socket.AF_CAN, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.CAN_RAW)
    except OSError as error:
        raise OSError(error.errno, f"{interface}: this kernel has no CAN; `modprobe can-raw`") from error
    try:
        raw.setblocking(False)
        if flexible:
            raw.setsockopt(SOL_CAN_RAW, CAN_RAW_FD_FRAMES, 1)
        raw.setsockopt(SOL_CAN_RAW, CAN_RAW_ERR_FILTER, struct.pack("=I", ERR_ALL))
        raw.setsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, pack_filters(keys))
        raw.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        raw.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        try:
            raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:  # without CAP_NET_ADMIN the limit is net.core.rmem_max
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        raw.bind((interface,))
        trouble = raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if trouble:
            raise OSError(trouble, os.strerror(trouble))
    except OSError as error:
        raw.close()
        raise OSError(error.errno, f"{interface}: {error.strerror}{_advice(interface, error.errno)}") from error
    return raw


def _advice(interface: str, number: int | None) -> str:
    if number == errno.ENETDOWN:
        return f"; `ip link set {interface} up type can bitrate 500000 restart-ms 100`"
    if number == errno.ENODEV:
        return "; `ip -details link` lists the interfaces, and a USB adapter's name may have changed"
    return ""


def pack_filters(keys: Collection[int] | None) -> bytes:
    """The kernel's filters for these identifiers (None: all). More than it takes are widened until they fit."""
    if keys is None:
        return struct.pack("=II", 0, 0)
    for spare in range(30):  # low bits that no longer matter
        wide = -1 << spare
        pairs = {(key & wide & EFF_MASK | EFF_FLAG, EFF_MASK & wide) for key in keys if key & EXTENDED}
        pairs |= {(key & wide & SFF_MASK, SFF_MASK & wide) for key in keys if not key & EXTENDED}
        if len(pairs) <= MOST_FILTERS:
            break
    return b"".join(struct.pack("=II", value, mask & 0xFFFFFFFF | EFF_FLAG | RTR_FLAG) for value, mask in sorted(pairs))


class SocketWire:
    """An open SocketCAN interface: satisfies `can_wire.Wire`."""

    is_idle = True  # what it takes stands in the kernel's queue

    def __init__(self, interface: str, options: dict[str, Any], keys: Collection[int] | None):
        unknown = sorted(set(options) - {"fd"})
        if unknown:
            raise ValueError(f"socketcan has no option {', '.join(unknown)}: it takes `fd`; the rest is set with `ip link`")
        self._fault = Fault()
        self.counts = self._fault.counts
        self._frames = np.zeros((CHUNK, FRAME), np.uint8)
        self._controls = np.zeros((CHUNK, CONTROL), np.int64)
        self._vectors = (_Vector * CHUNK)()
        self._messages = (_Message * CHUNK)()
        for i in range(CHUNK):
            self._vectors[i] = _Vector(self._frames.ctypes.data + i * FRAME, FRAME)
            vector = ctypes.addressof(self._vectors) + i * ctypes.sizeof(_Vector)
            control = self._controls.ctypes.data + i * 8 * CONTROL
            self._messages[i] = _Message(0, 0, vector, 1, control, 8 * CONTROL, 0, 0)
        self._headers = np.frombuffer(memoryview(self._messages).cast("B"), np.uint32).reshape(CHUNK, -1)
        self._errors = np.zeros((16, FRAME), np.uint8)
        self._seen = np.zeros(3, np.int64)
        self._drops = 0
        self._receive = ctypes.CDLL(None, use_errno=True).recvmmsg
        self._receive.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        self._read(Batch(), 0)  # compiles, or loads, the kernel here: in the thread that opens the bus, and before frames come
        self._raw = open_socket(interface, bool(options.get("fd")), keys)

    @property
    def state(self) -> str:
        return self._fault.state

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        loop.add_reader(self._raw.fileno(), ready)

    def unwatch(self, loop: Any) -> None:
        loop.remove_reader(self._raw.fileno())

    def set_filters(self, keys: Collection[int] | None) -> None:
        """Let only frames with these identifiers through."""
        self._raw.setsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, pack_filters(keys))

    def drain(self, batch: Batch) -> bool:
        batch.count = 0
        while batch.count + CHUNK <= len(batch.keys):
            self._headers[:, CONTROL_AT] = 8 * CONTROL
            found = self._receive(self._raw.fileno(), ctypes.addressof(self._messages), CHUNK, socket.MSG_DONTWAIT, None)
            if found < 0:
                self._refuse(ctypes.get_errno())
                return False
            self._read(batch, found)
            if found < CHUNK:
                return False
        return True

    def _refuse(self, number: int) -> None:
        if number not in (errno.EAGAIN, errno.EINTR):
            raise OSError(number, os.strerror(number))

    def _read(self, batch: Batch, found: int) -> None:
        """Append what was received to the batch, and see what error frames among it say."""
        wall, now = time.time_ns(), time.monotonic_ns()
        rows = (batch.count, batch.keys, batch.data, batch.lengths, batch.times)
        self._seen[S_ERRORS] = 0
        before = batch.count
        batch.count = read_frames(
            self._frames, self._headers, self._controls, found, rows, (now - wall, now), self._errors, self._seen
        )
        self.counts["overflow"] += self._dropped()
        if batch.count > before:
            self._fault.hear()
        if self._seen[S_ERRORS]:
            self._take_errors(int(self._seen[S_ERRORS]))

    def _dropped(self) -> int:
        """Frames that the kernel dropped since the last look; its counter has 32 bits."""
        drops = int(self._seen[S_DROPS])
        more, self._drops = (drops - self._drops) & 0xFFFFFFFF, drops
        return more

    def _take_errors(self, count: int) -> None:
        for frame in self._errors[:count].tolist():
            identifier = int.from_bytes(bytes(frame[:4]), "little") & EFF_MASK
            self._fault.take(identifier, bytes(frame[HEAD : HEAD + min(frame[4], 8)]))
        self.counts["error_frames"] += max(0, count - len(self._errors))

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        identifier = key & EFF_MASK | EFF_FLAG if key & EXTENDED else key
        if fd:
            frame = struct.pack(f"=IBB2x{WIDEST}s", identifier, len(data), FD_BRS, data)
        else:
            frame = struct.pack("=IB3x8s", identifier, len(data), data)
        try:
            self._raw.send(frame)
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.counts["not_sent"] += 1
            return False
        return True

    def close(self) -> None:
        self._raw.close()
