"""CELL_STATS: lowest, highest, mean, and where; broken cells are left out and counted."""

from __future__ import annotations

from blocks.cells.cell_stats import CELL_STATS
from tests.aids.scan_table import scan


def test_lowest_highest_mean_and_where():
    scan(
        CELL_STATS,
        table="""
        V                  | MIN MAX MEAN SPREAD MIN_AT MAX_AT BAD
        [3.5,3.0,4.0,3.5]  | 3   4   3.5  1      2      3      0
        [3.5,3.5,3.5,3.5]  | 3.5 3.5 3.5  0      1      1      0
    """,
    )


def test_a_broken_cell_is_left_out_and_counted():
    scan(
        CELL_STATS,
        table="""
        V                  | MIN MAX MEAN SPREAD MIN_AT MAX_AT BAD
        [nan,3.0,4.0,inf]  | 3   4   3.5  1      2      3      2
        [nan,nan,nan,3.25] | 3.25 3.25 3.25 0    4      4      3
    """,
    )


def test_without_a_good_cell_nothing_is_claimed():
    scan(
        CELL_STATS,
        table="""
        V         | MIN MAX MEAN SPREAD MIN_AT MAX_AT BAD
        [nan,inf] | nan nan nan  nan    0      0      2
        [3.0,3.0] | 3   3   3    0      1      1      0
    """,
    )


def test_temperatures_may_be_negative():
    scan(CELL_STATS, table="V | MIN MAX MIN_AT MAX_AT\n [-5.5,-7,-1] | -7 -1 2 3")
