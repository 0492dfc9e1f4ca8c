"""HYSTERESIS: true below LOW, false above HIGH, unchanged between (CODESYS Util)."""

from __future__ import annotations

from blocks.control.hysteresis import HYSTERESIS
from tests.aids.scan_table import scan


def test_it_switches_at_the_far_side_of_the_gap():
    scan(
        HYSTERESIS,
        LOW=5.0,
        HIGH=8.0,
        table="""
        IN  | Q
        6   | 0
        5   | 0
        4.9 | 1
        6   | 1
        8   | 1
        8.1 | 0
        6   | 0
    """,
    )


def test_a_broken_value_leaves_it_as_it_is():
    scan(HYSTERESIS, LOW=5.0, HIGH=8.0, table="IN | Q\n nan | 0\n 4 | 1\n nan | 1\n 9 | 0\n nan | 0")
