"""The compiled table kernels of the CAN driver: a batch of frames into cells, and output values into frames.

They know tables only (`can_tables`): no bus, no Python objects. Equal to cantools on every signal.
"""

from __future__ import annotations

import numpy as np

from runtime.fieldbus.can_tables import (
    C_COND_FROM,
    C_COND_TO,
    C_FIRST,
    C_INTEGER,
    C_KIND,
    C_LENGTH,
    C_LIST_FROM,
    C_LIST_TO,
    C_PLAIN,
    C_SHIFT,
    C_SLOT,
    C_STEP,
    F_FROM,
    F_TO,
    FLOAT32,
    FLOAT64,
    M_FROM,
    M_KEY,
    M_LENGTH,
    M_TO,
    N_DECODED,
    N_NOT_FINITE,
    N_SHORT,
    N_UNKNOWN,
    SIGNED,
    UNSIGNED,
)
from runtime.fieldbus.compiled import compiled
from runtime.quality import BAD_SENSOR_FAILURE, GOOD

GOOD_, BROKEN = np.uint32(GOOD), np.uint32(BAD_SENSOR_FAILURE)
TWO_63 = 9223372036854775808.0


@compiled
def take_bits(data, first, step, shift, length):  # type: ignore[no-untyped-def]
    """The raw bits of a signal, lowest bit first, as an unsigned 64-bit word."""
    raw = np.uint64(0)
    for k in range(min((shift + length + 7) // 8, 8)):
        raw |= np.uint64(data[first + k * step]) << np.uint64(8 * k)
    raw >>= np.uint64(shift)
    if shift + length > 64:
        raw |= np.uint64(data[first + 8 * step]) << np.uint64(64 - shift)
    if length < 64:
        raw &= (np.uint64(1) << np.uint64(length)) - np.uint64(1)
    return raw


@compiled
def put_word(data, first, step, shift, length, raw):  # type: ignore[no-untyped-def]
    """Write a signal's raw bits into a frame."""
    for bit in range(length):
        at = shift + bit
        mask = np.uint8(1 << (at & 7))
        place = first + (at >> 3) * step
        if (raw >> np.uint64(bit)) & np.uint64(1):
            data[place] |= mask
        else:
            data[place] &= np.uint8(~mask & 0xFF)


@compiled
def signed_of(raw, length):  # type: ignore[no-untyped-def]
    """A raw word read as two's complement of `length` bits."""
    spare = np.uint64(64 - length)
    return np.int64(raw << spare) >> np.int64(64 - length)


@compiled
def find_message(messages, key):  # type: ignore[no-untyped-def]
    """The row of the message with this key, or -1."""
    low, high = 0, len(messages)
    while low < high:
        middle = (low + high) // 2
        if messages[middle, M_KEY] < key:
            low = middle + 1
        else:
            high = middle
    return low if low < len(messages) and messages[low, M_KEY] == key else -1


@compiled
def is_selected(frame, signal, conditions, lists):  # type: ignore[no-untyped-def]
    """Whether the frame's selectors say that it carries this signal."""
    for c in range(signal[C_COND_FROM], signal[C_COND_TO]):
        selector = take_bits(frame, conditions[c, 0], conditions[c, 1], conditions[c, 2], conditions[c, 3])
        found = False
        for k in range(conditions[c, 4], conditions[c, 5]):
            found = found or np.uint64(lists[k]) == selector
        if not found:
            return False
    return True


@compiled
def is_listed(value, signal, lists):  # type: ignore[no-untyped-def]
    """Whether a raw value is one of those that the tables list for the signal."""
    found = False
    for k in range(signal[C_LIST_FROM], signal[C_LIST_TO]):
        found = found or np.float64(lists[k]) == value
    return found


@compiled
def decode_frame(frame, time, message, tables, cells, counts):  # type: ignore[no-untyped-def]
    """Decode the mapped signals of one frame."""
    _, signals, factors, conditions, lists = tables
    lreal, integer, quality, times = cells
    words = np.empty(1, np.uint64)
    singles = words.view(np.float32)
    doubles = words.view(np.float64)
    for row in range(message[M_FROM], message[M_TO]):
        signal = signals[row]
        if not is_selected(frame, signal, conditions, lists):
            continue
        raw = take_bits(frame, signal[C_FIRST], signal[C_STEP], signal[C_SHIFT], signal[C_LENGTH])
        slot = signal[C_SLOT]
        times[slot] = time
        words[0] = raw
        if signal[C_KIND] == FLOAT32:
            number = np.float64(singles[0])
        elif signal[C_KIND] == FLOAT64:
            number = doubles[0]
        elif signal[C_KIND] == SIGNED:
            whole = signed_of(raw, signal[C_LENGTH])
            number = np.float64(whole)
            if is_listed(np.float64(raw), signal, lists):
                number = np.nan  # tables give invalid raw values without their sign
        else:
            whole = np.int64(raw)
            number = np.float64(raw)
        if signal[C_PLAIN]:
            integer[slot] = whole
            quality[slot] = GOOD_
            continue
        value = number * factors[row, 0] + factors[row, 1]
        if not np.isfinite(value) or (signal[C_KIND] <= SIGNED and is_listed(number, signal, lists)):
            quality[slot] = BROKEN
            counts[N_NOT_FINITE] += 1
            continue
        if signal[C_INTEGER]:
            integer[slot] = np.int64(np.rint(value))
        else:
            lreal[slot] = value
        quality[slot] = GOOD_


@compiled
def decode(keys, data, lengths, times, count, tables, cells, counts):  # type: ignore[no-untyped-def]
    """Decode a batch of frames in the order of their arrival; returns how many belonged to this device.

    keys: int64[n]; data: uint8[n, 64]; lengths: int64[n]; times: int64[n] (CLOCK_MONOTONIC ns). A frame that is shorter
    than its message is counted and left.
    """
    messages = tables[0]
    taken = 0
    for i in range(count):
        row = find_message(messages, keys[i])
        if row < 0:
            counts[N_UNKNOWN] += 1
        elif lengths[i] < messages[row, M_LENGTH]:
            counts[N_SHORT] += 1
        else:
            decode_frame(data[i], times[i], messages[row], tables, cells, counts)
            counts[N_DECODED] += 1
            taken += 1
    return taken


@compiled
def raw_of(signal, factors, lists, bits):  # type: ignore[no-untyped-def]
    """The raw word of an output value given by its 8 cell bits, and whether the signal can carry it."""
    words = np.empty(1, np.int64)
    words[0] = bits
    length, kind = signal[C_LENGTH], signal[C_KIND]
    if signal[C_PLAIN]:
        low = np.int64(0) if kind == UNSIGNED else -(np.int64(1) << np.int64(length - 1))
        high = (np.int64(1) << np.int64(min(length, 63) if kind == UNSIGNED else length - 1)) - np.int64(1)
        if length == 64:
            low = np.int64(0) if kind == UNSIGNED else np.int64(-9223372036854775808)
            high = np.int64(9223372036854775807)
        value = np.float64(bits)
        inside = factors[2] <= value <= factors[3] or is_listed(value, signal, lists)
        return np.uint64(bits), low <= bits <= high and inside
    value = np.float64(bits) if signal[C_INTEGER] else words.view(np.float64)[0]
    number = (value - factors[1]) / factors[0]
    inside = factors[2] <= value <= factors[3] or (kind <= SIGNED and is_listed(np.rint(number), signal, lists))
    if not np.isfinite(number) or not inside:
        return np.uint64(0), False
    if kind == FLOAT32:
        single = np.empty(2, np.float32)
        single[0] = np.float32(number)
        single[1] = 0.0
        return single.view(np.uint64)[0], np.isfinite(single[0])
    if kind == FLOAT64:
        words.view(np.float64)[0] = number
        return np.uint64(words[0]), True
    number = np.rint(number)
    if kind == UNSIGNED:
        return (np.uint64(number), True) if 0.0 <= number < 2.0 ** np.float64(length) else (np.uint64(0), False)
    half = 2.0 ** np.float64(length - 1)
    return (np.uint64(np.int64(number)), True) if -half <= number < half else (np.uint64(0), False)


@compiled
def encode(values, tables, known, refused, current, complete, changed):  # type: ignore[no-untyped-def]
    """Write output values into their frames; a value that its signal cannot carry leaves the old one and is counted.

    values: int64[points] (cell bits); known: uint8[points], set once a point has a value; refused: int64[points];
    current: uint8[frames, 64]; complete: uint8[frames], set once all signals of a frame are known; changed: uint8[frames],
    set where the bytes differ from before. Only points with known = 2 are written, and become 1.
    """
    frames, _, signals, factors, lists = tables
    done = np.zeros(len(known), np.uint8)
    for f in range(len(frames)):
        all_known = True
        for row in range(frames[f, F_FROM], frames[f, F_TO]):
            signal = signals[row]
            point = signal[C_SLOT]
            if known[point] & 2:
                raw, fits = raw_of(signal, factors[row], lists, values[point])
                if fits:
                    done[point] |= 1
                    old = take_bits(current[f], signal[C_FIRST], signal[C_STEP], signal[C_SHIFT], signal[C_LENGTH])
                    mask = ~np.uint64(0) >> np.uint64(64 - signal[C_LENGTH])
                    if old != raw & mask:
                        put_word(current[f], signal[C_FIRST], signal[C_STEP], signal[C_SHIFT], signal[C_LENGTH], raw)
                        changed[f] = 1
                else:
                    done[point] |= 2
            if not (known[point] & 1) and not (done[point] & 1):
                all_known = False
        if all_known and not complete[f]:
            complete[f] = 1
            changed[f] = 1
    for point in range(len(known)):
        if done[point] & 2:
            refused[point] += 1
        if known[point] & 2:
            known[point] = (known[point] & 1) | (done[point] & 1)
