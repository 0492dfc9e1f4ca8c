"""SCHEDULE: weekdays, midnight, dates, gaps, the clock, interpolation, and the calendar of Python as the reference."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from blocks.grid.schedule import SCHEDULE
from blocks.plain import Instance
from tests.aids.scan_table import scan

MONDAY = 1704672000  # 2024-01-08 00:00
HOUR, DAY = 3600, 86400


def at(day: int, hour: float) -> int:
    """Seconds since 1970; day 0 is Monday 2024-01-08."""
    return MONDAY + day * DAY + round(hour * HOUR)


def test_the_date_that_the_tests_start_from_is_a_monday():
    assert dt.datetime.fromtimestamp(MONDAY, dt.UTC).strftime("%a %H:%M") == "Mon 00:00"


def test_an_entry_holds_from_its_first_second_to_before_its_last():
    scan(
        SCHEDULE,
        START=[8 * HOUR],
        LENGTH=[HOUR],
        DAYS=[127],
        P_ENTRY=[50.0],
        Q_ENTRY=[7.0],
        P_FALLBACK=-1.0,
        Q_FALLBACK=2.0,
        table=f"""
        NOW                 | P  Q ENTRY FALLBACK NEXT_IN
        {at(0, 8) - 1}      | -1 2 0     1        1
        {at(0, 8)}          | 50 7 1     0        3600
        {at(0, 9) - 1}      | 50 7 1     0        1
        {at(0, 9)}          | -1 2 0     1        {23 * HOUR}
    """,
    )


def test_weekdays_count_from_monday():
    """Monday and Sunday: 1 + 64; the wait from Monday evening is until Sunday."""
    scan(
        SCHEDULE,
        START=[0],
        LENGTH=[12 * HOUR],
        DAYS=[65],
        P_ENTRY=[50.0],
        Q_ENTRY=[0.0],
        table=f"""
        NOW         | P  NEXT_IN
        {at(0, 6)}  | 50 {6 * HOUR}
        {at(0, 18)} | 0  {5 * DAY + 6 * HOUR}
        {at(1, 6)}  | 0  {4 * DAY + 18 * HOUR}
        {at(6, 6)}  | 50 {6 * HOUR}
        {at(6, 12)} | 0  {12 * HOUR}
    """,
    )


def test_an_entry_may_last_past_midnight_into_a_day_that_it_does_not_name():
    scan(
        SCHEDULE,
        START=[22 * HOUR],
        LENGTH=[4 * HOUR],
        DAYS=[1],
        P_ENTRY=[-30.0],
        Q_ENTRY=[0.0],
        table=f"NOW | P\n {at(0, 23)} | -30\n {at(1, 1)} | -30\n {at(1, 2)} | 0\n {at(1, 23)} | 0\n {at(0, 1)} | 0",
    )


def test_the_entry_that_began_last_holds_and_the_earlier_one_comes_back():
    scan(
        SCHEDULE,
        START=[0, 8 * HOUR, 8 * HOUR],
        LENGTH=[DAY, 2 * HOUR, HOUR],
        DAYS=[127, 127, 127],
        P_ENTRY=[1.0, 2.0, 3.0],
        Q_ENTRY=[0.0] * 3,
        table=f"NOW | P ENTRY\n {at(2, 7)} | 1 1\n {at(2, 8)} | 3 3\n {at(2, 9)} | 2 2\n {at(2, 10)} | 1 1\n {at(2, 23.9)} | 1 1",
    )


def test_a_date_holds_once_and_before_the_week():
    scan(
        SCHEDULE,
        START=[0, at(3, 12)],
        LENGTH=[DAY, 2 * DAY],
        DAYS=[127, 0],
        P_ENTRY=[1.0, 9.0],
        Q_ENTRY=[0.0] * 2,
        table=f"NOW | P\n {at(3, 11)} | 1\n {at(3, 12)} | 9\n {at(4, 1)} | 9\n {at(5, 11)} | 9\n {at(5, 12)} | 1",
    )


def test_of_two_dates_the_later_one_holds_whatever_their_order_and_that_of_the_week():
    """An exception goes before the week (BACnet), also where an entry of the week begins in the middle of it or in its second."""
    dates = [at(3, 0), at(3, 12)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        entries = [(dates[0], 2 * DAY, 0, 7.0), (dates[1], DAY, 0, 8.0), (12 * HOUR, HOUR, 127, 1.0), (0, DAY, 127, 2.0)]
        start, length, days, power = zip(*[entries[i] for i in order], strict=True)
        scan(
            SCHEDULE,
            START=list(start),
            LENGTH=list(length),
            DAYS=list(days),
            P_ENTRY=list(power),
            Q_ENTRY=[0.0] * 4,
            table=f"""
            NOW           | P
            {at(3, 0)}    | 7
            {at(3, 12)}   | 8
            {at(4, 11)}   | 8
            {at(4, 12.5)} | 7
            {at(5, 0)}    | 2
            {at(5, 12)}   | 1
        """,
        )


def test_next_names_the_entry_that_will_hold_also_of_two_that_begin_together():
    week = {"START": [8 * HOUR, 10 * HOUR, 10 * HOUR], "LENGTH": [2 * HOUR, HOUR, HOUR], "Q_ENTRY": [0.0] * 3}
    params = week | {"DAYS": [127] * 3, "P_ENTRY": [10.0, 30.0, 90.0], "INTERPOLATE": True}
    scan(SCHEDULE, **params, table=f"NOW | P ENTRY NEXT\n {at(0, 9)} | 50 1 3\n {at(0, 10)} | 90 3 1")
    dated = params | {"START": [8 * HOUR, at(0, 10), 10 * HOUR], "DAYS": [127, 0, 127]}
    scan(SCHEDULE, **dated, table=f"NOW | P ENTRY NEXT\n {at(0, 9)} | 20 1 2\n {at(0, 10)} | 30 2 1")


def test_interpolation_runs_only_towards_an_entry_that_takes_over_and_has_numbers():
    day = {"LENGTH": [DAY, HOUR], "Q_ENTRY": [0.0, 0.0], "INTERPOLATE": True, "P_FALLBACK": -5.0}
    scan(
        SCHEDULE,
        **day,
        START=[0, 10 * HOUR],
        DAYS=[127, 127],
        P_ENTRY=[10.0, math.nan],
        table=f"NOW | P FALLBACK\n {at(0, 5)} | 10 0\n {at(0, 10)} | -5 1\n {at(0, 11)} | 10 0",
    )
    held = f"NOW | P ENTRY NEXT\n {at(0, 5)} | 10 1 2\n {at(0, 10)} | 10 1 2\n {at(1, 0)} | 0 0 2"  # the week waits for the date
    scan(SCHEDULE, **day | {"P_FALLBACK": 0.0}, START=[at(0, 0), 10 * HOUR], DAYS=[0, 127], P_ENTRY=[10.0, 90.0], table=held)


def test_an_entry_that_comes_back_is_on_its_line_as_if_it_had_not_been_away():
    """0 at midnight towards 60 at 20:00; from 8 to 10 an entry of 100 kW lies inside it, which ends in a step to 30."""
    scan(
        SCHEDULE,
        START=[0, 8 * HOUR, 20 * HOUR],
        LENGTH=[DAY, 2 * HOUR, 2 * HOUR],
        DAYS=[127] * 3,
        P_ENTRY=[0.0, 100.0, 60.0],
        Q_ENTRY=[0.0] * 3,
        INTERPOLATE=True,
        table=f"""
        NOW         | P   ENTRY
        {at(0, 4)}  | 50  1
        {at(0, 9)}  | 100 2
        {at(0, 10)} | 30  1
        {at(0, 15)} | 45  1
        {at(0, 20)} | 60  3
    """,
    )


def test_an_entry_of_the_week_lasts_a_day_at_most_and_one_with_a_broken_begin_is_off():
    one = {"P_ENTRY": [50.0], "Q_ENTRY": [0.0]}
    scan(
        SCHEDULE,
        **one,
        START=[0],
        LENGTH=[2 * DAY],
        DAYS=[1],
        table=f"NOW | P\n {at(0, 23)} | 50\n {at(1, 1)} | 0\n {at(1, 23)} | 0",
    )
    late = {"START": [12 * HOUR], "LENGTH": [3 * DAY], "DAYS": [1]}
    scan(SCHEDULE, **one, **late, table=f"NOW | P\n {at(1, 11)} | 50\n {at(1, 12)} | 0\n {at(1, 13)} | 0")
    broken = "START DAYS | P NEXT\n [-3600] [127] | 0 0\n [-3600] [0] | 0 0\n [0] [-1] | 0 0\n [0] [127] | 50 1"
    scan(SCHEDULE, **one, LENGTH=[DAY], NOW=at(0, 0) + 100, table=broken)


def test_interpolation_runs_to_the_next_entry_where_there_is_no_gap():
    """From 10 at 8:00 to 30 at 10:00; then 30 until its end, since nothing follows without a gap."""
    scan(
        SCHEDULE,
        START=[8 * HOUR, 10 * HOUR],
        LENGTH=[2 * HOUR, HOUR],
        DAYS=[127, 127],
        P_ENTRY=[10.0, 30.0],
        Q_ENTRY=[0.0, -4.0],
        INTERPOLATE=True,
        table=f"""
        NOW           | P  Q
        {at(0, 8)}    | 10 0
        {at(0, 8.5)}  | 15 -1
        {at(0, 9.5)}  | 25 -3
        {at(0, 10)}   | 30 -4
        {at(0, 10.9)} | 30 -4
    """,
    )


def test_a_wrong_clock_and_a_broken_entry_fall_back():
    week = {"START": [0], "LENGTH": [DAY], "DAYS": [127], "Q_ENTRY": [0.0]}
    scan(
        SCHEDULE,
        **week,
        P_ENTRY=[5.0],
        NOW=at(0, 5),
        P_FALLBACK=-2.0,
        table="CLOCK_OK | P FALLBACK ENTRY\n 1 | 5 0 1\n 0 | -2 1 0\n 1 | 5 0 1",
    )
    scan(SCHEDULE, **week, P_ENTRY=[5.0], P_FALLBACK=-2.0, table=f"NOW | P FALLBACK\n 0 | -2 1\n -5 | -2 1\n {at(0, 5)} | 5 0")
    scan(
        SCHEDULE, **week, NOW=at(0, 5), table="P_ENTRY P_FALLBACK | P FALLBACK\n [nan] -2 | -2 1\n [nan] nan | 0 1\n [5] nan | 5 0"
    )


def test_an_entry_without_length_is_off():
    week = {"START": [0, 0], "DAYS": [127, 127], "Q_ENTRY": [0.0] * 2, "P_ENTRY": [5.0, 6.0]}
    scan(SCHEDULE, **week, NOW=at(0, 5), table="LENGTH | P\n [86400,0] | 5\n [86400,-1] | 5\n [86400,86400] | 6")


def test_a_random_week_agrees_with_pythons_calendar(deviation):
    """Every entry of every day is listed as an interval of datetimes; the latest start that covers the time must be ours."""
    chance = np.random.default_rng(4)
    count = 12
    start = chance.integers(0, DAY, count)
    length = chance.integers(600, 30000, count)
    days = chance.integers(1, 128, count)
    one = Instance(SCHEDULE, length=count)
    one.START, one.LENGTH, one.DAYS = list(start), list(length), list(days)
    one.P_ENTRY, one.Q_ENTRY = [float(i + 1) for i in range(count)], [0.0] * count
    first = dt.datetime(2024, 2, 26, tzinfo=dt.UTC)  # the week of a leap day
    intervals = []
    for day in range(-1, 16):
        midnight = first + dt.timedelta(days=day)
        for i in range(count):
            if (int(days[i]) >> midnight.weekday()) & 1:
                begin = midnight + dt.timedelta(seconds=int(start[i]))
                intervals.append((begin, begin + dt.timedelta(seconds=int(length[i])), i + 1))
    wrong = 0
    for offset in chance.integers(0, 7 * DAY, 2000):
        now = first + dt.timedelta(seconds=int(offset))
        one.NOW = int(now.timestamp())
        one.scan(10_000_000)
        holding = max(((b, i) for b, e, i in intervals if b <= now < e), default=(None, 0))[1]
        edges = [(b - now).total_seconds() for b, _, _ in intervals if b > now]
        ends = [(e - now).total_seconds() for b, e, i in intervals if i == holding and b <= now < e]
        wrong += one.ENTRY != holding or one.NEXT_IN != min(edges + ends)
    deviation("SCHEDULE", "Python datetime", "a random week", wrong, 0, "of 2000")
