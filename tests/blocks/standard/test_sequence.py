"""SEQUENCE, ELAPSED, STEP_ACTIVE: what a function chart becomes."""

from __future__ import annotations

from blocks.standard.sequence import ELAPSED, SEQUENCE, STEP_ACTIVE
from tests.aids.scan_table import scan


def test_a_row_moves_the_chain_only_from_its_own_step_and_once_a_scan():
    scan(
        SEQUENCE,
        FROM=[0, 1, 2],
        TO=[1, 2, 0],
        dt="10ms",
        table="""
        GO      | STEP T
        [0,0,0] | 0    0ms
        [0,1,1] | 0    10ms
        [1,1,1] | 1    0ms      # all may go: one move a scan
        [1,0,1] | 1    10ms
        [1,1,1] | 2    0ms
        [0,0,1] | 0    0ms
    """,
    )


def test_the_first_true_row_wins():
    scan(SEQUENCE, FROM=[0, 0], TO=[2, 1], table="GO | STEP\n [1,1] | 2")
    scan(SEQUENCE, FROM=[0, 0], TO=[2, 1], table="GO | STEP\n [0,1] | 1")


def test_it_may_leave_the_first_step_in_the_first_scan():
    scan(SEQUENCE, FROM=[0], TO=[1], table="GO | STEP T\n [1] | 1 0ms\n [1] | 1 10ms")


def test_a_row_back_to_its_own_step_starts_the_time_anew():
    scan(SEQUENCE, FROM=[0], TO=[0], dt="10ms", table="GO | STEP T\n [0] | 0 0ms\n [0] | 0 10ms\n [1] | 0 0ms\n [0] | 0 10ms")


def test_the_time_in_a_step_is_the_true_time():
    scan(SEQUENCE, FROM=[0], TO=[1], table="dt GO | STEP T\n 10ms [0] | 0 0ms\n 35ms [0] | 0 35ms\n 5ms [0] | 0 40ms")


def test_elapsed_adds_the_time_of_this_scan():
    scan(ELAPSED, table="dt T | OUT\n 10ms 0ms | 10ms\n 25ms 1s | 1025ms")


def test_a_step_has_a_flag_and_a_time_while_it_is_active():
    scan(STEP_ACTIVE, K=2, table="STEP TIME_IN | X T\n 0 5s | 0 0ms\n 2 0ms | 1 0ms\n 2 10ms | 1 10ms\n 1 20ms | 0 0ms")
