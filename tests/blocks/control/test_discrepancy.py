"""DISCREPANCY: command against feedback (PLCopen SF_EDM)."""

from __future__ import annotations

import pytest

from blocks.control.discrepancy import DISCREPANCY
from blocks.declare import INPUT
from tests.aids.scan_table import Twin, scan

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


def test_a_late_answer_to_a_short_command_is_not_by_itself():
    """A contactor that takes 60 ms to close and to open, commanded on for 30 ms: on from 60 to 90 ms, and nothing is wrong."""
    scan(DISCREPANCY, table="x CMD FB | ALARM REASON\n 1 0 0 | 0 0\n 3 1 0 | 0 0\n 3 0 0 | 0 0\n 3 0 1 | 0 0\n 20 0 0 | 0 0")


def test_a_late_answer_that_stays_is_a_contactor_that_does_not_switch_off():
    scan(DISCREPANCY, table="x CMD FB | ALARM REASON\n 1 0 0 | 0 0\n 3 1 0 | 0 0\n 3 0 0 | 0 0\n 10 0 1 | 0 0\n 1 0 1 | 1 2")


@pytest.mark.parametrize(("dead", "reason"), [(0, 1), (1, 2)])
def test_commands_that_change_too_fast_do_not_hide_a_dead_or_welded_device(dead, reason):
    """50 ms on, 50 ms off, with 100 ms allowed: 300 ms in all, less an eighth of what agrees, is over in the seventh turn."""
    turn = f" 5 1 {dead} | 0 0\n 5 0 {dead} | 0 0\n"
    rest = f" 5 1 0 | 1 {reason}" if reason == 1 else f" 5 1 1 | 0 0\n 5 0 1 | 1 {reason}"
    scan(DISCREPANCY, table="x CMD FB | ALARM REASON\n" + turn * 6 + rest)


def test_a_device_that_follows_fast_commands_is_no_alarm():
    """30 ms late, each time."""
    scan(DISCREPANCY, table="x CMD FB | ALARM\n" + " 3 1 0 | 0\n 2 1 1 | 0\n 3 0 1 | 0\n 2 0 0 | 0\n" * 30)


def test_a_feedback_that_chatters_alarms():
    """10 ms away, 10 ms back: 8.75 ms are left of each, and T_SELF is 20 ms."""
    twin = Twin(DISCREPANCY)
    twin.set("CMD", True)
    alarms = []
    for i in range(40):
        twin.set("FB", i < 20 or i % 2 == 1)
        twin.scan(10_000_000)
        alarms.append(bool(twin.get("ALARM")))
    assert not any(alarms[:22])
    assert any(alarms[22:])
    assert twin.get("REASON") == 3


def test_a_longer_time_does_not_drop_an_alarm_that_stands():
    scan(DISCREPANCY, CMD=1, FB=0, table="x T_ON | ALARM\n 3 30ms | 0\n 1 30ms | 1\n 9 1h | 1")


def test_after_a_restart_only_the_reason_is_left():
    """A retained "it has obeyed" would call the contactor that fell with the power one that went off by itself."""
    assert {pin.name for pin in DISCREPANCY.pins if pin.kind != INPUT and not pin.volatile} == {"REASON", "AGREED"}
