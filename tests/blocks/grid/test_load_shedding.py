"""LOAD_SHEDDING: stages that open in order, and come back one at a time."""

from __future__ import annotations

import pytest

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
        table="x F RELEASE | OPEN\n 5 48.5 0 | 3\n 99 50 0 | 3\n 1 50 1 | 2\n 1 50 1 | 2\n 9 50 0 | 2",
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


@pytest.mark.parametrize("wild", ["0", "-inf", "39", "inf", "73", "nan"])
def test_a_frequency_that_no_grid_has_neither_sheds_nor_restores(wild):
    scan(
        LOAD_SHEDDING,
        **THREE,
        AUTO=True,
        PAUSE="20ms",
        table=f"x F | OPEN HELD\n 9 {wild} | 0 1\n 5 48.5 | 3 0\n 99 {wild} | 3 1",
    )


def test_lost_samples_do_not_start_the_delay_anew():
    scan(LOAD_SHEDDING, **THREE, table="x F | OPEN\n 4 48.9 | 0\n 1 nan | 0\n 1 48.9 | 1")


def test_a_feeder_whose_threshold_is_broken_stays_as_it_is():
    scan(
        LOAD_SHEDDING,
        DELAY=("10ms",),
        AUTO=True,
        PAUSE="10ms",
        table="x F AT | SHED\n 9 45 [nan] | [0]\n 1 48 [49] | [1]\n 99 50 [nan] | [1]\n 1 50 [49] | [0]",
    )


def test_a_pulse_of_release_frees_one_feeder_once_the_frequency_has_been_good():
    scan(
        LOAD_SHEDDING,
        **THREE,
        PAUSE="30ms",
        table="""
        x  F    RELEASE | OPEN READY
        5  48.5 0       | 3    0
        1  50   0       | 3    0
        1  50   1       | 3    0      # too early: it is lost
        9  50   0       | 3    1
        1  50   1       | 2    1
        9  50   0       | 2    1
        1  50   1       | 1    1
    """,
    )


def test_after_a_start_the_feeders_that_are_open_stay_open_until_the_frequency_is_good():
    scan(
        LOAD_SHEDDING,
        **THREE,
        AUTO=True,
        PAUSE="20ms",
        table="""
        x F    IS_OPEN | SHED
        9 49.2 [1,1,0] | [1,1,0]
        2 50   [1,1,0] | [1,0,0]
        2 50   [1,0,0] | [0,0,0]
        9 50   [1,0,0] | [0,0,0]
    """,
    )
