"""ALARM_LATCH: the states of ISA-18.2 and IEC 62682."""

from __future__ import annotations

from blocks.control.alarm_latch import ALARM_LATCH
from tests.aids.scan_table import scan


def test_an_alarm_acknowledged_while_active_is_normal_when_it_goes():
    scan(
        ALARM_LATCH,
        table="""
        IN ACK | ACTIVE ALARM UNACK STATE
        0  0   | 0      0     0     0
        1  0   | 1      1     1     1
        1  1   | 1      1     0     2
        1  0   | 1      1     0     2
        0  0   | 0      0     0     0
    """,
    )


def test_an_alarm_that_goes_before_it_is_seen_waits_for_the_operator():
    scan(
        ALARM_LATCH,
        table="""
        IN ACK | ACTIVE ALARM UNACK STATE
        1  0   | 1      1     1     1
        0  0   | 0      1     1     3
        0  1   | 0      0     0     0
        1  0   | 1      1     1     1
        0  0   | 0      1     1     3
        1  0   | 1      1     1     1      # it comes again
    """,
    )


def test_the_operator_acknowledges_what_he_has_seen_only():
    """An ACK stuck, before the alarm or in its scan acknowledges nothing; one in the scan in which it goes does."""
    scan(
        ALARM_LATCH,
        table="""
        IN ACK | STATE
        0  1   | 0        # stuck from the start
        1  1   | 1
        1  0   | 1
        0  1   | 0        # seen, acknowledged and gone
        0  0   | 0
        1  1   | 1        # pressed in the same scan: he cannot have seen it
        1  1   | 1
        1  0   | 1
        1  1   | 2
    """,
    )


def test_a_latched_alarm_stays_until_it_is_acknowledged_and_reset():
    scan(
        ALARM_LATCH,
        LATCH=1,
        table="""
        IN ACK RESET | ACTIVE ALARM STATE
        1  0   0     | 1      1     1
        1  1   0     | 1      1     2
        1  0   1     | 1      1     2       # no reset while it is active
        0  0   1     | 0      1     5
        0  0   0     | 0      1     5
        1  0   0     | 1      1     1       # a condition that returns is a new alarm
        0  0   0     | 0      1     4
        0  0   1     | 0      1     4       # not before it is acknowledged
        0  1   0     | 0      1     5
        0  0   1     | 0      0     0
    """,
    )


def test_it_comes_and_goes_after_its_delays():
    scan(
        ALARM_LATCH,
        ON_DELAY="20ms",
        OFF_DELAY="30ms",
        table="""
        x IN | ACTIVE
        2 1  | 0
        1 0  | 0         # too short
        2 1  | 0
        1 1  | 1
        3 0  | 1
        1 1  | 1         # a gap that is too short
        3 0  | 1
        1 0  | 0
    """,
    )


def test_switching_the_latch_off_lets_a_latched_alarm_go():
    scan(
        ALARM_LATCH,
        table="""
        LATCH IN ACK | STATE
        1     1  0   | 1
        1     1  1   | 2
        1     0  0   | 5
        0     0  0   | 0
        1     1  0   | 1
        1     0  0   | 4
        0     0  0   | 3
    """,
    )
