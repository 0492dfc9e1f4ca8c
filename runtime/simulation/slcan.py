"""The adapter's side of SLCAN (Lawicel's ASCII protocol): CAN frames as lines of text on a serial line.

It must not know files or buses: bytes in, frames and answers out. Both directions work on whole blocks of bytes.
Source: LAWICEL CANUSB manual, "CAN ASCII commands".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from runtime.simulation.frames import EXTENDED

OK = b"\r"
ERROR = b"\a"
LONGEST_LINE = 64  # T + 8 of id + length + 16 of data is 26; anything longer is noise
_HEX = np.frombuffer("".join(f"{n:02X}" for n in range(256)).encode(), dtype=np.uint8).reshape(256, 2)


@dataclass(frozen=True, slots=True)
class Frame:
    """One CAN frame as received."""

    id: int
    data: bytes
    extended: bool = False
    remote: bool = False


def line_template(ids: np.ndarray) -> np.ndarray:
    """Lines of 8-byte frames with these ids, all of 11 bits or all of 29, still without data: uint8[rows, 22 or 27]."""
    lines = [_head(int(number)) + "0" * 16 + "\r" for number in ids]
    return np.frombuffer("".join(lines).encode(), dtype=np.uint8).reshape(len(lines), -1).copy()


def _head(number: int) -> str:
    return f"T{number - EXTENDED:08X}8" if number >= EXTENDED else f"t{number:03X}8"


def write_lines(template: np.ndarray, payload: np.ndarray) -> bytes:
    """The text of many frames at once: `payload` is uint8[rows, 8]."""
    template[:, -17:-1] = _HEX[payload].reshape(-1, 16)
    return template.tobytes()


@dataclass(slots=True)
class Adapter:
    """The state of one adapter: is its channel open, and what of a line has come so far."""

    is_open: bool = False
    listen_only: bool = False
    buffer: bytearray = field(default_factory=bytearray)
    refused: int = 0


def take(adapter: Adapter, received: bytes) -> tuple[list[Frame], bytes, bool]:
    """Read what the host wrote: its frames, the answers to send back, and whether it asked to open the channel."""
    adapter.buffer += received
    *lines, rest = bytes(adapter.buffer).split(b"\r")
    adapter.buffer = bytearray(rest[-LONGEST_LINE:])
    frames: list[Frame] = []
    answers: list[bytes] = []
    opened = False
    for line in lines:
        if not line:
            continue  # an empty line clears the host's own buffer (python-can sends one); it has no answer
        if line[:1] in b"tTrR":
            answers.append(_take_frame(adapter, line, frames))
        else:
            answers.append(_obey(adapter, line))
            opened |= line[:1] in b"OL"
    return frames, b"".join(answers), opened


def _take_frame(adapter: Adapter, line: bytes, frames: list[Frame]) -> bytes:
    frame = _read_frame(line) if adapter.is_open and not adapter.listen_only else None
    if frame is None:
        adapter.refused += 1
        return ERROR
    frames.append(frame)
    return b"Z\r" if frame.extended else b"z\r"


def _read_frame(line: bytes) -> Frame | None:
    extended, remote = line[:1] in b"TR", line[:1] in b"rR"
    digits = 8 if extended else 3
    try:
        number, length = int(line[1 : 1 + digits], 16), int(line[1 + digits : 2 + digits])
        data = b"" if remote else bytes.fromhex(line[2 + digits :].decode("ascii"))
    except ValueError:  # UnicodeDecodeError is one
        return None
    if length > 8 or (not remote and len(data) != length) or number >= (1 << 29 if extended else 1 << 11):
        return None
    return Frame(number, data, extended, remote)


def _obey(adapter: Adapter, line: bytes) -> bytes:
    """One command that is not a frame. Speed commands are only taken while the channel is closed, as on the real thing."""
    command = line[:1]
    if command in b"OL":
        if adapter.is_open:
            return ERROR
        adapter.is_open, adapter.listen_only = True, command == b"L"
        return OK
    if command == b"C":
        adapter.is_open = False
        return OK
    if command in b"SsYMmZW":
        return ERROR if adapter.is_open else OK
    if command in b"X":
        return OK
    answers = {b"V": b"V1013\r", b"v": b"v0101\r", b"N": b"NBESS\r", b"F": b"F00\r"}
    if command in answers and len(line) == 1:
        return answers[command]
    adapter.refused += 1
    return ERROR
