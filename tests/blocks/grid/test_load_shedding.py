"""LOAD_SHEDDING: stages that open in order, and come back one at a time."""

from __future__ import annotations

from blocks.grid.load_shedding import LOAD_SHEDDING
from tests.aids.scan_table import scan

THREE = {"AT": (49.0, 48.8, 48.6), "DELAY": ("50ms", "50ms", "20ms")}


def test_each_stage_has_its_threshold_and_its_delay():
    scan(
        LOAD_SHEDDING,
        **THREE,
        table="""
        x F    | SHED    OPEN
        1 50   | [0,0,0] 0
        4 48.5 | [0,0,1] 1      # the third is the quickest
        1 48.5 | [1,1,1] 3
    """,
    )


def test_a_dip_shorter_than_the_delay_opens_nothing():
    scan(LOAD_SHEDDING, **THREE, table="x F | OPEN\n 4 48.9 | 0\n 1 49.1 | 0\n 4 48.9 | 0\n 1 48.9 | 1")


def test_a_frequency_on_the_threshold_does_not_count():
    scan(LOAD_SHEDDING, **THREE, table="x F | OPEN\n 100 49.0 | 0")


def test_feeders_come_back_one_at_a_time_and_each_needs_the_pause():
    scan(
        LOAD_SHEDDING,
        **THREE,
        AUTO=True,
        PAUSE="30ms",
        table="""
        x F    | SHED
        5 48.5 | [1,1,1]
        2 50   | [1,1,1]
        1 50   | [1,1,0]
        2 50   | [1,1,0]
        1 49.8 | [1,1,0]      # not above RESTORE: the pause starts anew
        2 50   | [1,1,0]
        1 50   | [1,0,0]
        3 50   | [0,0,0]
        9 50   | [0,0,0]
    """,
    )


def test_without_auto_they_wait_for_the_release():
    scan(
        LOAD_SHEDDING,
        **THREE,
        PAUSE="20ms",
        table="x F RELEASE | OPEN\n 5 48.5 0 | 3\n 99 50 0 | 3\n 1 50 1 | 3\n 1 50 1 | 2\n 9 50 0 | 2",
    )


def test_a_dead_frequency_or_a_block_keeps_everything_as_it_is():
    scan(
        LOAD_SHEDDING,
        **THREE,
        AUTO=True,
        PAUSE="20ms",
        table="""
        x F    BLOCK | OPEN HELD
        9 nan  0     | 0    1
        9 40   1     | 0    1
        5 48.9 0     | 1    0
        9 nan  0     | 1    1
        9 50   1     | 1    1
        2 50   0     | 0    0
    """,
    )


def test_a_threshold_above_the_restoring_frequency_does_not_make_a_feeder_flap():
    """Set wrongly: 49.95 Hz is good to restore and still below the threshold. The feeder stays open."""
    scan(
        LOAD_SHEDDING,
        AT=(50.0,),
        DELAY=("10ms",),
        AUTO=True,
        PAUSE="10ms",
        table="x F | SHED\n 1 49.95 | [1]\n 99 49.95 | [1]\n 1 50.1 | [0]",
    )
