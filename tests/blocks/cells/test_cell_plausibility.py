"""CELL_PLAUSIBILITY: which cell cannot be true, and why."""

from __future__ import annotations

from blocks.cells.cell_plausibility import CELL_PLAUSIBILITY
from tests.aids.scan_table import scan

LFP = {"MIN": 2.0, "MAX": 3.9}


def test_range_and_dead_values():
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        table="""
        V             | OK BAD AT REASON GOOD
        [2.0,3.3,3.9] | 1  0   0  0      [1,1,1]
        [1.9,3.3,3.9] | 0  1   1  2      [0,1,1]
        [3.3,3.3,4.0] | 0  1   3  2      [1,1,0]
        [3.3,nan,4.0] | 0  2   2  1      [1,0,0]
        [3.3,inf,3.3] | 0  1   2  1      [1,0,1]
        [3.3,3.3,3.3] | 1  0   0  0      [1,1,1]
    """,
    )


def test_a_jump_is_shown_for_hold_and_the_new_value_is_taken():
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        JUMP=0.2,
        HOLD="2s",
        dt="1s",
        table="V | REASON AT\n [3.3,3.3] | 0 0\n [3.3,3.6] | 3 2\n [3.3,3.6] | 3 2\n [3.3,3.6] | 0 0\n [3.3,3.5] | 0 0",
    )


def test_the_allowed_step_grows_with_the_time_since_the_last_change():
    """The chip sends each 100 ms, the scan runs each 10 ms: 10 mV a sample are 0.1 V/s, not 1 V/s."""
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        JUMP=0.0,
        RATE=0.15,
        HOLD="0s",
        dt="10ms",
        table="x V | REASON\n 10 [3.30] | 0\n 10 [3.31] | 0\n 9 [3.32] | 0\n 1 [3.33] | 0\n 1 [3.34] | 3\n 10 [3.35] | 0",
    )


def test_the_first_values_and_those_after_a_gap_are_no_jump():
    scan(CELL_PLAUSIBILITY, **LFP, JUMP=0.1, table="V | REASON\n [3.3] | 0\n [nan] | 1\n [3.8] | 0\n [3.3] | 3")


def test_a_chip_that_repeats_its_last_answer_is_stuck():
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        I_MOVE=50,
        STUCK="3s",
        dt="1s",
        table="""
        x   V             I   | REASON AT
        100 [3.300,3.300] 0   | 0      0      # at rest nothing moves, and nothing must
        3   [3.290,3.300] 100 | 0      0      # the current has just come: the rest before does not count
        1   [3.290,3.300] 100 | 4      2      # three seconds without an answer to 100 A
        1   [3.290,3.300] 40  | 0      0
        1   [3.290,3.300] 100 | 4      2
        1   [3.290,3.290] 100 | 0      0
        5   [3.290,3.290] 100 | 0      0
        5   [3.290,3.290] nan | 0      0      # without a current nobody can tell
    """,
    )


def test_a_chip_that_is_a_little_late_is_not_stuck():
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        STUCK="3s",
        dt="1s",
        table="x V I | REASON\n 1 [3.3] 0 | 0\n 2 [3.3] 200 | 0\n 9 [3.2] 200 | 0",
    )


def test_a_cell_off_the_mean_of_those_in_range():
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        SPREAD=0.3,
        table="""
            V | REASON AT BAD
            [3.3,3.3,3.3,2.8] | 5 4 1
            [3.3,3.3,3.3,3.0] | 0 0 0
            [3.3,3.3,3.3,0] | 2 4 1
            [0,0,0,0] | 2 1 4
        """,
    )


def test_the_sum_against_the_pack_voltage_with_foxbms_tolerance_of_3_v():
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        COMPARE=True,
        V=[3.3] * 10,
        table="V_PACK | OK REASON AT SUM\n 33 | 1 0 0 33\n 35.9 | 1 0 0 33\n 36.1 | 0 6 0 33\n 29.9 | 0 6 0 33\n nan | 0 6 0 33",
    )


def test_temperatures_with_their_own_limits():
    """A sensor that is off reads far below: an NTC's open wire."""
    scan(
        CELL_PLAUSIBILITY,
        MIN=-30,
        MAX=90,
        JUMP=5,
        RATE=1,
        SPREAD=10,
        HOLD="0s",
        dt="1s",
        table="""
            V | REASON AT
            [25,26,24] | 0 0
            [25,26,-40] | 2 3
            [25,26,24] | 3 3
            [25,26,24] | 0 0
            [25,26,38] | 3 3
            [25,26,42] | 5 3
        """,
    )


def test_a_limit_that_is_no_number_makes_all_bad():
    scan(CELL_PLAUSIBILITY, MAX=3.9, V=[3.3, 3.3], table="MIN | BAD OK\n 2 | 0 1\n nan | 2 0\n 2 | 0 1")


def test_the_scan_in_which_the_current_comes_accuses_nobody():
    """10 ms scans, the chip answers each 100 ms: after hours of rest the voltage follows the current a little later."""
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        table="x V I | OK\n 2000 [3.3,3.3] 0 | 1\n 1 [3.3,3.3] 140 | 1\n 9 [3.3,3.3] 140 | 1\n 1 [3.26,3.26] 140 | 1",
    )


def test_a_current_that_comes_and_goes_does_not_hide_a_dead_chip():
    pulses = "2 [3.3] 100 | 0\n 2 [3.3] 0 | 0\n" * 2
    scan(
        CELL_PLAUSIBILITY,
        **LFP,
        STUCK="3s",
        dt="1s",
        table=f"x V I | REASON\n 5 [3.3] 0 | 0\n {pulses} 1 [3.3] 100 | 0\n 1 [3.3] 100 | 4",
    )
