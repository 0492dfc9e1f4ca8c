"""The compiled table kernels of the Modbus driver: registers into cells, and output values into registers.

They know tables only (`modbus_groups`): no connection, no Python objects. Bits arrive as registers of 0 or 1.
"""

from __future__ import annotations

import numpy as np

from runtime.fieldbus.compiled import compiled
from runtime.fieldbus.modbus_groups import (
    R_BIT,
    R_BITS,
    R_BYTES_LITTLE,
    R_FIRST,
    R_INTEGER,
    R_INVALID,
    R_INVALID_END,
    R_KIND,
    R_PLAIN,
    R_POWER,
    R_SLOT,
    R_WIDTH,
    R_WORDS_LITTLE,
)
from runtime.fieldbus.modbus_register import BIT, FLOAT, INTEGER, UNSIGNED
from runtime.quality import BAD_OUT_OF_RANGE, BAD_SENSOR_FAILURE, GOOD

GOOD_, BROKEN, OUTSIDE = np.uint32(GOOD), np.uint32(BAD_SENSOR_FAILURE), np.uint32(BAD_OUT_OF_RANGE)
TWO_63 = 9223372036854775808.0
TWO_31 = np.int64(1 << 31)


@compiled
def swap_bytes(word):  # type: ignore[no-untyped-def]
    return np.uint16((word >> 8) | (word << 8))


@compiled
def join_words(registers, row):  # type: ignore[no-untyped-def]
    """The raw bits of a value, its registers put in order, as an unsigned 64-bit word."""
    raw = np.uint64(0)
    width = row[R_WIDTH]
    for k in range(width):
        word = registers[row[R_FIRST] + k]
        if row[R_BYTES_LITTLE]:
            word = swap_bytes(word)
        place = k if row[R_WORDS_LITTLE] else width - 1 - k
        raw |= np.uint64(word) << np.uint64(16 * place)
    return raw


@compiled
def has_no_value(raw, row, invalid):  # type: ignore[no-untyped-def]
    """Whether the device says by this raw word that it has no value."""
    found = False
    for k in range(row[R_INVALID], row[R_INVALID_END]):
        found = found or invalid[k] == raw
    return found


@compiled
def field_mask(row):  # type: ignore[no-untyped-def]
    """The bits of the raw word that a field of bits takes, moved down to 0."""
    return (np.uint64(1) << np.uint64(row[R_BITS])) - np.uint64(1)


@compiled
def times_power(value, power):  # type: ignore[no-untyped-def]
    """The value times a power of ten as `modbus_powers` keeps it; NaN where that is not known."""
    return value * power if power > 0.0 else value / -power


@compiled
def tag_carries(row, whole):  # type: ignore[no-untyped-def]
    """Whether a whole number fits the tag's type: a DINT has 32 bits."""
    return row[R_INTEGER] == 64 or -TWO_31 <= whole < TWO_31


@compiled
def put_point(cells, row, factors, value, whole, time):  # type: ignore[no-untyped-def]
    """Put a decoded number into its cell in the tag's type, or only its quality where it is no number or too large."""
    lreal, integer, quality, times = cells
    slot = row[R_SLOT]
    times[slot] = time
    if row[R_PLAIN] and row[R_KIND] != FLOAT:  # a double would round what needs more than 53 bits
        fits = (row[R_KIND] != UNSIGNED or whole >= 0) and tag_carries(row, whole)
        if fits:
            integer[slot] = whole
        quality[slot] = GOOD_ if fits else OUTSIDE
        return
    scaled = value * factors[0] + factors[1]
    if not np.isfinite(scaled):
        quality[slot] = BROKEN
    elif not row[R_INTEGER]:
        lreal[slot] = scaled
        quality[slot] = GOOD_
    elif not -TWO_63 <= scaled < TWO_63:
        quality[slot] = OUTSIDE
    else:
        whole = np.int64(np.rint(scaled))
        fits = tag_carries(row, whole)
        if fits:
            integer[slot] = whole
        quality[slot] = GOOD_ if fits else OUTSIDE


@compiled
def decode(registers, table, cells, time):  # type: ignore[no-untyped-def]
    """Decode the registers of one answer (uint16[count]) into the cells of its points; `time` is CLOCK_MONOTONIC ns."""
    rows, factors, powers, invalid = table
    quality, times = cells[2], cells[3]
    words = np.empty(1, np.uint64)
    for i in range(len(rows)):
        row = rows[i]
        raw = join_words(registers, row)
        if has_no_value(raw, row, invalid):
            quality[row[R_SLOT]] = BROKEN
            times[row[R_SLOT]] = time
            continue
        words[0] = raw
        kind, width = row[R_KIND], row[R_WIDTH]
        if kind == BIT:
            whole = np.int64((raw >> np.uint64(row[R_BIT])) & field_mask(row))
            value = np.float64(whole)
        elif kind == FLOAT:
            value = np.float64(words.view(np.float32)[0]) if width == 2 else words.view(np.float64)[0]
            whole = np.int64(0)
        elif kind == INTEGER:
            spare = 64 - 16 * width
            whole = np.int64(raw << np.uint64(spare)) >> np.int64(spare)
            value = np.float64(whole)
        else:
            whole = np.int64(raw)
            value = np.float64(raw)
        put_point(cells, row, factors[i], times_power(value, powers[row[R_POWER]]), whole, time)


@compiled
def integer_fits(row, whole):  # type: ignore[no-untyped-def]
    """Whether a whole number can be written in the point's registers or bits."""
    kind, width = row[R_KIND], row[R_WIDTH]
    if kind == BIT:
        return 0 <= whole < np.int64(1) << np.int64(row[R_BITS])
    if kind == UNSIGNED:
        return whole >= 0 and (width == 4 or whole < np.int64(1) << np.int64(16 * width))
    if width == 4:
        return True
    half = np.int64(1) << np.int64(16 * width - 1)
    return -half <= whole < half


@compiled
def raw_of(row, factors, power, bits):  # type: ignore[no-untyped-def]
    """The raw word of an output value given by its 8 cell bits, and whether its registers can carry it."""
    words = np.empty(1, np.int64)
    words[0] = bits
    kind, width = row[R_KIND], row[R_WIDTH]
    if row[R_PLAIN] and kind != FLOAT:
        return np.uint64(bits), integer_fits(row, bits)
    value = np.float64(bits) if row[R_INTEGER] else words.view(np.float64)[0]
    number = (value - factors[1]) / factors[0]
    if number != 0.0:  # nothing is nothing on every scale
        number = number / power if power > 0.0 else number * -power
    if not np.isfinite(number):
        return np.uint64(0), False
    if kind == FLOAT and width == 2:
        singles = np.zeros(2, np.float32)
        singles[0] = np.float32(number)
        return singles.view(np.uint64)[0], np.isfinite(singles[0])
    if kind == FLOAT:
        words.view(np.float64)[0] = number
        return np.uint64(words[0]), True
    number = np.rint(number)
    if kind == UNSIGNED and width == 4:
        return (np.uint64(number), True) if 0.0 <= number < 2.0 * TWO_63 else (np.uint64(0), False)
    if not -TWO_63 <= number < TWO_63:
        return np.uint64(0), False
    whole = np.int64(number)
    return np.uint64(whole), integer_fits(row, whole)


@compiled
def put_words(image, row, raw):  # type: ignore[no-untyped-def]
    """Write a raw word, or a field of bits, into its registers; returns whether any changed."""
    first, width = row[R_FIRST], row[R_WIDTH]
    if row[R_KIND] == BIT:
        mask, bit = field_mask(row), np.uint64(row[R_BIT])
        raw = (join_words(image, row) & ~(mask << bit)) | ((raw & mask) << bit)
    changed = False
    for k in range(width):
        place = k if row[R_WORDS_LITTLE] else width - 1 - k
        word = np.uint16((raw >> np.uint64(16 * place)) & np.uint64(0xFFFF))
        if row[R_BYTES_LITTLE]:
            word = swap_bytes(word)
        changed = changed or image[first + k] != word
        image[first + k] = word
    return changed


@compiled
def mark_bits(table, wanted, masks):  # type: ignore[no-untyped-def]
    """Set the bits of these registers (uint16) that belong to the wanted points."""
    rows = table[0]
    for i in range(len(rows)):
        if wanted[i]:
            put_words(masks, rows[i], ~np.uint64(0))


@compiled
def encode(values, wanted, table, image, known, dirty, refused):  # type: ignore[no-untyped-def]
    """Write the wanted output values into the image; a value that does not fit leaves the old one and is counted.

    values: int64[points] (cell bits); wanted: uint8[points]; image: uint16[registers]; known: uint8[points], set once a
    point has a value; dirty: uint8[registers], set where the device must be told; refused: int64[points]. A value whose
    power of ten is not known waits: what stands in the image was made with another one, so it is not known any more.
    """
    rows, factors, powers, invalid = table
    for i in range(len(rows)):
        if not wanted[i] or rows[i, R_WIDTH] == 0:
            continue
        power = powers[rows[i, R_POWER]]
        raw, fits = raw_of(rows[i], factors[i], power, values[i])
        if fits and rows[i, R_KIND] != BIT:  # what says that there is no value is no value
            width = rows[i, R_WIDTH]
            low = raw if width == 4 else raw & ((np.uint64(1) << np.uint64(16 * width)) - np.uint64(1))
            fits = not has_no_value(low, rows[i], invalid)
        if not fits and np.isnan(power):
            known[i] = 0
            dirty[rows[i, R_FIRST] : rows[i, R_FIRST] + rows[i, R_WIDTH]] = 0
            continue
        if not fits:
            refused[i] += 1
            continue
        changed = put_words(image, rows[i], raw)
        if changed or not known[i]:
            known[i] = 1
            dirty[rows[i, R_FIRST] : rows[i, R_FIRST] + rows[i, R_WIDTH]] = 1
