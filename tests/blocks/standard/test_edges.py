"""R_TRIG and F_TRIG: one scan for each edge (IEC 61131-3, table 44, with its note on the first scan)."""

from __future__ import annotations

from blocks.standard.edges import F_TRIG, R_TRIG
from tests.aids.scan_table import scan


def test_a_rising_edge_lasts_one_scan():
    scan(R_TRIG, table="CLK | Q\n 0 | 0\n 1 | 1\n 1 | 0\n 0 | 0\n 1 | 1\n 0 | 0")


def test_a_clk_that_is_true_from_the_start_counts_as_an_edge():
    scan(R_TRIG, table="CLK | Q\n 1 | 1\n 1 | 0")


def test_a_falling_edge_lasts_one_scan():
    scan(F_TRIG, table="CLK | Q\n 1 | 0\n 0 | 1\n 0 | 0\n 1 | 0\n 0 | 1")


def test_a_clk_that_is_false_from_the_start_counts_as_a_falling_edge():
    scan(F_TRIG, table="CLK | Q\n 0 | 1\n 0 | 0")
