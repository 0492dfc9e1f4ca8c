"""LFSM_O and LFSM_U against Regulation (EU) 2016/631: dP/P_ref = 100/s (|df| - |df1|)/f_n."""

from __future__ import annotations

import pytest

from blocks.grid.lfsm import LFSM_O, LFSM_U
from tests.aids.scan_table import scan


@pytest.mark.parametrize(("droop", "percent_per_hertz"), [(2, 100.0), (4, 50.0), (5, 40.0), (12, 100.0 / 6.0)])
def test_the_droop_is_the_deviation_that_asks_for_all_of_it(droop, percent_per_hertz):
    less, more = 1000.0 - 0.3 * percent_per_hertz * 10.0, 0.3 * percent_per_hertz * 10.0
    scan(LFSM_O, P_SET=1000.0, P_REF=1000.0, DROOP=droop, table=f"F | P\n 50.2 | 1000\n 50.5 | ~{less:.4f}")
    scan(LFSM_U, P_SET=0.0, P_REF=1000.0, P_MAX=1000.0, DROOP=droop, table=f"F | P\n 49.8 | 0\n 49.5 | ~{more:.4f}")


def test_each_acts_on_its_side_only():
    scan(LFSM_O, P_SET=50.0, P_REF=100.0, table="F | P ACTIVE\n 45 | 50 0\n 50.1 | 50 0\n 50.3 | ~46.0 1")
    scan(LFSM_U, P_SET=50.0, P_REF=100.0, P_MAX=100.0, table="F | P ACTIVE\n 55 | 50 0\n 49.9 | 50 0\n 49.7 | ~54.0 1")


def test_a_later_threshold_starts_the_same_slope_later():
    scan(LFSM_O, P_SET=50.0, P_REF=100.0, F1=50.5, table="F | P\n 50.5 | 50\n 50.7 | ~42.000")
    scan(LFSM_U, P_SET=50.0, P_REF=100.0, P_MAX=90.0, F1=49.5, table="F | P\n 49.5 | 50\n 49.3 | ~58.000")


def test_the_end_of_the_range_holds_and_what_was_asked_beyond_it_stays():
    scan(LFSM_O, P_REF=100.0, P_MIN=-30.0, table="F P_SET | P\n 53 50 | -30\n 53 -60 | -60\n 50 -60 | -60")
    scan(LFSM_U, P_REF=100.0, P_MAX=30.0, table="F P_SET | P\n 47 -50 | 30\n 47 60 | 60\n 50 60 | 60")


def test_a_broken_frequency_or_setpoint_is_shown_and_forgotten():
    scan(LFSM_O, P_REF=100.0, table="F P_SET | P\n 50 20 | 20\n nan 20 | nan\n 50 nan | nan\n 51 nan | nan\n 50 20 | 20")
    scan(LFSM_U, P_REF=100.0, P_MAX=50.0, table="F P_SET | P\n 50 20 | 20\n nan 20 | nan\n 49 nan | nan\n 50 20 | 20")


@pytest.mark.parametrize("dead", ["nan", "inf"])
def test_a_broken_reference_or_setting_is_shown_at_every_frequency(dead):
    for pin in ("P_REF", "DROOP", "P_MIN", "F1", "F0"):
        scan(LFSM_O, **({"P_REF": 100.0, "P_SET": 20.0} | {pin: float(dead)}), table="F | P\n 50 | nan\n 51 | nan")
    for pin in ("P_REF", "DROOP", "P_MAX", "F1", "F0"):
        scan(LFSM_U, **({"P_REF": 100.0, "P_MAX": 90.0, "P_SET": 20.0} | {pin: float(dead)}), table="F | P\n 50 | nan\n 49 | nan")


def test_a_frequency_that_no_grid_has_counts_as_none():
    scan(LFSM_O, P_REF=100.0, P_SET=20.0, table="F | P ACTIVE\n 655.35 | nan 0\n 60.1 | nan 0\n 60 | 0 1")
    scan(LFSM_U, P_REF=100.0, P_SET=20.0, P_MAX=100.0, table="F | P ACTIVE\n 0 | nan 0\n 39.9 | nan 0\n 40 | 100 1")
