"""The laws that blocks of the standard share: elementary functions with the same bits plain and compiled, bit widths, the calendar.

Two libraries' sin, atan or log10 differ in the last bit, so these are series of our own: Taylor and artanh series on reduced
arguments, each with the error that its docstring says (measured against mpmath).
"""

from __future__ import annotations

import math

from blocks.arithmetic import abs, div, floor, mod, sqrt

LARGEST_ANGLE = 8.0e8
PI_HALF = 1.5707963267948966
PI = 3.141592653589793
NOT_A_NUMBER = math.nan
BOTTOM = -math.inf
DINT_BITS = 4294967295  # the bits of a DINT in the 64 of a step
PAIRS = 6148914691236517205  # 01 in each pair of bits
QUADS = 3689348814741910323  # 0011 in each four
NIBBLES = 1085102592571150095  # 00001111 in each eight
BYTES = 72340172838076673  # 1 in each byte
WHOLE_FROM = 4503599627370496.0  # from 2^52 on every LREAL is a whole number
A_DAY = 86_400_000_000_000  # nanoseconds
ERA = 146097  # days in 400 years
TO_ERAS = 719468  # days from 0000-03-01, where eras begin, to 1970-01-01


def half_even(value):
    """An LREAL to the nearest whole LREAL, halves to the even one: adding 2^52 leaves no bits for a fraction."""
    size = abs(value)
    rounded = (size + WHOLE_FROM) - WHOLE_FROM if size < WHOLE_FROM else size
    return rounded if value > 0.0 else 0.0 - rounded


def quadrant(angle):
    """How many quarter turns an angle is from 0, rounded."""
    return floor(angle * 0.6366197723675814 + 0.5)


def within_quadrant(angle, quarters):
    """The angle less `quarters` times pi/2, which stands here in five parts of 24 bits: each product is exact."""
    rest = angle - quarters * 1.570796251296997
    rest = rest - quarters * 7.549789415861596e-08
    rest = rest - quarters * 5.390302529957765e-15
    rest = rest - quarters * 3.282003415807913e-22
    return rest - quarters * 1.270655753080676e-29


def sine_series(x):
    """sin(x) for -pi/4 to pi/4."""
    s = x * x
    high = 1.0 / 362880.0 - s * (1.0 / 39916800.0 - s * (1.0 / 6227020800.0 - s * (1.0 / 1307674368000.0 - s / 355687428096000.0)))
    return x - x * s * (1.0 / 6.0 - s * (1.0 / 120.0 - s * (1.0 / 5040.0 - s * high)))


def cosine_series(x):
    """cos(x) for -pi/4 to pi/4; the half square is taken off last, with what rounding left of it."""
    s = x * x
    high = 1.0 / 3628800.0 - s * (1.0 / 479001600.0 - s * (1.0 / 87178291200.0 - s / 20922789888000.0))
    rest = s * s * (1.0 / 24.0 - s * (1.0 / 720.0 - s * (1.0 / 40320.0 - s * high)))
    most = 1.0 - 0.5 * s
    return most + ((1.0 - most) - 0.5 * s + rest)


def turned_sine(angle, ahead):
    """The sine of an angle and `ahead` quarter turns; NaN beyond LARGEST_ANGLE, within 2 units in the last place of the truth."""
    quarters = quadrant(angle)
    rest = within_quadrant(angle, quarters)
    turns = quarters + ahead
    place = turns - 4.0 * floor(turns * 0.25)
    value = cosine_series(rest) if place == 1.0 or place == 3.0 else sine_series(rest)
    value = 0.0 - value if place >= 2.0 else value
    return value if abs(angle) <= LARGEST_ANGLE else NOT_A_NUMBER


def sine(angle):
    """The sine of an angle in radians."""
    return turned_sine(angle, 0.0)


def cosine(angle):
    """The cosine of an angle in radians."""
    return turned_sine(angle, 1.0)


def arctangent_of_share(share):
    """atan(share) for 0 to 1, within 2 units in the last place: turned by 0, pi/8 or pi/4, then the series on -0.2 to 0.2."""
    middle = share >= 0.198912367379658 and share < 0.6681786379192989
    known = 0.41421356237309503 if middle else (1.0 if share >= 0.6681786379192989 else 0.0)
    turned = 0.39269908169872414 if middle else (0.7853981633974483 if share >= 0.6681786379192989 else 0.0)
    x = (share - known) / (1.0 + share * known)
    s = x * x
    high = 1.0 / 15.0 - s * (1.0 / 17.0 - s * (1.0 / 19.0 - s * (1.0 / 21.0 - s * (1.0 / 23.0 - s / 25.0))))
    return turned + (
        x
        - x * s * (1.0 / 3.0 - s * (1.0 / 5.0 - s * (1.0 / 7.0 - s * (1.0 / 9.0 - s * (1.0 / 11.0 - s * (1.0 / 13.0 - s * high))))))
    )


def direction(y, x):
    """The angle of the point (x, y), from above -pi to pi, within 2 units in the last place; 0 for the origin, -0 counts as 0."""
    tall = abs(y)
    wide = abs(x)
    ratio = (tall / wide if tall < wide else wide / tall) if tall != wide else (1.0 if tall > 0.0 else 0.0)
    angle = arctangent_of_share(ratio)
    angle = 6.123233995736766e-17 - angle + PI_HALF if tall > wide else angle
    angle = 1.2246467991473532e-16 - angle + PI if x < 0.0 else angle
    angle = 0.0 - angle if y < 0.0 else angle
    return angle if y == y and x == x else NOT_A_NUMBER


def arcsine(value):
    """The angle from -pi/2 to pi/2 whose sine is `value`; NaN beyond -1 and 1."""
    return direction(value, sqrt((1.0 - value) * (1.0 + value)))


def arccosine(value):
    """The angle from 0 to pi whose cosine is `value`; NaN beyond -1 and 1."""
    return direction(sqrt((1.0 - value) * (1.0 + value)), value)


def log10(value):
    """The logarithm to base 10, within 3 units in the last place; minus infinity at 0, NaN below.

    Halved into [0.7, 1.41] without rounding, then the series of 2 artanh.
    """
    mantissa = value
    halvings = 0.0
    for i in range(3):  # noqa: B007
        small = mantissa < 1.0
        mantissa = mantissa * 1.3407807929942597e154 if small else mantissa  # 2^512
        halvings = halvings - 512.0 if small else halvings
    power = 512.0
    scale = 7.458340731200207e-155  # 2^-512
    for i in range(10):  # noqa: B007
        large = mantissa * scale >= 1.0
        mantissa = mantissa * scale if large else mantissa
        halvings = halvings + power if large else halvings
        power = power * 0.5
        scale = sqrt(scale)
    halvings = halvings + 1.0 if mantissa >= 1.4142135623730951 else halvings
    mantissa = mantissa * 0.5 if mantissa >= 1.4142135623730951 else mantissa
    share = (mantissa - 1.0) / (mantissa + 1.0)
    square = share * share
    series = 0.0
    for odd in range(21, 1, -2):
        series = (series + 1.0 / odd) * square
    natural = 2.0 * share * series + 2.0 * share
    near = halvings * 0.30102999566361177 + (halvings * 3.694239077158931e-13 + 0.4342944819032518 * natural)
    if value > 0.0:
        return near if value - value == 0.0 else value
    return BOTTOM if value == 0.0 else NOT_A_NUMBER


def width_of(top):
    """How many bits the type of a block has, from 2^32 as the type holds it: a DINT drops it, a LINT keeps it."""
    return 32 if top == 0 else 64


def own_bits(value, width):
    """An integer with 0 in the bits that its type does not have: a DINT carries its sign through all 64."""
    return value & DINT_BITS if width == 32 else value


def shifted_left(value, count, width):
    """`value` moved up by `count` bits, 0 from `width` on; a negative count moves nothing."""
    if count >= width:
        return value * 0
    return value << count if count > 0 else value


def shifted_right(value, count, width):
    """`value` moved down by `count` bits with 0 from above, 0 from `width` on; a negative count moves nothing."""
    if count >= width:
        return value * 0
    if count <= 0:
        return value
    return own_bits(value, width) >> count & ((1 << (64 - count)) - 1)


def rotated_left(value, count, width):
    """`value` with its bits moved up by `count` and in again from below; a negative count moves nothing."""
    turn = mod(count, width) if count > 0 else 0
    if turn == 0:
        return value
    return shifted_left(value, turn, width) | shifted_right(value, width - turn, width)


def bits_set(value, width):
    """How many bits of an integer are 1: sums of pairs, fours and bytes, then all bytes by one multiplication."""
    bits = own_bits(value, width)
    pairs = bits - (bits >> 1 & PAIRS)
    quads = (pairs & QUADS) + (pairs >> 2 & QUADS)
    return (((quads + (quads >> 4)) & NIBBLES) * BYTES) >> 56


def days_of_time(nanoseconds):
    """Whole days from 1970-01-01 to a time that counts nanoseconds; before 1970 they are negative."""
    day = div(nanoseconds, A_DAY)
    return day - 1 if day * A_DAY > nanoseconds else day


def days_of_date(year, month, day):
    """Days from 1970-01-01 to a date of the Gregorian calendar, year 0 or later (Hinnant, days_from_civil)."""
    march_year = year - 1 if month <= 2 else year
    era = div(march_year, 400)
    of_era = march_year - era * 400
    of_year = div(153 * (month + 9 if month <= 2 else month - 3) + 2, 5) + day - 1
    return era * ERA + of_era * 365 + div(of_era, 4) - div(of_era, 100) + of_year - TO_ERAS


def year_of(days):
    """The year in which a day lies, counted from 1970-01-01 (Hinnant, civil_from_days); not before year 0."""
    of_era = mod(days + TO_ERAS, ERA)
    march_year = div(of_era - div(of_era, 1460) + div(of_era, 36524) - div(of_era, 146096), 365)
    from_march = of_era - (365 * march_year + div(march_year, 4) - div(march_year, 100))
    return march_year + div(days + TO_ERAS, ERA) * 400 + (1 if from_march >= 306 else 0)


def days_from_march(days, year):
    """Days since the last 1 March; `year` is the year of `days`."""
    march = days_of_date(year, 3, 1)
    return days - march if days >= march else days - days_of_date(year - 1, 3, 1)


def month_of(from_march):
    """The month of a day that is counted from the last 1 March."""
    month = div(5 * from_march + 2, 153)
    return month + 3 if month < 10 else month - 9


def day_of(from_march):
    """The day of the month of a day that is counted from the last 1 March."""
    return from_march - div(153 * div(5 * from_march + 2, 153) + 2, 5) + 1


def weekday_of(days):
    """Monday 1 to Sunday 7, as ISO 8601 counts; 0000-03-01 was a Wednesday."""
    return mod(days + TO_ERAS + 2, 7) + 1


def last_sunday(year, month, last_day):
    """The last Sunday of a month in days from 1970-01-01; `last_day` is how many days the month has."""
    last = days_of_date(year, month, last_day)
    return last - mod(weekday_of(last), 7)
