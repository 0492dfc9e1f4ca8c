"""What the CAN driver knows of signals and frames, and the tables that its compiled kernels walk. It opens no bus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from runtime.model import Point

if TYPE_CHECKING:  # the rules stand on these tables
    from runtime.fieldbus.can_rules import MessageRules

UNSIGNED, SIGNED, FLOAT16, FLOAT32, FLOAT64 = range(5)
FLOAT_ENDS = {FLOAT16: 65520.0, FLOAT32: 2.0**128 - 2.0**103}  # from here on a value rounds to infinity
WHOLE_BITS = {"BOOL": 1, "DINT": 31, "LINT": 63}  # of a tag's type: it holds whole numbers below this power of two
EXTENDED = 1 << 31  # set in a key where the identifier has 29 bits
MOST_DELAY = 1_000_000_000  # ns: a time stamp further away belongs to another clock
WIDEST = 64  # bytes of the longest CAN FD frame
# Columns of the signal tables.
(C_FIRST, C_STEP, C_SHIFT, C_LENGTH, C_KIND, C_SLOT, C_INTEGER, C_PLAIN) = range(8)
(C_COND_FROM, C_COND_TO, C_LIST_FROM, C_LIST_TO, C_BAD_FROM, C_BAD_TO, C_NEXT) = range(8, 15)
M_KEY, M_LENGTH, M_FROM, M_TO = range(4)
F_LENGTH, F_FROM, F_TO = range(3)
Ranges = tuple[tuple[int, int], ...]  # of raw words, both ends included


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


def read_bits(data: bytes | bytearray, bits: Bits) -> int:
    """The raw value of a signal in a frame."""
    raw = 0
    for k in range((bits.shift + bits.length + 7) // 8):
        raw |= data[bits.first + k * bits.step] << 8 * k
    return raw >> bits.shift & (1 << bits.length) - 1


@dataclass(frozen=True, slots=True)
class CanSignal:
    """The address of one point: a signal of a DBC as the tables need it.

    `key` is the identifier, with EXTENDED set where it has 29 bits. `conditions` are the selectors that must hold for a
    multiplexed signal. `listed` are the raw values of its value table, which may be sent also outside the
    range. `invalid` are the raw words, read without a sign, that are no value when they are received.
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
    invalid: Ranges = ()

    def __str__(self) -> str:
        return f"{self.message}.{self.name} id 0x{self.key & ~EXTENDED:X}"

    @property
    def sent_in(self) -> str:
        """Its message: all signals of a frame are sent together."""
        return f"the message `{self.message}`"

    def raw(self, value: float) -> float:
        """The raw value that stands for this value of the tag."""
        raw = (value - self.offset) / self.scale
        return raw if self.kind >= FLOAT16 or not math.isfinite(raw) else round(raw)

    def misfit(self, value: float) -> str:
        """Why the signal's bits cannot carry this value of the tag, or "" where they can."""
        raw, length = self.raw(value) if self.scale != 1 or self.offset else value, self.bits.length
        if not math.isfinite(raw) or abs(raw) >= FLOAT_ENDS.get(self.kind, math.inf):
            return f"`{self.message}.{self.name}` is a float of {length} bits" if self.kind >= FLOAT16 else "it is no number"
        if self.kind >= FLOAT16:
            return ""
        low, high = (-(1 << length - 1), (1 << length - 1) - 1) if self.kind == SIGNED else (0, (1 << length) - 1)
        if low <= round(raw) <= high:
            return ""
        ends = sorted(end * self.scale + self.offset for end in (low, high))
        return f"`{self.message}.{self.name}` has {length} bits, for values of {ends[0]:.10g} to {ends[1]:.10g}"


@dataclass(frozen=True, slots=True)
class CanFrame:
    """A frame that we send: its identity, its period (ns), and its bytes before any output is written into them.

    `selected` are the selectors of a multiplexed message with the values that this frame is for. `rules` say when it is
    sent and what is filled in.
    """

    message: str
    key: int
    size: int
    fd: bool
    every: int
    template: bytes
    selected: tuple[tuple[Bits, int], ...]
    rules: MessageRules
    length: int  # bytes of the message itself, which a CRC covers: a CAN FD frame may be longer


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
    """What the io_map says about the device itself: its channel, the frames that we send, and the gap between two (ns).

    `rules` are what it expects of messages; `patience` is for each received message whose cycle is known
    the silence (ns) after which it counts as missing.
    """

    channel: ChannelSettings
    frames: tuple[CanFrame, ...]
    gap: int
    rules: tuple[MessageRules, ...] = ()
    patience: tuple[tuple[str, int], ...] = ()


class Decoding(NamedTuple):
    """The tables of `can_kernel.decode`: messages by key, their signals, factors, multiplex conditions, ranges of raw words."""

    messages: np.ndarray
    signals: np.ndarray
    factors: np.ndarray  # scale, offset, minimum, maximum
    conditions: np.ndarray
    ranges: np.ndarray  # uint64


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
        self.ranges: list[tuple[int, int]] = []

    def add(self, signal: CanSignal, slot: int, type_name: str, conditions: bool) -> None:
        bits, integer = signal.bits, WHOLE_BITS.get(type_name, 0)
        plain = integer and signal.scale == 1 and signal.offset == 0 and signal.kind in (UNSIGNED, SIGNED)
        marks = [len(self.conditions), len(self.lists)]
        for selector, ids in signal.conditions if conditions else ():
            start = len(self.ranges)
            self.ranges += ranges_of(ids)
            place = [selector.first, selector.step, selector.shift, selector.length]
            self.conditions.append([*place, start, len(self.ranges)])
        self.lists += signal.listed
        first_bad = len(self.ranges)
        self.ranges += signal.invalid
        place = [bits.first, bits.step, bits.shift, bits.length]
        lists = [marks[0], len(self.conditions), marks[1], len(self.lists), first_bad, len(self.ranges)]
        self.signals.append([*place, signal.kind, slot, integer, plain, *lists, 0])
        low = -np.inf if signal.minimum is None else signal.minimum - abs(signal.scale) * 1e-6
        high = np.inf if signal.maximum is None else signal.maximum + abs(signal.scale) * 1e-6
        self.factors.append([signal.scale, signal.offset, low, high])

    def add_group(self, points: Sequence[Point]) -> None:
        """Inputs with the same conditions: these are looked at once, and tell where the next group begins."""
        first = len(self.signals)
        for point in points:
            self.add(point.address, point.slot, point.type, conditions=True)
        for row in self.signals[first:]:
            row[C_NEXT] = len(self.signals)

    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        return _table(self.signals, 15), np.array(self.factors, np.float64).reshape(-1, 4)


def ranges_of(numbers: Sequence[int]) -> Ranges:
    """The numbers as ranges, in order."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


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
        groups: dict[object, list[Point]] = {}
        for point in by_key[key]:
            groups.setdefault(point.address.conditions, []).append(point)
        for group in groups.values():
            rows.add_group(group)
        messages.append([key, by_key[key][0].address.size, first, len(rows.signals)])
    ranges = np.array(rows.ranges, np.uint64).reshape(-1, 2)
    return Decoding(_table(messages, 4), *rows.columns(), _table(rows.conditions, 6), ranges)


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
    return Encoding(_table(heads, 3), template, *rows.columns(), np.array(rows.lists, np.int64))


def belongs(signal: CanSignal, frame: CanFrame) -> bool:
    """Whether the signal is carried by this frame, seen from its message and its multiplex selectors."""
    selected = dict(frame.selected)
    return signal.key == frame.key and all(selected.get(bits) in ids for bits, ids in signal.conditions)
