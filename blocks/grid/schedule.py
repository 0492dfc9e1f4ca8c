"""Setpoints by the clock."""

from __future__ import annotations

from blocks.arithmetic import clamp, div, is_finite, min, mod, to_lreal
from blocks.declare import BOOL, DINT, LINT, LREAL, Array, Example, Input, Output, block

DAY = 86_400
NEVER = 9_007_199_254_740_992


@block(source="ISO 16484-5 (BACnet), schedule object: weekly entries, exceptions by date, a default where nothing holds")
class SCHEDULE:
    """Active and reactive power by the clock: a date before the week, and else what began last and still lasts.

    An entry with DAYS above 0 begins at START seconds after midnight of these days (Monday 1, Tuesday 2, Wednesday 4 ... Sunday
    64, every day 127) and may last past midnight, at most 24 h. One with DAYS = 0 begins once, at START in seconds since 1970: a
    date. While a date holds no entry of the week does. Of dates, and of entries of the week, the one that began last holds, and the
    higher number of those that began in the same second. LENGTH 0 or a negative START or DAYS switches an entry off. NOW and START
    are local time as the site keeps it: where that jumps for daylight saving, so does the schedule.

    With INTERPOLATE the power moves linearly to that of the next entry, from the begin of the one that holds, where it lasts until
    the next takes over and that has numbers. An entry that comes back after a shorter one inside it is then on its line as if it
    had not been away, so the power steps there. FALLBACK: no entry holds, its power is no number, or the clock is not CLOCK_OK; P
    and Q are then P_FALLBACK and Q_FALLBACK, or 0.
    """

    NOW = Input(LINT, "local time in seconds since 1970-01-01", unit="s")
    CLOCK_OK = Input(BOOL, "the clock is right", default=True)
    START = Input(Array(LINT, "N"), "seconds after midnight, or since 1970 where DAYS is 0", unit="s")
    LENGTH = Input(Array(LINT, "N"), "how long the entry holds", unit="s")
    DAYS = Input(Array(DINT, "N"), "days as a sum: Monday 1 ... Sunday 64; 0 for a date", min=0, max=127)
    P_ENTRY = Input(Array(LREAL, "N"), "active power of the entry, discharging is positive", unit="kW")
    Q_ENTRY = Input(Array(LREAL, "N"), "reactive power of the entry", unit="kvar")
    INTERPOLATE = Input(BOOL, "true: linear from entry to entry", default=False)
    P_FALLBACK = Input(LREAL, "active power without an entry", unit="kW", default=0.0)
    Q_FALLBACK = Input(LREAL, "reactive power without an entry", unit="kvar", default=0.0)
    P = Output(LREAL, "active power setpoint, discharging is positive", unit="kW")
    Q = Output(LREAL, "reactive power setpoint", unit="kvar")
    ENTRY = Output(DINT, "number of the entry that holds, from 1; 0 where none does", min=0)
    NEXT = Output(DINT, "number of the entry that begins next, from 1; 0 without any", min=0)
    NEXT_IN = Output(LINT, "time until something begins or ends; 0 where nothing will", unit="s", min=0)
    FALLBACK = Output(BOOL, "the fallback is given out")

    def step(fb, dt):
        is_clock = fb.CLOCK_OK and fb.NOW > 0 and fb.NOW < NEVER
        now = fb.NOW if is_clock else 0
        day = div(now, DAY)
        second = now - day * DAY
        today = mod(day + 3, 7)  # 1970-01-01 was a Thursday
        yesterday = mod(day + 2, 7)
        entry = 0
        is_date = False
        age = NEVER
        left = 0
        following = 0
        is_date_next = False
        until = NEVER
        for i in range(len(fb.START)):
            start = clamp(0, fb.START[i], NEVER)
            length = clamp(0, fb.LENGTH[i], NEVER)
            days = fb.DAYS[i]
            length = length if days >= 0 and fb.START[i] >= 0 else 0
            since = now - start
            ahead = start - now if start > now else NEVER
            if days > 0:
                length = min(length, DAY)
                begun_today = ((days >> today) & 1) == 1 and second >= start
                begun_before = ((days >> yesterday) & 1) == 1 and start < DAY
                since = second - start if begun_today else (second + DAY - start if begun_before else 0 - 1)
                ahead = NEVER
                for later in range(8):
                    wait = start + (7 - later) * DAY - second
                    if ((days >> mod(today + 7 - later, 7)) & 1) == 1 and wait > 0 and start < DAY:
                        ahead = wait
            wins = days == 0 if is_date != (days == 0) else since <= age
            if length > 0 and since >= 0 and since < length and (wins or entry == 0):
                entry = i + 1
                is_date = days == 0
                age = since
                left = length - since
            wins_next = ahead < until or (ahead == until and (days == 0 or not is_date_next))
            if length > 0 and ahead < NEVER and wins_next:
                following = i + 1
                is_date_next = days == 0
                until = ahead
        share = 0.0
        toward = entry - 1
        takes_over = until == left or (until < left and (is_date_next or not is_date))
        if fb.INTERPOLATE and entry > 0 and following > 0 and takes_over:
            if is_finite(fb.P_ENTRY[following - 1] + fb.Q_ENTRY[following - 1]):
                share = to_lreal(age) / to_lreal(age + until)
                toward = following - 1
        power = fb.P_FALLBACK
        reactive = fb.Q_FALLBACK
        if entry > 0:
            power = fb.P_ENTRY[entry - 1] + (fb.P_ENTRY[toward] - fb.P_ENTRY[entry - 1]) * share
            reactive = fb.Q_ENTRY[entry - 1] + (fb.Q_ENTRY[toward] - fb.Q_ENTRY[entry - 1]) * share
        fb.FALLBACK = not is_clock or entry == 0 or not is_finite(power + reactive)
        power = fb.P_FALLBACK if fb.FALLBACK else power
        reactive = fb.Q_FALLBACK if fb.FALLBACK else reactive
        fb.P = power if is_finite(power) else 0.0
        fb.Q = reactive if is_finite(reactive) else 0.0
        fb.ENTRY = entry if is_clock else 0
        fb.NEXT = following if is_clock else 0
        change = min(until, left) if entry > 0 else until
        fb.NEXT_IN = change if is_clock and change < NEVER else 0

    example = Example(
        START=[21600, 64800, 1704974400],  # 6:00, 18:00, and Thursday 2024-01-11 12:00
        LENGTH=[7200, 14400, 3600],
        DAYS=[127, 31, 0],
        P_ENTRY=[-50.0, 80.0, 200.0],
        Q_ENTRY=[0.0, 10.0, 0.0],
        P_FALLBACK=-5.0,
        table="""
        NOW        CLOCK_OK | P   Q  ENTRY NEXT NEXT_IN FALLBACK
        1704949200 1        | -5  0  0     1    3600    1         # Thursday 5:00
        1704952800 1        | -50 0  1     3    7200    0         # 6:00
        1704974400 1        | 200 0  3     2    3600    0         # 12:00, the date
        1704996000 1        | 80  10 2     1    14400   0         # 18:00
        1705168800 1        | -5  0  0     1    43200   1         # Saturday 18:00
        1704996000 0        | -5  0  0     0    0       1
    """,
    )
