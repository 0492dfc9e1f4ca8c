"""MUL_TIME, DIV_TIME, SPLIT_DT, JOIN_DT, DST_EU against Python's own calendar and the time zone database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from blocks.declare import BlockType
from blocks.plain import Instance
from blocks.standard.date_time import DIV_TIME, DST_EU, JOIN_DT, MUL_TIME, SPLIT_DT
from tests.aids.scan_table import scan

S = 1_000_000_000
HOUR = 3600 * S
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = int((datetime(1678, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
LAST = int((datetime(2262, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
PARTS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")


def run(block: BlockType, **pins: int) -> Instance:
    one = Instance(block)
    for name, value in pins.items():
        setattr(one, name, value)
    one.scan(1)
    return one


def nanoseconds(*date: int) -> int:
    return int((datetime(*date, tzinfo=UTC) - EPOCH).total_seconds()) * S


def test_a_time_by_a_number_is_the_nearest_nanosecond_and_held_at_the_longest():
    scan(
        MUL_TIME,
        table="""
        IN  K   | OUT
        3ns 0.5 | 2ns       # a half goes to the even number
        5ns 0.5 | 2ns
        1h  -2  | -2h
        1s  inf | 9223372036854774784ns
        0s  inf | 0s
        1s  nan | 0s
    """,
    )
    scan(
        DIV_TIME,
        table="""
        IN  K | OUT
        10s 4 | 2500ms
        1s  3 | 333333333ns
        1s  0 | 9223372036854774784ns
        -1s 0 | -9223372036854774784ns
        0s  0 | 0s
    """,
    )


def test_a_wall_clock_comes_apart_as_pythons(deviation):
    """Any second from 1678 to 2261, in any zone: date, time, ISO weekday, day of the year, and together again."""
    chance, wrong = np.random.default_rng(6), 0
    for second in [FIRST, -1, 0, LAST - 1, *chance.integers(FIRST + 86400, LAST - 86400, 3000).tolist()]:
        offset = int(chance.integers(-12, 15)) * 900 * 4 if FIRST < second < LAST - 1 else 0
        want = EPOCH + timedelta(seconds=second + offset)
        got = run(SPLIT_DT, IN=second * S + 7, OFFSET=offset * S)
        date = (want.year, want.month, want.day, want.hour, want.minute, want.second)
        wrong += tuple(int(getattr(got, part)) for part in PARTS) != date
        wrong += (got.WEEKDAY, got.DAY_OF_YEAR) != (want.isoweekday(), want.timetuple().tm_yday)
        wrong += got.TIME_OF_DAY != (want.hour * 3600 + want.minute * 60 + want.second) * S + 7
        back = run(JOIN_DT, **dict(zip(PARTS, date, strict=True)), OFFSET=offset * S)
        wrong += (back.OUT, back.INVALID) != (second * S, False)
    deviation("SPLIT_DT, JOIN_DT", "Python 3.11 datetime", "3004 instants, wrong parts", wrong, 0)  # integers: right or wrong


def test_leap_years_and_the_turn_of_the_day_compiled_too():
    scan(
        SPLIT_DT,
        table=f"""
        IN                          | YEAR MONTH DAY HOUR SECOND WEEKDAY DAY_OF_YEAR TIME_OF_DAY
        -1                          | 1969 12    31  23   59     3       365         86399999999999ns
        {nanoseconds(2024, 2, 29)}  | 2024 2     29  0    0      4       60          0s
        {nanoseconds(2024, 12, 31)} | 2024 12    31  0    0      2       366         0s
        {nanoseconds(2100, 3, 1)}   | 2100 3     1   0    0      1       60          0s
        {nanoseconds(2000, 3, 1)}   | 2000 3     1   0    0      3       61          0s
        9223372036854775807         | 2262 4     11  23   16     5       101         85636854775807ns
        -9223372036854775808        | 1677 9     22  0    0      3       265         0s
    """,
    )


def test_an_offset_at_the_end_of_time_does_not_wrap():
    scan(SPLIT_DT, OFFSET="14h", table="IN | YEAR MONTH DAY\n 9223372036854775807 | 2262 4 11")
    scan(SPLIT_DT, OFFSET="-14h", table="IN | YEAR MONTH DAY\n -9223372036854775808 | 1677 9 22")


def test_a_date_that_no_calendar_has_is_invalid():
    scan(
        JOIN_DT,
        table="""
        YEAR MONTH DAY HOUR MINUTE SECOND | INVALID OUT
        2023 2     29  0    0      0      | 1       0
        2023 2     28  0    0      0      | 0       1677542400000000000
        2024 2     29  0    0      0      | 0       1709164800000000000
        2100 2     29  0    0      0      | 1       0
        2024 13    1   0    0      0      | 1       0
        2024 0     1   0    0      0      | 1       0
        2024 12    32  0    0      0      | 1       0
        2024 12    0   0    0      0      | 1       0
        2024 12    31  24   0      0      | 1       0
        2024 12    31  23   60     0      | 1       0
        2024 12    31  23   59     60     | 1       0       # a leap second has no number in unix time
        2024 12    31  -1   0      0      | 1       0
        1677 12    31  0    0      0      | 1       0
        2262 1     1   0    0      0      | 1       0
    """,
    )
    scan(JOIN_DT, YEAR=2024, table="OFFSET | INVALID\n 24h | 1\n -24h | 1\n 14h | 0")


@pytest.mark.parametrize(("zone", "standard"), [("Europe/Lisbon", 0), ("Europe/Berlin", 1), ("Europe/Helsinki", 2)])
def test_summer_time_is_that_of_the_time_zone_database(zone: str, standard: int, deviation):
    """Each hour of the two changes of each year, a second before and at it, and instants in between, 2002 to 2099."""
    chance, wrong = np.random.default_rng(4), 0
    instants = [*chance.integers(nanoseconds(2002, 1, 1) // S, nanoseconds(2099, 12, 31) // S, 500).tolist()]
    for year in range(2002, 2100):
        for month in (3, 10):
            first = nanoseconds(year, month, 25) // S
            instants += [at - early for at in range(first, first + 7 * 86400, 86400) for early in (-7200, -3600, -3599, 0)]
    for second in instants:
        want = (EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone))
        got = run(DST_EU, IN=second * S, STANDARD=standard * HOUR)
        wrong += timedelta(microseconds=int(got.OFFSET) // 1000) != want.utcoffset() or bool(got.SUMMER) != bool(want.dst())
    deviation("DST_EU", "IANA tz database", f"{zone}, 2002 to 2099, wrong instants", wrong, 0)


def test_the_hour_that_comes_twice_is_told_by_the_offset():
    """2026-10-25: 02:30 CEST, an hour later 02:30 CET."""
    for utc, offset in ((nanoseconds(2026, 10, 25, 0, 30), 2), (nanoseconds(2026, 10, 25, 1, 30), 1)):
        zone = run(DST_EU, IN=utc)
        local = run(SPLIT_DT, IN=utc, OFFSET=int(zone.OFFSET))
        assert (local.HOUR, local.MINUTE, zone.OFFSET) == (2, 30, offset * HOUR)
        back = run(JOIN_DT, YEAR=2026, MONTH=10, DAY=25, HOUR=2, MINUTE=30, OFFSET=offset * HOUR)
        assert back.OUT == utc
