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
        table="x COUNT | OK LOST STATE\n 1 0 | 0 0 0\n 1 1 | 1 0 1\n 2 1 | 1 0 1\n 1 1 | 0 1 2\n 1 2 | 1 0 1",
    )


def test_a_toggling_bit_will_do():
    scan(
        HEARTBEAT_WATCH,
        TIMEOUT="20ms",
        table="COUNT | OK LOST JUMPS\n 1 | 0 0 0\n 0 | 1 0 0\n 0 | 1 0 0\n 1 | 1 0 0\n 1 | 1 0 0\n 1 | 0 1 0",
    )


@pytest.mark.parametrize(
    ("before", "after", "jump"), [(254, 255, 0), (255, 0, 0), (255, 2, 0), (255, 3, 1), (10, 13, 0), (10, 14, 1), (10, 9, 1)]
)
def test_a_step_beyond_the_largest_is_a_jump_modulo_the_range(before, after, jump):
    scan(
        HEARTBEAT_WATCH,
        MODULO=256,
        MAX_STEP=3,
        table=f"COUNT | OK JUMP JUMPS\n {before - 1} | 0 0 0\n {before} | 1 0 0\n {after} | 1 {jump} {jump}\n {after} | 1 0 {jump}",
    )


def test_the_first_change_is_no_jump():
    """Before it the column may hold anything: its initial value, for one."""
    scan(HEARTBEAT_WATCH, MAX_STEP=1, table="COUNT | OK JUMP\n 0 | 0 0\n 137 | 1 0\n 138 | 1 0\n 200 | 1 1")


def test_what_one_sends_the_other_takes_for_alive():
    send, watch = Twin(HEARTBEAT_SEND), Twin(HEARTBEAT_WATCH)
    watch.set("MAX_STEP", 1)
    for i in range(4000):
        send.plain.scan(10_000_000)
        watch.set("COUNT", send.get("COUNT"))
        watch.plain.scan(10_000_000)
        assert watch.get("OK") == (i >= 9)
    assert watch.get("JUMPS") == 0


def test_a_scan_late_by_exactly_a_period_leaves_nothing_behind():
    scan(HEARTBEAT_SEND, PERIOD="20ms", table="dt | COUNT\n 40ms | 1\n 10ms | 1\n 10ms | 2")
