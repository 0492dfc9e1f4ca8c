"""SPLIT_RANGE: two actuators in turn."""

from __future__ import annotations

from blocks.control.split_range import SPLIT_RANGE
from tests.aids.scan_table import scan


def test_cooling_falls_and_heating_rises():
    scan(SPLIT_RANGE, table="IN | A B\n 0 | 100 0\n 25 | 50 0\n 50 | 0 0\n 75 | 0 50\n 100 | 0 100")


def test_in_turn_the_second_begins_where_the_first_is_full():
    scan(SPLIT_RANGE, A_RISES=True, SPLIT=40.0, table="IN | A B\n 0 | 0 0\n 20 | 50 0\n 40 | 100 0\n 70 | 100 50\n 100 | 100 100")


def test_a_gap_moves_neither_and_an_overlap_both():
    scan(SPLIT_RANGE, GAP=20.0, table="IN | A B\n 40 | 0 0\n 60 | 0 0\n 80 | 0 50")
    scan(SPLIT_RANGE, GAP=-20.0, table="IN | A B\n 30 | 50 0\n 50 | ~16.67 ~16.67\n 70 | 0 50")


def test_a_split_at_an_end_leaves_the_other_actuator_only():
    scan(SPLIT_RANGE, SPLIT=0.0, table="IN | A B\n 0 | 0 0\n 50 | 0 50\n 100 | 0 100")
    scan(SPLIT_RANGE, SPLIT=100.0, table="IN | A B\n 0 | 100 0\n 50 | 50 0\n 100 | 0 0")


def test_what_is_beyond_its_range_is_held():
    scan(SPLIT_RANGE, table="IN | A B\n -50 | 100 0\n 150 | 0 100")


def test_a_broken_input_stops_both():
    scan(
        SPLIT_RANGE,
        table="""
        IN  SPLIT GAP | A  B BAD
        25  50    0   | 50 0 0
        nan 50    0   | 0  0 1
        25  nan   0   | 0  0 1
        25  50    nan | 0  0 1
        inf 50    0   | 0  0 1
        25  50    0   | 50 0 0
    """,
    )


def test_a_controller_at_0_leaves_both_at_0_also_where_the_gap_swallows_the_first():
    scan(SPLIT_RANGE, A_RISES=True, SPLIT=10.0, GAP=20.0, table="IN | A B\n 0 | 0 0\n -5 | 0 0\n 1 | 100 0\n 60 | 100 50")
