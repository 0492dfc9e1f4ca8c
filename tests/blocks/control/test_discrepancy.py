"""DISCREPANCY: command against feedback (PLCopen SF_EDM)."""

from __future__ import annotations

from blocks.control.discrepancy import DISCREPANCY
from tests.aids.scan_table import scan

TIMES = {"T_ON": "30ms", "T_OFF": "20ms", "T_SELF": "10ms"}


def test_a_device_that_obeys_in_time_is_no_alarm():
    scan(DISCREPANCY, **TIMES, table="x CMD FB | ALARM REASON\n 3 1 0 | 0 0\n 5 1 1 | 0 0\n 2 0 1 | 0 0\n 5 0 0 | 0 0")


def test_a_device_that_does_not_switch_on_alarms_after_its_time():
    scan(
        DISCREPANCY,
        **TIMES,
        table="""
        x CMD FB | ALARM REASON
        1 0   0  | 0     0
        3 1   0  | 0     0
        1 1   0  | 1     1
        1 1   1  | 0     1       # late, but there
    """,
    )


def test_a_welded_contactor_alarms():
    scan(
        DISCREPANCY, **TIMES, table="x CMD FB | ALARM REASON\n 1 1 1 | 0 0\n 2 0 1 | 0 0\n 1 0 1 | 1 2\n 9 0 1 | 1 2\n 1 0 0 | 0 2"
    )


def test_a_contactor_welded_at_power_up_alarms():
    scan(DISCREPANCY, **TIMES, table="x CMD FB | ALARM REASON\n 2 0 1 | 0 0\n 1 0 1 | 1 2")


def test_a_feedback_that_leaves_by_itself_alarms_by_the_shorter_time():
    scan(
        DISCREPANCY,
        **TIMES,
        table="""
        x CMD FB | ALARM REASON
        2 1   1  | 0     0
        1 1   0  | 0     0
        1 1   0  | 1     3
        1 0   0  | 0     3
        1 0   1  | 0     3
        1 0   1  | 1     4
    """,
    )


def test_a_new_command_gets_its_own_time():
    """Off after 20 ms of waiting for on: the wait does not count, since the feedback is right again."""
    scan(DISCREPANCY, **TIMES, table="x CMD FB | ALARM\n 3 1 0 | 0\n 1 0 0 | 0\n 3 1 0 | 0\n 1 1 0 | 1")
