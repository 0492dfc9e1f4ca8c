"""The arithmetic that steps may use, defined once for plain Python and for compiled kernels.

Integers are 64 bits wide inside a step and wrap; LREAL follows IEEE 754, so 0/0 is NaN and 1/0 is infinity. `min`, `max`
and `clamp` define the order of NaN: a comparison with NaN is false, so `min(nan, x)` is x and `min(x, nan)` is NaN.
Every function here is copied into each kernel that uses it, and may use NumPy scalars and its neighbours, nothing else.
"""

from __future__ import annotations

import numpy as np

NS_PER_S = 1_000_000_000


def min(a, b):
    """The smaller of two; `b` unless `a` is smaller."""
    return a if a < b else b


def max(a, b):
    """The larger of two; `b` unless `a` is larger."""
    return a if a > b else b


def clamp(low, value, high):
    """`value` held between `low` and `high`; where they cross, `high` wins. A NaN comes out as `low`."""
    inside = value if value > low else low
    return inside if inside < high else high


def abs(value):
    """The magnitude; the most negative integer stays as it is, as in two's complement."""
    return value if value > 0 else 0 - value


def sign(value):
    """1, 0 or -1 as an LREAL; 0 for NaN."""
    return 1.0 if value > 0 else (-1.0 if value < 0 else 0.0)


def is_finite(value):
    """Whether an LREAL is a number: neither NaN nor infinite."""
    return value - value == 0.0


def is_nan(value):
    """Whether an LREAL is not a number; false for every integer."""
    return not value == value


def div(a, b):
    """Integer division that truncates towards zero, as in IEC 61131-3; division by zero gives 0."""
    if b == 0:
        return a * 0
    if b == -1:
        return 0 - a  # the most negative integer wraps; the processor would trap, and numba answers 0
    quotient = a // b
    return quotient + 1 if quotient < 0 and quotient * b != a else quotient


def mod(a, b):
    """The rest of `div`, with the sign of `a`; 0 for b = 0 (IEC 61131-3, table 24)."""
    if b == 0:
        return a * 0
    return a - div(a, b) * b


def quotient(a, b):
    """`a` by `b` in the type of the two: LREAL as IEEE 754, integers as `div`."""
    if isinstance(a, float):
        return a / b
    return div(a, b)


def to_lreal(value):
    """An integer or BOOL as LREAL."""
    return np.float64(value)


def to_int(value):
    """An LREAL rounded half to even as IEC asks, held inside 64 bits; NaN becomes 0."""
    if not value == value:
        return np.int64(0)
    rounded = np.rint(value)
    if rounded >= 9223372036854774784.0:
        return np.int64(9223372036854774784)
    if rounded <= -9223372036854774784.0:
        return np.int64(-9223372036854774784)
    return np.int64(rounded)


def to_dint(value):
    """An LREAL rounded half to even, held inside 32 bits; NaN becomes 0."""
    return clamp(np.int64(-2147483648), to_int(value), np.int64(2147483647))


def whole(value):
    """Any number as an integer: an LREAL as `to_int`, an integer or BOOL unchanged, without the detour over 53 bits."""
    if isinstance(value, float):
        return to_int(value)
    return np.int64(value)


def truncate(value):
    """An LREAL cut towards zero, held inside 64 bits; NaN becomes 0."""
    return to_int(np.trunc(value))


def seconds(time):
    """A TIME as LREAL seconds."""
    return np.float64(time) / 1e9


def time(value):
    """LREAL seconds as TIME, to the nearest nanosecond."""
    return to_int(value * 1e9)


def sqrt(value):
    """The square root; NaN below zero."""
    return np.sqrt(value)


def exp(value):
    """e to the power of `value`; infinity on overflow."""
    return np.exp(value)


def log(value):
    """The natural logarithm; minus infinity at 0, NaN below."""
    return np.log(value)


def log_ratio(value):
    """The natural logarithm of a number from 2^-32 to 2^32, held at both ends; NaN stays NaN.

    Halved into [0.7, 1.41] without rounding, then the series of 2 artanh: within 2 units in the last place of `log`, the same
    bits in plain Python and compiled (two libraries' log differ by one), and it vectorises.
    """
    mantissa = clamp(2.3283064365386963e-10, value, 4294967296.0) * 4294967296.0  # 1 to 2^64
    halvings = -32.0
    halvings = halvings + 32.0 if mantissa >= 4294967296.0 else halvings
    mantissa = mantissa * 2.3283064365386963e-10 if mantissa >= 4294967296.0 else mantissa
    halvings = halvings + 16.0 if mantissa >= 65536.0 else halvings
    mantissa = mantissa * 1.52587890625e-05 if mantissa >= 65536.0 else mantissa
    halvings = halvings + 8.0 if mantissa >= 256.0 else halvings
    mantissa = mantissa * 0.00390625 if mantissa >= 256.0 else mantissa
    halvings = halvings + 4.0 if mantissa >= 16.0 else halvings
    mantissa = mantissa * 0.0625 if mantissa >= 16.0 else mantissa
    halvings = halvings + 2.0 if mantissa >= 4.0 else halvings
    mantissa = mantissa * 0.25 if mantissa >= 4.0 else mantissa
    halvings = halvings + 1.0 if mantissa >= 2.0 else halvings
    mantissa = mantissa * 0.5 if mantissa >= 2.0 else mantissa
    halvings = halvings + 1.0 if mantissa >= 1.4142135623730951 else halvings
    mantissa = mantissa * 0.5 if mantissa >= 1.4142135623730951 else mantissa
    share = (mantissa - 1.0) / (mantissa + 1.0)
    square = share * share
    series = 0.0
    for odd in range(21, 1, -2):
        series = (series + 1.0 / odd) * square
    # ln 2 in two parts, so that the larger product is exact.
    near = halvings * 0.6931471803691238 + (halvings * 1.9082149292705877e-10 + 2.0 * share * series + 2.0 * share)
    return near if value == value else value


def power(base, exponent):
    """`base` to the power of `exponent`, as C's pow."""
    return np.power(base, exponent)


def floor(value):
    """The largest whole number that is not above `value`."""
    return np.floor(value)


def lerp(x, x0, y0, x1, y1):
    """The line through (x0, y0) and (x1, y1) at x, held at both ends; y1 where x0 = x1. NaN in gives y0."""
    share = clamp(0.0, (x - x0) / (x1 - x0), 1.0) if x1 > x0 else 1.0
    return y0 + (y1 - y0) * share


def interpolate(x, xs, ys):
    """A table at x: linear between the points, held flat beyond the first and the last; `xs` rises or stays.

    A NaN is answered with the smallest `ys`: a limit must not open because a sensor broke.
    """
    if not x == x:
        lowest = ys[0]
        for i in range(1, len(ys)):
            lowest = min(ys[i], lowest)
        return lowest
    y = ys[0]
    for i in range(1, len(xs)):
        if x > xs[i - 1]:
            y = lerp(x, xs[i - 1], ys[i - 1], xs[i], ys[i])
    return y


def smoothing(dt, constant):
    """The share of a first-order filter's step: 1 - exp(-dt/T), exact for a held input; 1 where T <= 0."""
    return 1.0 - np.exp(-seconds(dt) / constant) if constant > 0.0 else 1.0


def settling(span, constant):
    """The share of its way that a first-order filter goes in `span` (unit of T): nearly 1 - exp(-span/T), 1 where T <= 0.

    exp(x) is taken as 1 + x + x*x/2 (the Pade approximant 0/2: never overshoots, error x*x*x/6), since a call of exp() in every
    row would cost more than the rest of the filter.
    """
    lag = max(constant, 0.0)
    way = span * (lag + lag + span)
    return way / (way + 2.0 * lag * lag)


def _half_wave(turns):
    """The sine of an angle of -0.25 to 0.25 turns, by its series."""
    angle = turns * 6.283185307179586
    square = angle * angle
    series = 1.0
    for n in range(21, 1, -2):
        series = 1.0 - square * (1.0 / (n * (n - 1))) * series
    return angle * series


def sine_of_turns(turns):
    """The sine of an angle in turns, within 4e-16; the same bits in plain Python, compiled and on every processor."""
    rest = turns - np.rint(turns)
    rest = 0.5 - rest if rest > 0.25 else rest
    return _half_wave(-0.5 - rest if rest < -0.25 else rest)


def cosine_of_turns(turns):
    """The cosine of an angle in turns, as exact as `sine_of_turns`."""
    return _half_wave(0.25 - abs(turns - np.rint(turns)))


def turns_of(y, x):
    """The angle of the point (x, y) in turns, -0.5 to 0.5, within 1e-16 and the same bits everywhere; 0 at the origin."""
    long = max(abs(x), abs(y))
    slope = min(abs(x), abs(y)) / long if long > 0.0 else x + y
    folded = slope > 0.41421356237309503
    slope = (slope - 1.0) / (slope + 1.0) if folded else slope
    square = slope * slope
    series = 0.0
    for odd in range(43, 1, -2):
        series = 1.0 / odd - square * series
    angle = slope * (1.0 - square * series) * 0.15915494309189535 + (0.125 if folded else 0.0)
    angle = 0.25 - angle if abs(y) > abs(x) else angle
    angle = 0.5 - angle if x < 0.0 else angle
    return 0.0 - angle if y < 0.0 else angle
