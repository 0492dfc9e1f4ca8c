"""What the CAN driver knows of signals and frames, and the tables that its compiled kernels walk. It opens no bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from runtime.model import Point

UNSIGNED, SIGNED, FLOAT32, FLOAT64 = range(4)
EXTENDED = 1 << 31  # set in a key where the identifier has 29 bits
WIDEST = 64  # bytes of the longest CAN FD frame
# Columns of the signal tables.
(C_FIRST, C_STEP, C_SHIFT, C_LENGTH, C_KIND, C_SLOT, C_INTEGER, C_PLAIN, C_COND_FROM, C_COND_TO, C_LIST_FROM, C_LIST_TO) = range(12)
M_KEY, M_LENGTH, M_FROM, M_TO = range(4)
F_LENGTH, F_FROM, F_TO = range(3)
N_UNKNOWN, N_SHORT, N_DECODED, N_NOT_FINITE = range(4)


@dataclass(frozen=True, slots=True)
class Bits:
    """Where a signal's bits stand: its lowest byte, the way to the next higher one (1 Intel, -1 Motorola), shift, length."""

    first: int
    step: int
    shift: int
    length: int


def place_bits(start: int, length: int, motorola: bool) -> Bits:
    """Bits from a DBC's numbers: `start` is the lowest bit of an Intel signal, the highest of a Motorola one."""
    if not motorola:
        return Bits(start // 8, 1, start % 8, length)
    lowest = 8 * (start // 8) + 7 - start % 8 + length - 1  # counted from the first byte's highest bit
    return Bits(lowest // 8, -1, 7 - lowest % 8, length)


def put_bits(data: bytearray, bits: Bits, raw: int) -> None:
    """Write a raw value into a frame."""
    mask = ((1 << bits.length) - 1) << bits.shift
    value = (raw << bits.shift) & mask
    for k in range((bits.shift + bits.length + 7) // 8):
        at = bits.first + k * bits.step
        data[at] = data[at] & ~(mask >> 8 * k) & 0xFF | value >> 8 * k & 0xFF


@dataclass(frozen=True, slots=True)
class CanSignal:
    """The address of one point: a signal of a DBC as the tables need it.

    `key` is the identifier, with EXTENDED set where it has 29 bits. `conditions` are the selectors that must hold for a
    multiplexed signal. `listed` are raw values of the value table: those that mean a broken sensor where the signal is
    a measurement, all of them where it is an enumeration.
    """

    message: str
    name: str
    key: int
    size: int
    fd: bool
    bits: Bits
    kind: int
    scale: float
    offset: float
    minimum: float | None
    maximum: float | None
    conditions: tuple[tuple[Bits, tuple[int, ...]], ...]
    listed: tuple[int, ...]
    every: int = 0


@dataclass(frozen=True, slots=True)
class CanFrame:
    """A frame that we send: its identity, its period (ns), and its bytes before any output is written into them.

    `selected` is the selector's value that this frame is for, or None where the message is not multiplexed.
    """

    message: str
    key: int
    size: int
    fd: bool
    every: int
    template: bytes
    alive: Bits | None
    selected: int | None


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """A channel as the site names it: the python-can interface, its channel ($RUN is the run directory), and its options."""

    name: str
    interface: str
    channel: str
    bitrate: int | None
    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class CanSettings:
    """What the io_map says about the device itself: its channel, the frames that we send, and the gap between two (ns)."""

    channel: ChannelSettings
    frames: tuple[CanFrame, ...]
    gap: int


class Decoding(NamedTuple):
    """The tables of `can_kernel.decode`: messages by key, their signals, factors, and multiplex conditions."""

    messages: np.ndarray
    signals: np.ndarray
    factors: np.ndarray
    conditions: np.ndarray
    lists: np.ndarray


class Encoding(NamedTuple):
    """The tables of `can_kernel.encode`: frames with their templates, and the signals of each, C_SLOT counting points."""

    frames: np.ndarray
    template: np.ndarray
    signals: np.ndarray
    factors: np.ndarray  # scale, offset, minimum, maximum
    lists: np.ndarray


class _Rows:
    """Collects signal rows with their side lists."""

    def __init__(self) -> None:
        self.signals: list[list[int]] = []
        self.factors: list[list[float]] = []
        self.conditions: list[list[int]] = []
        self.lists: list[int] = []

    def add(self, signal: CanSignal, slot: int, type_name: str, conditions: bool) -> None:
        integer = type_name != "LREAL"
        plain = integer and signal.scale == 1 and signal.offset == 0 and signal.kind in (UNSIGNED, SIGNED)
        first_condition, first_listed = len(self.conditions), len(self.lists)
        for bits, ids in signal.conditions if conditions else ():
            start = len(self.lists)
            self.lists += ids
            self.conditions.append([bits.first, bits.step, bits.shift, bits.length, start, len(self.lists)])
            first_listed = len(self.lists)
        self.lists += signal.listed
        bits = signal.bits
        self.signals.append(
            [
                bits.first,
                bits.step,
                bits.shift,
                bits.length,
                signal.kind,
                slot,
                integer,
                plain,
                first_condition,
                len(self.conditions),
                first_listed,
                len(self.lists),
            ]
        )
        low = -np.inf if signal.minimum is None else signal.minimum - abs(signal.scale) * 1e-6
        high = np.inf if signal.maximum is None else signal.maximum + abs(signal.scale) * 1e-6
        self.factors.append([signal.scale, signal.offset, low, high])

    def tables(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return (
            _table(self.signals, 12),
            np.array(self.factors, np.float64).reshape(-1, 4),
            _table(self.conditions, 6),
            np.array(self.lists, np.int64),
        )


def _table(rows: Sequence[Any], columns: int) -> np.ndarray:
    return np.array(rows, np.int64).reshape(-1, columns)


def decoding(points: Sequence[Point]) -> Decoding:
    """The decode tables of a device's inputs, messages sorted by key."""
    messages, rows = [], _Rows()
    by_key: dict[int, list[Point]] = {}
    for point in points:
        by_key.setdefault(point.address.key, []).append(point)
    for key in sorted(by_key):
        first = len(rows.signals)
        for point in by_key[key]:
            rows.add(point.address, point.slot, point.type, conditions=True)
        messages.append([key, by_key[key][0].address.size, first, len(rows.signals)])
    return Decoding(_table(messages, 4), *rows.tables())


def encoding(frames: Sequence[CanFrame], points: Sequence[Point]) -> Encoding:
    """The encode tables of a device's outputs; C_SLOT is the place of the point in `points`, not in the outbox."""
    heads, rows = [], _Rows()
    template = np.zeros((len(frames), WIDEST), np.uint8)
    for index, frame in enumerate(frames):
        template[index, : frame.size] = np.frombuffer(frame.template, np.uint8)
        first = len(rows.signals)
        for place, point in enumerate(points):
            if belongs(point.address, frame):
                rows.add(point.address, place, point.type, conditions=False)
        heads.append([frame.size, first, len(rows.signals)])
    signals, factors, _, lists = rows.tables()
    return Encoding(_table(heads, 3), template, signals, factors, lists)


def belongs(signal: CanSignal, frame: CanFrame) -> bool:
    """Whether the signal is carried by this frame, seen from its message and its multiplex selector."""
    if signal.key != frame.key:
        return False
    return all(frame.selected in ids for _, ids in signal.conditions)
