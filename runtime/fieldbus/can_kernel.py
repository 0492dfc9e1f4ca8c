"""The compiled table kernels of the CAN driver: a batch of frames into cells, and output values into frames.

They know tables only (`can_tables`, `can_supervise`): no bus, no Python objects. Equal to cantools on every signal.
"""

from __future__ import annotations

import numpy as np

from runtime.fieldbus.can_bits import HALF_LIMIT, half_value, half_word, put_word, signed_of, take_bits
from runtime.fieldbus.can_supervise import E_BROKEN, E_OUTSIDE, E_SHORT, admit
from runtime.fieldbus.can_tables import (
    C_BAD_FROM,
    C_BAD_TO,
    C_COND_FROM,
    C_COND_TO,
    C_FIRST,
    C_INTEGER,
    C_KIND,
    C_LENGTH,
    C_LIST_FROM,
    C_LIST_TO,
    C_NEXT,
    C_PLAIN,
    C_SHIFT,
    C_SLOT,
    C_STEP,
    F_FROM,
    F_TO,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    M_FROM,
    M_KEY,
    M_LENGTH,
    M_TO,
    SIGNED,
    UNSIGNED,
)
from runtime.fieldbus.compiled import compiled, lean, part
from runtime.quality import BAD_OUT_OF_RANGE, BAD_SENSOR_FAILURE, GOOD

GOOD_, BROKEN, OUTSIDE = np.uint32(GOOD), np.uint32(BAD_SENSOR_FAILURE), np.uint32(BAD_OUT_OF_RANGE)


Scratch = tuple[np.ndarray, np.ndarray, np.ndarray]


def scratch() -> Scratch:
    """One word for `decode`, as an unsigned number and as floats of both sizes."""
    word = np.zeros(1, np.uint64)
    return word, word.view(np.float32), word.view(np.float64)


@part
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


@part
def is_inside(word, ranges, start, stop):  # type: ignore[no-untyped-def]
    """Whether a raw word is in one of these ranges."""
    found = False
    for k in range(start, stop):
        found = found or (ranges[k, 0] <= word <= ranges[k, 1])
    return found


@part
def is_selected(frame, first, last, conditions, ranges):  # type: ignore[no-untyped-def]
    """Whether the frame's selectors say that it carries the signals with these conditions."""
    for c in range(first, last):
        selector = take_bits(frame, conditions[c, 0], conditions[c, 1], conditions[c, 2], conditions[c, 3])
        if not is_inside(selector, ranges, conditions[c, 4], conditions[c, 5]):
            return False
    return True


@part
def is_listed(value, signal, lists):  # type: ignore[no-untyped-def]
    """Whether a raw value is one of those that the tables list for the signal."""
    found = False
    for k in range(signal[C_LIST_FROM], signal[C_LIST_TO]):
        found = found or np.float64(lists[k]) == value
    return found


@part
def number_of(raw, kind, length, scratch):  # type: ignore[no-untyped-def]
    """The number that a raw word stands for, before scale and offset; `scratch` is one word, as uint64 and as floats."""
    words, singles, doubles = scratch
    if kind == UNSIGNED:
        return np.float64(raw)
    if kind == SIGNED:
        return np.float64(signed_of(raw, length))
    if kind == FLOAT16:
        return half_value(raw)
    words[0] = raw
    return np.float64(singles[0]) if kind == FLOAT32 else doubles[0]


@part
def decode_signal(frame, time, row, tables, cells, scratch):  # type: ignore[no-untyped-def]
    """Decode the signal at this row into its cell; returns the counter of what was wrong with it, or 0."""
    _, signals, factors, _, ranges = tables
    lreal, integer, quality, times = cells
    kind, length, slot = signals[row, C_KIND], signals[row, C_LENGTH], signals[row, C_SLOT]
    raw = take_bits(frame, signals[row, C_FIRST], signals[row, C_STEP], signals[row, C_SHIFT], length)
    times[slot] = time
    value = number_of(raw, kind, length, scratch) * factors[row, 0] + factors[row, 1]
    if not np.isfinite(value) or is_inside(raw, ranges, signals[row, C_BAD_FROM], signals[row, C_BAD_TO]):
        quality[slot] = BROKEN
        return E_BROKEN
    if signals[row, C_INTEGER]:
        limit = 2.0 ** signals[row, C_INTEGER]
        if not -limit <= np.rint(value) < limit:
            quality[slot] = OUTSIDE  # the tag's type would show another number
            return E_OUTSIDE
    if signals[row, C_PLAIN]:
        integer[slot] = signed_of(raw, length) if kind == SIGNED else np.int64(raw)
    elif signals[row, C_INTEGER]:
        integer[slot] = np.int64(np.rint(value))
    else:
        lreal[slot] = value
    quality[slot] = GOOD_
    return 0 if factors[row, 2] <= value <= factors[row, 3] else E_OUTSIDE


@part
def decode_frame(frame, time, message, tables, cells, scratch, seen):  # type: ignore[no-untyped-def]
    """Decode the mapped signals of one frame of the message at this row."""
    messages, signals, _, conditions, ranges = tables
    row = messages[message, M_FROM]
    while row < messages[message, M_TO]:
        first, last = signals[row, C_COND_FROM], signals[row, C_COND_TO]
        if first < last and not is_selected(frame, first, last, conditions, ranges):
            row = signals[row, C_NEXT]
            continue
        stop = signals[row, C_NEXT]
        while row < stop:
            wrong = decode_signal(frame, time, row, tables, cells, scratch)
            if wrong:
                seen[message, wrong] += 1
            row += 1


@lean
def decode(keys, data, lengths, times, count, tables, watch, cells, scratch):  # type: ignore[no-untyped-def]
    """Decode a batch of frames in the order of their arrival; returns how many were taken.

    keys: int64[n]; data: uint8[n, 64]; lengths: int64[n]; times: int64[n] (CLOCK_MONOTONIC ns). A frame of another device
    is passed over; one that is shorter than its message, or that its rules refuse, is counted and left.
    """
    messages, seen = tables[0], watch[3]
    taken = 0
    for i in range(count):
        row = find_message(messages, keys[i])
        if row < 0:
            continue
        size = messages[row, M_LENGTH]
        if lengths[i] < size:
            seen[row, E_SHORT] += 1
        elif admit(data[i], times[i], size, row, watch):
            decode_frame(data[i], times[i], row, tables, cells, scratch, seen)
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
    if kind == FLOAT16:
        return (half_word(number), True) if abs(number) < HALF_LIMIT else (np.uint64(0), False)
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
