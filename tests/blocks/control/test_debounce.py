"""DEBOUNCE: a contact at rest."""

from __future__ import annotations

from blocks.control.debounce import DEBOUNCE
from tests.aids.scan_table import scan


def test_it_follows_after_its_time_in_each_direction():
    scan(DEBOUNCE, T_ON="20ms", T_OFF="30ms", table="x IN | OUT\n 2 1 | 0\n 1 1 | 1\n 3 0 | 1\n 1 0 | 0")


def test_bouncing_starts_the_time_anew():
    scan(
        DEBOUNCE,
        T_ON="20ms",
        T_OFF="20ms",
        table="IN | OUT\n 1 | 0\n 1 | 0\n 0 | 0\n 1 | 0\n 1 | 0\n 1 | 1\n 0 | 1\n 1 | 1\n 0 | 1\n 0 | 1\n 0 | 0",
    )


def test_without_times_it_is_the_contact():
    scan(DEBOUNCE, T_ON="0s", T_OFF="0s", table="IN | OUT\n 1 | 1\n 0 | 0\n 1 | 1")


def test_the_time_is_true_time():
    scan(DEBOUNCE, T_ON="1s", table="dt IN | OUT\n 10ms 1 | 0\n 999ms 1 | 0\n 1ms 1 | 1")
