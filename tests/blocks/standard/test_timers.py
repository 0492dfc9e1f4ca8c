"""TON, TOF, TP: the timing diagrams of IEC 61131-3, figure 15, as tables."""

from __future__ import annotations

from blocks.standard.timers import TOF, TON, TP
from tests.aids.scan_table import scan


def test_ton_delays_the_rising_edge_and_drops_at_once():
    scan(
        TON,
        PT="30ms",
        dt="10ms",
        table="""
        IN | Q  ET
        1  | 0  0ms
        1  | 0  10ms
        1  | 0  20ms
        1  | 1  30ms
        1  | 1  30ms
        0  | 0  0ms
        1  | 0  0ms
        0  | 0  0ms
    """,
    )


def test_ton_counts_the_true_time_when_scans_are_late():
    scan(
        TON,
        PT="100ms",
        table="""
        dt   IN | Q  ET
        10ms 1  | 0  0ms
        70ms 1  | 0  70ms
        40ms 1  | 1  100ms
    """,
    )


def test_ton_fires_in_the_exact_scan_after_twenty_thousand():
    """Three milliseconds are no sum of binary fractions: float seconds would be a scan off by then."""
    scan(
        TON,
        PT="60s",
        dt="3ms",
        table="""
        x     IN | Q  ET
        1     1  | 0  0ms
        19999 1  | 0  59997ms
        1     1  | 1  60s
    """,
    )


def test_ton_without_a_delay_is_a_wire():
    scan(TON, PT="0ms", table="IN | Q ET\n 0 | 0 0ms\n 1 | 1 0ms\n 0 | 0 0ms")


def test_tof_delays_the_falling_edge():
    scan(
        TOF,
        PT="30ms",
        dt="10ms",
        table="""
        IN | Q  ET
        0  | 0  0ms
        1  | 1  0ms
        0  | 1  0ms
        0  | 1  10ms
        1  | 1  0ms      # rises again: the time starts anew
        0  | 1  0ms
        0  | 1  10ms
        0  | 1  20ms
        0  | 0  30ms
        0  | 0  30ms     # ET stays until IN rises
        1  | 1  0ms
    """,
    )


def test_tof_without_a_delay_is_a_wire():
    scan(TOF, PT="0ms", table="IN | Q ET\n 0 | 0 0ms\n 1 | 1 0ms\n 0 | 0 0ms")


def test_tp_is_as_long_as_pt_whatever_in_does():
    scan(
        TP,
        PT="30ms",
        dt="10ms",
        table="""
        IN | Q  ET
        0  | 0  0ms
        1  | 1  0ms
        0  | 1  10ms
        1  | 1  20ms     # a second edge does not prolong it
        1  | 0  30ms
        1  | 0  30ms     # ET stays until IN falls
        0  | 0  0ms
        1  | 1  0ms
        1  | 1  10ms
        0  | 1  20ms
        0  | 0  0ms
    """,
    )


def test_tp_without_a_length_gives_no_pulse():
    scan(TP, PT="0ms", table="IN | Q ET\n 1 | 0 0ms\n 0 | 0 0ms")


def test_ton_ignores_a_pulse_shorter_than_pt_and_starts_anew():
    scan(TON, PT="30ms", table="x IN | Q ET\n 3 1 | 0 20ms\n 1 0 | 0 0ms\n 3 1 | 0 20ms\n 1 1 | 1 30ms\n 1 0 | 0 0ms")


def test_ton_fires_in_the_scan_that_reaches_pt_and_not_a_nanosecond_before():
    scan(TON, PT="100ms", table="dt IN | Q ET\n 10ms 1 | 0 0ms\n 99999999ns 1 | 0 99999999ns\n 1ns 1 | 1 100ms")
    scan(TOF, PT="100ms", table="dt IN | Q ET\n 10ms 1 | 1 0ms\n 5ms 0 | 1 0ms\n 99999999ns 0 | 1 99999999ns\n 1ns 0 | 0 100ms")
    scan(TP, PT="100ms", table="dt IN | Q ET\n 10ms 1 | 1 0ms\n 99999999ns 1 | 1 99999999ns\n 1ns 1 | 0 100ms")


def test_tof_ignores_a_gap_shorter_than_pt():
    scan(TOF, PT="30ms", table="x IN | Q ET\n 1 1 | 1 0ms\n 3 0 | 1 20ms\n 1 1 | 1 0ms\n 3 0 | 1 20ms\n 1 0 | 0 30ms")


def test_tof_stays_off_until_in_has_been_true_once():
    scan(TOF, PT="30ms", table="x IN | Q ET\n 5 0 | 0 0ms\n 1 1 | 1 0ms")


def test_tp_starts_again_only_with_an_edge_after_the_pulse():
    scan(
        TP,
        PT="20ms",
        table="""
        IN | Q  ET
        1  | 1  0ms
        1  | 1  10ms
        1  | 0  20ms
        1  | 0  20ms     # true all the time: one pulse
        0  | 0  0ms
        1  | 1  0ms
        0  | 1  10ms
        0  | 0  0ms      # over while IN is false: ET goes back with it
        1  | 1  0ms
    """,
    )


def test_a_pt_that_changes_while_a_timer_runs_holds_from_the_next_scan_on():
    """The standard leaves it to the implementer; ours compares the time with the PT of the scan."""
    scan(
        TON,
        table="""
        PT   IN | Q ET
        50ms 1  | 0 0ms
        50ms 1  | 0 10ms
        20ms 1  | 1 20ms
        40ms 1  | 0 30ms
        40ms 1  | 1 40ms
        5ms  1  | 1 5ms
    """,
    )
    scan(TOF, table="PT IN | Q ET\n 50ms 1 | 1 0ms\n 50ms 0 | 1 0ms\n 50ms 0 | 1 10ms\n 20ms 0 | 0 20ms\n 90ms 0 | 0 20ms")
    scan(TP, table="PT IN | Q ET\n 50ms 1 | 1 0ms\n 50ms 0 | 1 10ms\n 20ms 0 | 0 0ms\n 90ms 0 | 0 0ms")
