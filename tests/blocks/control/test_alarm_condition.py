"""ALARM_CONDITION: a condition that has lasted."""

from __future__ import annotations

from blocks.control.alarm_condition import ALARM_CONDITION
from tests.aids.scan_table import scan


def test_it_is_active_once_the_condition_has_lasted():
    scan(ALARM_CONDITION, DELAY="20ms", dt="10ms", table="IN | ACTIVE\n 1 | 0\n 1 | 0\n 1 | 1\n 1 | 1\n 0 | 0\n 1 | 0")


def test_without_a_delay_it_is_the_condition():
    scan(ALARM_CONDITION, table="IN | ACTIVE\n 0 | 0\n 1 | 1\n 0 | 0")


def test_a_longer_delay_does_not_drop_an_alarm_that_stands():
    scan(ALARM_CONDITION, table="x IN DELAY | ACTIVE\n 3 1 20ms | 1\n 9 1 1h | 1\n 1 0 1h | 0\n 9 1 1h | 0")
