"""CAN payloads by the table: many frames encoded in a few NumPy operations, after the layout that the DBC gives.

It must not know what the signals mean nor how frames travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cantools.database import Database
from cantools.database.can import Message
from cantools.database.can.signal import Signal

from runtime.simulation.compiled import one_pass

EXTENDED = 1 << 31  # set in an identifier that has 29 bits


class LayoutError(Exception):
    """The DBC asks for something that this encoder does not do; the text names message and signal."""


@dataclass(frozen=True)
class Burst:
    """Frames that are encoded together: one row a frame, and one field a signal in the order of the rows.

    `fields` are "Message.Signal"; a value vector given to `encode` has their order. A multiplexed message has one row a
    selector value, with the selector already in `base`. An identifier of 29 bits has EXTENDED set.
    """

    messages: tuple[str, ...]
    ids: np.ndarray
    fields: tuple[str, ...]
    row_starts: np.ndarray
    shift: np.ndarray
    mask: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray
    base: np.ndarray


def plan(database: Database, names: Sequence[str]) -> Burst:
    """The burst of these messages. All must be 8 bytes long, Intel, with integer signals; raises LayoutError otherwise."""
    messages: list[str] = []
    ids: list[int] = []
    base: list[int] = []
    signals: list[tuple[str, Signal]] = []
    row_starts: list[int] = []
    for name in names:
        try:
            message = database.get_message_by_name(name)
        except KeyError:
            raise LayoutError(f"the DBC has no message {name}, which the rack must send") from None
        if message.length != 8:
            raise LayoutError(f"message {name} has {message.length} bytes; the plant sends frames of 8")
        for selector, carried in _rows(message):
            messages.append(name)
            ids.append(message.frame_id | EXTENDED * message.is_extended_frame)
            base.append(selector)
            row_starts.append(len(signals))
            signals.extend((name, signal) for signal in carried)
    for name, signal in signals:
        if signal.byte_order != "little_endian" or signal.is_float:
            raise LayoutError(f"signal {name}.{signal.name} is Motorola or a float; the plant sends Intel integers")
    limits = [_raw_limits(signal) for _, signal in signals]
    return Burst(
        tuple(messages),
        np.array(ids, dtype=np.uint32),
        tuple(f"{name}.{signal.name}" for name, signal in signals),
        np.array(row_starts),
        np.array([signal.start for _, signal in signals], dtype=np.uint64),
        np.array([(1 << signal.length) - 1 for _, signal in signals], dtype=np.uint64),
        np.array([float(signal.scale) for _, signal in signals]),
        np.array([float(signal.offset) for _, signal in signals]),
        np.array([low for low, _ in limits]),
        np.array([high for _, high in limits]),
        np.array(base, dtype=np.uint64),
    )


def _rows(message: Message) -> list[tuple[int, list[Signal]]]:
    """One entry a frame that carries this message: the selector's bits, and the signals beside it."""
    selectors = [signal for signal in message.signals if signal.is_multiplexer]
    if not selectors:
        return [(0, list(message.signals))]
    selector = selectors[0]
    values = sorted({value for signal in message.signals for value in signal.multiplexer_ids or ()})
    plain = [signal for signal in message.signals if not signal.is_multiplexer and not signal.multiplexer_ids]
    return [
        (value << selector.start, plain + [signal for signal in message.signals if value in (signal.multiplexer_ids or ())])
        for value in values
    ]


def _raw_limits(signal: Signal) -> tuple[float, float]:
    """The raw numbers that the signal's range and its bits allow."""
    low, high = (-(1 << signal.length - 1), (1 << signal.length - 1) - 1) if signal.is_signed else (0, (1 << signal.length) - 1)
    if signal.minimum is not None:
        low = max(low, round((float(signal.minimum) - float(signal.offset)) / float(signal.scale)))
    if signal.maximum is not None:
        high = min(high, round((float(signal.maximum) - float(signal.offset)) / float(signal.scale)))
    return float(low), float(high)


def encode(burst: Burst, values: np.ndarray) -> np.ndarray:
    """The payloads, uint8[rows, 8], of these physical values; for values [racks, fields] those of each rack.

    A value outside its signal's range goes out as the nearest that is inside; NaN goes out as all bits set, which is how
    this rack says "not available".
    """
    physical = np.ascontiguousarray(values).reshape(-1, values.shape[-1])
    words = np.empty((len(physical), len(burst.ids)), np.uint64)
    limits = burst.scale, burst.offset, burst.low, burst.high
    _pack(physical, burst.row_starts, burst.shift, burst.mask, *limits, burst.base, words)
    payload: np.ndarray = words.astype("<u8", copy=False).view(np.uint8).reshape(*values.shape[:-1], -1, 8)
    return payload


@one_pass
def _pack(physical, row_starts, shift, mask, scale, offset, low, high, base, words):  # type: ignore[no-untyped-def]
    """Every signal as its raw bits, put into its frame."""
    racks, rows = words.shape
    for r in range(racks):
        for row in range(rows):
            word = base[row]
            last = row_starts[row + 1] if row + 1 < rows else physical.shape[1]
            for f in range(row_starts[row], last):
                bits = mask[f]
                if not np.isnan(physical[r, f]):
                    raw = np.rint((physical[r, f] - offset[f]) / scale[f])
                    bits &= np.uint64(np.int64(min(max(raw, low[f]), high[f])))
                word |= bits << shift[f]
            words[r, row] = word
