"""SLEEP_CONTROL: sleeps when nobody needs the battery, wakes when somebody does, and counts its sleep."""

from __future__ import annotations

import pytest

from blocks.charge.sleep_control import REASONS, SLEEP_CONTROL
from tests.aids.scan_table import scan

ASLEEP, BUSY, WOKEN, CLOSED, FORBIDDEN, SOON, LOOKS = range(7)


def test_it_sleeps_after_the_idle_time_and_counts_whole_sleeps():
    scan(
        SLEEP_CONTROL,
        CLOSED=False,
        T_IDLE="10s",
        dt="1s",
        table=f"""
        x  IDLE | SLEEP WHY      IDLE_FOR SLEPT TOTAL SLEEPS
        1  0    | 0     {BUSY}   0s       0s    0s    0
        1  1    | 0     {SOON}   0s       0s    0s    0
        9  1    | 0     {SOON}   9s       0s    0s    0
        1  1    | 1     {ASLEEP} 0s       0s    0s    1
        60 1    | 1     {ASLEEP} 0s       60s   60s   1
        1  0    | 0     {BUSY}   0s       61s   61s   1
        10 1    | 0     {SOON}   9s       61s   61s   1
        1  1    | 1     {ASLEEP} 0s       0s    61s   2
        4  1    | 1     {ASLEEP} 0s       4s    65s   2
    """,
    )
    assert REASONS[SOON] == "idle time is not over"


@pytest.mark.parametrize(
    ("pin", "value", "why"), [("IDLE", 0, BUSY), ("WAKE", 1, WOKEN), ("CLOSED", 1, CLOSED), ("ALLOWED", 0, FORBIDDEN)]
)
def test_whatever_needs_it_wakes_it_in_the_same_scan_and_the_idle_time_starts_anew(pin, value, why):
    calm = {"IDLE": 1, "WAKE": 0, "CLOSED": 0, "ALLOWED": 1}
    rest = {name: bool(state) for name, state in calm.items() if name != pin}
    scan(
        SLEEP_CONTROL,
        **rest,
        T_IDLE="3s",
        dt="1s",
        table=f"""
        x {pin}       | SLEEP WHY
        3 {calm[pin]} | 0     {SOON}
        1 {calm[pin]} | 1     {ASLEEP}
        1 {value}     | 0     {why}
        9 {value}     | 0     {why}
        3 {calm[pin]} | 0     {SOON}
        1 {value}     | 0     {why}
        3 {calm[pin]} | 0     {SOON}
        1 {calm[pin]} | 1     {ASLEEP}
    """,
    )


def test_a_longest_sleep_wakes_it_to_be_looked_at():
    scan(
        SLEEP_CONTROL,
        CLOSED=False,
        IDLE=True,
        T_IDLE="2s",
        T_MAX="5s",
        dt="1s",
        table="""
        x ALLOWED | SLEEP SLEPT
        3 1       | 1     0s
        4 1       | 1     4s
        1 1       | 0     5s
        2 1       | 0     5s
        1 1       | 1     0s
    """,
    )
    scan(
        SLEEP_CONTROL,
        CLOSED=False,
        T_IDLE="0s",
        T_MAX="1s",
        dt="1s",
        table=f"IDLE | WHY\n 1 | {ASLEEP}\n 1 | {LOOKS}\n 1 | {ASLEEP}",
    )


def test_closed_contactors_are_never_left_alone():
    scan(SLEEP_CONTROL, IDLE=True, CLOSED=True, T_IDLE="0s", table=f"x WAKE | SLEEP WHY\n 99 0 | 0 {CLOSED}")
