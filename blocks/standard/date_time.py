"""The time functions of IEC 61131-3: a TIME by a number, and wall-clock time in and out of its parts.

Wall-clock time is an input like any other: a LINT that counts nanoseconds since 1970-01-01 00:00 UTC, without leap seconds, as the
clock of the machine does. An offset (a TIME) makes it local.
"""

from __future__ import annotations

from blocks.arithmetic import div, max, min, to_int, to_lreal
from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, Example, Input, Output, block
from blocks.standard.laws import day_of, days_from_march, days_of_date, days_of_time, last_sunday, month_of, weekday_of, year_of

FUNCTIONS = "IEC 61131-3:2013, time functions"
CIVIL = "H. Hinnant, chrono-compatible low-level date algorithms (days_from_civil, civil_from_days)"
A_DAY = 86_400_000_000_000
AN_HOUR = 3_600_000_000_000
A_MINUTE = 60_000_000_000
A_SECOND = 1_000_000_000
EARLIEST = -9_223_286_400_000_000_000  # 1677-09-22 00:00, the first whole day of a LINT
LATEST = 9_223_372_036_854_775_807


@block(source=FUNCTIONS)
class MUL_TIME:
    """A TIME multiplied by a number, to the nearest nanosecond and held inside 64 bits; NaN becomes 0."""

    IN = Input(TIME, "any time")
    K = Input(LREAL, "factor")
    OUT = Output(TIME, "IN times K")

    def step(fb, dt):
        fb.OUT = to_int(to_lreal(fb.IN) * fb.K)

    example = Example(
        table="""
        IN  K    | OUT
        2s  1.5  | 3s
        1s  -0.5 | -500ms
        1s  nan  | 0s
    """
    )


@block(source=FUNCTIONS)
class DIV_TIME:
    """A TIME divided by a number, to the nearest nanosecond; by 0 it is the longest time of its sign, 0/0 and NaN become 0."""

    IN = Input(TIME, "any time")
    K = Input(LREAL, "divisor")
    OUT = Output(TIME, "IN by K")

    def step(fb, dt):
        fb.OUT = to_int(to_lreal(fb.IN) / fb.K)

    example = Example(
        table="""
        IN  K    | OUT
        3s  2    | 1500ms
        1s  -0.5 | -2s
        1s  nan  | 0s
        0s  0    | 0s
    """
    )


@block(source=FUNCTIONS + "; " + CIVIL)
class SPLIT_DT:
    """The date and the time of day of a wall clock: wire OFFSET from DST_EU for local time, leave it for UTC."""

    IN = Input(LINT, "nanoseconds since 1970-01-01 00:00 UTC")
    OFFSET = Input(TIME, "local time less UTC", default=0)
    YEAR = Output(DINT, "year", min=1677, max=2262, default=1970)
    MONTH = Output(DINT, "month", min=1, max=12, default=1)
    DAY = Output(DINT, "day of the month", min=1, max=31, default=1)
    HOUR = Output(DINT, "hour", min=0, max=23)
    MINUTE = Output(DINT, "minute", min=0, max=59)
    SECOND = Output(DINT, "second", min=0, max=59)
    WEEKDAY = Output(DINT, "day of the week: Monday 1 to Sunday 7", min=1, max=7, default=4)
    DAY_OF_YEAR = Output(DINT, "day of the year, 1 January being 1", min=1, max=366, default=1)
    TIME_OF_DAY = Output(TIME, "time since midnight", min=0)

    def step(fb, dt):
        ahead = max(fb.OFFSET, 0)
        behind = min(fb.OFFSET, 0)
        late = min(fb.IN, LATEST - ahead) + ahead
        local = max(max(late, EARLIEST - behind) + behind, EARLIEST)
        days = days_of_time(local)
        rest = local - days * A_DAY
        year = year_of(days)
        from_march = days_from_march(days, year)
        fb.YEAR = year
        fb.MONTH = month_of(from_march)
        fb.DAY = day_of(from_march)
        fb.WEEKDAY = weekday_of(days)
        fb.DAY_OF_YEAR = days - days_of_date(year, 1, 1) + 1
        fb.TIME_OF_DAY = rest
        fb.HOUR = div(rest, AN_HOUR)
        fb.MINUTE = div(rest, A_MINUTE) - 60 * fb.HOUR
        fb.SECOND = div(rest, A_SECOND) - 60 * div(rest, A_MINUTE)

    example = Example(
        OFFSET="1h",
        table="""
        IN                  | YEAR MONTH DAY HOUR MINUTE SECOND WEEKDAY DAY_OF_YEAR
        0                   | 1970 1     1   1    0      0      4       1
        951782400000000000  | 2000 2     29  1    0      0      2       60
        1798757999999999999 | 2026 12    31  23   59     59     4       365
        1798758000000000000 | 2027 1     1   0    0      0      5       1
    """,
    )


@block(source=FUNCTIONS + "; " + CIVIL)
class JOIN_DT:
    """The nanoseconds since 1970 of a date and time of day; a date that no calendar has is INVALID, and OUT is then 0."""

    YEAR = Input(DINT, "year, 1678 to 2261")
    MONTH = Input(DINT, "month", default=1)
    DAY = Input(DINT, "day of the month", default=1)
    HOUR = Input(DINT, "hour", default=0)
    MINUTE = Input(DINT, "minute", default=0)
    SECOND = Input(DINT, "second", default=0)
    OFFSET = Input(TIME, "local time less UTC, less than a day", default=0)
    OUT = Output(LINT, "nanoseconds since 1970-01-01 00:00 UTC")
    INVALID = Output(BOOL, "there is no such date or time")

    def step(fb, dt):
        in_year = fb.YEAR >= 1678 and fb.YEAR <= 2261 and fb.MONTH >= 1 and fb.MONTH <= 12
        year = fb.YEAR if in_year else 1970
        month = fb.MONTH if in_year else 1
        first = days_of_date(year, month, 1)
        after = days_of_date(year, month + 1, 1) if month < 12 else days_of_date(year + 1, 1, 1)
        in_month = in_year and fb.DAY >= 1 and fb.DAY <= after - first
        in_day = fb.HOUR >= 0 and fb.HOUR <= 23 and fb.MINUTE >= 0 and fb.MINUTE <= 59 and fb.SECOND >= 0 and fb.SECOND <= 59
        fb.INVALID = not (in_month and in_day and fb.OFFSET > -A_DAY and fb.OFFSET < A_DAY)
        of_day = fb.HOUR * AN_HOUR + fb.MINUTE * A_MINUTE + fb.SECOND * A_SECOND
        fb.OUT = 0 if fb.INVALID else (first + fb.DAY - 1) * A_DAY + of_day - fb.OFFSET

    example = Example(
        table="""
        YEAR MONTH DAY HOUR OFFSET | OUT                 INVALID
        1970 1     1   0    0h     | 0                   0
        2000 2     29  1    1h     | 951782400000000000  0
        1900 2     29  0    0h     | 0                   1        # no leap year
        2026 4     31  0    0h     | 0                   1
        2027 1     1   24   0h     | 0                   1
    """
    )


@block(source="Directive 2000/84/EC, articles 1 to 3 (from and to 01:00 UTC on the last Sundays of March and October); " + CIVIL)
class DST_EU:
    """The offset of local time in the European Union: STANDARD in winter, an hour more in summer.

    Summer time begins at 01:00 UTC on the last Sunday of March and ends at 01:00 UTC on that of October, in all zones at once. The
    block follows the rule for every year, also for those before 2002, when the directive began to hold.
    """

    IN = Input(LINT, "nanoseconds since 1970-01-01 00:00 UTC")
    STANDARD = Input(TIME, "local time less UTC in winter: 1 h for CET", default=AN_HOUR)
    OFFSET = Output(TIME, "local time less UTC now")
    SUMMER = Output(BOOL, "summer time holds")

    def step(fb, dt):
        now = max(fb.IN, EARLIEST)
        days = days_of_time(now)
        year = year_of(days)
        passed = now - days * A_DAY >= AN_HOUR
        since = last_sunday(year, 3, 31)
        until = last_sunday(year, 10, 31)
        begun = days > since or (days == since and passed)
        over = days > until or (days == until and passed)
        fb.SUMMER = begun and not over
        fb.OFFSET = fb.STANDARD + (AN_HOUR if fb.SUMMER else 0)

    example = Example(
        table="""
        IN                  | OFFSET SUMMER
        1774745999999999999 | 1h     0        # 2026-03-29 00:59:59 UTC
        1774746000000000000 | 2h     1
        1792889999999999999 | 2h     1        # 2026-10-25 00:59:59 UTC
        1792890000000000000 | 1h     0
    """
    )
