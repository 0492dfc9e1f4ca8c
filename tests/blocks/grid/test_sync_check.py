"""SYNC_CHECK against IEEE 1547-2018, table 5."""

from __future__ import annotations

import pytest

from blocks.grid.sync_check import SYNC_CHECK
from tests.aids.scan_table import scan

SAME = {"V_GRID": 100.0, "F_GRID": 60.0, "PHASE_GRID": 0.0, "V_NOM": 100.0, "HOLD": "0s"}


@pytest.mark.parametrize(
    ("rated", "hertz", "percent", "degrees"),
    [(100, 0.3, 10, 20), (500, 0.3, 10, 20), (501, 0.2, 5, 15), (1500, 0.2, 5, 15), (1501, 0.1, 3, 10), (10000, 0.1, 3, 10)],
)
def test_the_limits_follow_the_rating(rated, hertz, percent, degrees):
    scan(
        SYNC_CHECK,
        **SAME,
        S_RATED=float(rated),
        table=f"""
        V_PLANT          F_PLANT                PHASE_PLANT      | OK MISSING
        100              60                     0                | 1  0
        {100 + percent - 0.01} 60               0                | 1  0
        {100 + percent + 0.01} 60               0                | 0  4
        {100 - percent - 0.01} 60               0                | 0  4
        100              {60 + hertz - 0.001}   0                | 1  0
        100              {60 + hertz + 0.001}   0                | 0  5
        100              {60 - hertz - 0.001}   0                | 0  5
        100              60                     {degrees}        | 1  0
        100              60                     {degrees + 0.01} | 0  6
        100              60                     {-degrees - 0.01} | 0 6
    """,
    )


def test_the_angle_is_compared_over_the_seam():
    scan(
        SYNC_CHECK,
        **(SAME | {"PHASE_GRID": 179.0}),
        V_PLANT=100.0,
        F_PLANT=60.0,
        S_RATED=2000.0,
        table="PHASE_PLANT | OK D_PHASE\n -175 | 1 6\n 545 | 1 6",
    )


def test_it_must_hold_for_a_while_and_falls_at_once():
    scan(
        SYNC_CHECK,
        **(SAME | {"HOLD": "30ms"}),
        V_PLANT=100.0,
        F_PLANT=60.0,
        S_RATED=2000.0,
        table="x PHASE_PLANT | OK\n 3 0 | 0\n 1 0 | 1\n 1 11 | 0\n 3 0 | 0\n 1 0 | 1",
    )


def test_a_dead_side_or_a_dead_number_refuses():
    scan(
        SYNC_CHECK,
        F_GRID=60.0,
        PHASE_GRID=0.0,
        V_NOM=100.0,
        HOLD="0s",
        F_PLANT=60.0,
        PHASE_PLANT=0.0,
        S_RATED=100.0,
        table="V_GRID V_PLANT | OK MISSING\n 0 0 | 0 2\n 100 50 | 0 3\n nan 100 | 0 1\n 100 inf | 0 1\n 100 100 | 1 0",
    )


def test_a_rating_that_is_not_a_number_has_the_tightest_limits():
    scan(SYNC_CHECK, **SAME, V_PLANT=100.0, F_PLANT=60.0, S_RATED=float("nan"), table="PHASE_PLANT | OK\n 9 | 1\n 11 | 0")


@pytest.mark.parametrize(
    ("volts", "hertz", "missing"), [(100, 0, 5), (100, 40, 5), (100, 70, 5), (200, 60, 2), (100, 60, 0), (114, 50, 0)]
)
def test_two_sides_that_agree_on_what_no_grid_has_may_not_close(volts, hertz, missing):
    both = {"V_GRID": float(volts), "V_PLANT": float(volts), "F_GRID": float(hertz), "F_PLANT": float(hertz)}
    scan(SYNC_CHECK, **(SAME | both), S_RATED=100.0, table=f"PHASE_PLANT | OK MISSING\n 0 | {int(missing == 0)} {missing}")


def test_the_angle_counts_when_the_contacts_meet():
    """0.25 Hz for 0.2 s are 18 degrees: 10 ahead become 28, 10 behind become 8 ahead."""
    scan(
        SYNC_CHECK,
        **SAME,
        V_PLANT=100.0,
        F_PLANT=60.25,
        S_RATED=100.0,
        T_CLOSE="200ms",
        table="PHASE_PLANT | OK MISSING\n 0 | 1 0\n 10 | 0 6\n -10 | 1 0\n -30 | 1 0\n -40 | 0 6",
    )


def test_a_broken_nominal_voltage_is_a_bad_input():
    scan(
        SYNC_CHECK,
        **(SAME | {"V_NOM": float("nan")}),
        V_PLANT=100.0,
        F_PLANT=60.0,
        S_RATED=100.0,
        table="PHASE_PLANT | OK MISSING\n 0 | 0 1",
    )
