"""The bits of a CAN frame in compiled code: raw words out and in, two's complement, and floats of 16 bits.

It knows no tables and no messages.
"""

from __future__ import annotations

import math

import numpy as np

from runtime.fieldbus.compiled import part

HALF_LIMIT = 65520.0  # from here on a value rounds to more than the largest float of 16 bits


@part
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


@part
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


@part
def signed_of(raw, length):  # type: ignore[no-untyped-def]
    """A raw word read as two's complement of `length` bits."""
    spare = np.uint64(64 - length)
    return np.int64(raw << spare) >> np.int64(64 - length)


@part
def half_value(raw):  # type: ignore[no-untyped-def]
    """The number that a float of 16 bits stands for (IEEE 754 binary16)."""
    exponent, fraction = np.int64((raw >> np.uint64(10)) & np.uint64(31)), np.float64(raw & np.uint64(1023))
    if exponent == 0:
        size = math.ldexp(fraction, -24)
    elif exponent == 31:
        size = np.inf if fraction == 0.0 else np.nan
    else:
        size = math.ldexp(1024.0 + fraction, exponent - 25)
    return -size if raw & np.uint64(0x8000) else size


@part
def half_word(number):  # type: ignore[no-untyped-def]
    """The 16 bits of a finite number below HALF_LIMIT, rounded to the nearest, ties to even."""
    size = abs(number)
    sign = np.uint64(0x8000) if math.copysign(1.0, number) < 0.0 else np.uint64(0)
    if size < 2.0**-14:
        return sign | np.uint64(np.rint(size * 2.0**24))  # rounded up, it is the smallest normal number
    mantissa, exponent = math.frexp(size)
    return sign | np.uint64(np.int64((exponent + 14) << 10) + np.int64(np.rint(mantissa * 2048.0)) - 1024)
