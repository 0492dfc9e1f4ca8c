"""HEARTBEAT_SEND and HEARTBEAT_WATCH: a counter that proves life."""

from __future__ import annotations

import pytest

from blocks.control.heartbeat import HEARTBEAT_SEND, HEARTBEAT_WATCH
from tests.aids.scan_table import Twin, scan


def test_it_counts_once_a_period_and_begins_again():
    scan(
        HEARTBEAT_SEND,
        PERIOD="30ms",
        MODULO=4,
        table="x | COUNT TOGGLE\n 2 | 0 0\n 1 | 1 1\n 3 | 2 0\n 3 | 3 1\n 3 | 0 0\n 3 | 1 1",
    )


def test_the_mean_rate_holds_where_the_period_is_no_multiple_of_the_scan():
    """25 ms in 10 ms scans: 40 counts a second."""
    scan(HEARTBEAT_SEND, PERIOD="25ms", table="x | COUNT\n 100 | 40\n 100 | 80")


def test_a_late_scan_counts_once_and_leaves_no_burst():
    scan(HEARTBEAT_SEND, PERIOD="20ms", table="dt | COUNT\n 1s | 1\n 10ms | 1\n 10ms | 2\n 10ms | 2\n 10ms | 3")


def test_it_stops_with_what_it_proves():
    scan(HEARTBEAT_SEND, PERIOD="0s", table="x EN | COUNT\n 3 1 | 3\n 50 0 | 3\n 1 1 | 4")


def test_a_partner_that_never_lived_is_an_alarm_after_the_grace_only():
    scan(
        HEARTBEAT_WATCH,
        TIMEOUT="20ms",
        GRACE="50ms",
        COUNT=7,
        table="x | OK LOST STATE\n 1 | 0 0 0\n 4 | 0 0 0\n 1 | 0 1 3\n 9 | 0 1 3",
    )


def test_a_partner_that_stops_is_lost_after_the_timeout_grace_or_not():
    scan(
        HEARTBEAT_WATCH,
        TIMEOUT="30ms",
        GRACE="1h",
        table="x COUNT | OK LOST STATE\n 1 0 | 0 0 0\n 1 7 | 0 0 0\n 1 1 | 1 0 1\n 2 1 | 1 0 1\n 1 1 | 0 1 2\n 1 2 | 1 0 1",
    )


def test_a_toggling_bit_will_do():
    scan(
        HEARTBEAT_WATCH,
        TIMEOUT="20ms",
        table="COUNT | OK LOST JUMPS\n 1 | 0 0 0\n 0 | 0 0 0\n 0 | 0 0 0\n 1 | 1 0 0\n 1 | 1 0 0\n 1 | 0 1 0",
    )


@pytest.mark.parametrize(
    ("before", "after", "jump"), [(254, 255, 0), (255, 0, 0), (255, 2, 0), (255, 3, 1), (10, 13, 0), (10, 14, 1), (10, 9, 1)]
)
def test_a_step_beyond_the_largest_is_a_jump_modulo_the_range(before, after, jump):
    scan(
        HEARTBEAT_WATCH,
        MODULO=256,
        MAX_STEP=3,
        table=f"COUNT | OK JUMP JUMPS\n {before - 1} | 0 0 0\n {before} | 0 0 0\n {after} | 1 {jump} {jump}\n {after} | 1 0 {jump}",
    )


def test_the_first_change_is_no_jump_and_no_sign_of_life():
    """Before it the column may hold anything: its initial value, for one."""
    scan(HEARTBEAT_WATCH, MAX_STEP=1, table="COUNT | OK JUMP\n 0 | 0 0\n 137 | 0 0\n 138 | 1 0\n 200 | 1 1")


def test_what_one_sends_the_other_takes_for_alive():
    send, watch = Twin(HEARTBEAT_SEND), Twin(HEARTBEAT_WATCH)
    watch.set("MAX_STEP", 1)
    for i in range(4000):
        send.plain.scan(10_000_000)
        watch.set("COUNT", send.get("COUNT"))
        watch.plain.scan(10_000_000)
        assert watch.get("OK") == (i >= 19)  # the second count
    assert watch.get("JUMPS") == 0


def test_a_scan_late_by_exactly_a_period_leaves_nothing_behind():
    scan(HEARTBEAT_SEND, PERIOD="20ms", table="dt | COUNT\n 40ms | 1\n 10ms | 1\n 10ms | 2")


def test_a_longer_timeout_does_not_bring_a_dead_partner_back():
    scan(
        HEARTBEAT_WATCH,
        table="""
        x COUNT TIMEOUT | OK LOST STATE
        1 1     20ms    | 0  0    0
        1 2     20ms    | 0  0    0
        1 3     20ms    | 1  0    1
        2 3     20ms    | 0  1    2
        5 3     1h      | 0  1    2
        1 4     1h      | 1  0    1
    """,
    )


def test_a_longer_grace_does_not_take_a_standing_alarm_back():
    scan(HEARTBEAT_WATCH, COUNT=7, table="x GRACE | LOST STATE\n 6 50ms | 1 3\n 1 1h | 1 3")


def test_the_return_of_the_cable_is_no_sign_of_life():
    """While GOOD is false COUNT may be anything: a substitute, for one. What it is afterwards is the first value again."""
    scan(
        HEARTBEAT_WATCH,
        TIMEOUT="30ms",
        table="""
        COUNT GOOD | OK LOST SILENT JUMPS
        1     1    | 0  0    10ms   0
        2     1    | 0  0    0ms    0
        3     1    | 1  0    0ms    0
        0     0    | 1  0    10ms   0
        7     0    | 1  0    20ms   0
        7     1    | 0  1    30ms   0       # another value, and nobody knows when it changed
        7     1    | 0  1    30ms   0
        8     1    | 1  0    0ms    0
    """,
    )


def test_a_stuck_partner_is_never_alive_at_the_start_whatever_the_register_held_before():
    scan(HEARTBEAT_WATCH, table="x COUNT | OK\n 3 0 | 0\n 99 77 | 0")
    scan(HEARTBEAT_WATCH, table="x COUNT GOOD | OK\n 3 0 0 | 0\n 99 77 1 | 0")


def test_the_bit_changes_with_each_count_also_where_the_modulo_is_odd():
    scan(
        HEARTBEAT_SEND, PERIOD="0s", MODULO=3, table="EN | COUNT TOGGLE\n 1 | 1 1\n 1 | 2 0\n 1 | 0 1\n 1 | 1 0\n 1 | 2 1\n 1 | 0 0"
    )
